// Arrays lent for the caches of calls: batches of unequal lengths, which ask for another size at every step, allocate few.
import assert from 'node:assert/strict';
import type { Provider } from '../../../../src/trainer/engine/provider.ts';
import { referenceProvider } from '../../../../src/trainer/engine/reference/provider.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { borrow, giveBack, useProvider } from '../../../../src/trainer/engine/storage.ts';
import { randomStream } from '../../../../src/trainer/random.ts';

describe('arrays lent for the caches of calls', () => {
  let allocated: number[];
  let released: number[];
  before(() => startEngine('reference', null));
  beforeEach(() => {
    [allocated, released] = [[], []];
    const own: Provider = {
      ...referenceProvider,
      allocate(floats) {
        allocated.push(floats);
        return new Float32Array(floats);
      },
      release: ({ length }) => void released.push(length),
    };
    useProvider(own);
  });
  after(() => useProvider(referenceProvider));

  const waitingFloats = () =>
    allocated.reduce((sum, size) => sum + size, 0) - released.reduce((sum, size) => sum + size, 0);

  it('serve every size that is asked for, from few allocations that hold little more than the largest', () => {
    const random = randomStream(1, 'test', 0);
    let largest = 0;
    for (let step = 0; step < 500; step++) {
      const size = 1000 + random.int(9000);
      largest = Math.max(largest, size);
      const [a, b] = [borrow(size), borrow(size + 1)];
      assert.ok(a.length >= size && b.length > size && a.buffer !== b.buffer);
      giveBack(a);
      giveBack(b);
    }
    assert.ok(allocated.length < 40, `${allocated.length} allocations in 1000 calls`);
    assert.ok(
      waitingFloats() < 4 * largest,
      `${waitingFloats()} numbers wait, the largest call takes ${largest}`,
    );
  });

  it('of one size come back as they were, and a far larger one is kept for those who need it', () => {
    const large = borrow(100_000);
    giveBack(large);
    const small = borrow(1000);
    assert.equal(small.length, 1000);
    giveBack(small);
    assert.equal(borrow(100_000), large);
    assert.equal(borrow(1000), small);
    assert.deepEqual([allocated, released], [[100_000, 1000], []]);
  });
});
