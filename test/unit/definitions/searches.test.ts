// Sizes that a search of hyperparameters takes: the least and the most, through arithmetic and through the model.
import assert from 'node:assert/strict';
import { layersOf } from './find.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);
const keras = (inputs: number, units: number) => 4 * units * (inputs + units + 1);

async function told(text: string) {
  const found = await layersOf('python', text);
  return found.map(({ units, unitsRange, parametersRange }) => [units, unitsRange, parametersRange]);
}

describe('A size that a search takes', () => {
  it('goes through arithmetic and conversions', async () => {
    assert.deepEqual(
      await told(`
import torch.nn as nn
def objective(trial):
    units = trial.suggest_int("units", 16, 128)
    nn.LSTM(8, units * 2)
    nn.LSTM(8, 2 ** trial.suggest_int("power", 4, 7))
    nn.LSTM(8, int(trial.suggest_discrete_uniform("q", 16, 64, 16)))
    nn.LSTM(8, 256 // units)
    nn.LSTM(8, units % 7)
`),
      [
        [null, [32, 256], [lstm(8, 32), lstm(8, 256)]],
        [null, [16, 128], [lstm(8, 16), lstm(8, 128)]],
        [null, [16, 64], [lstm(8, 16), lstm(8, 64)]],
        [null, [2, 16], [lstm(8, 2), lstm(8, 16)]],
        // between 0 and 6, whatever the ends give
        [null, undefined, undefined],
      ],
    );
  });

  it('ends with the last whole step', async () => {
    assert.deepEqual(
      await told(`
import torch.nn as nn
def objective(trial):
    nn.LSTM(8, trial.suggest_int("units", 10, 35, step=10))
    nn.LSTM(8, trial.suggest_int("units", 10, 35))
`),
      [
        [null, [10, 30], [lstm(8, 10), lstm(8, 30)]],
        [null, [10, 35], [lstm(8, 10), lstm(8, 35)]],
      ],
    );
  });

  it('may be the direction', async () => {
    const [, , range] = (
      await told(`
import torch.nn as nn
def objective(trial):
    nn.LSTM(8, 16, bidirectional=trial.suggest_categorical("both", [False, True]))
`)
    )[0]!;
    assert.deepEqual(range, [lstm(8, 16), 2 * lstm(8, 16)]);
  });

  it('is handed on by Ray Tune, whose upper bounds are not drawn', async () => {
    assert.deepEqual(
      await told(`
import torch.nn as nn
from ray import tune
class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.rnn = nn.LSTM(8, config["size"])
def train(config):
    nn.LSTM(8, config["hidden"])
    nn.LSTM(8, 16, config["layers"])
    Net(config)
def other(config, data):
    nn.LSTM(8, int(config["units"]))
space = {"hidden": tune.choice([32, 128, 64]), "layers": tune.randint(1, 3), "size": tune.qrandint(16, 64, 16)}
tune.run(train, config=space)
tune.Tuner(tune.with_resources(tune.with_parameters(other, data=d), {"cpu": 1}), param_space={"units": tune.grid_search([8, 24])})
`),
      [
        [null, [16, 64], [lstm(8, 16), lstm(8, 64)]],
        [null, [32, 128], [lstm(8, 32), lstm(8, 128)]],
        [16, undefined, [lstm(8, 16), lstm(8, 16) + lstm(16, 16)]],
        [null, [8, 24], [lstm(8, 8), lstm(8, 24)]],
      ],
    );
  });

  it('is handed on by Hyperopt, also out of a choice of records and to a method', async () => {
    const text = (name: string, call: string) => `
from keras.models import Sequential
from keras.layers import LSTM
from hyperopt import hp, fmin, tpe
${name}
        m = Sequential()
        m.add(LSTM(params["one"], input_shape=(10, 3), return_sequences=True))
        m.add(LSTM(int(params["two"]), return_sequences=True))
        m.add(LSTM(params["depth"]["three"]))
${call}
`;
    const space =
      '{"one": hp.choice("one", [16, 64]), "two": hp.quniform("two", 8, 32, 8), "depth": hp.choice("depth", [{"n": 2}, {"n": 3, "three": hp.randint("three", 4, 9)}])}';
    const right = [
      [null, [16, 64], [keras(3, 16), keras(3, 64)]],
      [null, [8, 32], [keras(16, 8), keras(64, 32)]],
      [null, [4, 8], [keras(8, 4), keras(32, 8)]],
    ];
    assert.deepEqual(await told(text('def build(params):', `fmin(build, ${space})`)), right);
    assert.deepEqual(
      await told(
        text(
          'class Study:\n    def build(self, params):',
          `    def run(self):\n        space = ${space}\n        fmin(fn=self.build, space=space, algo=tpe.suggest)`,
        ),
      ),
      right,
    );
  });

  it('is handed on by Talos, as the fifth that its function gets', async () => {
    assert.deepEqual(
      await told(`
import talos
from keras.models import Sequential
from keras.layers import LSTM
p = {"one": [16, 64, 32], "two": [8], "three": (4, 16, 3)}
def build(x, y, x_val, y_val, params):
    m = Sequential()
    m.add(LSTM(params["one"], input_shape=(10, 3), return_sequences=True))
    m.add(LSTM(params["two"], return_sequences=True))
    m.add(LSTM(params["three"]))
talos.Scan(a, b, model=build, params=p)
`),
      [
        [null, [16, 64], [keras(3, 16), keras(3, 64)]],
        [null, undefined, [keras(16, 8), keras(64, 8)]],
        [null, undefined, undefined],
      ],
    );
  });

  it('is none of another library’s with the same names', async () => {
    assert.deepEqual(
      await told(`
import torch.nn as nn
import random as tune
nn.LSTM(8, tune.choice([8, 16]))
# not that of ray
nn.LSTM(8, tune.randint(2, 4))
`),
      [
        [null, undefined, undefined],
        [null, undefined, undefined],
      ],
    );
  });

  it('goes on through layers that a loop adds', async () => {
    const [first, second, last] = await told(`
import keras
from keras import layers
def build(hp):
    m = keras.Sequential()
    m.add(layers.Input((10, 3)))
    m.add(layers.LSTM(hp.Int("first", 32, 512), return_sequences=True))
    for i in range(hp.Int("n", 1, 3)):
        m.add(layers.LSTM(hp.Choice("own" + str(i), [16, 64]), return_sequences=True))
    m.add(layers.LSTM(hp.Int("last", 8, 16, default=12)))
`);
    assert.deepEqual(first![2], [keras(3, 32), keras(3, 512)]);
    assert.deepEqual(second![2], [keras(16, 16), keras(512, 64)]);
    assert.deepEqual(last![2], [keras(16, 8), keras(512, 16)]);
  });

  it('goes on behind branches of different widths', async () => {
    const found = await layersOf(
      'python',
      `
import keras
from keras import layers
def build(kind):
    x = keras.Input((10, 3))
    if kind == "wide":
        y = layers.Dense(32)(x)
    else:
        y = layers.Dense(8)(x)
    return layers.LSTM(4)(y)
`,
    );
    assert.deepEqual(found[0]!.parametersRange, [keras(8, 4), keras(32, 4)]);
    assert.equal(found[0]!.parameters, null);
  });
});
