// The embedded Reber grammar: A. Reber 1967; Hochreiter & Schmidhuber 1997, experiment 1,
// https://doi.org/10.1162/neco.1997.9.8.1735. B, then T or P, a string of the Reber grammar, the same T or P, E. Each
// branch is as likely as the other. Who takes all symbols for alike has ln 7; the grammar's own entropy remains.
import { REBER_SYMBOLS } from '../../experiment/tasks/reber.ts';
import type { RandomStream } from '../random.ts';
import { guessing, symbolTask } from './symbols.ts';

/** By state: the symbols that leave it, and where they lead. */
const EDGES: readonly Readonly<Record<string, number>>[] = [
  { B: 1 },
  { T: 2, P: 3 },
  { S: 2, X: 4 },
  { T: 3, V: 5 },
  { X: 3, S: 6 },
  { P: 4, V: 6 },
  { E: 7 },
];
const LAST = EDGES.length;

const idOf = (symbol: string) => REBER_SYMBOLS.indexOf(symbol);

/** P(exactly `steps` more symbols | state), for each number of steps up to `most`. */
function chances(most: number): number[][] {
  const table: number[][] = [Array.from({ length: LAST + 1 }, (_, state) => (state === LAST ? 1 : 0))];
  for (let steps = 1; steps <= most; steps++)
    table.push(
      Array.from({ length: LAST + 1 }, (_, state) => {
        const next = Object.values(EDGES[state] ?? {});
        return next.reduce((sum, to) => sum + table[steps - 1]![to]! / next.length, 0);
      }),
    );
  return table;
}

/** An index, each as likely as its weight. */
function weighted(random: RandomStream, weights: readonly number[]): number {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex(weight => (left -= weight) < 0);
  return at >= 0 ? at : weights.findLastIndex(weight => weight > 0);
}

/** A string of the inner grammar that has exactly `length` symbols, as likely as the grammar makes it. */
function innerString(random: RandomStream, length: number, table: readonly number[][]): string {
  let [state, text] = [0, ''];
  for (let left = length; left > 0; left--) {
    const edges = Object.entries(EDGES[state]!);
    const [symbol, to] =
      edges[
        weighted(
          random,
          edges.map(([, next]) => table[left - 1]![next]!),
        )
      ]!;
    text += symbol;
    state = to;
  }
  return text;
}

export const reber = symbolTask('reber', ({ length, testLength = length }) => {
  const OUTER = 4;
  const table = chances(Math.max(length, testLength) - OUTER);
  return {
    symbols: [...REBER_SYMBOLS],
    classes: [...REBER_SYMBOLS],
    baseline: guessing(REBER_SYMBOLS.length, 'seven symbols'),
    draw(random, { length: most, above }) {
      const branch = random.int(2) === 0 ? 'T' : 'P';
      const weights = table
        .slice(0, most - OUTER + 1)
        .map(([first], inner) => (inner + OUTER > above ? first! : 0));
      const text = `B${branch}${innerString(random, weighted(random, weights), table)}${branch}E`;
      const ids = Array.from(text, idOf);
      return { input: ids.slice(0, -1), targets: ids.slice(1) };
    },
    legal(input) {
      const branch = input[1]!;
      let state = 0;
      return input.map((id, t) => {
        if (t === 0) return [idOf('T'), idOf('P')];
        if (t === 1) return [idOf('B')];
        if (state === LAST) return [idOf('E')];
        state = EDGES[state]![REBER_SYMBOLS[id]!]!;
        if (state === LAST) return [branch];
        return Object.keys(EDGES[state]!)
          .map(idOf)
          .sort((a, b) => a - b);
      });
    },
  };
});
