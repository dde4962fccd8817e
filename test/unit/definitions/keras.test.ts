// Keras: layers, wrappers and cells, alone and in TensorFlow, and the models they stand in.
import assert from 'node:assert/strict';
import { find, layersOf } from './find.ts';

const layers = (text: string) => layersOf('python', text);

describe('Keras definitions', () => {
  it('are found under every name that the imports give', async () => {
    const found = await layers(`
import tensorflow as tf
import keras
from tensorflow import keras as tfk
from keras import layers
from tensorflow.keras import layers as L
from tensorflow.keras.layers import LSTM, GRU as Gate
from keras.layers.recurrent import SimpleRNN
tf.keras.layers.LSTM(4)
keras.layers.GRU(4)
tfk.layers.SimpleRNN(4)
layers.LSTM(4)
L.GRU(units=4)
LSTM(4)
Gate(4)
SimpleRNN(4)
keras.layers.LSTMCell(4)
`);
    assert.deepEqual(
      found.map(({ line, cell, isCell, units }) => [line, cell, isCell, units]),
      [
        [9, 'LSTM', false, 4],
        [10, 'GRU', false, 4],
        [11, 'RNN', false, 4],
        [12, 'LSTM', false, 4],
        [13, 'GRU', false, 4],
        [14, 'LSTM', false, 4],
        [15, 'GRU', false, 4],
        [16, 'RNN', false, 4],
        [17, 'LSTM', true, 4],
      ],
    );
  });

  it('are found where everything was imported, or nothing', async () => {
    const star = await layers('from keras.layers import *\nmodel.add(Bidirectional(LSTM(4)))\n');
    assert.deepEqual(
      star.map(({ cell, bidirectional }) => [cell, bidirectional]),
      [['LSTM', true]],
    );
    assert.deepEqual(await layers('model.add(LSTM(4))\n'), []);
    const forgotten = await layers('from keras.models import Sequential\nm = Sequential()\nm.add(GRU(4))\n');
    assert.equal(forgotten.length, 1);
  });

  it('are not functions or classes of that name', async () => {
    const found = await layers(`
import keras
def LSTM(units):
    return units
class GRU:
    pass
LSTM(4)
GRU()
keras.layers.LSTM.from_config({})
keras.layers.Dense(4, name='lstm')
keras.layers.ConvLSTM2D(4, 3)
`);
    assert.deepEqual(found, []);
  });

  it('tell wrappers, also through a variable, at the line of the inner layer', async () => {
    const found = await layers(`
from tensorflow.keras import layers
a = layers.Bidirectional(
    layers.LSTM(8, return_sequences=True),
    merge_mode='sum',
)
inner = layers.GRU(8)
b = layers.Bidirectional(layer=inner)
c = layers.TimeDistributed(layers.LSTM(8))
d = layers.RNN(layers.LSTMCell(8), return_sequences=True)
e = layers.RNN([layers.GRUCell(8), layers.GRUCell(9)])
`);
    assert.deepEqual(
      found.map(({ line, isCell, bidirectional, returnSequences }) => [
        line,
        isCell,
        bidirectional,
        returnSequences,
      ]),
      [
        [4, false, true, true],
        [7, false, true, false],
        [9, false, false, false],
        [10, false, false, true],
        [11, false, false, false],
        [11, false, false, false],
      ],
    );
  });

  it('count parameters where the widths can be followed', async () => {
    const { models } = await find(
      'python',
      `
from keras import Sequential, layers
VOCABULARY = 100
model = Sequential([
    layers.Embedding(VOCABULARY, 16),
    layers.Bidirectional(layers.LSTM(8, return_sequences=True)),
    layers.Dropout(0.2),
    layers.GRU(4),
    layers.Dense(1),
])
other = Sequential()
other.add(layers.Input(shape=(24, 7)))
other.add(layers.SimpleRNN(5, return_sequences=True, use_bias=False))
other.add(layers.TimeDistributed(layers.Dense(3)))
other.add(layers.GRU(4, reset_after=False))
`,
    );
    assert.deepEqual(
      models.map(({ kind, name, range, layers: all }) => [
        kind,
        name,
        range.line,
        all.flatMap(({ recurrent }) => recurrent?.parameters ?? []),
      ]),
      [
        ['sequential', 'model', 4, [1600, 264]],
        ['sequential', 'other', 11, [60, 96]],
      ],
    );
  });

  it('have names of their own where one variable holds several', async () => {
    const { models } = await find(
      'python',
      `
from keras import Sequential
from keras.layers import GRU, LSTM
model = Sequential()
model.add(LSTM(4))
model = Sequential()
model.add(GRU(5))
model.add(GRU(6))
`,
    );
    assert.deepEqual(
      models.map(({ name, range, layers: all }) => [name, range.line, all.length]),
      [
        ['model', 4, 1],
        ['model 2', 6, 2],
      ],
    );
  });

  it('stand in builder functions, classes and scripts', async () => {
    const { models } = await find(
      'python',
      `
import keras
from keras import layers
def build(units=32):
    inputs = keras.Input(shape=(None, 3))
    x = layers.LSTM(units)(inputs)
    return keras.Model(inputs, layers.Dense(1)(x))
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.rnn = layers.GRU(8)
i = keras.Input(shape=(None, 3))
o = layers.GRU(16)(i)
m = keras.Model(i, o)
`,
    );
    assert.deepEqual(
      models.map(({ kind, name, range }) => [kind, name, range.line]),
      [
        ['function', 'build', 4],
        ['class', 'Net', 8],
        ['functional', 'model', 13],
      ],
    );
  });

  it('count with the width of what a layer is applied to, not of what stands above it', async () => {
    const found = await layers(`
from keras.layers import LSTM, GRU, Input, Embedding, Bidirectional, Dense, Dropout, RNN, LSTMCell
from keras.models import Model
x = Input(shape=(10, 8))
a = LSTM(32)(x)
b = LSTM(16)(x)
enc_in = Input(shape=(None, 71))
dec_in = Input(shape=(None, 93))
enc = LSTM(256, return_state=True)
dec = LSTM(256, return_sequences=True)
out, h, c = enc(enc_in)
y = dec(dec_in, initial_state=[h, c])
z = Input(shape=(5, raw.shape[-1]))
q = GRU(4)(z)
w = Dropout(0.5)(Bidirectional(GRU(3, return_sequences=True))(x))
v = RNN([LSTMCell(7), LSTMCell(2)])(w)
loose = LSTMCell(5)

class Tagger(Model):
    def __init__(self):
        self.head = Dense(9)
        self.rnn = GRU(6)
        self.first = GRU(5)
        self.embed = Embedding(100, 12)
    def call(self, inputs):
        first = self.first(inputs)
        e = self.embed(inputs)
        return self.head(self.rnn(e))
`);
    const lstm = (input: number, units: number) => 4 * units * (input + units + 1);
    const gru = (input: number, units: number) => 3 * units * (input + units + 2);
    assert.deepEqual(
      found.map(({ line, parameters }) => [line, parameters]),
      [
        [5, lstm(8, 32)],
        [6, lstm(8, 16)],
        [9, lstm(71, 256)],
        [10, lstm(93, 256)],
        [14, null],
        [15, 2 * gru(8, 3)],
        [16, lstm(6, 7)],
        [16, lstm(7, 2)],
        [17, null],
        [22, gru(12, 6)],
        [23, null],
      ],
    );
  });

  it('ask only the first layer of a Sequential for its input', async () => {
    const found = await layers(`
from keras.layers import LSTM
from keras.models import Sequential
model = Sequential()
model.add(LSTM(10, input_shape=(None, 3), return_sequences=True))
model.add(LSTM(20, input_shape=(None, 3)))
`);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [4 * 10 * 14, 4 * 20 * 31],
    );
  });
});

