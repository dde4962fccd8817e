// The temporal order problem: in which order did two marked symbols come? Hochreiter & Schmidhuber 1997, experiment
// 6a, https://doi.org/10.1162/neco.1997.9.8.1735, with the places scaled to the length as in Pascanu et al. 2013,
// https://arxiv.org/abs/1211.5063: X or Y at T/10…2T/10 and again at 5T/10…6T/10, one of four distractors elsewhere.
// Three marks (6b) stand at T/10…2T/10, 3T/10…4T/10 and 6T/10…7T/10.
import { SYMBOLS } from '../../experiment/tasks/temporal-order.ts';
import { guessing, symbolTask } from './symbols.ts';

/** Tenths of the length in which a mark stands. */
const TENTHS = { 2: [1, 5], 3: [1, 3, 6] } as const;
const DISTRACTORS = SYMBOLS - 2;

/** input: 0 X, 1 Y, then the distractors a, b, c, d */
export const temporalOrder = symbolTask('temporal-order', ({ marks }) => ({
  symbols: ['X', 'Y', 'a', 'b', 'c', 'd'],
  classes: Array.from({ length: 2 ** marks }, (_, id) =>
    Array.from({ length: marks }, (_, mark) => 'XY'[(id >> (marks - 1 - mark)) & 1]!).join(' '),
  ),
  baseline: guessing(2 ** marks, marks === 2 ? 'four' : 'eight'),
  draw(random, { length }) {
    const input = Array.from({ length }, () => 2 + random.int(DISTRACTORS));
    const tenth = length / 10;
    let order = 0;
    for (const from of TENTHS[marks]) {
      const first = Math.floor(from * tenth);
      const t = first + random.int(Math.max(1, Math.floor((from + 1) * tenth) - first));
      input[t] = random.int(2);
      order = order * 2 + input[t]!;
    }
    return { input, targets: [order] };
  },
}));
