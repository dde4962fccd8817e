// Long work by turns, so that the extension host stays free: a few milliseconds, then whoever else waits.
import type { RunReader } from '../../runs/reader.ts';

/** How long one turn takes; about this long is everything else in the extension host kept waiting. */
const TURN_MILLISECONDS = 4;
/** What remains after them waits for the next look, so that what is shown grows from the first moment. */
const TURNS = 10;
const BYTES = 4e6;

export class Turn {
  private end = performance.now() + TURN_MILLISECONDS;

  /** Returns when it is this work's turn again; at once while the turn lasts. */
  async mayEnd(): Promise<void> {
    if (performance.now() < this.end) return;
    await othersTurn();
    this.end = performance.now() + TURN_MILLISECONDS;
  }
}

export async function pollByTurns(reader: RunReader): Promise<void> {
  const turn = new Turn();
  for (let turns = 0; turns < TURNS; turns++) {
    reader.poll(BYTES, TURN_MILLISECONDS);
    if (!reader.behind) return;
    await turn.mayEnd();
  }
}

const waiting: (() => void)[] = [];

/** One after the other: what waits together would otherwise go on together, and take the sum of all turns. */
function othersTurn(): Promise<void> {
  return new Promise(resolve => {
    if (waiting.push(resolve) === 1) setImmediate(next);
  });
}

function next(): void {
  waiting[0]!();
  waiting.shift();
  if (waiting.length > 0) setImmediate(next);
}
