// What was seen inside the recurrent layers and behind ReLUs, as the diagnosis takes it: by recurrent level and gate.
import type { Observation } from '../../diagnosis/diagnose.ts';
import type { LevelInfo } from '../layers/watch.ts';
import type { LevelRows } from './flow.ts';

export type Observed = Pick<Observation, 'flow' | 'gates' | 'dead'>;

/** Of recurrent levels alone. Views of the rows: what is written there later shows in them. */
export function flowOf(
  levels: readonly LevelInfo[],
  { flow, seqLen }: LevelRows,
): NonNullable<Observed['flow']> {
  return levels.flatMap(({ name, family }, index) =>
    family === 'recurrent' ? [{ layer: name, norms: stretch(flow, seqLen, index) }] : [],
  );
}

export function gatesOf(
  levels: readonly LevelInfo[],
  { gateMeans, saturation, seqLen }: LevelRows,
): NonNullable<Observed['gates']> {
  const names = levels.flatMap(level => level.gates.map(gate => ({ layer: level.name, gate })));
  return names.map((name, index) => ({
    ...name,
    mean: stretch(gateMeans, seqLen, index),
    saturation: stretch(saturation, seqLen, index),
  }));
}

export function deadOf(rectified: readonly string[], shares: Float32Array): NonNullable<Observed['dead']> {
  return rectified.map((layer, index) => ({ layer, share: shares[index]! }));
}

function stretch(values: Float32Array, seqLen: number, index: number): Float32Array {
  return values.subarray(index * seqLen, (index + 1) * seqLen);
}
