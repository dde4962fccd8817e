// The rows that a model has in the gradient heatmap, and which of them belongs to which layer.
import { kindOf, type Layer } from '../../experiment/layers/index.ts';
import type { BuiltLayer } from './layer.ts';
import type { LevelInfo } from './watch.ts';

/** A layer in its chain. */
export interface ChainLayer {
  name: string;
  description: Layer;
  built: BuiltLayer;
}

export interface Levels {
  all: LevelInfo[];
  /** places in `all` by name */
  byName: ReadonlyMap<string, number>;
  /** names of layers that have a row as a whole */
  whole: ReadonlySet<string>;
}

/** `chain`: all layers in the order of their rows. The last one may be left to the loss, and has no row then. */
export function levelsOf(chain: readonly ChainLayer[]): Levels {
  const all: LevelInfo[] = [];
  const whole = new Set<string>();
  for (const { name, description, built } of chain) {
    const isLeftToLoss = built.head !== undefined && name === chain.at(-1)!.name;
    if (built.levels) all.push(...built.levels);
    else if (!isLeftToLoss && built.output.learned) {
      const { family, title } = kindOf(description);
      whole.add(name);
      all.push({ name, family, title, units: built.output.width, gates: [], keeps: null });
    }
  }
  return { all, whole, byName: new Map(all.map(({ name }, index) => [name, index])) };
}
