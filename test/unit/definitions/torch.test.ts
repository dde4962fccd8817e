// PyTorch: what makes a recurrent layer, what does not, and where its figures come from.
import assert from 'node:assert/strict';
import { find, layersOf } from './find.ts';

const layers = (text: string) => layersOf('python', text);

describe('PyTorch definitions', () => {
  it('are found under every name that the imports give', async () => {
    const found = await layers(`
import torch
import torch.nn
import torch.nn as tnn
from torch import nn
from torch import nn as network
from torch.nn import GRU, LSTM as Memory
a = torch.nn.LSTM(3, 4)
b = tnn.GRU(3, 4)
c = nn.RNN(3, 4)
d = network.LSTMCell(3, 4)
e = GRU(3, 4)
f = Memory(3, 4)
`);
    assert.deepEqual(
      found.map(({ line, cell, isCell }) => [line, cell, isCell]),
      [
        [8, 'LSTM', false],
        [9, 'GRU', false],
        [10, 'RNN', false],
        [11, 'LSTM', true],
        [12, 'GRU', false],
        [13, 'LSTM', false],
      ],
    );
  });

  it('take no number that a tuple has bound anew, however deep', async () => {
    const units = async (line: string) =>
      (await layers(`from torch import nn\nh = 64\nlstm = nn.LSTM(3, 4)\n${line}\nx = nn.GRU(3, h)\n`)).at(
        -1,
      )!.units;
    assert.equal(await units('_, (g, c) = lstm(x)'), 64);
    for (const line of [
      '_, (h, c) = lstm(x)',
      '(_, (c, h)) = lstm(x)',
      '[_, [h, c]] = lstm(x)',
      'first, *h = lstm(x)',
      'a, (b, (*h, c)) = 1, f(x)',
    ])
      assert.equal(await units(line), null, line);
    assert.equal(await units('_, (h, c) = 0, (16, 2)'), 16);
    assert.equal(await units('self.h, (self.g, c) = lstm(x)'), 64);
  });

  it('are not what only looks like them', async () => {
    const found = await layers(`
import torch.nn as nn
import paddle.nn as pnn
from torch.nn.utils.rnn import pack_padded_sequence
# nn.LSTM(3, 4)
text = "nn.LSTM(3, 4)"
class LSTM(nn.Module):
    """nn.LSTM(3, 4)"""
    def __init__(self):
        super(LSTM, self).__init__()
        self.i2h = nn.Linear(3, 4)
def rnn(x, lstm: nn.LSTM) -> nn.GRU:
    if isinstance(lstm, nn.LSTM):
        return pack_padded_sequence(x)
    return lstm(x)
model = LSTM()
other = pnn.LSTM(3, 4)
kind = nn.LSTM
lstm_output = rnn(1, None)
`);
    assert.deepEqual(found, []);
  });

  it('take every argument by place or name, with defaults', async () => {
    const found = await layers(`
from torch import nn
nn.LSTM(10, 20, 2, True, True, 0.5, True)
nn.GRU(input_size=10, hidden_size=20, batch_first=True)
nn.RNN(10, 20, 3, 'relu', False, True)
`);
    assert.deepEqual(
      found.map(({ units, layers: levels, bidirectional, batchFirst, parameters }) => [
        units,
        levels,
        bidirectional,
        batchFirst,
        parameters,
      ]),
      [
        [20, 2, true, true, 15040],
        [20, 1, false, true, 1920],
        [20, 3, false, true, 2200],
      ],
    );
  });

  it('resolve what the file itself says', async () => {
    const found = await layers(`
import argparse
from dataclasses import dataclass
import torch.nn as nn
HIDDEN = 2 ** 6
SIZES = {'hidden': HIDDEN * 2, 'deep': {'hidden': 7}}
WIDTHS = [16, 24]
A, B = 8, 9
parser = argparse.ArgumentParser()
parser.add_argument('--hidden-size', type=int, default=96)
parser.add_argument('-n', '--layers', type=int, default=3)
args = parser.parse_args()
@dataclass
class Config:
    hidden: int = 48
    layers: int = 2
config = Config()
special = Config(hidden=50)
class Sizes:
    WIDTH = 33
nn.GRU(1, HIDDEN)
nn.GRU(1, SIZES['hidden'])
nn.GRU(1, SIZES['deep']['hidden'])
nn.GRU(1, WIDTHS[1])
nn.GRU(1, A + B)
nn.GRU(1, args.hidden_size, args.layers)
nn.GRU(1, config.hidden, config.layers)
nn.GRU(1, special.hidden, special.layers)
nn.GRU(1, Sizes.WIDTH)
nn.GRU(1, len(WIDTHS))
nn.GRU(**{'input_size': 1, 'hidden_size': 5})
`);
    assert.deepEqual(
      found.map(({ units, layers: levels }) => [units, levels]),
      [
        [64, 1],
        [128, 1],
        [7, 1],
        [24, 1],
        [17, 1],
        [null, null],
        [48, 2],
        [50, 2],
        [33, 1],
        [2, 1],
        [5, 1],
      ],
    );
  });

  it('leave open what comes from outside, and tell the default', async () => {
    const found = await layers(`
from torch import nn
hidden_size = 99
class Net(nn.Module):
    scale = 3
    def __init__(self, inputs, hidden_size=64, layers=2, cell=None, **options):
        super().__init__()
        self.hidden = hidden_size
        self.fixed = 12
        self.a = nn.LSTM(inputs, hidden_size, layers)
        self.b = nn.LSTM(inputs, self.hidden)
        self.c = nn.LSTM(inputs, self.fixed * self.scale)
        self.d = nn.LSTM(inputs, hidden_size * 2, **options)
        self.e = nn.LSTM(inputs, options['hidden'])
`);
    assert.deepEqual(
      found.map(({ units, unitsDefault, layers: levels, bidirectional }) => [
        units,
        unitsDefault,
        levels,
        bidirectional,
      ]),
      [
        [null, 64, null, false],
        [null, 64, 1, false],
        [36, undefined, 1, false],
        [null, 128, null, null],
        [null, undefined, 1, false],
      ],
    );
  });

  it('follow what a name was bound to before', async () => {
    const found = await layers(`
from torch import nn
def build(deep):
    hidden = 16
    first = nn.GRU(1, hidden)
    hidden = 32
    second = nn.GRU(1, hidden)
    if deep:
        hidden = 64
        third = nn.GRU(1, hidden)
    else:
        fourth = nn.GRU(1, hidden)
    fifth = nn.GRU(1, hidden)
    for hidden in (1, 2):
        sixth = nn.GRU(1, hidden)
`);
    assert.deepEqual(
      found.map(({ units }) => units),
      [16, 32, 64, 32, null, null],
    );
  });

  it('may be of several cells', async () => {
    const found = await layers(`
from torch import nn
class Net(nn.Module):
    CELLS = {'lstm': nn.LSTM, 'gru': nn.GRU}
    def __init__(self, kind, flag):
        rnn_class = nn.LSTM if flag else nn.GRU
        self.a = rnn_class(1, 2)
        self.b = getattr(nn, kind)(1, 2, num_layers=2)
        self.c = getattr(nn, 'GRU')(1, 2)
        self.d = {'lstm': nn.LSTM, 'gru': nn.GRU}[kind](1, 2)
        self.e = self.CELLS[kind](1, 2)
        self.f = getattr(nn, kind + 'Loss')()
        cell = nn.GRU
        self.g = cell(1, 2)
`);
    assert.deepEqual(
      found.map(({ line, cell, layers: levels }) => [line, cell, levels]),
      [
        [7, null, 1],
        [8, null, 2],
        [9, 'GRU', 1],
        [10, null, 1],
        [11, null, 1],
        [14, 'GRU', 1],
      ],
    );
  });

  it('stand in models: classes with all their layers', async () => {
    const { models } = await find(
      'python',
      `
from torch import nn
class Tagger(nn.Module):
    def __init__(self, words=100):
        super().__init__()
        self.embed = nn.Embedding(words, 32)
        self.rnn = nn.LSTM(32, 64, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(64, 10)
    def forward(self, x):
        return self.out(self.rnn(self.embed(x))[0])
class Head(nn.Module):
    def __init__(self):
        self.out = nn.Linear(64, 10)
`,
    );
    assert.deepEqual(
      models.map(({ kind, name, range, layers: all }) => [
        kind,
        name,
        range.line,
        all.map(each => each.name),
      ]),
      [['class', 'Tagger', 3, ['Embedding', 'LSTM', 'Dropout', 'Linear']]],
    );
  });

  it('may be chosen by a parameter with a usual class, or by a loop over classes', async () => {
    const found = await layers(`
import torch.nn as nn
class Block(nn.Module):
    def __init__(self, width, rnn_type=nn.LSTM, norm=nn.LayerNorm):
        self.kind = rnn_type
        self.first = rnn_type(input_size=width, hidden_size=7)
        self.norm = norm(width)
        self.second = self.kind(8, 9, bidirectional=True)
for Cell in (nn.GRUCell, nn.LSTMCell):
    Cell(3, 4)
made = [make(5, 6) for make in [nn.GRU]]
`);
    assert.deepEqual(
      found.map(({ line, cell, isCell, units, bidirectional }) => [line, cell, isCell, units, bidirectional]),
      [
        [6, null, false, 7, false],
        [8, null, false, 9, true],
        [10, null, true, 4, false],
        [11, 'GRU', false, 6, false],
      ],
    );
  });

  it('take options of parse_known_args', async () => {
    const found = await layers(`
import argparse
import torch.nn as nn
parser = argparse.ArgumentParser()
parser.add_argument('--hidden', type=int, default=48)
FLAGS, unknown = parser.parse_known_args()
rnn = nn.GRU(3, FLAGS.hidden)
`);
    assert.deepEqual(
      found.map(({ units, unitsDefault }) => [units, unitsDefault]),
      [[null, 48]],
    );
  });

  it('are found in broken code, Python 2, notebooks and mixed tabs', async () => {
    const broken = await layers('import torch.nn as nn\nx = nn.LSTM(3, 4)\ndef f(:\n  y = nn.GRU(3,\n');
    assert.equal(broken[0]?.cell, 'LSTM');
    const old = await layers('import torch.nn as nn\nprint "training"\nx = nn.LSTM(3, 4)\nexec "1"\n');
    assert.deepEqual(
      old.map(({ line }) => line),
      [3],
    );
    const cell = await layers('%matplotlib inline\n!pip install torch\nnet = nn.LSTM(3, 4)\n');
    assert.deepEqual(
      cell.map(({ line }) => line),
      [3],
    );
    const tabs = await layers(
      'from torch import nn\nclass A(nn.Module):\n\tdef __init__(self):\n        \tself.a = nn.GRU(3, 5)\n',
    );
    assert.deepEqual(
      tabs.map(({ units }) => units),
      [5],
    );
  });
});
