// How many sequences the probes look at: four, and fewer where those have more steps than a pass may have.
import assert from 'node:assert/strict';
import { probedSequences } from '../../../../src/trainer/training/intervals.ts';

describe('sequences that probes look at', () => {
  it('are four, and fewer of a batch with a sequence that is far too long', () => {
    const of = (seqLen: number, batch: number, source?: number) =>
      probedSequences({ seqLen, batch, ...(source && { source: { seqLen: source } as never }) }, 6000);
    assert.deepEqual([of(20, 32), of(20, 2), of(20, 32, 30)], [4, 2, 4]);
    assert.deepEqual([of(2500, 32), of(20, 32, 2500), of(10_001, 32), of(10_001, 1)], [2, 2, 1, 1]);
    assert.equal(probedSequences({ seqLen: 1e6, batch: 8 }, Number.POSITIVE_INFINITY), 4);
  });
});
