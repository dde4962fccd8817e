// A number that is shown is right or it is not shown: what is stored after a record was made, loops that come round,
// layers that nothing calls, layers that cannot be. Counts are PyTorch's and Keras's formulas, written out here.
import assert from 'node:assert/strict';
import { find, layersOf } from './find.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);
const kerasLstm = (inputs: number, units: number) => 4 * units * (inputs + units + 1);
const kerasGru = (inputs: number, units: number) => 3 * units * (inputs + units + 2);

const shown = async (language: 'python' | 'typescript', text: string) =>
  (await layersOf(language, text)).map(({ units, parameters }) => [units, parameters]);
const torch = (text: string) => shown('python', `import torch.nn as nn\n${text}`);
const keras = (text: string) =>
  shown('python', `import keras\nfrom keras import layers, Sequential, Input, Model\n${text}`);
const tfjs = (text: string) => shown('typescript', `import * as tf from '@tensorflow/tfjs';\n${text}`);

describe('a number that is firm', () => {
  it('follows what is stored into a record after it was made', async () => {
    assert.deepEqual(
      await torch(`
o = {"input_size": 10, "hidden_size": 20}
a = nn.LSTM(**o)
o["input_size"] = 40
b = nn.LSTM(**o)
o.update(hidden_size=99)
c = nn.LSTM(**o)
o.update({"input_size": 2}, hidden_size=3)
d = nn.LSTM(**o)
o["num_layers"] = 2
e = nn.LSTM(**o)
`),
      [
        [20, lstm(10, 20)],
        [20, lstm(40, 20)],
        [99, lstm(40, 99)],
        [3, lstm(2, 3)],
        [3, lstm(2, 3) + lstm(3, 3)],
      ],
    );
  });

  it('is open where a store cannot be placed', async () => {
    for (const change of [
      'if deep:\n    o["hidden_size"] = 9',
      'o[key] = 9',
      'o.update(more)',
      'o.pop("hidden_size")',
      'del o["hidden_size"]',
      'p = o\nif deep:\n    p["hidden_size"] = 9',
      'def widen(r):\n    r["hidden_size"] = 9\nwiden(o)',
      'def widen():\n    o["hidden_size"] = 9\nwiden()',
      'for o["hidden_size"] in (1, 2):\n    pass',
    ]) {
      const [[units]] = (await torch(
        `o = {"input_size": 10, "hidden_size": 20}\n${change}\na = nn.LSTM(**o)\n`,
      )) as [[unknown]];
      assert.equal(units, null, change);
    }
  });

  it('follows attributes that are set on classes, instances and objects', async () => {
    assert.deepEqual(
      await torch(`
class A:
    h = 5
A.h = 50
a = nn.LSTM(3, A.h)
class Config:
    def __init__(self):
        self.h = 6
config = Config()
config.h = 60
b = nn.LSTM(3, config.h)
other = Config()
c = nn.LSTM(3, other.h)
`),
      [
        [50, lstm(3, 50)],
        [60, lstm(3, 60)],
        [6, lstm(3, 6)],
      ],
    );
    assert.deepEqual(
      await tfjs(`
const c = { units: 4 };
c.units = 9;
tf.layers.gru(c);
const d = { units: 4 };
Object.assign(d, { units: 7 });
tf.layers.gru(d);
const e = { units: 4 };
if (wide) e.units = 9;
tf.layers.gru(e);
`),
      [
        [9, null],
        [7, null],
        [null, null],
      ],
    );
  });

  it('is open where a loop comes round with another', async () => {
    assert.deepEqual(
      await torch(`
n = 10
for i in range(3):
    cells.append(nn.LSTMCell(n, 20))
    n = 20
m = 10
for i in range(3):
    m = 5
    cells.append(nn.LSTMCell(m, 20))
k = 10
while more:
    cells.append(nn.LSTMCell(k, 20))
    k *= 2
`),
      [
        [20, null],
        [20, lstm(5, 20)],
        [20, null],
      ],
    );
  });

  it('is open where a function binds a name of the file', async () => {
    assert.deepEqual(
      await torch(`
def widen():
    global n
    n = 9
n = 4
widen()
nn.LSTM(3, n)
`),
      [[null, null]],
    );
    assert.deepEqual(
      await tfjs(`
let n = 4;
function widen() { n = 9; }
tf.layers.gru({ units: n });
{ const n = 5; tf.layers.gru({ units: n }); }
const m = 6;
{ const m = 7; }
tf.layers.gru({ units: m });
function own() { let n = 1; n = 2; return tf.layers.gru({ units: n }); }
`),
      [
        [null, null],
        [5, null],
        [6, null],
        [2, null],
      ],
    );
  });

  it('takes names of the file as they are when the class is called', async () => {
    assert.deepEqual(
      await torch(`
hidden = 10
class Net(nn.Module):
    def __init__(self):
        self.rnn = nn.LSTM(3, hidden)
net = Net()
hidden = 20
class Other(nn.Module):
    def __init__(self):
        self.rnn = nn.LSTM(3, hidden)
hidden = 30
class Uncalled(nn.Module):
    def __init__(self):
        self.rnn = nn.LSTM(3, hidden)
other = Other()
hidden = 40
`),
      [
        [10, lstm(3, 10)],
        [30, lstm(3, 30)],
        [null, null],
      ],
    );
  });

  it('counts no layer that nothing tells the input of', async () => {
    assert.deepEqual(
      await keras(`
a = layers.LSTM(10, input_shape=(4, 3))
b = layers.GRU(20)
class Two:
    def one(self):
        self.a = layers.LSTM(10)
    def two(self):
        self.b = layers.GRU(20)
`),
      [
        [10, kerasLstm(3, 10)],
        [20, null],
        [10, null],
        [20, null],
      ],
    );
    assert.deepEqual(
      await tfjs(`
const a = tf.layers.lstm({ units: 4, inputShape: [5, 3] });
const b = tf.layers.gru({ units: 9 });
`),
      [
        [4, kerasLstm(3, 4)],
        [9, null],
      ],
    );
  });

  it('counts a Bidirectional with a layer of its own backwards as one', async () => {
    assert.deepEqual(
      await keras(`
layers.Bidirectional(
    layers.LSTM(8), backward_layer=layers.LSTM(8, go_backwards=True), input_shape=(5, 3))
back = layers.LSTM(4, go_backwards=True)
layers.Bidirectional(layers.LSTM(8), backward_layer=back, input_shape=(5, 3))
`),
      [
        [8, 768],
        [8, kerasLstm(3, 8) + kerasLstm(3, 4)],
      ],
    );
  });

  it("counts both biases of cuDNN's layers", async () => {
    assert.deepEqual(
      await keras(`
m = Sequential()
m.add(layers.CuDNNLSTM(4, input_shape=(5, 3), return_sequences=True))
m.add(layers.CuDNNGRU(5))
`),
      [
        [4, lstm(3, 4)],
        [5, kerasGru(4, 5)],
      ],
    );
  });

  it('is none of a layer that cannot be', async () => {
    assert.deepEqual(await torch('nn.LSTM(8, -4)\nnn.LSTM(8, 4, num_layers=0)\nnn.LSTM(8, 2.5)\n'), [
      [-4, null],
      [4, null],
      [2.5, null],
    ]);
  });

  it('is not what a program takes from its command line', async () => {
    const [layer] = await layersOf(
      'python',
      `
import argparse
import torch.nn as nn
parser = argparse.ArgumentParser()
parser.add_argument('--hidden', type=int, default=77)
args = parser.parse_args()
nn.LSTM(3, args.hidden)
args.hidden = 8
nn.LSTM(3, args.hidden)
`,
    );
    assert.equal(layer!.units, null);
    assert.equal(layer!.unitsDefault, 77);
    assert.equal(layer!.parametersDefault, lstm(3, 77));
    assert.deepEqual(layer!.from, { file: '', line: 5 });
  });
});

