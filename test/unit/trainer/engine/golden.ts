// Reading golden files, and comparing with them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { findBackend, setBackend } from '@tensorflow/tfjs-core';

export interface GoldenTensor {
  shape: number[];
  data: number[];
}

export function readGolden<Case>(name: string): Case[] {
  const url = new URL(`../../../golden/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] }).cases;
}

/** Every number within `tolerance` of what is expected, relative to the largest expected one, or to `least`. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  tolerance = 1e-5,
  least = 0.01,
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  let largest = least;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= tolerance * largest))
      assert.fail(
        `${what}[${i}] is ${actual[i]}, expected ${expected[i]} (tolerance ${tolerance * largest})`,
      );
  }
}

/** tfjs-backend-cpu, without the advertisement it prints on first use. */
export async function useStockBackend(): Promise<void> {
  (findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
  await setBackend('cpu');
}

/** The seed of all random tests here; set SEED to try another. fast-check prints it, with the case, on failure. */
export const SEED = Number(process.env.SEED ?? 20261121);

/** npm run test:deep makes ten times as many random cases. */
const isDeep = Boolean(process.env['UNROLL_TEST_DEEP']);
export const deep = (few: number, many = 10 * few): number => (isDeep ? many : few);
