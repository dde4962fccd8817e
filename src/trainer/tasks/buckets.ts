// The order of sequences of unequal lengths: batches of like lengths, so that little of a batch is padding.
import { countedTo, type List } from '../data/storage.ts';
import { randomStream } from '../random.ts';

/** Batches that are sorted together: enough to put like lengths side by side, few enough to leave the order to chance. */
const BATCHES_A_BUCKET = 32;

/** Lengths by place: an array, or what computes them. */
export interface Lengths {
  readonly length: number;
  at(place: number): number | undefined;
}

/** The batches of one epoch, as places of sequences: a function of the seed and the epoch alone. */
export function batchesOfEpoch(
  lengths: Lengths,
  size: number,
  seed: number,
  epoch: number,
  bucketed: boolean,
): List<number[]> {
  const random = randomStream(seed, 'data/order', epoch);
  const order = shuffled(countedTo(lengths.length), random.int.bind(random));
  if (bucketed)
    for (let from = 0; from < order.length; from += size * BATCHES_A_BUCKET) {
      const bucket = Array.from(order.slice(from, from + size * BATCHES_A_BUCKET));
      order.set(
        bucket.sort((a, b) => lengths.at(b)! - lengths.at(a)!),
        from,
      );
    }
  // what does not fill a batch has its turn in another epoch
  const batches = countedTo(Math.floor(order.length / size));
  if (bucketed) shuffled(batches, random.int.bind(random));
  const at = (index: number) => {
    const from = batches[index]! * size;
    return Array.from(order.subarray(from, from + size));
  };
  return {
    length: batches.length,
    at,
    *[Symbol.iterator]() {
      for (let index = 0; index < batches.length; index++) yield at(index);
    },
  };
}

export function shuffled<A extends number[] | Int32Array>(values: A, int: (below: number) => number): A {
  for (let last = values.length - 1; last > 0; last--) {
    const other = int(last + 1);
    [values[last], values[other]] = [values[other]!, values[last]!];
  }
  return values;
}

/** The share of the steps of these batches that are padding. */
export function paddingOf(batches: Iterable<readonly number[]>, lengths: Lengths): number {
  let [steps, filled] = [0, 0];
  for (const batch of batches) {
    const longest = batch.reduce((most, place) => Math.max(most, lengths.at(place)!), 0);
    steps += longest * batch.length;
    for (const place of batch) filled += lengths.at(place)!;
  }
  return steps > 0 ? 1 - filled / steps : 0;
}
