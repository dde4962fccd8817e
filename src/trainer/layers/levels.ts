// The rows that a model has in the gradient heatmap, and which of them belongs to which layer.
import { kindOf } from '../../experiment/layers/index.ts';
import type { Layer } from '../../experiment/schema.ts';
import type { BuiltLayer } from './layer.ts';
import type { RecurrentInfo } from './model.ts';
import type { LevelInfo } from './watch.ts';

export interface Levels {
  all: LevelInfo[];
  recurrent: RecurrentInfo[];
  /** by place among `recurrent`: its place in `all` */
  ofRecurrent: number[];
  /** by layer: the place in `all` of the level that is the whole layer; null: there is none */
  ofLayer: (number | null)[];
}

export function levelsOf(descriptions: readonly Layer[], built: readonly BuiltLayer[]): Levels {
  const levels: Levels = { all: [], recurrent: [], ofRecurrent: [], ofLayer: [] };
  for (const [index, { recurrent, output, head }] of built.entries()) {
    for (const level of recurrent) {
      levels.ofRecurrent.push(levels.all.length);
      levels.recurrent.push(level);
      levels.all.push(level);
    }
    const isLeftToLoss = head !== undefined && index === built.length - 1;
    if (recurrent.length > 0 || isLeftToLoss || !output.learned) levels.ofLayer.push(null);
    else {
      levels.ofLayer.push(levels.all.length);
      const { family, title } = kindOf(descriptions[index]!);
      levels.all.push({
        name: `layers.${index}`,
        family,
        title,
        units: output.width,
        gates: [],
        keeps: null,
      });
    }
  }
  return levels;
}
