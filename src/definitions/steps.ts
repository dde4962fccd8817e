// Long work in steps: a generator that yields wherever it may be interrupted, run at once or in slices between which a
// host can do other things.

/** Work that gives a `T` at its end. */
export type Steps<T> = Generator<void, T>;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Runs for at most about `milliseconds` in one go.
 *
 * @returns null where `isWanted` said no between two slices
 */
export async function inSlices<T>(
  steps: Steps<T>,
  milliseconds: number,
  isWanted: () => boolean,
): Promise<T | null> {
  for (;;) {
    const until = performance.now() + milliseconds;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (performance.now() < until);
    await new Promise<void>(resolve => setImmediate(resolve));
    if (!isWanted()) return null;
  }
}
