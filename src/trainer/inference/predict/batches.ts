// Batches of what is predicted, so that one outlier of a file does not multiply the memory of all that stand beside it.

/** Steps of one pass, padding included; a longer sequence is read alone. */
const MOST_STEPS = 1 << 15;

/** The longest first, so that a batch holds little padding: places of at most `size` sequences. */
export function* longestFirst(
  lengths: ArrayLike<number>,
  size: number,
  mostSteps = MOST_STEPS,
): Generator<number[]> {
  const order = Array.from(lengths, (_, place) => place).sort((a, b) => lengths[b]! - lengths[a]!);
  for (let from = 0; from < order.length; ) {
    const longest = Math.max(1, lengths[order[from]!]!);
    const end = from + Math.max(1, Math.min(size, Math.floor(mostSteps / longest)));
    yield order.slice(from, end);
    from = end;
  }
}

/** Sequences whose answers are held at once. */
const BLOCK = 1 << 13;

/** Blocks in the order of the file, each with its batches, the longest first. */
export function* blocksOf(
  lengths: ArrayLike<number>,
  size: number,
): Generator<{ from: number; batches: Generator<number[]> }> {
  for (let from = 0; from < lengths.length; from += BLOCK) {
    const own = Array.from(
      { length: Math.min(BLOCK, lengths.length - from) },
      (_, at) => lengths[from + at]!,
    );
    yield { from, batches: placed(own, size, from) };
  }
}

function* placed(lengths: readonly number[], size: number, from: number): Generator<number[]> {
  for (const places of longestFirst(lengths, size)) yield places.map(place => from + place);
}
