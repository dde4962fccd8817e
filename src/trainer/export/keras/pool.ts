// Pooling over time, of whole windows or of a whole sequence, which keeps one step.
import { windowOf } from '../../../experiment/layers/pool.ts';
import type { KerasLayer } from './kind.ts';

export const pool: KerasLayer<'pool'> = {
  lacks: ({ global, padding, kernelSize }) =>
    global || padding === 'valid' || kernelSize === 1 ? null : `pooling with the padding "${padding}"`,
  build(graph, x, { layer }) {
    const isMax = layer.mode === 'max';
    if (layer.global) {
      const whole = graph.add(isMax ? 'GlobalMaxPooling1D' : 'GlobalAveragePooling1D', x);
      return graph.add('RepeatVector', whole, { n: 1 });
    }
    const { kernelSize, stride } = windowOf(layer);
    return graph.add(isMax ? 'MaxPooling1D' : 'AveragePooling1D', x, {
      pool_size: [kernelSize],
      strides: [stride],
      padding: 'valid',
    });
  },
};
