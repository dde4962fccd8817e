// Variations of the sequences that training reads: T. T. Um et al., 2017, https://doi.org/10.1145/3136755.3136817 (jitter,
// scaling, time warping), and Z. Xie et al., 2017, https://arxiv.org/abs/1703.02573 (tokens). Every draw is a function of
// (seed, step), so that a run that goes on draws the same. Validation never comes here.
import type { Augmentation } from '../../experiment/augmentation.ts';
import type { Batch } from '../layers/batch.ts';
import { type RandomStream, randomStream } from '../random.ts';

/** Points between which the speed of a warped sequence is constant. */
const KNOTS = 4;

interface Read {
  seqLen: number;
  input: Int32Array | Float32Array;
  lengths: Int32Array | null;
}

/**
 * The batch with its source varied, or its input where it has none. `shifts`: steps may move and be left out, because no
 * target stands at them.
 */
export function augmented(
  batch: Batch,
  augmentation: Augmentation,
  at: { seed: number; step: number; shifts: boolean },
): Batch {
  const random = randomStream(at.seed, 'augmentation', at.step);
  const { source } = batch;
  if (source)
    return { ...batch, source: { ...source, ...varied(source, batch.batch, augmentation, true, random) } };
  return { ...batch, ...varied(batch, batch.batch, augmentation, at.shifts, random) };
}

function varied(
  read: Read,
  batch: number,
  augmentation: Augmentation,
  shifts: boolean,
  random: RandomStream,
): Read {
  const { seqLen, input, lengths } = read;
  const width = input.length / seqLen / batch;
  const rows = Array.from({ length: batch }, (_, row) => {
    const length = lengths?.[row] ?? seqLen;
    const places = placesOf(length, augmentation, shifts, input instanceof Int32Array, random);
    return input instanceof Int32Array
      ? tokensAt(places, input, { row, batch, length }, augmentation, shifts, random)
      : numbersAt(places, input, { row, batch, width }, augmentation, random);
  });
  const steps = rows.map(values => values.length / width);
  const longest = Math.max(1, ...steps);
  const made =
    input instanceof Int32Array ? new Int32Array(longest * batch) : new Float32Array(longest * batch * width);
  rows.forEach((values, row) => {
    for (let t = 0; t < steps[row]!; t++)
      for (let d = 0; d < width; d++) made[(t * batch + row) * width + d] = values[t * width + d]!;
  });
  const unequal = lengths !== null || steps.some(own => own < longest);
  return { seqLen: longest, input: made, lengths: unequal ? Int32Array.from(steps) : null };
}

/** Where each step of the new sequence stands in the old one: whole numbers unless it is warped. */
function placesOf(
  length: number,
  { crop, timeWarp, tokenDrop, tokenSwap }: Augmentation,
  shifts: boolean,
  isTokens: boolean,
  random: RandomStream,
): number[] {
  let places = Array.from({ length }, (_, t) => t);
  if (crop > 0) {
    const [first, last] = [random.uniform(), random.uniform()].map(share =>
      Math.floor(share * crop * length),
    );
    places = places.slice(Math.min(first!, length - 1), Math.max(first! + 1, length - last!));
  }
  if (timeWarp > 0 && places.length > 2) places = warped(places, timeWarp, random);
  if (!isTokens) return places;
  if (tokenDrop > 0 && shifts) {
    const left = places.filter(() => random.uniform() >= tokenDrop);
    places = left.length > 0 ? left : places.slice(0, 1);
  }
  if (tokenSwap > 0)
    for (let t = 0; t + 1 < places.length; t++)
      if (random.uniform() < tokenSwap) {
        [places[t], places[t + 1]] = [places[t + 1]!, places[t]!];
        t++;
      }
  return places;
}

/** First and last place stay; between them time runs at drawn speeds. */
function warped(places: readonly number[], share: number, random: RandomStream): number[] {
  const speeds = Array.from({ length: KNOTS }, () => 1 + share * (2 * random.uniform() - 1));
  const last = places.length - 1;
  const times = places.map((_, t) => {
    const at = (t / last) * KNOTS;
    return speeds.reduce((time, speed, knot) => time + speed * Math.min(1, Math.max(0, at - knot)), 0);
  });
  const begin = places[0]!;
  return times.map(time => begin + (time / times[last]!) * (places[last]! - begin));
}

function tokensAt(
  places: readonly number[],
  input: Int32Array,
  { row, batch, length }: { row: number; batch: number; length: number },
  { tokenDrop }: Augmentation,
  shifts: boolean,
  random: RandomStream,
): Int32Array {
  const tokens = Int32Array.from(places, place => input[place * batch + row]!);
  // unigram noise: what stands in comes as often as in the sequence
  if (tokenDrop > 0 && !shifts)
    for (let t = 0; t < tokens.length; t++)
      if (random.uniform() < tokenDrop) tokens[t] = input[random.int(length) * batch + row]!;
  return tokens;
}

function numbersAt(
  places: readonly number[],
  input: Float32Array,
  { row, batch, width }: { row: number; batch: number; width: number },
  { jitter, scaling }: Augmentation,
  random: RandomStream,
): Float32Array {
  const factors = Array.from({ length: width }, () => (scaling > 0 ? 1 + scaling * random.normal() : 1));
  const values = new Float32Array(places.length * width);
  const read = (t: number, d: number) => input[(t * batch + row) * width + d]!;
  places.forEach((place, t) => {
    const before = Math.floor(place);
    const share = place - before;
    for (let d = 0; d < width; d++) {
      const value =
        share === 0 ? read(before, d) : (1 - share) * read(before, d) + share * read(before + 1, d);
      values[t * width + d] = value * factors[d]! + (jitter > 0 ? jitter * random.normal() : 0);
    }
  });
  return values;
}

const SHOWN_ROWS = 4;
const SHOWN_STEPS = 40;

/** The first sequences before and after, as text: `symbols` by id, or the numbers of the first feature. */
export function shownAugmentation(
  before: Batch,
  after: Batch,
  symbols: readonly string[] | null,
): { before: string; after: string }[] {
  const text = (batch: Batch, row: number) => {
    const { seqLen, input, lengths } = batch.source ?? batch;
    const width = input.length / seqLen / batch.batch;
    const steps = lengths?.[row] ?? seqLen;
    const shown = Array.from({ length: Math.min(steps, SHOWN_STEPS) }, (_, t) => {
      const value = input[(t * batch.batch + row) * width]!;
      return input instanceof Int32Array ? (symbols?.[value] ?? String(value)) : value.toFixed(2);
    });
    const apart = symbols?.every(symbol => symbol.length === 1) && input instanceof Int32Array ? '' : ' ';
    return `${shown.join(apart)}${steps > SHOWN_STEPS ? ' …' : ''}`;
  };
  return Array.from({ length: Math.min(SHOWN_ROWS, before.batch) }, (_, row) => ({
    before: text(before, row),
    after: text(after, row),
  }));
}
