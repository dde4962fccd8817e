// A recurrent model in TensorFlow.js. Unroll reads it where it stands: press Train above it.
import * as tf from '@tensorflow/tfjs';

const units = 32;

export function buildForecaster(): tf.Sequential {
  const model = tf.sequential();
  model.add(
    tf.layers.lstm({ units, inputShape: [24, 1], recurrentActivation: 'sigmoid', unitForgetBias: true }),
  );
  model.add(tf.layers.dense({ units: 1 }));
  return model;
}
