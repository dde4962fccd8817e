// Training loops over recurrent models in PyTorch, with and without clipping.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const id = 'torch-no-clipping';
const script = (loop: string, head = 'import torch\nfrom torch import nn, optim') => `${head}
model = nn.LSTM(3, 4)
optimizer = optim.Adam(model.parameters())
scheduler = make(optimizer)
${loop}
`;
const LOOP = `for x, y in data:
    loss = f(model(x), y)
    loss.backward()
    optimizer.step()`;

describe('A training loop without clipping', () => {
  it('is seen, also in a function and with a condition', async () => {
    assert.deepEqual(await said('python', script(LOOP), id), [['hint', 'loss.backward()']]);
    const inFunction = `def train(model, optimizer):
    while True:
        loss = f(model)
        loss.backward()
        if ready:
            optimizer.step()`;
    assert.deepEqual(await said('python', script(inFunction), id), [['hint', 'loss.backward()']]);
  });

  it('is not seen where it clips, does not train in this loop, or has no recurrent layer', async () => {
    await silent(
      'python',
      script(LOOP.replace('    optim', '    nn.utils.clip_grad_norm_(model.parameters(), 1)\n    optim')),
      id,
    );
    await silent(
      'python',
      script(LOOP.replace('    optim', '    for p in ps: p.grad.data.clamp_(-1, 1)\n    optim')),
      id,
    );
    await silent('python', script(LOOP.replace('optimizer.step', 'scheduler.step')), id);
    await silent('python', script('loss.backward()\noptimizer.step()'), id);
    await silent('python', script('for x in data:\n    optimizer.step()\n    loss.backward()'), id);
    await silent(
      'python',
      script(
        'for i in range(3):\n    def closure():\n        loss.backward()\n        return loss\n    optimizer.step(closure)',
      ),
      id,
    );
    await silent('python', script(LOOP).replace('nn.LSTM', 'nn.Linear'), id);
  });

  it('gets a line that clips, under the names of the file', async () => {
    const clipped = (name: string) =>
      LOOP.replace('    optim', `    ${name}.utils.clip_grad_norm_(model.parameters(), 1.0)\n    optim`);
    assert.deepEqual(await mended('python', script(LOOP), id), [script(clipped('nn'))]);
    const head = 'import torch, os\nimport torch.nn\nnn = torch.nn\nfrom torch import optim';
    assert.deepEqual(await mended('python', script(LOOP, head), id), [script(clipped('torch.nn'), head)]);
  });

  it('gets none where the model is not surely known, or gradients are scaled', async () => {
    const none = async (text: string) => assert.deepEqual(await mended('python', text, id), []);
    await none(script(`${LOOP}\nother.parameters()`));
    await none(script(LOOP.replace('loss.backward()', 'scaler.scale(loss).backward()')));
    await none(script(LOOP.replace('loss.backward()', 'loss.backward(); n += 1')));
    await none(script(LOOP).replace('model.parameters()', 'params'));
  });
});
