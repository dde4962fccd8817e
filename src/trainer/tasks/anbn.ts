// Counting languages: F. Gers, J. Schmidhuber, 2001, https://doi.org/10.1109/72.963769. A start, n times a, n times b (n
// times c), the end; n is drawn evenly. After an a may follow a or b; behind the first b all is certain. Who takes all
// symbols for alike has ln 3 (ln 4).
import { guessing, type Rule, symbolTask } from './symbols.ts';

/** Read: the start, then a, b …; said: a, b …, then the end. */
function counting(letters: readonly string[]): Rule {
  return {
    symbols: ['S', ...letters],
    classes: [...letters, 'E'],
    baseline: guessing(letters.length + 1, `${letters.length + 1} symbols`),
    draw(random, { length, above }) {
      const n = above + 1 + random.int(length - above);
      const said = letters.flatMap((_, id) => new Array<number>(n).fill(id));
      return { input: [0, ...said.map(id => id + 1)], targets: [...said, letters.length] };
    },
    legal(input) {
      const n = input.filter(id => id === 1).length;
      return input.map((id, t) => {
        if (id === 0) return [0];
        if (id === 1) return [0, 1];
        return [t < id * n ? id - 1 : id];
      });
    },
  };
}

export const anbn = symbolTask('anbn', () => counting(['a', 'b']));
export const anbncn = symbolTask('anbncn', () => counting(['a', 'b', 'c']));
