// Options of Keras and TensorFlow.js that cost speed, throw, or mean another thing there.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const KERAS = 'from tensorflow.keras import layers\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";

describe('recurrent_dropout in Keras', () => {
  const id = 'keras-recurrent-dropout';

  it('costs the fused kernel', async () => {
    const text = `${KERAS}a = layers.LSTM(4, recurrent_dropout=0.2)\nb = layers.GRU(4, recurrent_dropout=1 / 4)\n`;
    assert.deepEqual(await said('python', text, id), [
      ['information', 'recurrent_dropout=0.2'],
      ['information', 'recurrent_dropout=1 / 4'],
    ]);
  });

  it('is not said where there is none, or no kernel to lose', async () => {
    await silent(
      'python',
      `${KERAS}a = layers.LSTM(4, recurrent_dropout=0)\nb = layers.LSTM(4, dropout=0.2)\nc = layers.SimpleRNN(4, recurrent_dropout=0.2)\nd = layers.LSTMCell(4, recurrent_dropout=0.2)\ndef f(p=0.1):\n    return layers.LSTM(4, recurrent_dropout=p)\n`,
      id,
    );
  });

  it('is removed, or made dropout of the inputs', async () => {
    const x = (call: string) => `${KERAS}x = ${call}\n`;
    assert.deepEqual(await mended('python', x('layers.LSTM(4, recurrent_dropout=0.2)'), id), [
      x('layers.LSTM(4)'),
      x('layers.LSTM(4, dropout=0.2)'),
    ]);
    assert.deepEqual(await mended('python', x('layers.LSTM(4, dropout=0.1, recurrent_dropout=0.2)'), id), [
      x('layers.LSTM(4, dropout=0.1)'),
    ]);
  });
});

describe('resetAfter in TensorFlow.js', () => {
  const id = 'tfjs-reset-after';

  it('throws', async () => {
    const text = `${TFJS}const a = tf.layers.gru({units: 4, resetAfter: true});\n`;
    assert.deepEqual(await said('javascript', text, id), [['warning', 'resetAfter: true']]);
  });

  it('is not said where it is false or open', async () => {
    await silent(
      'typescript',
      `${TFJS}const a = tf.layers.gru({units: 4, resetAfter: false});\nconst b = (resetAfter: boolean) => tf.layers.gru({units: 4, resetAfter});\nconst c = tf.layers.gru({units: 4});\n`,
      id,
    );
  });

  it('is removed or set', async () => {
    const x = (options: string) => `${TFJS}const a = tf.layers.gru(${options});\n`;
    assert.deepEqual(await mended('javascript', x('{units: 4, resetAfter: true}'), id), [
      x('{units: 4}'),
      x('{units: 4, resetAfter: false}'),
    ]);
    assert.deepEqual(
      (await mended('javascript', x('{\n  resetAfter: true,\n  units: 4,\n}'), id))[0],
      x('{\n  units: 4,\n}'),
    );
    assert.deepEqual((await mended('javascript', x('{ units, resetAfter: true }'), id))[0], x('{ units }'));
  });
});

describe('Defaults of the TensorFlow.js LSTM', () => {
  const id = 'tfjs-lstm-defaults';

  it('are not those of Keras', async () => {
    const text = `${TFJS}const a = tf.layers.lstm({units: 4});\nconst b = tf.layers.lstmCell({units: 4});\n`;
    assert.deepEqual(await said('javascript', text, id), [
      ['hint', 'lstm'],
      ['hint', 'lstmCell'],
    ]);
  });

  it('are not spoken of once one is chosen, where more may be given, or of another cell', async () => {
    await silent(
      'javascript',
      `${TFJS}const a = tf.layers.lstm({units: 4, recurrentActivation: 'hardSigmoid'});\nconst b = tf.layers.lstm({units: 4, unitForgetBias: false});\nconst c = o => tf.layers.lstm({units: 4, ...o});\nconst d = tf.layers.gru({units: 4});\nconst e = tf.layers.simpleRNN({units: 4});\n`,
      id,
    );
  });

  it('are made so in the style of the call', async () => {
    const x = (options: string) => `${TFJS}const a = tf.layers.lstm(${options});\n`;
    assert.deepEqual(await mended('javascript', x('{units: 4}'), id), [
      x("{units: 4, recurrentActivation: 'sigmoid', unitForgetBias: true}"),
    ]);
    assert.deepEqual(await mended('javascript', x('{ units: 4, activation: "tanh" }'), id), [
      x('{ units: 4, activation: "tanh", recurrentActivation: "sigmoid", unitForgetBias: true }'),
    ]);
    assert.deepEqual(await mended('javascript', x('{\n  units: 4,\n}'), id), [
      x("{\n  units: 4,\n  recurrentActivation: 'sigmoid',\n  unitForgetBias: true,\n}"),
    ]);
  });
});
