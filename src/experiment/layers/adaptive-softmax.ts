// Adaptive softmax: outputs over a large vocabulary, in which rare words share what is computed.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('adaptive-softmax'),
    cutoffs: z
      .array(positiveInt)
      .min(1)
      .max(100)
      .describe('Ids at which a cluster of rarer symbols begins, rising; symbols stand by falling count.'),
    divValue: z
      .number()
      .gt(1)
      .default(4)
      .describe('The i-th cluster is computed in the width divided by divValue^i.'),
  })
  .describe('Outputs over a large vocabulary; rare symbols are computed in clusters (Grave et al. 2017).');

type AdaptiveSoftmax = Pick<{ cutoffs: number[]; divValue: number }, 'cutoffs' | 'divValue'>;

/** Widths and sizes of the clusters: `inner` as torch.nn.AdaptiveLogSoftmaxWithLoss rounds it. */
export function clustersOf({ cutoffs, divValue }: AdaptiveSoftmax, inputs: number, outputs: number) {
  return cutoffs.map((from, index) => ({
    from,
    size: (cutoffs[index + 1] ?? outputs) - from,
    inner: Math.max(1, Math.floor(inputs / divValue ** (index + 1))),
  }));
}

export const adaptiveSoftmax: LayerKind<typeof schema> = {
  schema,
  title: 'Adaptive softmax',
  family: 'plain',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs, isLast, asked }) => (isLast ? asked : inputs),
  parameters(layer, { inputs, outputs }) {
    const head = layer.cutoffs[0]! + layer.cutoffs.length;
    const clusters = clustersOf(layer, inputs, outputs);
    return {
      count: clusters.reduce((sum, { inner, size }) => sum + inner * (inputs + size), head * inputs),
      formula: [
        `${head}·${inputs}`,
        ...clusters.map(({ inner, size }) => `${inner}·(${inputs} + ${size})`),
      ].join(' + '),
    };
  },
  kept: ({ cutoffs }, { inputs }) => inputs + 2 * (cutoffs[0]! + cutoffs.length),
  multiplyAdds(layer, { inputs, outputs, steps }) {
    const head = layer.cutoffs[0]! + layer.cutoffs.length;
    // at most: each cluster is computed where a target falls into it
    const clusters = clustersOf(layer, inputs, outputs);
    return steps * clusters.reduce((sum, { inner, size }) => sum + inner * (inputs + size), head * inputs);
  },
  readout: () => 'linear',
  check({ cutoffs }, at) {
    const fall = cutoffs.findIndex((cutoff, index) => index > 0 && cutoff <= cutoffs[index - 1]!);
    if (fall > 0)
      return [
        error(['cutoffs', fall], `\`cutoffs\` must rise, found ${cutoffs[fall]} after ${cutoffs[fall - 1]}.`),
      ];
    if (at && !at.isLast) return [error(['type'], 'An adaptive softmax can only be the last layer.')];
    if (at && at.outputs <= cutoffs.at(-1)!)
      return [
        error(
          ['cutoffs', cutoffs.length - 1],
          `The last of \`cutoffs\` must be below the ${at.outputs} outputs of the task, found ${cutoffs.at(-1)}.`,
        ),
      ];
    return [];
  },
  about: ({ cutoffs }) =>
    `log p(k) = log softmax(H x)_k                                 for k < ${cutoffs[0]}\nlog p(k) = log softmax(H x)_cluster + log softmax(B_i A_i x)_k  for rarer ones\narXiv 1609.04309`,
};
