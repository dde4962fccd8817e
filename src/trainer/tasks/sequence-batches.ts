// Batches of sequences of unequal lengths, cut into three parts: an order for each epoch, and parts that are held out.
import { createHash } from 'node:crypto';
import { count, plural } from '../../experiment/words.ts';
import { type List, wholeNumbers } from '../data/storage.ts';
import { randomStream } from '../random.ts';
import { batchesOfEpoch, type Lengths, paddingOf, shuffled } from './buckets.ts';

export interface BatchOptions {
  batchSize: number;
  seed: number;
  bucketed: boolean;
  /** steps of a pass, padding included; left out: what is usual for the training part */
  maxTokens?: number | undefined;
  /** steps of a sequence, where `lengthOf` is only their order */
  stepsOf?: ((place: number) => number) | undefined;
}

/** Times the length that most sequences stay within. */
const LONG = 8;
const MOST = 0.9;

export interface SequenceBatches {
  /** sequences of a batch: fewer than asked for where the training part has fewer */
  size: number;
  perEpoch: number;
  /** places of the sequences of this training step, counted from 1 */
  places(step: number): number[];
  /** batches of an epoch, as indices of the training part */
  indices(epoch: number): List<number[]>;
  epochOf(step: number): number;
  /** steps of a pass that training batches beyond are cut at */
  maxTokens: number;
  /** batches of held-out places, the longest first; evenly spread over the lengths where there are too many */
  held(places: ArrayLike<number>, most: number): Iterable<number[]>;
  /** of sequences far longer than the others */
  outliers: string[];
  /** what of the batches is padding */
  notes(): string[];
}

export function sequenceBatches(
  train: ArrayLike<number>,
  lengthOf: (place: number) => number,
  { batchSize, seed, bucketed, maxTokens, stepsOf = lengthOf }: BatchOptions,
): SequenceBatches {
  const size = Math.min(batchSize, train.length);
  const perEpoch = Math.floor(train.length / size);
  const lengths: Lengths = { length: train.length, at: index => lengthOf(train[index]!) };
  const { usual, longest } = usualOf(train, stepsOf);
  const most = maxTokens ?? LONG * usual * size;
  const outliers = outlierNote(longest, usual, size, most);
  let drawn: { epoch: number; batches: List<number[]> } | null = null;
  const batchesIn = (epoch: number) => {
    if (drawn?.epoch !== epoch)
      drawn = { epoch, batches: batchesOfEpoch(lengths, size, seed, epoch, bucketed) };
    return drawn.batches;
  };
  const epochOf = (step: number) => Math.floor((step - 1) / perEpoch);
  return {
    size,
    perEpoch,
    places: step =>
      batchesIn(epochOf(step))
        .at((step - 1) % perEpoch)
        .map(place => train[place]!),
    indices: batchesIn,
    epochOf,
    maxTokens: most,
    *held(places, batches) {
      const sorted = byLength(places, lengthOf);
      const count = Math.ceil(sorted.length / size);
      const every = Math.max(1, count / batches);
      for (let at = 0; at < count; at += every) {
        const index = Math.floor(at);
        const own = Array.from(sorted.slice(index * size, (index + 1) * size));
        yield* within(own, stepsOf, most);
      }
    },
    outliers,
    notes: () => [
      ...paddingNote(
        paddingOf(batchesIn(0), lengths),
        paddingOf(batchesOfEpoch(lengths, size, seed, 0, false), lengths),
        bucketed,
      ),
      ...outliers,
    ],
  };
}

/** Places in their order, cut so that no part has more steps, padding included, unless one sequence alone has. */
function* within(
  places: readonly number[],
  stepsOf: (place: number) => number,
  most: number,
): Iterable<number[]> {
  let part: number[] = [];
  let longest = 0;
  for (const place of places) {
    const next = Math.max(longest, stepsOf(place));
    if (part.length > 0 && next * (part.length + 1) > most) {
      yield part;
      part = [];
      longest = 0;
    }
    part.push(place);
    longest = Math.max(longest, stepsOf(place));
  }
  if (part.length > 0) yield part;
}

