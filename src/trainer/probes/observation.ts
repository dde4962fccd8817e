// Rows of the series as the diagnosis takes them: by recurrent level and gate.
import type { Observation } from '../../diagnosis/diagnose.ts';
import { SERIES } from '../../runs/format.ts';
import type { Model } from '../layers/model.ts';
import type { SeriesRow } from './recorder.ts';

export function observationOf(
  { recurrent }: Model,
  rectified: readonly string[],
  seqLen: number,
  rows: readonly SeriesRow[],
): Pick<Observation, 'flow' | 'gates' | 'dead'> {
  if (rows.length === 0) return {};
  const named = (name: string) => rows.find(row => row.name === name)?.values;
  const [flow, mean, saturation, dead] = [
    SERIES.gradientFlow,
    SERIES.gates,
    SERIES.saturation,
    SERIES.deadUnits,
  ].map(named);
  const stretch = (values: Float32Array, index: number) =>
    values.subarray(index * seqLen, (index + 1) * seqLen);
  const gates = recurrent.flatMap(({ name, gates }) => gates.map(gate => ({ layer: name, gate })));
  return {
    ...(flow && { flow: recurrent.map(({ name }, index) => ({ layer: name, norms: stretch(flow, index) })) }),
    ...(mean &&
      saturation && {
        gates: gates.map((gate, index) => ({
          ...gate,
          mean: stretch(mean, index),
          saturation: stretch(saturation, index),
        })),
      }),
    ...(dead && { dead: rectified.map((layer, index) => ({ layer, share: dead[index]! })) }),
  };
}
