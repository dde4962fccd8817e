// What comes from outside of a layer's own line: the call that makes its class, defaults, typed configurations, loops
// over what is written out, and several cells.
import assert from 'node:assert/strict';
import { layersOf } from './find.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);
const gru = (inputs: number, units: number) => 3 * units * (inputs + units + 2);
const torch = (text: string) => layersOf('python', `import torch.nn as nn\n${text}`);
const tfjs = (text: string) => layersOf('typescript', `import * as tf from '@tensorflow/tfjs';\n${text}`);

describe('a layer in a class or function', () => {
  it('has the numbers of the one call, and says its line', async () => {
    const [layer] = await torch(`
class Enc(nn.Module):
    def __init__(self, n_in, n_hid, layers=2, both=True):
        super().__init__()
        self.n_hid = n_hid
        self.rnn = nn.LSTM(n_in, self.n_hid, layers, bidirectional=both)
N_IN, N_HID = 3, 4
encoder = Enc(N_IN, n_hid=N_HID)
`);
    assert.deepEqual(
      [layer!.units, layer!.layers, layer!.bidirectional, layer!.parameters, layer!.from],
      [4, 2, true, 2 * (lstm(3, 4) + lstm(8, 4)), { file: '', line: 9 }],
    );
  });

  it('is firm where all calls agree, and has a range where they do not', async () => {
    const text = (calls: string) => `
class Enc(nn.Module):
    def __init__(self, n_in, n_hid=4):
        self.rnn = nn.LSTM(n_in, n_hid)
${calls}
`;
    const [same] = await torch(text('Enc(3)\nEnc(n_in=3, n_hid=4)'));
    assert.deepEqual([same!.units, same!.parameters], [4, lstm(3, 4)]);
    const [two] = await torch(text('Enc(3)\nEnc(5, 6)'));
    assert.deepEqual(
      [two!.units, two!.unitsDefault, two!.unitsRange, two!.parameters, two!.parametersRange],
      [null, 4, [4, 6], null, [lstm(3, 4), lstm(5, 6)]],
    );
    const [open] = await torch(text('Enc(3)\nEnc(width)'));
    assert.deepEqual([open!.units, open!.parameters, open!.parametersRange], [4, null, undefined]);
    const [spread] = await torch(text('given = {"n_in": 3, "n_hid": 9}\nEnc(**given)'));
    assert.deepEqual([spread!.units, spread!.parameters], [9, lstm(3, 9)]);
    const [unknown] = await torch(text('Enc(*sizes)'));
    assert.deepEqual([unknown!.units, unknown!.unitsDefault], [null, 4]);
  });

  it('follows calls through classes, methods, functions and classes made from others', async () => {
    const found = await torch(`
class Enc(nn.Module):
    def __init__(self, width):
        self.rnn = self.build(width * 2)
    def build(self, units):
        return nn.LSTM(3, units)
class Net(nn.Module):
    def __init__(self, hidden):
        self.encoder = Enc(hidden)
class Base(nn.Module):
    def __init__(self, n):
        self.rnn = nn.LSTM(3, n)
class Wide(Base):
    def __init__(self):
        super().__init__(12)
def make(units):
    return nn.LSTM(3, units)
def main():
    net = Net(5)
    made = make(7)
    base = Wide()
class Own(nn.LSTM):
    def __init__(self, a, b):
        super().__init__(a, b, batch_first=True)
class Plain(nn.GRU):
    pass
Own(2, 3)
Plain(2, 3)
`);
    assert.deepEqual(
      found.map(({ line, cell, units, parameters, from }) => [line, cell, units, parameters, from?.line]),
      [
        [7, 'LSTM', 10, lstm(3, 10), 20],
        [13, 'LSTM', 12, lstm(3, 12), 16],
        [18, 'LSTM', 7, lstm(3, 7), 21],
        [25, 'LSTM', 3, lstm(2, 3), 28],
        [29, 'GRU', 3, gru(2, 3), undefined],
      ],
    );
  });

  it('tells all defaults at once', async () => {
    const [layer] = await torch(`
class Net(nn.Module):
    def __init__(self, inputs=3, hidden=64, layers=2, bidirectional=True):
        self.rnn = nn.LSTM(inputs, hidden, layers, bidirectional=bidirectional)
`);
    assert.deepEqual(
      [layer!.units, layer!.layers, layer!.bidirectional, layer!.parameters],
      [null, null, null, null],
    );
    assert.deepEqual(
      [layer!.unitsDefault, layer!.layersDefault, layer!.bidirectionalDefault, layer!.parametersDefault],
      [64, 2, true, 2 * (lstm(3, 64) + lstm(128, 64))],
    );
  });

  it('reads typed configurations', async () => {
    for (const config of [
      '@dataclass\nclass Cfg:\n    inputs: int = 3\n    hidden: int = field(default=64)',
      'class Cfg(BaseModel):\n    inputs: int = 3\n    hidden: int = Field(64, gt=0)',
      '@attr.s\nclass Cfg:\n    inputs = attr.ib(3)\n    hidden = attr.ib(default=64)',
    ])
      for (const parameter of ['cfg: Cfg', 'cfg: Optional[Cfg] = None', "cfg: 'Cfg'", 'cfg: Cfg | None']) {
        const [layer] = await torch(`
${config}
class Net(nn.Module):
    def __init__(self, ${parameter}):
        self.cfg = cfg
        self.rnn = nn.GRU(cfg.inputs, self.cfg.hidden)
`);
        const { units, unitsDefault, parameters, parametersDefault, from } = layer!;
        assert.deepEqual(
          [units, unitsDefault, parameters, parametersDefault, from?.line],
          [null, 64, null, gru(3, 64), config.startsWith('@') ? 6 : 5],
          `${config} ${parameter}`,
        );
      }
    const [called] = await torch(`
@dataclass
class Cfg:
    inputs: int = 3
    hidden: int = 64
class Net(nn.Module):
    def __init__(self, cfg: Cfg):
        self.rnn = nn.GRU(cfg.inputs, cfg.hidden)
Net(Cfg(hidden=8))
`);
    assert.deepEqual([called!.units, called!.parameters, called!.from?.line], [8, gru(3, 8), 10]);
  });

  it('reads hyperparameters, click and typer', async () => {
    const defaults = async (text: string) => {
      const [layer] = await torch(text);
      return [layer!.units, layer!.unitsDefault, layer!.parametersDefault];
    };
    assert.deepEqual(
      await defaults(`
class Net(pl.LightningModule):
    def __init__(self, hidden=32, inputs=8):
        self.save_hyperparameters()
        self.rnn = nn.GRU(self.hparams.inputs, self.hparams.hidden)
`),
      [null, 32, gru(8, 32)],
    );
    assert.deepEqual(
      await defaults(`
@click.command()
@click.option("--hidden-size", default=64)
def main(hidden_size):
    net = Net(hidden_size)
class Net(nn.Module):
    def __init__(self, hidden):
        self.rnn = nn.GRU(3, hidden)
`),
      [null, 64, gru(3, 64)],
    );
    assert.deepEqual(
      await defaults(`
def main(hidden: int = typer.Option(48), layers: int = 1):
    rnn = nn.GRU(3, hidden, layers)
`),
      [null, 48, gru(3, 48)],
    );
    assert.deepEqual(
      await defaults(`
class Net(nn.Module):
    def __init__(self, hidden=None):
        if hidden is None:
            hidden = 40
        self.rnn = nn.GRU(3, hidden)
`),
      [null, 40, gru(3, 40)],
    );
  });
});

