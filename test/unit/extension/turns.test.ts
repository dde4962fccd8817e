// Work by turns: what waits together goes on one after the other, with the rest of the process in between.
import assert from 'node:assert/strict';
import { Turn } from '../../../src/extension/runs/turns.ts';

describe('turns', () => {
  it('are taken one at a time by works that run together', async () => {
    let inThisRound = 0;
    let most = 0;
    let isOver = false;
    const round = () => {
      inThisRound = 0;
      if (!isOver) setImmediate(round);
    };
    setImmediate(round);
    const work = async () => {
      const turn = new Turn();
      for (let step = 0; step < 5; step++) {
        busyFor(5);
        await turn.mayEnd();
        most = Math.max(most, ++inThisRound);
      }
    };
    await Promise.all([work(), work(), work()]);
    isOver = true;
    assert.equal(most, 1);
  });

  it('go on at once while there is time left', async () => {
    let others = 0;
    const other = setImmediate(() => others++);
    const turn = new Turn();
    for (let step = 0; step < 10; step++) await turn.mayEnd();
    clearImmediate(other);
    assert.equal(others, 0);
  });
});

function busyFor(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}
