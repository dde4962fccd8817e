// The newest row of the gate series, and from it how long a memory lasts.
import type { GatesView } from '../../../protocol/messages.ts';
import { NewestProjection, type RowsSource } from './projection.ts';

export class GatesProjection extends NewestProjection<GatesView> {
  protected viewOf(source: RowsSource): GatesView | null {
    return gatesView(source);
  }
}

export function gatesView(source: RowsSource | undefined): GatesView | null {
  const row = source?.rows.at(-1);
  if (!source || !row) return null;
  const { layers, axes, width } = source.sidecar;
  const labels = axes.find(({ name }) => name === 'gate')?.labels ?? [];
  const seqLen = labels.length > 0 ? width / labels.length : 0;
  if (!Number.isInteger(seqLen) || seqLen < 1) return null;
  const gates = labels.map(label => {
    const split = label.lastIndexOf(' ');
    const layer = layers.findIndex(({ name }) => name === label.slice(0, split));
    return { layer: Math.max(0, layer), name: label.slice(split + 1) };
  });
  const mean = Float32Array.from(row);
  const halfLife: GatesView['halfLife'] = [];
  gates.forEach(({ layer, name }, gate) => {
    if (layers[layer]?.keeps !== name) return;
    const keep = meanOf(mean.subarray(gate * seqLen, (gate + 1) * seqLen));
    if (Number.isFinite(keep)) halfLife.push({ layer, gate, mean: keep, steps: halfLifeOf(keep) });
  });
  return {
    name: source.sidecar.name,
    layers,
    seqLen,
    step: source.steps.at(-1) ?? 0,
    gates,
    mean,
    halfLife,
  };
}

/** Steps until half of a memory is left when each step keeps `keep` of it; null: it never halves. */
export function halfLifeOf(keep: number): number | null {
  if (keep >= 1) return null;
  return keep <= 0 ? 0 : Math.log(0.5) / Math.log(keep);
}

function meanOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
