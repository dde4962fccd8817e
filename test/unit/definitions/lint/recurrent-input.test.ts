// What a recurrent layer reads, against what it is given: rank of the input, batch in it, pictures, what was flattened.
import assert from 'node:assert/strict';
import { linted, mended, said, silent } from './linted.ts';

const KERAS =
  'from keras import Input, Model, Sequential\nfrom keras.layers import *\nfrom keras import layers\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";

describe('An input shape of one dimension', () => {
  const id = 'recurrent-input-shape';
  it('is told where a recurrent layer reads it', async () => {
    for (const [text, place] of [
      ['m = Sequential([LSTM(8, input_shape=(10,))])', 'input_shape=(10,)'],
      ['m = Sequential()\nm.add(Bidirectional(GRU(8), input_shape=(10,)))', 'input_shape=(10,)'],
      ['m = Sequential([Input(shape=(10,)), Dropout(0.1), LSTM(8)])', 'shape=(10,)'],
      ['x = Input((10,))\ny = LSTM(8)(x)\nm = Model(x, y)', '(10,)'],
      ['x = Input((10,))\nlayer = LSTM(8)\ny = layer(x)\nm = Model(x, y)', '(10,)'],
    ] as const)
      assert.deepEqual(await said('python', KERAS + text, id), [['warning', place]], text);
    assert.deepEqual(
      await said(
        'typescript',
        `${TFJS}tf.sequential({layers: [tf.layers.gru({units: 3, inputShape: [7]})]});`,
        id,
      ),
      [['warning', 'inputShape: [7]']],
    );
  });

  it('is not said of what may be right', async () => {
    for (const text of [
      'm = Sequential([LSTM(8, input_shape=(10, 1))])',
      'm = Sequential([LSTM(8, input_shape=shape)])',
      'm = Sequential([Input((10,)), Embedding(100, 8), LSTM(8)])',
      'm = Sequential([Input((10,)), Reshape((10, 1)), LSTM(8)])',
      'm = Sequential([Input((10,)), RepeatVector(4), LSTM(8)])',
      'm = Sequential([Input((10,)), Lambda(one_hot), LSTM(8)])',
      'm = Sequential([LSTM(8, input_dim=10, input_length=4)])',
      'm = Sequential([TimeDistributed(LSTM(8), input_shape=(3, 10, 1))])',
      'm = Sequential([LSTM(8, batch_input_shape=(1, 10, 1))])',
      'm = Sequential([Dense(3, input_shape=(10,))])',
      'x = Input((10,))\nx = expand(x)\ny = LSTM(8)(x)',
    ])
      await silent('python', KERAS + text, id);
  });

  it('gets a feature at each step', async () => {
    assert.deepEqual(await mended('python', `${KERAS}m = Sequential([LSTM(8, input_shape=(10,))])\n`, id), [
      `${KERAS}m = Sequential([LSTM(8, input_shape=(10, 1))])\n`,
    ]);
    assert.deepEqual(
      await mended(
        'typescript',
        `${TFJS}tf.sequential({layers: [tf.layers.gru({units: 3, inputShape: [n]})]});`,
        id,
      ),
      [],
    );
    const known = `${TFJS}tf.sequential({layers: [tf.layers.gru({units: 3, inputShape: [7]})]});`;
    assert.deepEqual(await mended('typescript', known, id), [known.replace('[7]', '[7, 1]')]);
  });
});

describe('A batch in the input shape', () => {
  const id = 'batch-in-input-shape';
  it('is told, and left out', async () => {
    const text = `${KERAS}m = Sequential()\nm.add(LSTM(8, input_shape=(32, 10, 3)))\n`;
    assert.deepEqual(await said('python', text, id), [['warning', 'input_shape=(32, 10, 3)']]);
    assert.deepEqual(await mended('python', text, id), [text.replace('(32, 10, 3)', '(10, 3)')]);
    const js = `${TFJS}tf.sequential({layers: [tf.layers.lstm({units: 3, inputShape: [32, 10, 3]})]});`;
    assert.deepEqual(await mended('typescript', js, id), [js.replace('[32, 10, 3]', '[10, 3]')]);
  });

  it('is not said of pictures and of fixed batches', async () => {
    for (const text of [
      'm = Sequential([LSTM(8, batch_input_shape=(32, 10, 3))])',
      'm = Sequential([Conv2D(8, 3, input_shape=(32, 32, 3)), Reshape((30, 240)), LSTM(8)])',
      'm = Sequential([ConvLSTM2D(8, 3, input_shape=(10, 32, 32, 3))])',
      'm = Sequential([TimeDistributed(LSTM(8), input_shape=(4, 10, 3))])',
    ])
      await silent('python', KERAS + text, id);
  });
});

