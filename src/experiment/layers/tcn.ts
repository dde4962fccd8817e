// Temporal convolutional network (Bai et al. 2018): blocks of two causal dilated convolutions with a residual.
import * as z from 'zod';
import { positiveInt, rate } from '../fields.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('tcn'),
    units: positiveInt.describe('Channels of each block.'),
    layers: positiveInt.default(1).describe('How many blocks are stacked; each looks twice as far back.'),
    kernelSize: positiveInt.default(3).describe('Steps that a convolution reads.'),
    dropout: rate.default(0).describe('Share dropped after each convolution.'),
    spatialDropout: z
      .boolean()
      .default(false)
      .describe('Drop whole channels of a sequence, the same at all steps, as the paper does.'),
    weightNorm: z
      .boolean()
      .default(false)
      .describe(
        'Learn length and direction of each filter by themselves (Salimans & Kingma 2016), as the paper does.',
      ),
  })
  .describe(
    'Temporal convolutional network: two causal dilated convolutions a block, with a residual (Bai et al. 2018).',
  );

export const tcn: LayerKind<typeof schema> = {
  schema,
  title: 'TCN',
  family: 'convolution',
  rectified: true,
  widthField: 'units',
  traits: ({ layers, kernelSize }) => ({
    reads: 'vectors',
    sees: 'past',
    carries: false,
    reach: 1 + 2 * (kernelSize - 1) * (2 ** layers - 1),
  }),
  width: ({ units }) => units,
  /** The first block changes the width, for which its residual has a matrix where they differ. */
  parameters({ units: O, layers, kernelSize: K, weightNorm }, { inputs: I }) {
    const more = weightNorm ? 2 : 1;
    const block = (inputs: number) => (K * inputs + more) * O + (K * O + more) * O;
    const change = I === O ? 0 : (I + 1) * O;
    const parts = [`(${K}·${I} + ${more})·${O} + (${K}·${O} + ${more})·${O}`];
    if (change > 0) parts.push(`(${I} + 1)·${O}`);
    if (layers > 1) parts.push(`${layers - 1}·2·(${K}·${O} + ${more})·${O}`);
    return { count: block(I) + change + (layers - 1) * block(O), formula: parts.join(' + ') };
  },
  // of a block: two convolutions, what is dropped of them, the sum with the residual, and what comes out; two gradients
  kept({ layers, dropout }, { inputs, outputs }) {
    const dropped = dropout > 0 ? 2 * outputs : 0;
    const widened = inputs === outputs ? 0 : 3 * outputs;
    return layers * (4 * outputs + dropped) + inputs + 2 * outputs + widened;
  },
  multiplyAdds({ units: O, kernelSize: K, layers: L }, { inputs: I, steps }) {
    const change = I === O ? 0 : I * O;
    return steps * (K * O * (I + O) + change + (L - 1) * 2 * K * O * O);
  },
  /** the inputs that both convolutions of each block still need */
  state: ({ units: O, kernelSize: K, layers: L }, { inputs: I }) => (K - 1) * (I + O + 2 * O * (2 ** L - 2)),
  about: ({ kernelSize, weightNorm }) =>
    [
      ...(weightNorm ? ['W = g v / ‖v‖ of each filter'] : []),
      `z = relu(conv(relu(conv(x))))      ${kernelSize} taps, dilation 2^block`,
      'y = relu(z + residual(x))          arXiv 1803.01271',
    ].join('\n'),
};
