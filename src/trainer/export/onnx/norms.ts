// The three norms: ONNX has layer norm; RMS norm and batch norm at rest are written out.
import type { OnnxLayer } from './kind.ts';

export const layerNorm: OnnxLayer<'layer-norm'> = {
  build: (graph, x, { layer, weight }) =>
    graph.add('LayerNormalization', [x, graph.tensor(weight('weight')!), graph.tensor(weight('bias')!)], {
      axis: -1,
      epsilon: { float: layer.epsilon },
    }),
};

export const rmsNorm: OnnxLayer<'rms-norm'> = {
  build(graph, x, { layer, weight }) {
    const squares = graph.add('ReduceMean', [graph.add('Mul', [x, x])], { axes: [-1], keepdims: 1 });
    const root = graph.add('Sqrt', [graph.add('Add', [squares, graph.scalar(layer.epsilon)])]);
    return graph.add('Mul', [graph.add('Div', [x, root]), graph.tensor(weight('weight')!)]);
  },
};

export const batchNorm: OnnxLayer<'batch-norm'> = {
  build(graph, x, { layer, at, weight }) {
    const [gain, bias] = [weight('weight')!.data, weight('bias')!.data];
    const [mean, variance] = [weight('running_mean')!.data, weight('running_var')!.data];
    const scale = Array.from(gain, (value, unit) => value / Math.sqrt(variance[unit]! + layer.epsilon));
    const shift = Array.from(bias, (value, unit) => value - mean[unit]! * scale[unit]!);
    const product = graph.add('Mul', [x, graph.floats(scale, [at.inputs])]);
    return graph.add('Add', [product, graph.floats(shift, [at.inputs])]);
  },
};
