// Batches of sequences of unequal lengths, cut into three parts: an order for each epoch, and parts that are held out.
import { plural } from '../../experiment/words.ts';
import { randomStream } from '../random.ts';
import { batchesOfEpoch, paddingOf, shuffled } from './buckets.ts';

export interface BatchOptions {
  batchSize: number;
  seed: number;
  bucketed: boolean;
}

export interface SequenceBatches {
  /** sequences of a batch: fewer than asked for where the training part has fewer */
  size: number;
  perEpoch: number;
  /** places of the sequences of this training step, counted from 1 */
  places(step: number): number[];
  /** batches of an epoch, as indices of the training part */
  indices(epoch: number): readonly (readonly number[])[];
  epochOf(step: number): number;
  /** batches of held-out places, the longest first; evenly spread over the lengths where there are too many */
  held(places: readonly number[], most: number): Iterable<number[]>;
  /** what of the batches is padding */
  notes(): string[];
}

export function sequenceBatches(
  train: readonly number[],
  lengthOf: (place: number) => number,
  { batchSize, seed, bucketed }: BatchOptions,
): SequenceBatches {
  const size = Math.min(batchSize, train.length);
  const perEpoch = Math.floor(train.length / size);
  const lengths = train.map(lengthOf);
  let drawn: { epoch: number; batches: number[][] } | null = null;
  const batchesIn = (epoch: number) => {
    if (drawn?.epoch !== epoch)
      drawn = { epoch, batches: batchesOfEpoch(lengths, size, seed, epoch, bucketed) };
    return drawn.batches;
  };
  const epochOf = (step: number) => Math.floor((step - 1) / perEpoch);
  return {
    size,
    perEpoch,
    places: step => batchesIn(epochOf(step))[(step - 1) % perEpoch]!.map(place => train[place]!),
    indices: batchesIn,
    epochOf,
    *held(places, most) {
      const sorted = [...places].sort((a, b) => lengthOf(b) - lengthOf(a));
      const count = Math.ceil(sorted.length / size);
      const every = Math.max(1, count / most);
      for (let at = 0; at < count; at += every) {
        const index = Math.floor(at);
        yield sorted.slice(index * size, (index + 1) * size);
      }
    },
    notes: () =>
      paddingNote(
        paddingOf(batchesIn(0), lengths),
        paddingOf(batchesOfEpoch(lengths, size, seed, 0, false), lengths),
        bucketed,
      ),
  };
}

function paddingNote(own: number, mixed: number, bucketed: boolean): string[] {
  const share = (value: number) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
  if (mixed === 0) return [];
  return [
    bucketed
      ? `Padding: ${share(own)} of the steps of a batch, in buckets of like lengths (${share(mixed)} without).`
      : `Padding: ${share(mixed)} of the steps of a batch.`,
  ];
}

/** Places in training, validation and test; the training part takes what does not come out even. */
export function threeParts(
  places: number[],
  split: readonly [number, number, number],
  shuffle: boolean,
  seed: number,
  turn = 0,
): [number[], number[], number[]] {
  const random = randomStream(seed, 'data/split', turn);
  if (shuffle) shuffled(places, below => random.int(below));
  const held = Math.floor(places.length * split[1] + 1e-9);
  const tested = Math.floor(places.length * split[2] + 1e-9);
  const trained = places.length - held - tested;
  return [places.slice(0, trained), places.slice(trained, trained + held), places.slice(trained + held)];
}

export function fewNote(size: number, asked: number): string[] {
  return size < asked
    ? [`Only ${plural(size, 'sequence')} in the training part: batches have ${size} instead of ${asked}.`]
    : [];
}
