// Associative recall: J. Ba et al., 2016, https://arxiv.org/abs/1610.06258, section 4.1; with several questions a
// sequence, S. Arora et al., 2023, https://arxiv.org/abs/2312.04927. Different keys, each before its value; then some of
// the keys again, in an order that is drawn, and at each its value is asked for. Who binds nothing guesses: ln 16.
import { keysOf, pairsIn, VALUES } from '../../experiment/tasks/associative-recall.ts';
import { distinct, guessing, NOTHING, symbolTask } from './symbols.ts';

export const associativeRecall = symbolTask('associative-recall', data => {
  const keys = keysOf(data);
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, id) => `${letter}${id}`);
  return {
    symbols: [...names('k', keys), ...names('v', VALUES)],
    classes: names('v', VALUES),
    baseline: guessing(VALUES, `${VALUES} values`),
    draw(random, { length }) {
      const shown = distinct(random, pairsIn(length), keys);
      const values = shown.map(() => random.int(VALUES));
      const asked = distinct(random, data.queries, shown.length);
      return {
        input: [
          ...shown.flatMap((key, pair) => [key, keys + values[pair]!]),
          ...asked.map(pair => shown[pair]!),
        ],
        targets: [...new Array<number>(2 * shown.length).fill(NOTHING), ...asked.map(pair => values[pair]!)],
      };
    },
  };
});