function outlierNote(longest: number, usual: number, size: number, most: number): string[] {
  if (longest * size <= most) return [];
  return [
    `The longest sequence has ${plural(longest, 'step')}, 90 % have at most ${count(usual)}: batches of more than ${plural(most, 'step')}, padding included, are computed in parts (\`maxTokens\`).`,
  ];
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

/** Places in training, validation and test, as views where they can be; the training part takes what does not come out even. */
export function threeParts<A extends number[] | Int32Array>(
  places: A,
  split: readonly [number, number, number],
  shuffle: boolean,
  seed: number,
  turn = 0,
): [A, A, A] {
  const random = randomStream(seed, 'data/split', turn);
  if (shuffle) shuffled(places, below => random.int(below));
  const held = Math.floor(places.length * split[1] + 1e-9);
  const tested = Math.floor(places.length * split[2] + 1e-9);
  const trained = places.length - held - tested;
  const part = (from: number, to?: number) =>
    (Array.isArray(places) ? places.slice(from, to) : places.subarray(from, to)) as A;
  return [part(0, trained), part(trained, trained + held), part(trained + held)];
}

function usualOf(
  places: ArrayLike<number>,
  stepsOf: (place: number) => number,
): { usual: number; longest: number } {
  const sorted = wholeNumbers(places.length, index => stepsOf(places[index]!)).sort();
  return { usual: sorted[Math.floor(MOST * (sorted.length - 1))]!, longest: sorted.at(-1)! };
}

/** The longest first, equal ones in their order: by keys, for a comparison would list the places as objects. */
function byLength(places: ArrayLike<number>, lengthOf: (place: number) => number): Int32Array {
  const { length } = places;
  let most = 0;
  for (let index = 0; index < length; index++) most = Math.max(most, lengthOf(places[index]!));
  if (most * length > Number.MAX_SAFE_INTEGER / 2)
    return Int32Array.from(places).sort((a, b) => lengthOf(b) - lengthOf(a));
  const keys = new Float64Array(length);
  for (let index = 0; index < length; index++)
    keys[index] = (most - lengthOf(places[index]!)) * length + index;
  keys.sort();
  const sorted = new Int32Array(length);
  for (let index = 0; index < length; index++) sorted[index] = places[keys[index]! % length]!;
  return sorted;
}

/** How many held-out places are told by their key to stand in the training part too; null: not told. */
export function repeatedNote(
  keys: readonly (string | null)[],
  train: ArrayLike<number>,
  others: ArrayLike<number>,
  what: string,
): string[] {
  const known = new Set(Array.from(train, place => keys[place]));
  const repeated = Array.from(others).filter(place => keys[place] !== null && known.has(keys[place])).length;
  if (repeated === 0) return [];
  return [
    `${plural(repeated, what)} of ${count(others.length)} in validation and test ${repeated === 1 ? 'stands' : 'stand'} in the training part too.`,
  ];
}

/** Equal where numbers are: of sequences that are compared. */
export function numbersKey(values: Float64Array | Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('md5').update(bytes).digest('base64');
}

/** Classes that stand in validation or test alone, with the line of the first of each: no step of training shows them. */
export function unseenNote(
  train: ArrayLike<number>,
  others: ArrayLike<number>,
  of: { labels(place: number): Iterable<string>; line(place: number): number },
  { path, one = 'class', many = 'classes' }: { path: string; one?: string; many?: string },
): string[] {
  const known = new Set<string>();
  for (let at = 0; at < train.length; at++) for (const label of of.labels(train[at]!)) known.add(label);
  const first = new Map<string, number>();
  for (let at = 0; at < others.length; at++)
    for (const label of of.labels(others[at]!))
      if (!known.has(label) && !first.has(label)) first.set(label, others[at]!);
  if (first.size === 0) return [];
  const shown = [...first]
    .slice(0, 5)
    .map(([label, place]) => `"${label.slice(0, 40)}" (line ${of.line(place)})`);
  return [
    `The training part of ${path} lacks ${plural(first.size, one, many)} that validation or test has: ${shown.join(', ')}${first.size > 5 ? ', …' : ''}. The model cannot learn ${first.size === 1 ? 'it' : 'them'}: take another \`seed\` or \`split\`.`,
  ];
}

export function fewNote(size: number, asked: number): string[] {
  return size < asked
    ? [`Only ${plural(size, 'sequence')} in the training part: batches have ${size} instead of ${asked}.`]
    : [];
}
