// One-dimensional convolution over time (Waibel et al. 1989), looking back or to both sides.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { plural } from '../words.ts';
import type { LayerKind } from './kind.ts';
import { residual } from './residual.ts';
import { aheadOf, checkWindows, paddingField, shortenedTo, tailOf } from './windows.ts';

const schema = z
  .strictObject({
    type: z.literal('conv1d'),
    units: positiveInt.describe('Channels of the output.'),
    kernelSize: positiveInt.default(3).describe('Steps that an output reads.'),
    dilation: positiveInt.default(1).describe('Steps from one that is read to the next.'),
    groups: positiveInt.default(1).describe('Parts of the channels that do not see each other.'),
    stride: positiveInt.default(1).describe('Steps from one output to the next.'),
    padding: paddingField.default('causal'),
    activation: z.enum(['linear', 'relu', 'tanh', 'sigmoid', 'gelu']).default('linear'),
    residual,
  })
  .describe('A convolution over time, causal or centred.');

/** It can be read in parts. */
function streams({ padding, stride }: z.output<typeof schema>): boolean {
  return padding === 'causal' && stride === 1;
}

export const conv1d: LayerKind<typeof schema> = {
  schema,
  title: 'Conv1D',
  family: 'convolution',
  rival: 'tcn',
  widthField: 'units',
  traits: layer => ({
    reads: 'vectors',
    sees: streams(layer) ? 'past' : 'all',
    carries: streams(layer),
    reach: 1 + tailOf(layer) - aheadOf(layer),
  }),
  width: ({ units }) => units,
  steps: shortenedTo,
  parameters: ({ units, kernelSize, groups }, { inputs }) => ({
    count: (kernelSize * (inputs / groups) + 1) * units,
    formula: `(${kernelSize}·${inputs}${groups > 1 ? `/${groups}` : ''} + 1)·${units}`,
  }),
  kept: (layer, { inputs, outputs, steps }) =>
    inputs + ((layer.activation === 'linear' ? 2 : 3) * outputs * shortenedTo(layer, steps)) / steps,
  multiplyAdds: (layer, { inputs, outputs, steps }) =>
    shortenedTo(layer, steps) * layer.kernelSize * (inputs / layer.groups) * outputs,
  state: (layer, { inputs }) => (streams(layer) ? tailOf(layer) * inputs : 0),
  check(layer, at) {
    const { groups, units } = layer;
    if (units % groups !== 0)
      return [
        error(
          ['groups'],
          `${plural(groups, 'group')} cannot share ${plural(units, 'unit')}; take a divisor.`,
        ),
      ];
    if (!at || at.inputs % groups === 0) return checkWindows(layer, at);
    return [
      error(
        ['groups'],
        `${plural(groups, 'group')} cannot share the ${plural(at.inputs, 'number')} that reach this layer; take a divisor.`,
      ),
    ];
  },
  about: ({ padding, activation, dilation, stride }) => {
    const apart = dilation > 1 ? `${dilation}k` : 'k';
    const t = stride > 1 ? `${stride}t` : 't';
    const place = { causal: `${t}−${apart}`, same: `${t}+${apart}−c`, valid: `${t}+${apart}` }[padding];
    const sum = `b + Σ_k W_k x_{${place}}`;
    return `y_t = ${activation === 'linear' ? sum : `${activation}(${sum})`}          Waibel et al. 1989`;
  },
};
