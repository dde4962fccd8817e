// What the tests of random input share. 10,000 cases in all; FUZZ_CASES sets another number, SEED another seed.
import assert from 'node:assert/strict';
import { randomStream } from '../../src/trainer/random.ts';

export const CASES = Number(process.env['FUZZ_CASES'] ?? 10_000);
export const SEED = Number(process.env['SEED'] ?? 20261127);
const PLAIN =
  /undefined|\[object |Invalid (?:input|option)|expected \w+, received|Cannot read|TypeError|Maximum call stack|\bE(NOENT|ACCES|ISDIR|LOOP|INVAL|NOTDIR)\b|^\s+at /m;

export type Random = {
  int(limit: number): number;
  pick<T>(list: readonly T[]): T;
  chance(share: number): boolean;
};

export function randomOf(part: string, index: number): Random {
  const stream = randomStream(SEED, part, index);
  return {
    int: limit => stream.int(limit),
    pick: list => list[stream.int(list.length)]!,
    chance: share => stream.uniform() < share,
  };
}

export function cases(
  part: string,
  share: number,
  one: (random: Random, index: number) => void | Promise<void>,
): void {
  const count = Math.round(CASES * share);
  it(`${part}: ${count} cases of seed ${SEED}`, async () => {
    for (let index = 0; index < count; index++)
      try {
        await one(randomOf(part, index), index);
      } catch (cause) {
        throw new Error(`${part}, seed ${SEED}, case ${index}: ${(cause as Error).stack}`);
      }
  }).timeout(0);
}

export function plain(message: string): void {
  assert.doesNotMatch(message, PLAIN);
  assert.match(message, /\S/);
}
