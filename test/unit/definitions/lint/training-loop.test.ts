// Training loops in PyTorch that forget to clear gradients, or to update.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const script = (loop: string) => `import torch
from torch import nn, optim
model = nn.LSTM(3, 4)
optimizer = optim.Adam(model.parameters())
scheduler = optim.lr_scheduler.StepLR(optimizer, 10)
${loop}
`;

describe('A training loop without zero_grad()', () => {
  const id = 'torch-no-zero-grad';
  const LOOP = `for x, y in data:
    loss = f(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()`;

  it('is seen, with what clears the gradients as a fix', async () => {
    assert.deepEqual(await said('python', script(LOOP), id), [['warning', 'loss.backward()']]);
    const cleared = LOOP.replace('    loss.backward', '    optimizer.zero_grad()\n    loss.backward');
    assert.deepEqual(await mended('python', script(LOOP), id), [script(cleared)]);
    await silent('python', script(cleared), id);
  });

  it('is seen where they are cleared once, before the loop, or in a comment', async () => {
    assert.equal((await said('python', script(`optimizer.zero_grad()\n${LOOP}`), id)).length, 1);
    const remark = LOOP.replace('    loss.back', '    # optimizer.zero_grad()\n    loss.back');
    assert.equal((await said('python', script(remark), id)).length, 1);
    const scaled = LOOP.replace('optimizer.step()', 'scaler.step(optimizer)');
    assert.equal((await said('python', script(scaled), id)).length, 1);
  });

  it('clears those of the optimizer that a gradient scaler steps', async () => {
    const scaled = LOOP.replace('optimizer.step()', 'scaler.step(optimizer)');
    const cleared = scaled.replace('    loss.backward', '    optimizer.zero_grad()\n    loss.backward');
    assert.deepEqual(await mended('python', script(scaled), id), [script(cleared)]);
  });

  it('is not seen where they are cleared, or may be', async () => {
    for (const [from, to] of [
      ['    optimizer.step()', '    optimizer.step()\n    model.zero_grad()'],
      ['    loss.backward()', '    for p in model.parameters(): p.grad = None\n    loss.backward()'],
      ['    loss.backward()', '    for p in model.parameters(): p.grad.data.zero_()\n    loss.backward()'],
      ['    loss.backward()', '    prepare(model, optimizer)\n    loss.backward()'],
      ['    optimizer.step()', '    scheduler.step()'],
    ] as const)
      await silent('python', script(LOOP.replace(from, to)), id);
    await silent('python', script(`def clear():\n    optimizer.zero_grad()\n${LOOP}`), id);
    await silent('python', script(LOOP).replace('nn.LSTM', 'nn.Linear'), id);
    await silent('python', script('loss.backward()\noptimizer.step()'), id);
  });

  it('may take the optimizer as a parameter', async () => {
    const inFunction = `def train(model, optimizer):
    for x in data:
        model(x).sum().backward()
        optimizer.step()`;
    assert.equal((await said('python', script(inFunction), id)).length, 1);
  });
});

describe('A training loop without step()', () => {
  const id = 'torch-no-step';
  const LOOP = `for x, y in data:
    optimizer.zero_grad()
    loss = f(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)`;

  it('is seen, with the update below the clipping as a fix', async () => {
    assert.deepEqual(await said('python', script(LOOP), id), [['warning', 'loss.backward()']]);
    assert.deepEqual(await mended('python', script(LOOP), id), [script(`${LOOP}\n    optimizer.step()`)]);
    assert.equal((await said('python', script(`${LOOP}\n    scheduler.step()`), id)).length, 1);
    assert.equal((await said('python', script(`${LOOP}\n    # optimizer.step()`), id)).length, 1);
  });

  it('is not seen where something updates, or may', async () => {
    await silent('python', script(`${LOOP}\n    optimizer.step()`), id);
    await silent('python', script(`${LOOP}\n    for p in model.parameters(): p.data -= 0.1 * p.grad`), id);
    await silent('python', script(`${LOOP}\n    update(optimizer)`), id);
    await silent('python', script(LOOP.replace('for x, y in data:', 'if True:')), id);
    await silent('python', script(LOOP).replace(/optimizer = .*/, 'optimizer = make()'), id);
    await silent('python', script(LOOP).replace('nn.LSTM', 'nn.Linear'), id);
  });
});
