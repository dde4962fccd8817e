// Hierarchical RNN (El Hihi & Bengio 1995): one level reads the steps of a segment, the other one the segments.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({
    type: z.literal('hierarchical'),
    units,
    segment: positiveInt
      .optional()
      .describe('Steps of a segment; default: the square root of the steps of a training sequence.'),
  })
  .describe(
    'Hierarchical RNN: each segment is read afresh, beside a summary of the segments before it (El Hihi & Bengio 1995).',
  );

export function segmentOf({ segment }: { segment?: number | undefined }, steps: number): number {
  return segment ?? Math.max(1, Math.round(Math.sqrt(steps)));
}

/** Edges on the shortest way from the first hidden state to the last: within a segment, then from summary to summary. */
export function pathLength(steps: number, segment: number): number {
  const segments = Math.ceil(steps / segment);
  return segments === 1 ? steps - 1 : segment + segments - 1;
}

export const hierarchical = linearRecurrence({
  schema,
  title: 'Hierarchical RNN',
  family: 'recurrent',
  weights: (layer, I) => {
    const H = layer.units;
    return [
      [H, I],
      [4, H, H],
      [2, H],
    ];
  },
  // the summary is taken once a segment, of which a step is told nothing
  perStep: () => 0,
  kept: layer => 10 * layer.units,
  state: layer => 2 * layer.units + 1,
  about: (layer, _, steps) =>
    [
      'h_t = tanh(W x_t + U h_{t−1} + V s_k + b), U h_{t−1} left out at the first step of a segment',
      's_{k+1} = tanh(P h_{end of segment k} + R s_k + c), s_1 = 0',
      ...(steps ? [pathLine(steps, segmentOf(layer, steps))] : []),
      'El Hihi & Bengio 1995',
    ].join('\n'),
});

function pathLine(steps: number, segment: number): string {
  return `segments of ${segment}: from the first of ${steps} steps to the last ${pathLength(steps, segment)} edges, ${steps - 1} in an RNN`;
}
