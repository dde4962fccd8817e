// A convolution over time as ONNX's Conv, which reads (batch, channels, steps).
import { aheadOf, tailOf } from '../../../experiment/layers/windows.ts';
import { activated } from './dense.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { OnnxLayer, Paired } from './kind.ts';

export const conv1d: OnnxLayer<'conv1d'> = {
  // a sequence that is shorter than a window is filled up here; ONNX's sizes are told before
  lacks: ({ padding, kernelSize }) =>
    padding === 'valid' && kernelSize > 1
      ? 'the padding "valid" of a sequence shorter than its window'
      : null,
  carried: (layer, { inputs }) => {
    const tail = tailOf(layer);
    return tail > 0 ? [{ part: 'tail', size: tail * inputs }] : [];
  },
  build(graph, x, { layer, at, weight, paired }) {
    const { kernelSize, dilation, groups, stride, activation } = layer;
    const ahead = aheadOf(layer);
    const tail = paired?.carry('tail') ?? null;
    const ended = ahead > 0 && paired?.inside ? cut(graph, x, paired.inside) : x;
    const read = tail ? behindTail(graph, ended, tail, at.inputs) : ended;
    const turned = graph.add('Transpose', [read], { perm: [1, 2, 0] });
    const y = graph.add('Conv', [turned, graph.tensor(weight('weight')!), graph.tensor(weight('bias')!)], {
      kernel_shape: [kernelSize],
      dilations: [dilation],
      strides: [stride],
      group: groups,
      pads: [tail ? 0 : tailOf(layer) - ahead, ahead],
    });
    return activated(graph, graph.add('Transpose', [y], { perm: [2, 0, 1] }), activation);
  },
};

/** The last inputs before these, (batch, tail · inputs), put before them; the last ones of all are kept. */
function behindTail(
  graph: GraphBuilder,
  x: string,
  { before, after }: NonNullable<ReturnType<Paired['carry']>>,
  inputs: number,
): string {
  const turned = (y: string) => graph.add('Transpose', [y], { perm: [1, 0, 2] });
  const tail = turned(graph.add('Reshape', [before, graph.ints(0, -1, inputs)]));
  const whole = graph.add('Concat', [tail, x], { axis: 0 });
  const steps = graph.add('Slice', [graph.add('Shape', [x]), graph.ints(0), graph.ints(1)]);
  const last = graph.add('Slice', [whole, steps, graph.ints(Number.MAX_SAFE_INTEGER), graph.ints(0)]);
  after(graph.add('Reshape', [turned(last), graph.ints(0, -1)]));
  return whole;
}

/** Zeros behind the ends of sequences. */
function cut(graph: GraphBuilder, x: string, inside: string): string {
  return graph.add('Where', [graph.add('Unsqueeze', [inside, graph.ints(2)]), x, graph.scalar(0)]);
}
