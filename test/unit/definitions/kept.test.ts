// Definitions in mid-edit: which are told as they stand, and which as they last could be read.
import assert from 'node:assert/strict';
import { keepUnreadable } from '../../../src/definitions/kept.ts';
import { find } from './find.ts';

const python = `from torch import nn

class First(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 8, batch_first=True)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0])


class Second(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 16)
`;

async function edited(before: string, after: string, language: 'python' | 'typescript' = 'python') {
  const definitions = await find(language, before);
  assert.equal(definitions.hasErrors, false);
  const found = await find(language, after);
  assert.equal(found.hasErrors, true, 'the edit is no syntax error');
  return keepUnreadable({ text: before, definitions }, found, after);
}

async function rows(before: string, after: string, language: 'python' | 'typescript' = 'python') {
  const { models } = await edited(before, after, language);
  return models.map(
    ({ name, isKept, range, layers }) =>
      `${name} ${isKept ? 'kept' : 'live'} ${range.line} ${layers.map(({ name }) => name).join(' ')}`,
  );
}

describe('definitions in mid-edit', () => {
  it('are kept whole where their text makes no sense', async () => {
    const edits: [string, string][] = [
      ['nn.GRU(2, 8, batch_first=True)', 'nn.GRU(2, '],
      ['nn.GRU(2, 8, batch_first=True)', 'nn.'],
      ['self.out = nn.Linear(8, 1)', 'self.out ='],
      ['def forward(self, x):', 'def forward(self'],
      ['return self.out(self.rnn(x)[0])', 'return "'],
      ['class First(nn.Module):', 'class First(nn.Mod'],
    ];
    for (const [was, is] of edits) {
      const [first, second] = await rows(python, python.replace(was, is));
      assert.equal(first, 'First kept 3 GRU Linear', is);
      assert.match(second!, /^Second (live|kept) 13 LSTM$/, is);
    }
  });

  it('stay alive where only another one is broken', async () => {
    const broken = python.replace('self.rnn = nn.LSTM(3, 16)', 'self.rnn = nn.LSTM(3, ');
    assert.deepEqual(await rows(python, broken), ['First live 3 GRU Linear', 'Second kept 13 LSTM']);
    const bigger = python.replace('nn.LSTM(3, 16)', 'nn.LSTM(3, 64)').replace('[0])', '[');
    const { models } = await edited(python, bigger);
    const second = models.find(({ name }) => name === 'Second');
    assert.equal(second?.layers[0]?.recurrent?.units.value, second?.isKept ? 16 : 64);
  });

  it('keep the places of their layers where text is put in right behind them', async () => {
    const call = 'nn.GRU(2, 8, batch_first=True)';
    const after = python.replace(call, `${call} + (1,`);
    const { models } = await edited(python, after);
    const [gru, linear] = models.find(({ name }) => name === 'First')!.layers;
    const textOf = ({ offset, length }: { offset: number; length: number }) =>
      after.slice(offset, offset + length);
    assert.equal(textOf(gru!.callRange), call);
    assert.equal(textOf(linear!.callRange), 'nn.Linear(8, 1)');
  });

  it('move with the lines above them', async () => {
    const after = python.replace(
      '        self.out = nn.Linear',
      '        x = (\n        y = (\n        self.out = nn.Linear',
    );
    const { models, layers } = await edited(python, after);
    assert.deepEqual(
      models.map(({ name, isKept, range }) => [name, isKept, range.line]),
      [
        ['First', true, 3],
        ['Second', false, 15],
      ],
    );
    for (const { range, name } of models.flatMap(model => model.layers))
      assert.equal(after.slice(range.offset, range.offset + range.length), name);
    assert.deepEqual(
      layers.map(({ name, range }) => [name, range.line]),
      [
        ['GRU', 6],
        ['LSTM', 18],
      ],
    );
  });

  it('are no error where a dot ends a sentence, or a line within brackets', async () => {
    const text = python.replace(
      'super().__init__()',
      'super().__init__()\n        """Adds.\n        self.\n        x = torch.\n        """\n        y = (self.\n             x)  # = self.\n',
    );
    assert.equal((await find('python', text)).hasErrors, false);
  });

  it('that are new appear when they can be read', async () => {
    const third = `${python}\nclass Third(nn.Module):\n    def __init__(self):\n        self.rnn = nn.RNN(2, 3`;
    assert.deepEqual(
      (await edited(python, third)).models.map(({ name }) => name),
      ['First', 'Second'],
    );
  });

  it('are kept where a call that adds to them is broken', async () => {
    const keras = `import keras
def build():
    model = keras.Sequential()
    model.add(keras.layers.LSTM(8, return_sequences=True, input_shape=(10, 2)))
    model.add(keras.layers.LSTM(4))
    return model
`;
    const [kept] = await rows(keras, keras.replace('LSTM(4))', 'LSTM(4'));
    assert.equal(kept, 'build kept 2 LSTM LSTM');
    const tfjs = `import * as tf from '@tensorflow/tfjs';
const model = tf.sequential();
model.add(tf.layers.lstm({units: 8, inputShape: [10, 2]}));
model.add(tf.layers.dense({units: 1}));
`;
    const [row] = await rows(tfjs, tfjs.replace('dense({units: 1}', 'dense({units: '), 'typescript');
    assert.equal(row, 'model kept 2 lstm dense');
  });
});
