// Reading long runs by turns, so that the extension host stays free.
import type { RunReader } from '../../runs/reader.ts';

/** About 10 ms of work. */
const BYTES = 1e6;
/** What remains waits for the next look, so that what is shown grows from the first moment. */
const TURNS = 4;

export async function pollByTurns(reader: RunReader): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    reader.poll(BYTES);
    if (!reader.behind) return;
    await othersTurn();
  }
}

export function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
