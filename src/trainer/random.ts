// Random numbers as a pure function of (seed, purpose, counter): a stream can be asked for again at any time,
// in any order, which is what makes resuming exact.
//
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
// https://doi.org/10.1145/2063384.2063405. Key: (seed, hash of the purpose); counter: (block, 0, counter).

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const TWO_32 = 2 ** 32;

export interface RandomStream {
  /** in [0, 1), with 32 random bits */
  uniform(): number;
  /** mean 0, variance 1 */
  normal(): number;
  /** whole, 0…n-1, each equally likely */
  int(n: number): number;
}

/** Upper half of the 64-bit product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/** One block: four random words of a counter of four words and a key of two, written into `counter`. */
export function philox4x32(counter: Uint32Array, key0: number, key1: number): void {
  let [x0, x1, x2, x3] = counter as unknown as [number, number, number, number];
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0) >>> 0;
    const high1 = mulHigh(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2) >>> 0;
    x0 = (high1 ^ x1 ^ key0) >>> 0;
    x1 = low1;
    x2 = (high0 ^ x3 ^ key1) >>> 0;
    x3 = low0;
    key0 = (key0 + WEYL_0) >>> 0;
    key1 = (key1 + WEYL_1) >>> 0;
  }
  counter[0] = x0;
  counter[1] = x1;
  counter[2] = x2;
  counter[3] = x3;
}

/** FNV-1a over the UTF-16 units of a text. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** What tells a stream from all others, as unsigned 32-bit numbers: the words of a block are philox4x32 of these. */
export interface StreamKey {
  readonly key0: number;
  readonly key1: number;
  readonly counterLow: number;
  readonly counterHigh: number;
}

/** `purpose` names the use ("init/layers.1.weight_ih_l0", "dropout/layers.1"), `counter` the turn (a step, an epoch; below 2^53). */
export function streamKey(seed: number, purpose: string, counter: number): StreamKey {
  return {
    key0: seed >>> 0,
    key1: hashText(purpose),
    counterLow: counter >>> 0,
    counterHigh: Math.floor(counter / TWO_32) >>> 0,
  };
}

export function randomStream(seed: number, purpose: string, counter: number): RandomStream {
  return streamOf(streamKey(seed, purpose, counter));
}

export function streamOf({ key0, key1, counterLow, counterHigh }: StreamKey): RandomStream {
  const words = new Uint32Array(4);
  let block = 0;
  let used = 4;
  let spareNormal: number | null = null;

  function word(): number {
    if (used === 4) {
      words[0] = block >>> 0;
      words[1] = Math.floor(block / TWO_32);
      words[2] = counterLow;
      words[3] = counterHigh;
      philox4x32(words, key0, key1);
      block++;
      used = 0;
    }
    return words[used++]!;
  }

  return {
    uniform: () => word() / TWO_32,
    normal() {
      if (spareNormal !== null) {
        const spare = spareNormal;
        spareNormal = null;
        return spare;
      }
      // Box-Muller; the first word is moved off zero for the logarithm
      const radius = Math.sqrt(-2 * Math.log((word() + 0.5) / TWO_32));
      const angle = (2 * Math.PI * word()) / TWO_32;
      spareNormal = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    int(n) {
      if (!Number.isInteger(n) || n < 1 || n > TWO_32)
        throw new RangeError(`int(${n}): the number of choices must be a whole number from 1 to 2^32`);
      // words beyond the last whole multiple of n would favour small results
      const limit = TWO_32 - (TWO_32 % n);
      let drawn = word();
      while (drawn >= limit) drawn = word();
      return drawn % n;
    },
  };
}
