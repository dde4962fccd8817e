// Places of examples that need no list in memory: rising ones as runs, and an order of an epoch as a function.
import { randomStream } from '../random.ts';

/** Rising numbers, which stand as runs of neighbours. */
export class Places {
  length = 0;
  private readonly firsts: number[] = [];
  /** how many stand before each run */
  private readonly before: number[] = [];
  private next = -1;

  /** larger than those before */
  push(place: number): void {
    if (place !== this.next) {
      this.firsts.push(place);
      this.before.push(this.length);
    }
    this.next = place + 1;
    this.length++;
  }

  at(index: number): number {
    let [low, high] = [0, this.before.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.before[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return this.firsts[low]! + index - this.before[low]!;
  }

  /** Those that stand whole strides behind the first. */
  every(stride: number): Places {
    const made = new Places();
    for (const place of this) if ((place - this.at(0)) % stride === 0) made.push(place);
    return made;
  }

  slice(from: number, to: number): number[] {
    const end = Math.min(to, this.length);
    return Array.from({ length: Math.max(0, end - from) }, (_, index) => this.at(from + index));
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [run, first] of this.firsts.entries()) {
      const count = (this.before[run + 1] ?? this.length) - this.before[run]!;
      for (let index = 0; index < count; index++) yield first + index;
    }
  }
}

const ROUNDS = 6;

/**
 * A permutation of 0 … count − 1 that is computed, not listed: a Feistel network whose rounds are hashes of the seed and
 * the epoch, walked until it falls below `count` (Black & Rogaway, "Ciphers with arbitrary finite domains", 2002).
 */
export function scattered(count: number, seed: number, epoch: number): (index: number) => number {
  const random = randomStream(seed, 'data/order', epoch);
  const keys = Array.from({ length: ROUNDS }, () => random.int(2 ** 32));
  let bits = 1;
  while (4 ** bits < count) bits++;
  const size = 2 ** bits;
  const once = (index: number) => {
    let [left, right] = [Math.floor(index / size), index % size];
    for (const key of keys) [left, right] = [right, (left ^ mixed(right ^ key)) & (size - 1)];
    return left * size + right;
  };
  return index => {
    let place = once(index);
    while (place >= count) place = once(place);
    return place;
  };
}

/** Every bit of the result depends on every bit given (MurmurHash3's last step). */
function mixed(bits: number): number {
  let value = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
