// PyTorch's options that do not exist or do nothing.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const IMPORT = 'import torch.nn as nn\n';

describe('recurrent_dropout in PyTorch', () => {
  const id = 'torch-recurrent-dropout';

  it('does not exist, whatever the layer', async () => {
    const text = `${IMPORT}a = nn.LSTM(3, 4, recurrent_dropout=0.2)\nb = nn.GRUCell(3, 4, recurrent_dropout=p)\n`;
    assert.deepEqual(await said('python', text, id), [
      ['warning', 'recurrent_dropout=0.2'],
      ['warning', 'recurrent_dropout=p'],
    ]);
  });

  it('is removed with its comma, wherever it stands', async () => {
    const results: [string, string][] = [
      ['nn.GRU(3, 4, recurrent_dropout=0.2)', 'nn.GRU(3, 4)'],
      ['nn.GRU(3, 4, recurrent_dropout=0.2, bias=False)', 'nn.GRU(3, 4, bias=False)'],
      ['nn.GRU(\n    3,\n    4,\n    recurrent_dropout=0.2,\n)', 'nn.GRU(\n    3,\n    4,\n)'],
      [
        'nn.GRU(\n    3, 4,\n    recurrent_dropout=0.2,  # why not\n    bias=False)',
        'nn.GRU(\n    3, 4,\n    bias=False)',
      ],
      ['nn.GRU(3, 4,  # sizes\n       recurrent_dropout=0.2)', 'nn.GRU(3, 4,  # sizes\n       )'],
      ['nn.GRU(3, 4, recurrent_dropout=0.2,\n       bias=False)', 'nn.GRU(3, 4,\n       bias=False)'],
    ];
    for (const [before, after] of results) {
      const [removed] = await mended('python', `${IMPORT}x = ${before}\n`, id);
      assert.equal(removed, `${IMPORT}x = ${after}\n`);
    }
  });

  it('may have been meant between stacked layers', async () => {
    const [, between] = await mended(
      'python',
      `${IMPORT}x = nn.LSTM(3, 4, 2, recurrent_dropout = 0.2)\n`,
      id,
    );
    assert.equal(between, `${IMPORT}x = nn.LSTM(3, 4, 2, dropout = 0.2)\n`);
  });

  it('is Keras’s own, and that of other classes', async () => {
    await silent('python', 'from keras.layers import LSTM\nx = LSTM(4, recurrent_dropout=0.2)\n', id);
    await silent('python', `${IMPORT}x = MyLSTM(3, 4, recurrent_dropout=0.2)\ny = nn.LSTM(3, 4)\n`, id);
  });
});

describe('dropout of one PyTorch layer', () => {
  const id = 'torch-dropout-one-layer';

  it('has no effect, whatever its rate', async () => {
    const text = `${IMPORT}
class M(nn.Module):
    def __init__(self, p=0.5, layers=1):
        self.a = nn.LSTM(3, 4, dropout=0.5)
        self.b = nn.GRU(3, 4, 1, True, True, 0.3)
        self.c = nn.RNN(3, 4, num_layers=1, dropout=p)
`;
    assert.deepEqual(await said('python', text, id), [
      ['warning', 'dropout=0.5'],
      ['warning', '0.3'],
      ['warning', 'dropout=p'],
    ]);
  });

  it('is not said where there may be more layers, or no dropout', async () => {
    await silent(
      'python',
      `${IMPORT}
class M(nn.Module):
    def __init__(self, p=0.5, layers=1, **options):
        self.a = nn.LSTM(3, 4, layers, dropout=p)
        self.b = nn.LSTM(3, 4, num_layers=2, dropout=0.5)
        self.c = nn.LSTM(3, 4, dropout=0.0)
        self.d = nn.LSTM(3, 4, dropout=p, **options)
        self.e = nn.LSTM(3, 4, num_layers=1, dropout=p if layers > 1 else 0)
        self.f = nn.LSTMCell(3, 4)
        self.g = nn.LSTM(3, 4)
`,
      id,
    );
  });

  it('is removed, or gets a second layer', async () => {
    const x = (call: string) => `${IMPORT}x = ${call}\n`;
    assert.deepEqual(await mended('python', x('nn.LSTM(3, 4, dropout=0.5, batch_first=True)'), id), [
      x('nn.LSTM(3, 4, batch_first=True)'),
      x('nn.LSTM(3, 4, dropout=0.5, batch_first=True, num_layers=2)'),
    ]);
    assert.deepEqual(await mended('python', x('nn.LSTM(3, 4, num_layers=1, dropout=0.5)'), id), [
      x('nn.LSTM(3, 4, num_layers=1)'),
      x('nn.LSTM(3, 4, num_layers=2, dropout=0.5)'),
    ]);
    assert.deepEqual(await mended('python', x('nn.LSTM(3, 4, 1, dropout=0.5)'), id), [
      x('nn.LSTM(3, 4, 1)'),
      x('nn.LSTM(3, 4, 2, dropout=0.5)'),
    ]);
    assert.deepEqual(await mended('python', x('nn.LSTM(3, 4, 1, True, True, 0.5)'), id), [
      x('nn.LSTM(3, 4, 1, True, True, 0)'),
    ]);
  });
});
