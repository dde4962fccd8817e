// A model as a Keras Sequential.
import type { Mapped } from '../to-experiment.ts';
import { initializerName } from './initializer.ts';

export function writeKeras(name: string, layers: Mapped['layers']): string {
  const isText = layers[0]?.type === 'embedding';
  const lines = layers.flatMap((layer, index): string[] => {
    switch (layer.type) {
      case 'embedding':
        return [`layers.Embedding(inputs, ${layer.dim})`];
      case 'dropout':
        return [`layers.Dropout(${layer.rate})`];
      case 'dense': {
        const units = index === layers.length - 1 ? 'outputs' : String(layer.units);
        const activation =
          layer.activation && layer.activation !== 'linear' ? `, activation="${layer.activation}"` : '';
        return [`layers.Dense(${units}${activation})`];
      }
      case 'layer-norm':
        return ['layers.LayerNormalization()'];
      default: {
        const options = [
          String(layer.units),
          ...(layer.type === 'rnn' && layer.activation === 'relu' ? ['activation="relu"'] : []),
          'return_sequences=True',
          ...(layer.type === 'gru' && layer.resetAfter === false ? ['reset_after=False'] : []),
          ...initializerName(layer).map(init => `recurrent_initializer="${init}"`),
          ...(layer.type === 'lstm' && layer.forgetBias === 0 ? ['unit_forget_bias=False'] : []),
        ];
        const plain = `layers.${{ rnn: 'SimpleRNN', gru: 'GRU', lstm: 'LSTM' }[layer.type]}(${options.join(', ')})`;
        const one = layer.bidirectional ? `layers.Bidirectional(${plain})` : plain;
        const between = (layer.dropout ?? 0) > 0 ? [`layers.Dropout(${layer.dropout})`] : [];
        return Array.from({ length: layer.layers ?? 1 }, (_, level) =>
          level === 0 ? [one] : [...between, one],
        ).flat();
      }
    }
  });
  const input = isText ? 'keras.Input(shape=(None,), dtype="int32")' : 'keras.Input(shape=(None, inputs))';
  const own = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
  return `import keras
from keras import layers


def ${own}(inputs, outputs):
    return keras.Sequential(
        [
            ${input},
${lines.map(line => `            ${line},`).join('\n')}
        ]
    )
`;
}