describe('several models of one script', () => {
  it('have their own layers, and only layers', async () => {
    const { models } = await find(
      'python',
      `
import keras
from keras import layers
i = keras.Input(shape=(4, 3))
o = layers.GRU(16)(i)
first = keras.Model(i, o)
j = keras.Input(shape=(4, 7))
p = layers.LSTM(5)(j)
p = layers.Dense(3)(p)
second = keras.Model(inputs=j, outputs=p)
view = keras.Model(j, layers.Dropout(0.5)(p))
optimizer = keras.optimizers.Adam()
stop = keras.callbacks.EarlyStopping()
words = layers.TextVectorization()
beside = keras.Sequential([layers.LSTM(2, input_shape=(5, 1))])
`,
    );
    assert.deepEqual(
      models.map(({ name, range, layers }) => [name, range.line, layers.map(({ name: layer }) => layer)]),
      [
        ['first', 6, ['Input', 'GRU']],
        ['second', 10, ['Input', 'LSTM', 'Dense']],
        ['beside', 15, ['LSTM']],
      ],
    );
  });

  it('are one where a script makes one', async () => {
    const { models } = await find(
      'python',
      `
import keras
from keras import layers
i = keras.Input(shape=(4, 3))
o = layers.GRU(16)(i)
m = keras.Model(i, o)
m.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.MeanSquaredError())
`,
    );
    assert.deepEqual(
      models.map(({ name, layers }) => [name, layers.map(({ name: layer }) => layer)]),
      [['model', ['Input', 'GRU']]],
    );
  });

  it('of PyTorch hold no losses', async () => {
    const { models } = await find(
      'python',
      `
import torch.nn as nn
class Net(nn.Module):
    def __init__(self):
        self.rnn = nn.GRU(3, 4)
        self.loss = nn.CrossEntropyLoss()
        self.heads = nn.ModuleList([nn.Linear(4, 2)])
`,
    );
    assert.deepEqual(
      models[0]!.layers.map(({ name }) => name),
      ['GRU', 'Linear'],
    );
  });
});

