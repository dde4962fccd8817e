// Numbers that other places of the text tell: instances whose methods are called, modules' attributes, branches and
// loops that a default decides, searches, states and options. What may be given otherwise is a default or a range.
import assert from 'node:assert/strict';
import { layersOf } from './find.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);
const torch = (text: string) => layersOf('python', `import torch.nn as nn\n${text}`);
const keras = (text: string) => layersOf('python', `from tensorflow.keras.layers import LSTM\n${text}`);
const tfjs = (text: string) => layersOf('typescript', `import * as tf from '@tensorflow/tfjs';\n${text}`);

describe('a number that another place tells', () => {
  it('comes from the call of a method on an instance', async () => {
    const [layer] = await torch(`
class Maker:
    def __init__(self, width):
        self.width = width
    def build(self, hidden):
        return nn.LSTM(self.width, hidden)
maker = Maker(3)
maker.build(4)
`);
    assert.deepEqual([layer!.units, layer!.parameters], [4, lstm(3, 4)]);
    const [base, other] = await torch(`
class Base:
    def build(self, hidden):
        return nn.LSTM(3, hidden)
class Other(Base):
    def build(self, hidden):
        return nn.LSTM(5, hidden)
Other().build(6)
`);
    assert.deepEqual([base!.units, other!.units], [null, 6]);
  });

  it('is the argument of a module of PyTorch, or a property of its class', async () => {
    const found = await torch(`
class Net(nn.Module):
    def __init__(self):
        self.embedding = nn.Embedding(100, 12)
        self.first = nn.LSTM(self.embedding.embedding_dim, 8)
        self.second = nn.LSTM(self.first.hidden_size, self.wide)
    @property
    def wide(self):
        return self.first.hidden_size * 2
`);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [lstm(12, 8), lstm(8, 16)],
    );
  });

  it('is a default where the default of a condition or of a loop decides', async () => {
    const [layer] = await torch(`
def make(both=True, width=64):
    if both:
        hidden = width // 2
    else:
        hidden = width
    return nn.LSTM(3, hidden)
`);
    assert.deepEqual([layer!.units, layer!.unitsDefault], [null, 32]);
    const [known] = await torch(`
KIND = "small"
if KIND == "small":
    hidden = 4
elif KIND == "large":
    hidden = 400
else:
    hidden = 40
nn.LSTM(3, hidden)
`);
    assert.equal(known!.units, 4);
    const [stack] = await torch(`
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--layers", default=3)
parser.add_argument("--width", default=8)
args = parser.parse_args()
cells = [nn.LSTM(5 if i == 0 else args.width, args.width) for i in range(args.layers)]
`);
    assert.deepEqual([stack!.parameters, stack!.parametersRange], [null, [lstm(5, 8), lstm(8, 8)]]);
    const [listed] = await torch(`
def make(sizes=None):
    for size in sizes or [16, 4]:
        nn.LSTM(3, size)
`);
    assert.deepEqual([listed!.units, listed!.unitsRange], [null, [4, 16]]);
  });

  it('is a range where a search takes it', async () => {
    const [tuned] = await keras(`
def build(hp):
    return LSTM(hp.Int("units", min_value=32, max_value=128, step=32), input_shape=(10, 3))
`);
    const count = (units: number) => 4 * units * (3 + units + 1);
    assert.deepEqual(
      [tuned!.units, tuned!.unitsDefault, tuned!.unitsRange, tuned!.parametersRange],
      [null, 32, [32, 128], [count(32), count(128)]],
    );
    const [tried] = await torch(`
def objective(trial):
    return nn.LSTM(3, trial.suggest_categorical("hidden", [64, 16, 32]))
`);
    assert.deepEqual(
      [tried!.units, tried!.unitsDefault, tried!.unitsRange, tried!.parametersRange],
      [null, undefined, [16, 64], [lstm(3, 16), lstm(3, 64)]],
    );
  });

  it('is a state, an option or an item of a list in JavaScript', async () => {
    const found = await tfjs(`
const [units, setUnits] = useState(32);
tf.layers.lstm({ units });
const parser = new ArgumentParser();
parser.addArgument('--hidden', { type: 'int', defaultValue: 12 });
const args = parser.parseArgs();
tf.layers.lstm({ units: args.hidden });
[64, 16].forEach(size => tf.layers.lstm({ units: size }));
`);
    assert.deepEqual(
      found.map(({ units, unitsDefault, unitsRange }) => [units, unitsDefault, unitsRange]),
      [
        [null, 32, undefined],
        [null, 12, undefined],
        [null, undefined, [16, 64]],
      ],
    );
  });

  it('is what a state of React or Vue begins with, by its own member alone', async () => {
    const found = await tfjs(`
const width = useRef(24);
const depth = ref(40);
tf.layers.lstm({ units: width.current });
tf.layers.lstm({ units: depth.value });
tf.layers.lstm({ units: depth.current });
tf.layers.lstm({ units: width.value });
`);
    assert.deepEqual(
      found.map(({ units, unitsDefault }) => [units, unitsDefault]),
      [
        [null, 24],
        [null, 40],
        [null, undefined],
        [null, undefined],
      ],
    );
  });
});
