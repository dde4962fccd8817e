// PyTorch: the last time step, in the order of dimensions that the layer gives, and of padded sequences.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

/** A module with one layer and the rest of its forward pass. */
const model = (layer: string, forward: string) => `import torch
import torch.nn as nn
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = ${layer}
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(4, 2)
    def forward(self, x, n):
${forward.replace(/^/gm, '        ')}
`;
const TIME_FIRST = 'nn.LSTM(3, 4)';
const BATCH_FIRST = 'nn.LSTM(3, 4, batch_first=True)';

describe('The dimension of the last time step', () => {
  const id = 'torch-batch-first';

  it('is the first without batch_first', async () => {
    for (const forward of [
      'out, _ = self.rnn(x)\nreturn self.head(out[:, -1])',
      'out, (h, c) = self.rnn(x, None)\nout = self.drop(out)\nout = self.head(out[:, -1, :])\nreturn out',
      'out = self.rnn(x)[0]\nreturn out[:, -1]',
      'for i in range(n):\n    out, _ = self.rnn(x)\n    y = out[ : , -1 ]\nreturn y',
    ])
      assert.equal((await said('python', model(TIME_FIRST, forward), id)).length, 1, forward);
  });

  it('is the second with it', async () => {
    const text = model(BATCH_FIRST, 'out, _ = self.rnn(x)\nreturn self.head(out[-1])');
    assert.deepEqual(await said('python', text, id), [['hint', 'out[-1]']]);
  });

  it('is right as it is, or not surely the output of the layer', async () => {
    const quiet = (layer: string, forward: string) => silent('python', model(layer, forward), id);
    await quiet(BATCH_FIRST, 'out, _ = self.rnn(x)\nreturn out[:, -1]');
    await quiet(TIME_FIRST, 'out, _ = self.rnn(x)\nreturn out[-1]');
    await quiet(BATCH_FIRST, 'out, h = self.rnn(x)\nreturn h[-1]');
    await quiet(BATCH_FIRST, '_, (h, c) = self.rnn(x)\nreturn h[-1]');
    await quiet(TIME_FIRST, 'out, _ = self.rnn(x)\nout = out.transpose(0, 1)\nreturn out[:, -1]');
    await quiet(TIME_FIRST, 'out, _ = self.rnn(x)\nif n:\n    out = out.transpose(0, 1)\nreturn out[:, -1]');
    await quiet(
      TIME_FIRST,
      'out = x\nfor i in range(n):\n    y = out[:, -1]\n    out, _ = self.rnn(x)\nreturn y',
    );
    await quiet(TIME_FIRST, 'out, _ = self.other(x)\nreturn out[:, -1]');
    await quiet(TIME_FIRST, 'out, _ = self.rnn(x)\nreturn x[:, -1]');
    await quiet('nn.LSTM(3, 4, batch_first=flag)', 'out, _ = self.rnn(x)\nreturn out[:, -1]');
    await quiet('nn.LSTM(3, 4, **options)', 'out, _ = self.rnn(x)\nreturn out[:, -1]');
    await quiet(
      'nn.LSTM(3, 4) if n else nn.GRU(3, 4, batch_first=True)',
      'out, _ = self.rnn(x)\nreturn out[:, -1]',
    );
  });

  it('is mended at the layer, or at the index', async () => {
    const forward = 'out, _ = self.rnn(x)\nreturn out[:, -1]';
    assert.deepEqual(await mended('python', model(TIME_FIRST, forward), id), [model(BATCH_FIRST, forward)]);
    assert.deepEqual(await mended('python', model('nn.GRU(3, 4, 1, True, False)', forward), id), [
      model('nn.GRU(3, 4, 1, True, True)', forward),
    ]);
    const index = (at: string) => model(BATCH_FIRST, `out, _ = self.rnn(x)\nreturn out[${at}]`);
    assert.deepEqual(await mended('python', index('-1'), id), [index(':, -1')]);
    assert.deepEqual(await mended('python', index('-1, :, :'), id), [index(':, -1, :')]);
    assert.deepEqual(await mended('python', index('-1, 0'), id), []);
  });
});

describe('The last step of padded sequences', () => {
  const id = 'torch-last-step-padded';
  const UNPACKED =
    'packed = nn.utils.rnn.pack_padded_sequence(x, n, batch_first=True)\nout, _ = self.rnn(packed)\nout, lengths = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)\n';

  it('is padding for all but the longest', async () => {
    assert.deepEqual(await said('python', model(BATCH_FIRST, `${UNPACKED}return out[:, -1]`), id), [
      ['hint', 'out[:, -1]'],
    ]);
    const collated = `${model(BATCH_FIRST, 'out, _ = self.rnn(x)\nreturn out[:, -1, :]')}
def collate(batch):
    return nn.utils.rnn.pad_sequence(batch, batch_first=True)
`;
    assert.deepEqual(await said('python', collated, id), [['hint', 'out[:, -1, :]']]);
  });

  it('is not spoken of where nothing is padded behind, or the state is taken', async () => {
    await silent('python', model(BATCH_FIRST, 'out, _ = self.rnn(x)\nreturn out[:, -1]'), id);
    await silent('python', model(BATCH_FIRST, `${UNPACKED}return out[:, 0]`), id);
    await silent('python', model(BATCH_FIRST, `${UNPACKED}return x[:, -1]`), id);
    const left =
      'x = nn.utils.rnn.pad_sequence(x, True, padding_side="left")\nout, _ = self.rnn(x)\nreturn out[:, -1]';
    await silent('python', model(BATCH_FIRST, left), id);
  });

  it('is taken by the lengths where they have a name', async () => {
    assert.deepEqual(await mended('python', model(BATCH_FIRST, `${UNPACKED}return out[:, -1, :]`), id), [
      model(BATCH_FIRST, `${UNPACKED}return out[torch.arange(out.size(0)), lengths - 1]`),
    ]);
    const first = UNPACKED.replaceAll(', batch_first=True', '');
    assert.deepEqual(await mended('python', model(TIME_FIRST, `${first}return out[-1]`), id), [
      model(TIME_FIRST, `${first}return out[lengths - 1, torch.arange(out.size(1))]`),
    ]);
    const unnamed = UNPACKED.replace('lengths', '_');
    assert.deepEqual(await mended('python', model(BATCH_FIRST, `${unnamed}return out[:, -1]`), id), []);
  });
});
