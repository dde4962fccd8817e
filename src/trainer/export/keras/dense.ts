// Dense, whose matrix is (inputs, outputs) in Keras.
import { transposed } from '../onnx/dense.ts';
import type { KerasLayer } from './kind.ts';

export const dense: KerasLayer<'dense'> = {
  build: (graph, x, { layer, at, weight }) =>
    graph.add('Dense', x, { units: at.outputs, activation: layer.activation, use_bias: true }, [
      {
        name: 'kernel',
        shape: [at.inputs, at.outputs],
        data: transposed(weight('weight')!.data, at.outputs, at.inputs),
      },
      { name: 'bias', shape: [at.outputs], data: weight('bias')!.data },
    ]),
};
