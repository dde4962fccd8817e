// Widths in a Sequential that a loop adds to: known where the first turn and the later ones read the same.
import assert from 'node:assert/strict';
import { layersOf } from './find.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 1);

async function parameters(adds: string): Promise<(number | null)[]> {
  const lines = adds.split('\n').map(line => `    ${line}\n`);
  const text = `from tensorflow.keras import Sequential, layers\ndef build(n):\n    m = Sequential()\n${lines.join('')}`;
  return (await layersOf('python', text)).map(each => each.parameters);
}

const FIRST = 'm.add(layers.LSTM(4, return_sequences=True, input_shape=(5, 3)))';
const MORE = '    m.add(layers.LSTM(4, return_sequences=True))';

describe('a Sequential that a loop adds to', () => {
  it('tells widths where all turns read the same', async () => {
    const found = await parameters(
      `${FIRST}\nfor _ in range(n):\n${MORE}\n    m.add(layers.Dropout(0.1))\nm.add(layers.LSTM(6))`,
    );
    assert.deepEqual(found, [lstm(3, 4), lstm(4, 4), lstm(4, 6)]);
  });

  it('leaves open what the first turn reads in another width', async () => {
    const found = await parameters(
      `m.add(layers.Embedding(9, 5))\nfor _ in range(n):\n${MORE}\nm.add(layers.LSTM(6))`,
    );
    assert.deepEqual(found, [null, null]);
  });

  it('leaves open what a branch in the loop may change, and a loop that ends early', async () => {
    for (const more of [
      '    if n > 2:\n        m.add(layers.Dense(8))',
      '    else_width = n\n    m.add(layers.Dense(else_width))',
    ])
      assert.deepEqual(
        await parameters(`${FIRST}\nfor _ in range(n):\n${MORE}\n${more}\nm.add(layers.LSTM(6))`),
        [lstm(3, 4), null, null],
      );
    const early = `${FIRST}\nfor _ in range(n):\n${MORE}\n    if n > 3:\n        break\n    m.add(layers.Dense(8))`;
    assert.deepEqual(await parameters(early), [lstm(3, 4), null]);
  });

  it('leaves open units that change by turns', async () => {
    const found = await parameters(
      `${FIRST}\nfor u in [4, 8, 2]:\n    m.add(layers.LSTM(u, return_sequences=True))\nm.add(layers.LSTM(6))`,
    );
    assert.deepEqual([found[0], found[2]], [lstm(3, 4), null]);
    assert.equal(found[1], null);
  });

  it('ends where loops hand on only what they read', async () => {
    const loops = Array.from({ length: 30 }, () => 'for _ in range(n):\n    m.add(layers.Dropout(0.1))').join(
      '\n',
    );
    const found = await parameters(`${FIRST}\n${loops}\nm.add(layers.LSTM(6))`);
    assert.equal(found[0], lstm(3, 4));
    assert.ok(found[1] === null || found[1] === lstm(4, 6));
  });
});
