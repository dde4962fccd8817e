// One-dimensional convolution over time (Waibel et al. 1989), looking back or to both sides.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { count } from '../words.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('conv1d'),
    units: positiveInt.describe('Channels of the output.'),
    kernelSize: positiveInt.default(3).describe('Steps that an output reads.'),
    dilation: positiveInt.default(1).describe('Steps from one that is read to the next.'),
    groups: positiveInt.default(1).describe('Parts of the channels that do not see each other.'),
    padding: z
      .enum(['causal', 'same'])
      .default('causal')
      .describe('"causal": a step sees those up to itself; "same": as many on both sides.'),
    activation: z.enum(['linear', 'relu', 'tanh', 'sigmoid', 'gelu']).default('linear'),
  })
  .describe('A convolution over time, causal or centred.');

/** Steps before the one that is computed which a causal convolution reads. */
export function tailOf({ kernelSize, dilation }: { kernelSize: number; dilation: number }): number {
  return (kernelSize - 1) * dilation;
}

export const conv1d: LayerKind<typeof schema> = {
  schema,
  title: 'Conv1D',
  family: 'convolution',
  rival: 'tcn',
  widthField: 'units',
  traits: layer => ({
    reads: 'vectors',
    sees: layer.padding === 'causal' ? 'past' : 'all',
    carries: layer.padding === 'causal',
    reach: 1 + (layer.padding === 'causal' ? tailOf(layer) : Math.floor(tailOf(layer) / 2)),
  }),
  width: ({ units }) => units,
  parameters: ({ units, kernelSize, groups }, { inputs }) => ({
    count: (kernelSize * (inputs / groups) + 1) * units,
    formula: `(${kernelSize}·${inputs}${groups > 1 ? `/${groups}` : ''} + 1)·${units}`,
  }),
  kept: ({ activation }, { inputs, outputs }) => inputs + (activation === 'linear' ? 2 : 3) * outputs,
  multiplyAdds: ({ kernelSize, groups }, { inputs, outputs, steps }) =>
    steps * kernelSize * (inputs / groups) * outputs,
  state: (layer, { inputs }) => tailOf(layer) * inputs,
  check({ groups, units }, at) {
    if (units % groups !== 0)
      return [
        error(['groups'], `${count(groups)} groups cannot share ${count(units)} units; take a divisor.`),
      ];
    if (!at || at.inputs % groups === 0) return [];
    return [
      error(
        ['groups'],
        `${count(groups)} groups cannot share the ${count(at.inputs)} numbers that reach this layer; take a divisor.`,
      ),
    ];
  },
  about: ({ padding, activation, dilation }) => {
    const apart = dilation > 1 ? `${dilation}k` : 'k';
    const place = padding === 'causal' ? `t−${apart}` : `t+${apart}−c`;
    const sum = `b + Σ_k W_k x_{${place}}`;
    return `y_t = ${activation === 'linear' ? sum : `${activation}(${sum})`}`;
  },
};
