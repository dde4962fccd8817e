// Pooling over time: the largest or the mean of some steps, or of all.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { warning } from '../remark.ts';
import type { LayerKind } from './kind.ts';
import { aheadOf, checkWindows, paddingField, shortenedTo } from './windows.ts';

const schema = z
  .strictObject({
    type: z.literal('pool'),
    mode: z.enum(['max', 'mean']).default('max').describe('The largest of the steps, or their mean.'),
    kernelSize: positiveInt.default(2).describe('Steps that an output reads.'),
    stride: positiveInt
      .optional()
      .describe('Steps from one output to the next; default: as many as an output reads.'),
    padding: paddingField.default('valid'),
    global: z
      .boolean()
      .default(false)
      .describe('Pool all steps of a sequence to one, whatever the other fields say.'),
  })
  .describe('Max or mean pooling over time, padding of unequal lengths left out.');

type Pool = z.output<typeof schema>;

/** Windows of the layer: of a sequence of so many steps. */
export function windowOf(layer: Pool) {
  const { kernelSize, padding, stride = kernelSize } = layer;
  return { kernelSize, padding, stride, dilation: 1 };
}

export const pool: LayerKind<typeof schema> = {
  schema,
  title: 'Pool',
  family: 'plain',
  traits(layer) {
    const { kernelSize, stride, padding } = windowOf(layer);
    const past = !layer.global && padding === 'causal' && stride === 1;
    const reach = layer.global ? Number.POSITIVE_INFINITY : kernelSize - aheadOf(windowOf(layer));
    return { reads: 'vectors', sees: past ? 'past' : 'all', carries: past, reach };
  },
  width: (_, { inputs }) => inputs,
  steps: (layer, steps) => (layer.global ? Math.min(steps, 1) : shortenedTo(windowOf(layer), steps)),
  parameters: () => ({ count: 0, formula: '0' }),
  kept: (_, { inputs, outputs }) => inputs + 2 * outputs,
  multiplyAdds: () => 0,
  state: (layer, { inputs }) => (pool.traits(layer).carries ? (layer.kernelSize - 1) * inputs : 0),
  check(layer, at) {
    const { global, kernelSize, stride } = layer;
    if (global) return [];
    if (kernelSize > 1 || (stride ?? 1) > 1) return checkWindows(windowOf(layer), at);
    return [warning(['kernelSize'], 'Pooling over one step has no effect.')];
  },
  about: layer => {
    if (layer.global) return `y = ${layer.mode} over all t of x_t`;
    const { kernelSize, stride } = windowOf(layer);
    const first = stride > 1 ? `${stride}t` : 't';
    if (layer.padding === 'causal')
      return `y_t = ${layer.mode}(x_{${first}−${kernelSize - 1}} … x_{${first}})`;
    return `y_t = ${layer.mode} of ${kernelSize} steps from x_{${first}}`;
  },
};
