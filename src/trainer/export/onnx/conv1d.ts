// A convolution over time as ONNX's Conv, which reads (batch, channels, steps).
import { aheadOf, tailOf } from '../../../experiment/layers/windows.ts';
import { activated } from './dense.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { OnnxLayer } from './kind.ts';

export const conv1d: OnnxLayer<'conv1d'> = {
  // a sequence that is shorter than a window is filled up here; ONNX's sizes are told before
  lacks: ({ padding, kernelSize }) =>
    padding === 'valid' && kernelSize > 1
      ? 'the padding "valid" of a sequence shorter than its window'
      : null,
  build(graph, x, { layer, weight, paired }) {
    const { kernelSize, dilation, groups, stride, activation } = layer;
    const ahead = aheadOf(layer);
    const read = ahead > 0 && paired?.inside ? cut(graph, x, paired.inside) : x;
    const turned = graph.add('Transpose', [read], { perm: [1, 2, 0] });
    const y = graph.add('Conv', [turned, graph.tensor(weight('weight')!), graph.tensor(weight('bias')!)], {
      kernel_shape: [kernelSize],
      dilations: [dilation],
      strides: [stride],
      group: groups,
      pads: [tailOf(layer) - ahead, ahead],
    });
    return activated(graph, graph.add('Transpose', [y], { perm: [2, 0, 1] }), activation);
  },
};

/** Zeros behind the ends of sequences. */
function cut(graph: GraphBuilder, x: string, inside: string): string {
  return graph.add('Where', [graph.add('Unsqueeze', [inside, graph.ints(2)]), x, graph.scalar(0)]);
}
