// Widths of what a layer reads that come through functions of one's own, models applied as layers, wrappers that are given
// a layer by its name, states beside the input, and the merge modes of both directions.
import assert from 'node:assert/strict';
import { find, layersOf } from './find.ts';

const keras = (text: string) =>
  layersOf('python', `from keras.layers import *\nfrom keras.models import Model, Sequential\n${text}`);
const tfjs = (text: string) => layersOf('javascript', `import * as tf from '@tensorflow/tfjs';\n${text}`);
/** as Keras counts it */
const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 1);
const counts = (layers: Awaited<ReturnType<typeof keras>>) => layers.map(({ parameters }) => parameters);

describe('the width of what a layer reads', () => {
  it('comes through a function, as each call makes it', async () => {
    const layers = await keras(`
def block(x, filters):
    x = Conv1D(filters, 3)(x)
    return Dropout(0.1)(x)
a = Input(shape=(20, 3))
one = LSTM(4)(block(a, 8))
two = LSTM(4)(block(a, 16))
`);
    assert.deepEqual(counts(layers), [lstm(8, 4), lstm(16, 4)]);
  });

  it('comes through a function that returns either of two', async () => {
    const [open, same] = await keras(`
def block(x, wide):
    if wide:
        return Dense(8)(x)
    return Dense(9)(x)
def other(x, wide):
    if wide:
        return Dense(7)(x)
    return Dropout(0.1)(Dense(7)(x))
a = Input(shape=(20, 3))
LSTM(4)(block(a, flag))
LSTM(4)(other(a, flag))
`);
    assert.equal(open!.parameters, null);
    assert.equal(same!.parameters, lstm(7, 4));
  });

  it('comes through a function that calls itself: not told', async () => {
    const [layer] = await keras(`
def again(x, n):
    return again(Dense(n)(x), n - 1)
LSTM(4)(again(Input(shape=(20, 3)), 5))
`);
    assert.deepEqual([layer!.units, layer!.parameters], [4, null]);
  });

  it('comes through a model in TimeDistributed, made here, by a method, or with a layer of its own', async () => {
    const [, whole] = await keras(`
words = Input(shape=(100,))
sentence = Model(words, Bidirectional(LSTM(6))(Embedding(20, 5)(words)))
text = Input(shape=(15, 100))
Bidirectional(LSTM(4))(TimeDistributed(sentence)(text))
`);
    assert.equal(whole!.parameters, 2 * lstm(12, 4));
    const [made] = await keras(`
class Net:
    def step(self, x):
        return Model(x, Activation('relu')(Dense(9)(x)))
    def __call__(self, x):
        step = self.step(Input(shape=(30,)))
        return LSTM(4)(TimeDistributed(step)(x))
`);
    assert.equal(made!.parameters, lstm(9, 4));
  });

  it('reaches a layer that a wrapper is given by its name', async () => {
    const [layer] = await keras(`
x = Conv1D(8, 3)(inputs)
own = LSTM(4)
y = Bidirectional(own)(x)
`);
    assert.deepEqual([layer!.bidirectional, layer!.parameters], [true, 2 * lstm(8, 4)]);
  });

  it('is that of the sum, or of both sides, as the merge mode says, and open where it is', async () => {
    const behind = async (mode: string) => {
      const [, next] = await keras(`
m = Sequential()
m.add(Bidirectional(LSTM(8, return_sequences=True), merge_mode=${mode}, input_shape=(4, 3)))
m.add(LSTM(5))
`);
      return next!.parameters;
    };
    assert.equal(await behind("'ave'"), lstm(8, 5));
    assert.equal(await behind("'concat'"), lstm(16, 5));
    assert.equal(await behind('mode'), null);
    assert.equal(await behind('None'), null);
  });

  it('comes through `merge` of Keras 1', async () => {
    const layers = await keras(`
a, b = Dense(6)(x), Dense(6)(y)
LSTM(4)(merge([a, b], mode='mul'))
LSTM(4)(merge([a, b], mode='concat'))
LSTM(4)(merge([a, b], mode=mode))
`);
    assert.deepEqual(counts(layers), [lstm(6, 4), lstm(12, 4), null]);
  });

  it('is the first of a list, behind which the state stands', async () => {
    const [layer] = await tfjs(`
const inputs = [tf.input({shape: [null, 7]}), tf.input({shape: [4]}), tf.input({shape: [4]})];
const out = tf.layers.lstm({units: 4}).apply(inputs);
`);
    assert.equal(layer!.parameters, lstm(7, 4));
  });
});

describe('a size that branches set', () => {
  it('is between the least and the most', async () => {
    const layers = await layersOf(
      'python',
      `from torch import nn
if size == "small":
    hidden = 4
elif size == "large":
    hidden = 40
else:
    hidden = 10
nn.LSTM(3, hidden)
if size:
    other = read()
else:
    other = 10
nn.LSTM(3, other)
`,
    );
    const torch = (units: number) => 4 * units * (3 + units + 2);
    assert.deepEqual(layers[0]!.unitsRange, [4, 40]);
    assert.deepEqual(layers[0]!.parametersRange, [torch(4), torch(40)]);
    assert.deepEqual([layers[0]!.units, layers[0]!.parameters], [null, null]);
    assert.deepEqual([layers[1]!.units, layers[1]!.unitsRange], [null, undefined]);
  });
});

describe('a layer that is made in several ways', () => {
  it('is one for each number that differs', async () => {
    const { layers } = await find(
      'python',
      `from torch import nn
def make(n):
    return nn.LSTM(3, n)
make(4)
make(8)
make(8)
for size in [5, 6]:
    nn.GRU(3, size)
nn.LSTM(3, 4)
make_one = lambda n: nn.LSTM(3, n)
make_one(7)
make_one(7)
`,
    );
    const torch = (units: number, gates: number) => gates * units * (3 + units + 2);
    assert.deepEqual(
      layers.map(({ recurrent }) =>
        recurrent!.variants.map(({ recurrent: own }) => [own!.units.value, own!.parameters]),
      ),
      [
        [
          [4, torch(4, 4)],
          [8, torch(8, 4)],
        ],
        [
          [5, torch(5, 3)],
          [6, torch(6, 3)],
        ],
        [],
        [],
      ],
    );
  });
});

describe('a function that is a member of a script', () => {
  it('is entered by the calls of that member', async () => {
    const [layer] = await tfjs(`
self.build = (units, width) => {
  const model = tf.sequential();
  model.add(tf.layers.lstm({units, inputShape: [9, width]}));
};
self.build(4, 3);
`);
    assert.deepEqual([layer!.units, layer!.parameters], [4, lstm(3, 4)]);
  });
});
