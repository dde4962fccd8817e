// The three norms. TensorFlow.js has no RMS norm.
import type { KerasLayer } from './kind.ts';

export const layerNorm: KerasLayer<'layer-norm'> = {
  build: (graph, x, { layer, at, weight }) =>
    graph.add('LayerNormalization', x, { axis: -1, epsilon: layer.epsilon }, [
      { name: 'gamma', shape: [at.inputs], data: weight('weight')!.data },
      { name: 'beta', shape: [at.inputs], data: weight('bias')!.data },
    ]),
};

export const rmsNorm: KerasLayer<'rms-norm'> = {
  lacks: (_, target) => (target === 'tfjs' ? 'the layer "rms-norm"' : null),
  build: (graph, x, { layer, at, weight }) =>
    graph.add('RMSNormalization', x, { axis: -1, epsilon: layer.epsilon }, [
      { name: 'scale', shape: [at.inputs], data: weight('weight')!.data },
    ]),
};

export const batchNorm: KerasLayer<'batch-norm'> = {
  build: (graph, x, { layer, at, weight }) =>
    graph.add('BatchNormalization', x, { axis: -1, epsilon: layer.epsilon }, [
      { name: 'gamma', shape: [at.inputs], data: weight('weight')!.data },
      { name: 'beta', shape: [at.inputs], data: weight('bias')!.data },
      { name: 'moving_mean', shape: [at.inputs], data: weight('running_mean')!.data },
      { name: 'moving_variance', shape: [at.inputs], data: weight('running_var')!.data },
    ]),
};
