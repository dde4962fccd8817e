// Stacks of convolutions and how far they see.
import assert from 'node:assert/strict';
import { linted, mended, said, silent } from './linted.ts';

const id = 'receptive-field';
const KERAS = 'from keras import Sequential, layers\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";
const stack = (...layers: string[]) => `${KERAS}m = Sequential([${layers.join(', ')}])\n`;

describe('The receptive field of a stack of convolutions', () => {
  it('is counted with dilations, strides and sizes by place', async () => {
    // 1 + 2·1 + 2·4 = 11; with the first layer's stride of 2: 1 + 2·1 + 2·4·2 = 19
    const seen = async (text: string, field: number, steps: number) => {
      const [finding] = (await linted('python', text)).filter(each => each.id === id);
      assert.match(finding?.message ?? '', new RegExp(`sees ${field} time steps of the ${steps} `));
      assert.equal(finding?.severity, 'hint');
    };
    const second = 'layers.Conv1D(8, (3,), dilation_rate=4)';
    await seen(stack('layers.Input((64, 2))', 'layers.Conv1D(8, 3)', second, 'layers.Dense(1)'), 11, 64);
    await seen(stack('layers.Conv1D(8, kernel_size=3, strides=2, input_shape=(64, 2))', second), 19, 64);
    await seen(
      `${KERAS}T = 30\nm = Sequential()\nm.add(layers.Conv1D(8, 3, input_shape=(T * 2, 1)))\nm.add(layers.Dropout(0.1))\nm.compile("adam")\nm.fit(x)\n`,
      3,
      60,
    );
  });

  it('is counted in TensorFlow.js', async () => {
    const text = `${TFJS}const m = tf.sequential({layers: [tf.layers.conv1d({filters: 8, kernelSize: 3, inputShape: [64, 2]})]});\n`;
    assert.deepEqual(await said('typescript', text, id), [['hint', 'conv1d']]);
  });

  it('is not spoken of where it reaches, where other layers see the rest, or where a number is open', async () => {
    const quiet = (...layers: string[]) => silent('python', stack(...layers), id);
    const input = 'layers.Input((64, 2))';
    await quiet(input, 'layers.Conv1D(8, 64)');
    await quiet(input, 'layers.Conv1D(8, 3)', 'layers.LSTM(4)');
    await quiet(input, 'layers.Conv1D(8, 3)', 'layers.Flatten()', 'layers.Dense(1)');
    await quiet(input, 'layers.Conv1D(8, 3)', 'layers.GlobalMaxPooling1D()');
    await quiet(input, 'layers.Conv1D(8, k)');
    await quiet('layers.Input((None, 2))', 'layers.Conv1D(8, 3)');
    await quiet('layers.Conv1D(8, 3)');
    await quiet(input, 'layers.Conv1D(8, 3)', '*more');
    await silent(
      'python',
      `${KERAS}m = Sequential([${input}, layers.Conv1D(8, 3)])\nm.add(layers.Flatten())\n`,
      id,
    );
    await silent(
      'python',
      `${KERAS}m = Sequential([${input}])\nfor i in (1, 2):\n    m.add(layers.Conv1D(8, 2, dilation_rate=i))\nm.add(layers.Conv1D(8, 2))\n`,
      id,
    );
  });

  it('is widened by dilations that double, where that is enough', async () => {
    const conv = (rate: string) => `layers.Conv1D(8, 3${rate})`;
    assert.deepEqual(
      await mended(
        'python',
        stack('layers.Input((15, 2))', conv(''), conv(''), conv(', dilation_rate=2')),
        id,
      ),
      [stack('layers.Input((15, 2))', conv(''), conv(', dilation_rate=2'), conv(', dilation_rate=4'))],
    );
    assert.deepEqual(
      await mended('python', stack('layers.Input((16, 2))', conv(''), conv(''), conv('')), id),
      [],
    );
  });
});
