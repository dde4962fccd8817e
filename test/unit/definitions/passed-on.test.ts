// Sizes that code passes on: options taken out of a record, parts of records, elements of lists that conditions choose,
// and widths between layers where a size is a range.
import assert from 'node:assert/strict';
import { layersOf } from './find.ts';

const torchLstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);
const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 1);
const gru = (inputs: number, units: number) => 3 * units * (inputs + units + 1);
const torch = (text: string) => layersOf('python', `import torch.nn as nn\n${text}`);
const keras = (text: string) =>
  layersOf('python', `from keras import Input, Model, Sequential, layers\n${text}`);
const tfjs = (text: string) => layersOf('typescript', `import * as tf from '@tensorflow/tfjs';\n${text}`);

describe('options taken out of a record', () => {
  it('are defaults where the caller gives the record', async () => {
    const [layer] = await torch(`
def build(**options):
    units = options.pop("units", 64)
    options.setdefault("layers", 2)
    return nn.LSTM(8, units, options["layers"])
`);
    assert.deepEqual(
      [layer!.units, layer!.unitsDefault, layer!.layersDefault, layer!.parametersDefault],
      [null, 64, 2, torchLstm(8, 64) + torchLstm(64, 64)],
    );
  });

  it('are what the record holds, else what is set by default', async () => {
    const found = await torch(`
options = {"hidden_size": 5}
options.setdefault("hidden_size", 7)
options.setdefault("num_layers", 3)
a = nn.LSTM(4, **options)
units = options.pop("hidden_size", 9)
b = nn.LSTM(4, units)
again = options.pop("hidden_size", 9)
c = nn.LSTM(4, again)
`);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [torchLstm(4, 5) + 2 * torchLstm(5, 5), torchLstm(4, 5), null],
    );
  });

  it('stay open where the key is not told', async () => {
    const [layer] = await torch(`
options = {"hidden_size": 5}
options.setdefault(key, 7)
nn.LSTM(4, options["hidden_size"])
`);
    assert.equal(layer!.units, null);
  });
});

describe('the rest of a record that is taken apart', () => {
  it('has what was not taken', async () => {
    const found = await tfjs(`
const options = { units: 7, returnSequences: true, inputShape: [5, 3] };
const { units, ...rest } = options;
tf.layers.lstm({ units, ...rest });
tf.layers.gru({ units: units * 2, ...rest });
const { inputShape: shape, ...others } = options;
tf.layers.lstm({ ...others, inputShape: [4, 2] });
`);
    assert.deepEqual(
      found.map(({ units, parameters, returnSequences }) => [units, parameters, returnSequences]),
      [
        [7, lstm(3, 7), true],
        [14, gru(3, 14), true],
        [7, lstm(2, 7), true],
      ],
    );
  });

  it('is open where a name that is taken is computed', async () => {
    const [layer] = await tfjs(`
const options = { units: 7, inputShape: [5, 3] };
const { [key]: taken, ...rest } = options;
tf.layers.lstm(rest);
`);
    assert.deepEqual([layer!.units, layer!.parameters], [null, null]);
  });
});

describe('a list that is spread into a Sequential', () => {
  it('reads what stands before it, and is read behind it', async () => {
    const found = await keras(`
Sequential([
    layers.Embedding(50, 6),
    *([layers.LSTM(5, return_sequences=True)] if deep else [layers.GRU(5, return_sequences=True, reset_after=False)]),
    layers.LSTM(4),
])
`);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [lstm(6, 5), gru(6, 5), lstm(5, 4)],
    );
  });

  it('leaves the width open where its lists give different ones, or are not told', async () => {
    const text = (spread: string) => `Sequential([layers.Embedding(50, 6), ${spread}, layers.LSTM(4)])`;
    for (const spread of [
      '*([layers.LSTM(5, return_sequences=True)] if deep else [])',
      '*([layers.LSTM(5, return_sequences=True)] if deep else [layers.LSTM(3, return_sequences=True)])',
      '*more',
    ])
      assert.equal((await keras(text(spread))).at(-1)!.parameters, null, spread);
  });

  it('is followed in JavaScript', async () => {
    const found = await tfjs(`
const model = tf.sequential({ layers: [
  tf.layers.dense({ units: 6, inputShape: [4, 3] }),
  ...(deep ? [tf.layers.lstm({ units: 5 })] : [tf.layers.gru({ units: 5 })]),
] });
`);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [lstm(6, 5), gru(6, 5)],
    );
  });
});

describe('a Sequential that another method makes', () => {
  const text = (more: string) => `
class Net:
    def __init__(self):
        self.model = Sequential()
    def build(self):
        self.model.add(layers.LSTM(32, input_shape=(10, 3)))
        self.model.add(layers.LSTM(8))
${more}`;

  it('begins with the first layer that is added', async () => {
    const found = await keras(text(''));
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [lstm(3, 32), lstm(32, 8)],
    );
  });

  it('may begin with what another method adds: then that is a default', async () => {
    const [first] = await keras(text('    def grow(self):\n        self.model.add(layers.Dense(4))\n'));
    assert.deepEqual([first!.parameters, first!.parametersDefault], [null, lstm(3, 32)]);
  });
});

describe('widths between layers', () => {
  it('are between the ends of a range', async () => {
    const found = await tfjs(`
const PROFILES = Object.freeze({
  quick: Object.freeze({ units: [16, 8] }),
  best: Object.freeze({ units: [32, 16] }),
});
function profileOf(id) {
  const found = PROFILES[id];
  return found;
}
function build(profile) {
  const model = tf.sequential();
  model.add(tf.layers.lstm({ units: profile.units[0], returnSequences: true, inputShape: [5, 4] }));
  model.add(tf.layers.lstm({ units: profile.units[1] }));
}
function train(id) { build(profileOf(id)); }
`);
    assert.deepEqual(
      found.map(({ parameters, parametersRange }) => [parameters, parametersRange]),
      [
        [null, [lstm(4, 16), lstm(4, 32)]],
        [null, [lstm(16, 8), lstm(32, 16)]],
      ],
    );
  });

  it('are told by one side of a sum or product of tensors', async () => {
    const found = await keras(`
x = Input((10, 6))
y = Input((10, n))
layers.LSTM(3)(layers.multiply([x, y]))
layers.LSTM(3)(x + y)
one = Input((10, 1))
layers.LSTM(3)(one + y)
`);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [lstm(6, 3), lstm(6, 3), null],
    );
  });

  it('count the words that Keras numbers', async () => {
    const [layer] = await keras(`
from keras.datasets import imdb
words = len(imdb.get_word_index()) + 1
layers.LSTM(2)(Input((10, words)))
`);
    assert.equal(layer!.parameters, lstm(88_585, 2));
  });
});