describe('widths', () => {
  it('pass through convolutions, pooling and what changes shapes', async () => {
    assert.deepEqual(
      await keras(`
m = Sequential([
    Input((20, 4)),
    layers.Conv1D(32, 3, activation='relu'),
    layers.MaxPooling1D(2),
    layers.LSTM(8),
])
n = Sequential()
n.add(layers.TimeDistributed(layers.Conv2D(16, (3, 3), padding='same'), input_shape=(10, 8, 8, 1)))
n.add(layers.TimeDistributed(layers.MaxPooling2D((2, 2))))
n.add(layers.TimeDistributed(layers.Flatten()))
n.add(layers.LSTM(5))
i = Input((10, 4))
a = layers.LSTM(3, return_sequences=True)(i)
b = layers.GRU(4, return_sequences=True)(i)
c = layers.LSTM(6)(layers.Concatenate()([a, b]))
d = layers.Permute((2, 1))(layers.Reshape((2, 3))(c))
e = layers.LSTM(6)(d)
f = layers.LSTM(2)(layers.MultiHeadAttention(2, 8)(a, a))
g = layers.LSTM(2)(layers.Add()([a, a]))
h = layers.LSTM(2)(layers.RepeatVector(3)(c))
k = layers.LSTM(2)(layers.Reshape((-1, 2))(layers.Flatten()(i)))
`),
      [
        [8, kerasLstm(32, 8)],
        [5, kerasLstm(256, 5)],
        [3, kerasLstm(4, 3)],
        [4, kerasGru(4, 4)],
        [6, kerasLstm(7, 6)],
        [6, kerasLstm(2, 6)],
        [2, kerasLstm(3, 2)],
        [2, kerasLstm(3, 2)],
        [2, kerasLstm(6, 2)],
        [2, kerasLstm(2, 2)],
      ],
    );
  });

  it('come from the shape that the text gives an array', async () => {
    assert.deepEqual(
      await keras(`
x = np.reshape(x, (x.shape[0], x.shape[1], 3))
m = Sequential([layers.LSTM(4, input_shape=(x.shape[1], x.shape[2]))])
y = y.reshape(n, 10, -1)
n = Sequential([layers.LSTM(4, input_shape=(y.shape[1], y.shape[2]))])
def build(shape):
    return Sequential([layers.LSTM(4, input_shape=shape)])
build((x.shape[1], 5))
`),
      [
        [4, kerasLstm(3, 4)],
        [4, null],
        [4, kerasLstm(5, 4)],
      ],
    );
  });

  it('pass within a branch', async () => {
    assert.deepEqual(
      await keras(`
m = Sequential()
if deep:
    m.add(layers.LSTM(4, input_shape=(5, 3), return_sequences=True))
    m.add(layers.LSTM(5))
else:
    m.add(layers.LSTM(6, input_shape=(5, 3)))
`),
      [
        [4, kerasLstm(3, 4)],
        [5, kerasLstm(4, 5)],
        [6, kerasLstm(3, 6)],
      ],
    );
  });

  it('pass from a layer only where it surely stands before', async () => {
    assert.deepEqual(
      await keras(`
m = Sequential()
m.add(layers.LSTM(4, input_shape=(5, 3), return_sequences=True))
if deep:
    m.add(layers.Dense(7))
m.add(layers.LSTM(5))
n = Sequential()
n.add(layers.LSTM(4, input_shape=(5, 3), return_sequences=True))
for _ in range(2):
    n.add(layers.LSTM(5, return_sequences=True))
`),
      [
        [4, kerasLstm(3, 4)],
        [5, null],
        [4, kerasLstm(3, 4)],
        [5, null],
      ],
    );
  });
});