describe('layers that are added in branches', () => {
  const counted = async (body: string) =>
    (
      await layers(`from keras.models import Sequential
from keras.layers import LSTM, GRU, Dropout, Dense
m = Sequential()
${body}`)
    ).map(({ parameters }) => parameters);
  const gru = (inputs: number, units: number) => 3 * units * (inputs + units + 2);
  const first = 'm.add(GRU(5, return_sequences=True, input_shape=(None, 3)))\n';

  it('leave the width known where it is the same either way', async () => {
    assert.deepEqual(await counted(`${first}if drop:\n    m.add(Dropout(0.1))\nm.add(GRU(4))\n`), [
      gru(3, 5),
      gru(5, 4),
    ]);
    const arms = `${first}if wide:\n    m.add(Dense(7))\nelif other:\n    m.add(Dense(7))\nelse:\n    m.add(Dense(7))\nm.add(GRU(4))\n`;
    assert.deepEqual(await counted(arms), [gru(3, 5), gru(7, 4)]);
  });

  it('leave it open where it may be another', async () => {
    assert.deepEqual(await counted(`${first}if wide:\n    m.add(Dense(7))\nm.add(GRU(4))\n`), [
      gru(3, 5),
      null,
    ]);
    const nested = `${first}if a:\n    m.add(Dense(6))\n    if b:\n        m.add(Dense(5))\nm.add(GRU(4))\n`;
    assert.deepEqual(await counted(nested), [gru(3, 5), null]);
    const arms = `${first}if wide:\n    m.add(Dense(7))\nelse:\n    m.add(Dense(8))\nm.add(GRU(4))\n`;
    assert.deepEqual(await counted(arms), [gru(3, 5), null]);
    const looped = `${first}for i in sizes:\n    m.add(Dense(i))\nm.add(GRU(4))\n`;
    assert.deepEqual(await counted(looped), [gru(3, 5), null]);
  });
});

describe('functional models', () => {
  it('go on behind functions that join tensors', async () => {
    const found = await layers(`from keras.layers import Input, GRU, Dropout, concatenate
from keras import Model
a, b = Input(shape=(9, 2)), Input(shape=(9, 3))
x = Dropout(0.2)(GRU(5, return_sequences=True)(a))
y = GRU(6, return_sequences=True)(b)
m = Model([a, b], GRU(4)(concatenate([x, y])))
`);
    const gru = (inputs: number, units: number) => 3 * units * (inputs + units + 2);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [gru(2, 5), gru(3, 6), gru(11, 4)],
    );
  });
});
