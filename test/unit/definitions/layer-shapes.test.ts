// Shapes behind Keras's layers, counted: `Flatten` and `RepeatVector` make the product of all sizes the width that an
// LSTM reads.
import assert from 'node:assert/strict';
import { find } from './find.ts';

async function widthBehind(input: readonly number[], layers: readonly string[]): Promise<number | null> {
  const names = ['Input(shape=', `(${input.join(', ')},))`].join('');
  const chain = [names, ...layers, 'LSTM(2)'].map(each => `    ${each},`).join('\n');
  const { layers: found } = await find(
    'python',
    `from keras import Sequential\nfrom keras.layers import *\nmodel = Sequential([\n${chain}\n])\n`,
  );
  return found.find(({ recurrent }) => recurrent)!.recurrent!.inputSize.value;
}

/** Places of a window that lie inside of a stretch of `length`. */
function windows(length: number, window: number, stride: number, dilation = 1): number {
  let count = 0;
  for (let from = 0; from + dilation * (window - 1) < length; from += stride) count++;
  return count;
}

/** Starts of strides, where the ends are filled up. */
const strides = (length: number, stride: number) =>
  Array.from({ length }, (_, at) => at).filter(at => at % stride === 0).length;

const FLAT = ['Flatten()', 'RepeatVector(3)'];

describe('shapes behind layers', () => {
  const cases: [layers: string, input: number[], product: number | null][] = [
    ['Dense(7)', [5, 4], 5 * 7],
    ['Conv1D(7, 3)', [20, 4], windows(20, 3, 1) * 7],
    ['Conv1D(7, 3, strides=2)', [20, 4], windows(20, 3, 2) * 7],
    ['Conv1D(7, 3, strides=3)', [20, 4], windows(20, 3, 3) * 7],
    ['Conv1D(7, 3, dilation_rate=4)', [20, 4], windows(20, 3, 1, 4) * 7],
    ['Conv1D(7, 3, padding="same", strides=3)', [20, 4], strides(20, 3) * 7],
    ['Conv1D(7, 3, padding="causal")', [20, 4], 20 * 7],
    ['Conv1D(7, 20)', [20, 4], 7],
    ['Conv1D(7, 21)', [20, 4], null],
    ['Conv2D(7, (3, 2))', [20, 10, 4], windows(20, 3, 1) * windows(10, 2, 1) * 7],
    ['Conv2D(7, 3, strides=(2, 1))', [20, 10, 4], windows(20, 3, 2) * windows(10, 3, 1) * 7],
    ['Conv2D(7, 3, data_format="channels_first")', [20, 10, 4], null],
    ['MaxPooling1D(3)', [20, 4], windows(20, 3, 3) * 4],
    ['MaxPooling1D()', [20, 4], windows(20, 2, 2) * 4],
    ['AveragePooling1D(3, strides=2)', [20, 4], windows(20, 3, 2) * 4],
    ['MaxPooling1D(3, padding="same")', [20, 4], strides(20, 3) * 4],
    ['MaxPooling2D((2, 5))', [20, 10, 4], windows(20, 2, 2) * windows(10, 5, 5) * 4],
    ['GlobalAveragePooling1D()', [20, 4], 4],
    ['GlobalMaxPooling2D()', [20, 10, 4], 4],
    ['Reshape((10, 8))', [20, 4], 80],
    ['Reshape((8, -1))', [20, 4], 80],
    ['Permute((2, 1))', [20, 4], 80],
    ['Dropout(0.5)', [20, 4], 80],
    ['BatchNormalization()', [20, 4], 80],
    ['TimeDistributed(Dense(7))', [20, 4], 20 * 7],
    ['UpSampling1D(2)', [20, 4], null],
  ];
  for (const [layers, input, product] of cases)
    it(`${layers} on ${input.join('x')}`, async () => {
      assert.equal(await widthBehind(input, [layers, ...FLAT]), product);
    });

  it('are those of the last axis where the sequence is read', async () => {
    assert.equal(await widthBehind([20, 4], ['Permute((2, 1))']), 20);
    assert.equal(await widthBehind([20, 4], ['Reshape((8, -1))']), 10);
    assert.equal(await widthBehind([20, 4], ['Reshape((-1, 5))']), 5);
    assert.equal(await widthBehind([20, 4], ['Conv1D(7, 3)', 'MaxPooling1D(2)']), 7);
    assert.equal(await widthBehind([20, 4], ['UpSampling1D(2)']), 4);
    assert.equal(await widthBehind([20], ['RepeatVector(6)']), 20);
    assert.equal(await widthBehind([20], ['Embedding(100, 9)']), 9);
  });

  const functional = async (lines: string) => {
    const { layers } = await find(
      'python',
      `from keras import Model\nfrom keras.layers import *\na = Input(shape=(20, 4))\nb = Input(shape=(20, 3))\n${lines}\n`,
    );
    return layers.filter(({ recurrent }) => recurrent).at(-1)!.recurrent!.inputSize.value;
  };

  it('are joined along an axis, or what all have', async () => {
    assert.equal(await functional('y = LSTM(2)(Concatenate()([a, b]))'), 7);
    assert.equal(await functional('y = LSTM(2)(Concatenate(axis=-1)([a, b, a]))'), 11);
    assert.equal(await functional('y = LSTM(2)(Concatenate(axis=2)([a, b]))'), 7);
    assert.equal(await functional('y = LSTM(2)(Concatenate(axis=1)([a, a]))'), 4);
    assert.equal(await functional('y = LSTM(2)(Concatenate(axis=1)([a, b]))'), null);
    assert.equal(await functional('y = LSTM(2)(Add()([a, a]))'), 4);
    assert.equal(await functional('y = LSTM(2)(Add()([a, b]))'), null);
  });

  it('are those of what a layer is first applied to, by its name', async () => {
    assert.equal(await functional('layer = LSTM(2)\ny = layer(a)'), 4);
    assert.equal(await functional('layer = LSTM(2)\nc = Dense(9)(b)\ny = layer(c)'), 9);
    assert.equal(await functional('layer = LSTM(2, return_sequences=True)\ny = LSTM(6)(layer(b))'), 2);
  });
});
