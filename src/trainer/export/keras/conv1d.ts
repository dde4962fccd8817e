// A convolution over time, whose kernel is (steps, channels, units) in Keras. TensorFlow.js has no causal padding: zeros
// are put before the sequence by layers of their own.
import { aheadOf, tailOf } from '../../../experiment/layers/windows.ts';
import type { KerasGraph } from './graph.ts';
import type { KerasLayer } from './kind.ts';

export const conv1d: KerasLayer<'conv1d'> = {
  lacks({ padding, stride, dilation, groups }, target) {
    // Keras moves the windows by the length of the sequence
    if (padding === 'same' && stride > 1) return 'a stride with the padding "same"';
    if (dilation > 1 && stride > 1) return 'a stride with a dilation';
    return target === 'tfjs' && groups > 1 ? 'groups' : null;
  },
  build(graph, x, { layer, at, weight, paired }) {
    const { kernelSize, dilation, groups, stride, activation, padding, units } = layer;
    const isPadded = graph.target === 'tfjs' && padding === 'causal';
    const inside = aheadOf(layer) > 0 ? (paired?.mask ?? null) : null;
    // code alone has masks
    const ended = inside === null ? x : `ops.where(ops.expand_dims(${inside}, 2), ${x}, 0.0)`;
    const read = isPadded ? zerosBefore(graph, ended, tailOf(layer), at.inputs) : ended;
    const config = {
      filters: units,
      kernel_size: [kernelSize],
      strides: [stride],
      padding: isPadded ? 'valid' : padding,
      dilation_rate: [dilation],
      ...(graph.target === 'keras' ? { groups } : {}),
      activation,
      use_bias: true,
    };
    const channels = at.inputs / groups;
    const kernel = new Float32Array(kernelSize * channels * units);
    const given = weight('weight')!.data;
    for (let unit = 0; unit < units; unit++)
      for (let channel = 0; channel < channels; channel++)
        for (let k = 0; k < kernelSize; k++)
          kernel[(k * channels + channel) * units + unit] =
            given[(unit * channels + channel) * kernelSize + k]!;
    return graph.add('Conv1D', read, config, [
      { name: 'kernel', shape: [kernelSize, channels, units], data: kernel },
      { name: 'bias', shape: [units], data: weight('bias')!.data },
    ]);
  },
};

function zerosBefore(graph: KerasGraph, x: string, steps: number, width: number): string {
  if (steps === 0) return x;
  const image = graph.add('Reshape', x, { target_shape: [-1, 1, width] });
  const padded = graph.add('ZeroPadding2D', image, {
    padding: [
      [steps, 0],
      [0, 0],
    ],
    data_format: 'channels_last',
  });
  return graph.add('Reshape', padded, { target_shape: [-1, width] });
}
