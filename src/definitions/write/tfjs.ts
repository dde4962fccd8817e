// A model as a TensorFlow.js sequential.
import type { Mapped } from '../to-experiment.ts';
import { camelCase, initializerName } from './initializer.ts';

export function writeTfjs(name: string, layers: Mapped['layers']): string {
  const isText = layers[0]?.type === 'embedding';
  let isFirst = true;
  const lines = layers.flatMap((layer, index): string[] => {
    const shape = isFirst && !isText && 'units' in layer ? ['inputShape: [null, inputs]'] : [];
    isFirst = false;
    switch (layer.type) {
      case 'embedding':
        return [`tf.layers.embedding({ inputDim: inputs, outputDim: ${layer.dim} })`];
      case 'dropout':
        return [`tf.layers.dropout({ rate: ${layer.rate} })`];
      case 'dense': {
        const units = index === layers.length - 1 ? 'outputs' : String(layer.units);
        const activation =
          layer.activation && layer.activation !== 'linear' ? [`activation: '${layer.activation}'`] : [];
        return [`tf.layers.dense({ ${[`units: ${units}`, ...activation, ...shape].join(', ')} })`];
      }
      case 'layer-norm':
        return ['tf.layers.layerNormalization()'];
      default: {
        const options = (first: boolean) =>
          [
            `units: ${layer.units}`,
            ...(layer.type === 'rnn'
              ? layer.activation === 'relu'
                ? ["activation: 'relu'"]
                : []
              : ["recurrentActivation: 'sigmoid'"]),
            ...initializerName(layer).map(init => `recurrentInitializer: '${camelCase(init)}'`),
            ...(layer.type === 'lstm' && layer.forgetBias === 1 ? ['unitForgetBias: true'] : []),
            'returnSequences: true',
            ...(first ? shape : []),
          ].join(', ');
        const maker = { rnn: 'simpleRNN', gru: 'gru', lstm: 'lstm' }[layer.type];
        const between = (layer.dropout ?? 0) > 0 ? [`tf.layers.dropout({ rate: ${layer.dropout} })`] : [];
        return Array.from({ length: layer.layers ?? 1 }, (_, level) => [
          ...(level === 0 ? [] : between),
          layer.bidirectional
            ? `tf.layers.bidirectional({ layer: tf.layers.${maker}({ ${options(level === 0)} }), mergeMode: 'concat' })`
            : `tf.layers.${maker}({ ${options(level === 0)} })`,
        ]).flat();
      }
    }
  });
  return `import * as tf from '@tensorflow/tfjs';

export function build${name}(inputs: number, outputs: number): tf.Sequential {
  return tf.sequential({
    layers: [
${lines.map(line => `      ${line},`).join('\n')}
    ],
  });
}
`;
}
