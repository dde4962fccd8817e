// WaveNet (van den Oord et al. 2016): gated causal convolutions with doubling dilations, residuals and skip connections.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('wavenet'),
    units: positiveInt.describe('Width of the skip connections, which is that of the output.'),
    layers: positiveInt
      .default(4)
      .describe('Blocks of a stack; each looks twice as far back, from 1 step on.'),
    stacks: positiveInt.default(1).describe('How often the dilations begin again at 1.'),
    kernelSize: z.int().min(2).default(2).describe('Steps that a convolution reads.'),
    channels: positiveInt.optional().describe('Width of the residual path; default: `units`.'),
  })
  .describe(
    'WaveNet: gated causal convolutions with doubling dilations, residual and skip connections (van den Oord et al. 2016).',
  );

type WaveNet = z.output<typeof schema>;

/** Width of the residual path. */
export function channelsOf({ channels, units }: WaveNet): number {
  return channels ?? units;
}

/** Dilation of each block, the first one's first. */
export function dilationsOf({ layers, stacks }: WaveNet): number[] {
  return Array.from({ length: layers * stacks }, (_, block) => 2 ** (block % layers));
}

export const wavenet: LayerKind<typeof schema> = {
  schema,
  title: 'WaveNet',
  family: 'convolution',
  rival: 'tcn',
  rectified: true,
  widthField: 'units',
  traits: ({ layers, stacks, kernelSize }) => ({
    reads: 'vectors',
    sees: 'past',
    carries: true,
    reach: 1 + (kernelSize - 1) * stacks * (2 ** layers - 1),
  }),
  width: ({ units }) => units,
  /** The last block has no residual: nothing reads it. */
  parameters(layer, { inputs: I }) {
    const { units: U, kernelSize: K } = layer;
    const C = channelsOf(layer);
    const N = layer.layers * layer.stacks;
    const parts = [`(${I} + 1)·${C}`, `${N}·2·(${K}·${C} + 1)·${C}`, `${N}·(${C} + 1)·${U}`];
    if (N > 1) parts.push(`${N - 1}·(${C} + 1)·${C}`);
    parts.push(`(${U} + 1)·${U}`);
    const count = (I + 1) * C + N * (2 * (K * C + 1) * C + (C + 1) * U) + (N - 1) * (C + 1) * C + (U + 1) * U;
    return { count, formula: parts.join(' + ') };
  },
  // a block: filter, gate, their product, residual and sum, skip and sum; and the gradients of two of them
  kept(layer, { inputs, outputs }) {
    const blocks = layer.layers * layer.stacks;
    return inputs + blocks * (5 * channelsOf(layer) + 2 * outputs) + 2 * channelsOf(layer) + 4 * outputs;
  },
  multiplyAdds(layer, { inputs, outputs: U, steps }) {
    const C = channelsOf(layer);
    const N = layer.layers * layer.stacks;
    return steps * (inputs * C + N * (2 * layer.kernelSize * C * C + C * U) + (N - 1) * C * C + U * U);
  },
  /** the inputs that the convolution of each block still needs */
  state: layer =>
    dilationsOf(layer).reduce((sum, d) => sum + (layer.kernelSize - 1) * d * channelsOf(layer), 0),
  about: ({ layers, stacks }) =>
    [
      `z = tanh(W_f ∗ x) ⊙ σ(W_g ∗ x)      dilations 1 … ${2 ** (layers - 1)}${stacks > 1 ? `, ${stacks} times` : ''}`,
      'x ← x + W_r z',
      'y = relu(W_o relu(Σ W_s z))          arXiv 1609.03499',
    ].join('\n'),
};
