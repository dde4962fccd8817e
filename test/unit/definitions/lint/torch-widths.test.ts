// PyTorch: layers made for another width than what they are given, and recurrent layers inside a Sequential.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const id = 'torch-width';
const net = (init: string, forward: string) =>
  `import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\nclass Net(nn.Module):\n    def __init__(self, hidden=None):\n        super().__init__()\n${init
    .split('\n')
    .map(line => `        ${line}\n`)
    .join('')}    def forward(self, x, lengths=None):\n${forward
    .split('\n')
    .map(line => `        ${line}\n`)
    .join('')}`;

describe('A layer of PyTorch behind another of another width', () => {
  it('is told behind both directions, and reads both', async () => {
    for (const forward of [
      'out, (h, c) = self.rnn(x)\nreturn self.head(out[:, -1])',
      'out, _ = self.rnn(x)\nreturn self.head(out[:, -1, :])',
      'out, _ = self.rnn(x)\nout = self.drop(F.relu(out))\nreturn self.head(out)',
      'return self.head(self.rnn(x)[0])',
      'packed = nn.utils.rnn.pack_padded_sequence(x, lengths)\nout, _ = self.rnn(packed)\nout, n = nn.utils.rnn.pad_packed_sequence(out)\nreturn self.head(out)',
      'out, _ = self.rnn(x)\nreturn self.head(out.contiguous())',
    ]) {
      const text = net(
        'self.rnn = nn.LSTM(10, 20, bidirectional=True)\nself.drop = nn.Dropout(0.1)\nself.head = nn.Linear(20, 2)',
        forward,
      );
      assert.deepEqual(await said('python', text, id), [['warning', '20']], forward);
      assert.deepEqual(await mended('python', text, id), [text.replace('Linear(20', 'Linear(40')]);
    }
  });

  it('keeps the name of a size', async () => {
    const text = `H = 20\n${net('self.rnn = nn.GRU(10, H, bidirectional=True)\nself.head = nn.Linear(in_features=H, out_features=2)', 'out, h = self.rnn(x)\nreturn self.head(out)')}`;
    assert.deepEqual(await mended('python', text, id), [text.replace('in_features=H', 'in_features=H * 2')]);
  });

  it('is told in a stack, behind an embedding and behind a linear layer', async () => {
    const stack = net(
      'self.one = nn.LSTM(10, 20)\nself.two = nn.LSTM(30, 20)',
      'x, _ = self.one(x)\nx, _ = self.two(x)\nreturn x',
    );
    assert.deepEqual(await mended('python', stack, id), [stack.replace('LSTM(30', 'LSTM(20')]);
    const words = net(
      'self.words = nn.Embedding(100, 50)\nself.rnn = nn.GRU(64, 20)',
      'return self.rnn(self.words(x))',
    );
    assert.deepEqual(await mended('python', words, id), [words.replace('GRU(64', 'GRU(50')]);
    const linear = net(
      'self.into = nn.Linear(3, 8)\nself.rnn = nn.RNN(input_size=9, hidden_size=20)',
      'x = torch.tanh(self.into(x))\nout, h = self.rnn(x)\nreturn out',
    );
    assert.deepEqual(await mended('python', linear, id), [linear.replace('input_size=9', 'input_size=8')]);
  });

  it('is told once a layer, and where the class has its sizes from a call', async () => {
    const text = `${net('self.rnn = nn.LSTM(3, hidden, bidirectional=True)\nself.head = nn.Linear(hidden, 2)', 'out, _ = self.rnn(x)\nreturn self.head(out)')}net = Net(hidden=6)\n`;
    assert.deepEqual(await mended('python', text, id), [
      text.replace('Linear(hidden,', 'Linear(hidden * 2,'),
    ]);
  });

  it('is told of the last state of one direction, and takes both', async () => {
    for (const [layer, made, state] of [
      ['GRU', 'out, h', 'h[-1]'],
      ['LSTM', 'out, (h, c)', 'h[-1]'],
      ['LSTM', 'out, (h, c)', 'h[-1, :, :]'],
      ['LSTM', '_, hidden', 'hidden[0][-1]'],
    ] as const) {
      const text = net(
        `self.rnn = nn.${layer}(10, 20, bidirectional=True)\nself.head = nn.Linear(40, 2)`,
        `${made} = self.rnn(x)\nreturn self.head(${state})`,
      );
      assert.deepEqual(await said('python', text, id), [['warning', '40']], state);
      const name = state.slice(0, state.lastIndexOf('['));
      assert.deepEqual(await mended('python', text, id), [
        text.replace(state, `torch.cat((${name}[-2], ${name}[-1]), dim=1)`),
        text.replace('Linear(40', 'Linear(20'),
      ]);
    }
  });

  it('is told of the state of a layer with another width, and of both states for one', async () => {
    const one = net(
      'self.rnn = nn.LSTM(10, 20)\nself.head = nn.Linear(30, 2)',
      'out, (h, c) = self.rnn(x)\nlast = h[-1]\nreturn self.head(last)',
    );
    assert.deepEqual(await mended('python', one, id), [one.replace('Linear(30', 'Linear(20')]);
    const both = net(
      'self.rnn = nn.GRU(10, 20, bidirectional=True)\nself.head = nn.Linear(20, 2)',
      'out, h = self.rnn(x)\nreturn self.head(torch.cat([h[-2], h[-1]], dim=1))',
    );
    assert.deepEqual(await mended('python', both, id), [both.replace('Linear(20', 'Linear(40')]);
  });

  it('is told behind pretrained vectors', async () => {
    const text = net(
      'self.words = nn.Embedding.from_pretrained(torch.zeros(1000, 50))\nself.rnn = nn.GRU(64, 20)',
      'return self.rnn(self.words(x))',
    );
    assert.deepEqual(await mended('python', text, id), [text.replace('GRU(64', 'GRU(50')]);
  });

  it('is not said of states that fit, or may', async () => {
    const both = 'self.rnn = nn.LSTM(10, 20, bidirectional=True)\n';
    for (const [init, forward] of [
      [`${both}self.head = nn.Linear(20, 2)`, 'out, (h, c) = self.rnn(x)\nreturn self.head(h[-1])'],
      [
        `${both}self.head = nn.Linear(40, 2)`,
        'out, (h, c) = self.rnn(x)\nreturn self.head(torch.cat((h[-2], h[-1]), dim=1))',
      ],
      [
        `${both}self.head = nn.Linear(40, 2)`,
        'out, (h, c) = self.rnn(x)\nh = h.transpose(0, 1).reshape(len(x), -1)\nreturn self.head(h)',
      ],
      [
        `${both}self.head = nn.Linear(40, 2)`,
        'out, (h, c) = self.rnn(x)\nh = self.join(h)\nreturn self.head(h[-1])',
      ],
      // each by itself is of one sequence
      [`${both}self.head = nn.Linear(40, 2)`, 'out, (h, c) = self.rnn(x)\nreturn self.head(h[:, -1])'],
      // the pair, of which the first is all of h
      [`${both}self.head = nn.Linear(40, 2)`, 'out, hidden = self.rnn(x)\nreturn self.head(hidden[0])'],
      [
        'self.rnn = nn.LSTM(10, 20, proj_size=5)\nself.head = nn.Linear(5, 2)',
        'out, (h, c) = self.rnn(x)\nreturn self.head(h[-1])',
      ],
      [
        'self.rnn = nn.GRU(10, 20, bidirectional=hidden)\nself.head = nn.Linear(40, 2)',
        'out, h = self.rnn(x)\nreturn self.head(h[-1])',
      ],
      [
        'self.words = nn.Embedding.from_pretrained(load())\nself.rnn = nn.GRU(64, 20)',
        'return self.rnn(self.words(x))',
      ],
    ] as const)
      await silent('python', net(init, forward), id);
  });

  it('is not said of what fits, or may', async () => {
    const rnn = 'self.rnn = nn.LSTM(10, 20, bidirectional=True)\n';
    for (const [init, forward] of [
      [`${rnn}self.head = nn.Linear(40, 2)`, 'out, _ = self.rnn(x)\nreturn self.head(out)'],
      // the last state of one direction
      [`${rnn}self.head = nn.Linear(20, 2)`, 'out, (h, c) = self.rnn(x)\nreturn self.head(h[-1])'],
      // one direction, both added, or another shape
      [`${rnn}self.head = nn.Linear(20, 2)`, 'out, _ = self.rnn(x)\nreturn self.head(out[:, :, :20])'],
      [
        `${rnn}self.head = nn.Linear(20, 2)`,
        'out, _ = self.rnn(x)\nout = out[:, :, :20] + out[:, :, 20:]\nreturn self.head(out)',
      ],
      [
        `${rnn}self.head = nn.Linear(20, 2)`,
        'out, _ = self.rnn(x)\nout = out.view(-1, 20)\nreturn self.head(out)',
      ],
      [`${rnn}self.head = nn.Linear(400, 2)`, 'out, _ = self.rnn(x)\nreturn self.head(out.flatten(1))'],
      // set in a branch, in a loop, or by a caller
      [
        `${rnn}self.head = nn.Linear(20, 2)`,
        'out, _ = self.rnn(x)\nif lengths:\n    out = lengths\nreturn self.head(out)',
      ],
      [
        `self.rnn = nn.LSTM(10, 20, bidirectional=hidden)\nself.head = nn.Linear(20, 2)`,
        'out, _ = self.rnn(x)\nreturn self.head(out)',
      ],
      [
        `self.rnn = nn.LSTM(10, 20, proj_size=5)\nself.head = nn.Linear(5, 2)`,
        'out, _ = self.rnn(x)\nreturn self.head(out)',
      ],
      [
        `${rnn}self.head = nn.Linear(20, 2) if hidden else nn.Linear(40, 2)`,
        'out, _ = self.rnn(x)\nreturn self.head(out)',
      ],
      [
        'self.rnn = nn.LSTM(10, 20)\nself.head = nn.LazyLinear(2)',
        'out, _ = self.rnn(x)\nreturn self.head(out)',
      ],
    ] as const)
      await silent('python', net(init, forward), id);
  });
});

describe('A recurrent layer inside a Sequential of PyTorch', () => {
  const tuple = 'torch-sequential-tuple';

  it('is told, and gets a module behind it that hands on the output', async () => {
    const text = 'from torch import nn\nnet = nn.Sequential(nn.LSTM(10, 20), nn.Linear(20, 2))\n';
    assert.deepEqual(await said('python', text, tuple), [['warning', 'nn.LSTM(10, 20)']]);
    assert.deepEqual(await mended('python', text, tuple), [
      'from torch import nn\nclass FirstOutput(nn.Module):\n    def forward(self, given):\n        return given[0]\n\n\n' +
        'net = nn.Sequential(nn.LSTM(10, 20), FirstOutput(), nn.Linear(20, 2))\n',
    ]);
  });

  it('is not said at its end, nor before a module of another kind', async () => {
    for (const list of [
      'nn.Linear(3, 10), nn.LSTM(10, 20)',
      'nn.LSTM(10, 20), Last(), nn.Linear(20, 2)',
      'nn.Linear(3, 10), nn.Linear(10, 2)',
    ])
      await silent('python', `from torch import nn\nnet = nn.Sequential(${list})\n`, tuple);
  });
});
