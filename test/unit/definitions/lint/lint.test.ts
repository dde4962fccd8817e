// All text diagnostics together: their pages, and text that is not whole.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { applyTextFix } from '../../../../src/definitions/lint/finding.ts';
import { linted } from './linted.ts';

const root = path.resolve(import.meta.dirname, '../../../..');

const PYTHON = `import torch
import torch.nn as nn
class M(nn.Module):
    def __init__(self):
        self.a = nn.LSTM(3, 4, dropout=0.5, recurrent_dropout=0.1)
        self.b = nn.RNN(3, 4, nonlinearity='relu')
    def forward(self, x):
        out, _ = self.a(x)
        return out[:, -1]
model = M()
optimizer = torch.optim.Adam(model.parameters())
for x in data:
    loss = model(x)
    loss.backward()
    optimizer.step()
`;

describe('Text diagnostics', () => {
  it('have a section each in docs/lint.md, and no more', () => {
    const folder = path.join(root, 'src/definitions/lint');
    const ids = readdirSync(folder).flatMap(file =>
      [...readFileSync(path.join(folder, file), 'utf8').matchAll(/\bid: '([\w-]+)'/g)].map(([, id]) => id!),
    );
    const page = readFileSync(path.join(root, 'docs/lint.md'), 'utf8');
    const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, name]) => name!);
    assert.deepEqual(sections.sort(), [...new Set(ids)].sort());
  });

  it('stand in the order of the text, with their page', async () => {
    const found = await linted('python', PYTHON);
    assert.deepEqual(
      found.map(({ id, range }) => [range.line, id]),
      [
        [5, 'torch-dropout-one-layer'],
        [5, 'torch-recurrent-dropout'],
        [6, 'relu-initialization'],
        [9, 'torch-batch-first'],
        [14, 'torch-no-clipping'],
        [14, 'torch-no-zero-grad'],
      ],
    );
    for (const { id, page } of found) assert.equal(page, `docs/lint.md#${id}`);
  });

  it('are all gone when the first fix of each was made, one after the other', async () => {
    let text = PYTHON;
    for (let round = 0; round < 9; round++) {
      const [first] = await linted('python', text);
      if (!first) break;
      text = applyTextFix(text, first.fixes[0]!);
    }
    assert.deepEqual(await linted('python', text), []);
    assert.match(text, /nn\.LSTM\(3, 4, batch_first=True\)/);
  });

  it('bear text that ends anywhere', async () => {
    const script = `const tf = require('@tensorflow/tfjs');\nconst m = tf.sequential({layers: [tf.layers.lstm({units: 4}), tf.layers.gru({units: 3, resetAfter: true})]});\nm.add(tf.layers.bidirectional({layer: tf.layers.lstm({units: 3})}));\n`;
    for (let end = 0; end < PYTHON.length; end += 3) await linted('python', PYTHON.slice(0, end));
    for (let end = 0; end < script.length; end += 3)
      for (const { range } of await linted('javascript', script.slice(0, end)))
        assert.ok(range.offset + range.length <= end);
  });

  it('say nothing of a call that is not whole', async () => {
    assert.deepEqual(
      await linted('python', 'import torch.nn as nn\nx = nn.LSTM(3, 4, dropout=0.5, = )\n'),
      [],
    );
  });
});
