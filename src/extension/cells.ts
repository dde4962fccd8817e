// The cell a model is called by, with the hue it has on every screen.
import { CLASSIC_CELLS, kindOf, type LayerType } from '../experiment/layers/index.ts';
import { cellsTitle, firstCell } from '../experiment/models.ts';
import type { Experiment, Layer } from '../experiment/schema.ts';
import type { CellView } from '../protocol/messages.ts';

/** The first layer that reads across steps, by the title of all of them; null where there is none. */
export function cellOf(experiment: Experiment): CellView | null {
  const first = firstCell(experiment);
  if (!first) return null;
  const view = cellView(first.layer);
  const others = experiment.model.layers.map(cellView);
  return {
    ...view,
    title: cellsTitle(experiment) ?? view.title,
    hasGates: view.hasGates || others.some(({ hasGates }) => hasGates),
  };
}

export function cellView(layer: Layer): CellView {
  const kind = kindOf(layer);
  const gates = kind.traits(layer).recurrent?.gates ?? [];
  const classic = CLASSIC_CELLS.indexOf(layer.type);
  return {
    type: layer.type,
    title: kind.title,
    hue: classic < 0 ? kind.family : layer.type,
    classic: classic < 0 ? null : classic,
    hasGates: gates.length > 0,
  };
}

export function titleOf(type: LayerType): string {
  return kindOf({ type }).title;
}

/** Theme colours contributed in package.json. */
export function cellColor({ hue }: Pick<CellView, 'hue'>): string {
  return `unroll.${hue}`;
}