describe('a layer in a loop', () => {
  it('has the range of its turns', async () => {
    const found = await torch(`
for h in [4, 8]:
    nn.GRU(3, h)
for i, h in enumerate((4, 8)):
    nn.GRU(3 if i == 0 else 4, h)
stack = nn.ModuleList([nn.LSTM(10 if i == 0 else 20, 20) for i in range(3)])
for inputs, units in [(3, 4), (4, 5)]:
    nn.GRU(inputs, units)
for inputs, units in zip([3, 4], [4, 5]):
    nn.GRU(inputs, units)
same = [nn.GRU(3, 4) for _ in range(9)]
for h in sizes:
    nn.GRU(3, h)
`);
    assert.deepEqual(
      found.map(({ units, unitsRange, parameters, parametersRange }) => [
        units,
        unitsRange,
        parameters,
        parametersRange,
      ]),
      [
        [null, [4, 8], null, [gru(3, 4), gru(3, 8)]],
        [null, [4, 8], null, [gru(3, 4), gru(4, 8)]],
        [20, undefined, null, [lstm(10, 20), lstm(20, 20)]],
        [null, [4, 5], null, [gru(3, 4), gru(4, 5)]],
        [null, [4, 5], null, [gru(3, 4), gru(4, 5)]],
        [4, undefined, gru(3, 4), undefined],
        [null, undefined, null, undefined],
      ],
    );
  });
});

