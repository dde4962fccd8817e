// What was seen inside the recurrent layers and behind ReLUs, as the diagnosis takes it: by recurrent level and gate.
import type { Observation } from '../../diagnosis/diagnose.ts';
import type { RecurrentInfo } from '../layers/model.ts';
import type { RecurrentRows } from './flow.ts';

export type Observed = Pick<Observation, 'flow' | 'gates' | 'dead'>;

/** Views of the rows: what is written there later shows in them. */
export function flowOf(
  layers: readonly RecurrentInfo[],
  { flow, seqLen }: RecurrentRows,
): NonNullable<Observed['flow']> {
  return layers.map(({ name }, index) => ({ layer: name, norms: stretch(flow, seqLen, index) }));
}

export function gatesOf(
  layers: readonly RecurrentInfo[],
  { gates, saturation, seqLen }: RecurrentRows,
): NonNullable<Observed['gates']> {
  const names = layers.flatMap(layer => layer.gates.map(gate => ({ layer: layer.name, gate })));
  return names.map((name, index) => ({
    ...name,
    mean: stretch(gates, seqLen, index),
    saturation: stretch(saturation, seqLen, index),
  }));
}

export function deadOf(rectified: readonly string[], shares: Float32Array): NonNullable<Observed['dead']> {
  return rectified.map((layer, index) => ({ layer, share: shares[index]! }));
}

function stretch(values: Float32Array, seqLen: number, index: number): Float32Array {
  return values.subarray(index * seqLen, (index + 1) * seqLen);
}