describe('Pictures to a recurrent layer', () => {
  const id = 'recurrent-four-dimensions';
  it('are told with their shape', async () => {
    const [found] = (
      await linted(
        'python',
        `${KERAS}m = Sequential([\n    Conv2D(8, 3, input_shape=(28, 28, 1)),\n    LSTM(8),\n])\n`,
      )
    ).filter(each => each.id === id);
    assert.match(found!.message, /gets \(batch, 26, 26, 8\) from the Conv2D in line 5/);
  });

  it('are made sequences of vectors', async () => {
    const list = `${KERAS}m = Sequential([\n    Conv2D(8, 3, input_shape=(28, 28, 1)),\n    LSTM(8),\n])\n`;
    assert.deepEqual(await mended('python', list, id), [
      list.replace('    LSTM(8)', '    Reshape((26, 208)),\n    LSTM(8)'),
    ]);
    const adds = `${KERAS}m = Sequential()\nm.add(layers.TimeDistributed(layers.Conv2D(4, 3), input_shape=(5, 8, 8, 1)))\nm.add(layers.LSTM(8))\n`;
    assert.deepEqual(await mended('python', adds, id), [
      adds.replace('m.add(layers.LSTM', 'm.add(layers.TimeDistributed(layers.Flatten()))\nm.add(layers.LSTM'),
    ]);
    const js = `${TFJS}const m = tf.sequential();\nm.add(tf.layers.conv2d({filters: 4, kernelSize: 3, inputShape: [8, 8, 1]}));\nm.add(tf.layers.lstm({units: 8}));\n`;
    assert.deepEqual(await mended('typescript', js, id), [
      js.replace(
        'm.add(tf.layers.lstm',
        'm.add(tf.layers.reshape({ targetShape: [6, 24] }));\nm.add(tf.layers.lstm',
      ),
    ]);
  });

  it('are not told where something flattens, or may', async () => {
    for (const text of [
      'm = Sequential([TimeDistributed(Conv2D(4, 3), input_shape=(5, 8, 8, 1)), TimeDistributed(Flatten()), LSTM(8)])',
      'm = Sequential([Conv2D(4, 3, input_shape=(8, 8, 1)), Reshape((6, 24)), LSTM(8)])',
      'm = Sequential([Conv2D(4, 3, input_shape=(8, 8, 1)), Custom(), LSTM(8)])',
      'm = Sequential([Conv1D(4, 3, input_shape=(8, 1)), LSTM(8)])',
      'm = Sequential([TimeDistributed(base, input_shape=(5, 8, 8, 1)), LSTM(8)])',
    ])
      await silent('python', KERAS + text, id);
  });
});

describe('What was flattened, to a recurrent layer', () => {
  const id = 'recurrent-no-sequence';
  it('is told, and made a sequence of one step', async () => {
    const text = `${KERAS}m = Sequential([\n    Conv1D(4, 3, input_shape=(8, 2)),\n    Flatten(),\n    LSTM(8),\n])\n`;
    assert.deepEqual(await said('python', text, id), [['warning', 'LSTM']]);
    assert.deepEqual(await mended('python', text, id), [
      text.replace('    LSTM', '    Reshape((1, 24)),\n    LSTM'),
    ]);
    assert.equal(
      (
        await said(
          'python',
          `${KERAS}m = Sequential([Conv1D(4, 3, input_shape=(8, 2)), GlobalMaxPooling1D(), GRU(8)])`,
          id,
        )
      ).length,
      1,
    );
    assert.equal(
      (await said('python', `${KERAS}m = Sequential([Flatten(input_shape=(8, 2)), Dense(5), GRU(8)])`, id))
        .length,
      1,
    );
  });

  it('is not told of sequences, and of what another rule tells', async () => {
    for (const text of [
      'm = Sequential([Flatten(input_shape=(8, 2)), RepeatVector(3), LSTM(8)])',
      'm = Sequential([LSTM(4, input_shape=(8, 2)), LSTM(8)])',
      'm = Sequential([Conv1D(4, 3, input_shape=(8, 2)), MaxPooling1D(2), LSTM(8)])',
      'm = Sequential([Dense(4, input_shape=(8, 2)), LSTM(8)])',
      'm = Sequential([Embedding(10, 4), Dense(3), LSTM(8)])',
    ])
      await silent('python', KERAS + text, id);
  });
});

describe('An edit of what a recurrent layer reads', () => {
  it('takes the batch out of the shape of an array', async () => {
    const text =
      'import numpy as np\nfrom keras import Sequential, layers\nX = np.zeros((500, 10, 3))\nm = Sequential([layers.LSTM(8, input_shape=X.shape)])\n';
    assert.deepEqual(await mended('python', text, 'batch-in-input-shape'), [
      text.replace('X.shape)', 'X.shape[1:])'),
    ]);
  });

  it('imports the layer that it takes beside the one that reads', async () => {
    const text =
      'from keras.models import Sequential\nfrom keras.layers import Conv2D, LSTM\nm = Sequential()\nm.add(Conv2D(4, 3, input_shape=(8, 8, 1)))\nm.add(LSTM(8))\n';
    assert.deepEqual(await mended('python', text, 'recurrent-four-dimensions'), [
      text
        .replace('Conv2D, LSTM', 'Conv2D, LSTM, Reshape')
        .replace('m.add(LSTM', 'm.add(Reshape((6, 24)))\nm.add(LSTM'),
    ]);
  });

  it('stands around the argument of a functional layer', async () => {
    const text =
      'from keras import layers, Model\ni = layers.Input((8, 8, 1))\nx = layers.Conv2D(4, 3)(i)\ny = layers.LSTM(8)(x)\nm = Model(i, y)\n';
    assert.deepEqual(await mended('python', text, 'recurrent-four-dimensions'), [
      text.replace('LSTM(8)(x)', 'LSTM(8)(layers.Reshape((6, 24))(x))'),
    ]);
  });
});