describe('a layer of several cells', () => {
  it('names those that are possible, and counts between them', async () => {
    const found = await torch(`
{"lstm": nn.LSTM, "gru": nn.GRU}.get(kind, nn.LSTM)(32, 64)
TABLE = {"lstm": nn.LSTM, "gru": nn.GRU}
cls = TABLE.get(kind)
cls(32, 64)
TABLE.get("gru")(32, 64)
half = functools.partial(nn.LSTM, 32, batch_first=True)
half(64)
widths = [128, 64]
nn.GRU(32, widths[-1])
options = dict(input_size=32, hidden_size=64)
nn.GRU(**options)
`);
    const both = [gru(32, 64), lstm(32, 64)];
    assert.deepEqual(
      found.map(({ cell, cells, parameters, parametersRange }) => [cell, cells, parameters, parametersRange]),
      [
        [null, ['LSTM', 'GRU'], null, both],
        [null, ['LSTM', 'GRU'], null, both],
        ['GRU', undefined, gru(32, 64), undefined],
        ['LSTM', undefined, lstm(32, 64), undefined],
        ['GRU', undefined, gru(32, 64), undefined],
        ['GRU', undefined, gru(32, 64), undefined],
      ],
    );
  });

  it('is the class that a caller gives', async () => {
    const found = await torch(`
class Open(nn.Module):
    def __init__(self, rnn_type=nn.LSTM):
        self.rnn = rnn_type(3, 4)
class Called(nn.Module):
    def __init__(self, rnn_type=nn.LSTM):
        self.rnn = rnn_type(3, 4)
Called(nn.GRU)
`);
    assert.deepEqual(
      found.map(({ cell, parameters, parametersDefault }) => [cell, parameters, parametersDefault]),
      [
        [null, null, lstm(3, 4)],
        ['GRU', gru(3, 4), undefined],
      ],
    );
  });

  it('of TensorFlow.js', async () => {
    const found = await tfjs(`
enum Sizes { Hidden = 64, Wide }
const frozen = Object.freeze({ units: 5 });
tf.layers.gru(frozen);
tf.layers.gru({ units: Sizes.Wide });
tf?.layers?.lstm?.({ units: 3 });
const make = deep ? tf.layers.lstm : tf.layers.gru;
make({ units: 3, inputShape: [3, 4] });
tf.layers[kind]({ units: 6, returnSequences: true });
function build({ cells = 5 }) { return tf.layers.gru({ units: cells }); }
build({ cells: 7 });
tf.layers.rnn({ cell: tf.layers.lstmCell({ units: 8 }), inputShape: [3, 4] });
`);
    assert.deepEqual(
      found.map(({ cell, cells, isCell, units, parameters, parametersRange }) => [
        cell,
        cells,
        isCell,
        units,
        parameters ?? parametersRange,
      ]),
      [
        ['GRU', undefined, false, 5, undefined],
        ['GRU', undefined, false, 65, undefined],
        ['LSTM', undefined, false, 3, undefined],
        [null, ['LSTM', 'GRU'], false, 3, [72, 96]],
        [null, undefined, false, 6, undefined],
        ['GRU', undefined, false, 7, undefined],
        ['LSTM', undefined, false, 8, 4 * 8 * (4 + 8 + 1)],
      ],
    );
  });

  it('of TensorFlow.js from the network', async () => {
    for (const address of [
      'https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4/+esm',
      'https://esm.sh/@tensorflow/tfjs@4.22.0',
      'https://unpkg.com/@tensorflow/tfjs@latest/dist/tf.es2017.js',
      'npm:@tensorflow/tfjs@^4',
    ]) {
      const [layer] = await layersOf(
        'javascript',
        `import * as tf from '${address}';\ntf.layers.gru({ units: 3 });\n`,
      );
      assert.deepEqual([layer?.cell, layer?.units], ['GRU', 3], address);
    }
  });
});
