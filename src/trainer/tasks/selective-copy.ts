// Selective copying: A. Gu, T. Dao, 2023, https://arxiv.org/abs/2312.00752, section 4.1.1, after L. Jing et al. 2019. The
// symbols stand at places that differ from sequence to sequence, blanks between them; then come as many signals, at
// which the symbols are asked for in their order. Who cannot tell symbols from blanks guesses: ln 8.
import { ALPHABET } from '../../experiment/tasks/selective-copy.ts';
import { distinct, guessing, letters, NOTHING, symbolTask } from './symbols.ts';

const BLANK = ALPHABET;
const SIGNAL = ALPHABET + 1;

export const selectiveCopy = symbolTask('selective-copy', ({ items }) => ({
  symbols: [...letters(ALPHABET), '.', '?'],
  classes: letters(ALPHABET),
  baseline: guessing(ALPHABET, 'eight symbols'),
  draw(random, { length }) {
    const input = new Array<number>(length + items).fill(BLANK, 0, length).fill(SIGNAL, length);
    const places = distinct(random, items, length).sort((a, b) => a - b);
    const copied = places.map(place => (input[place] = random.int(ALPHABET)));
    return { input, targets: [...new Array<number>(length).fill(NOTHING), ...copied] };
  },
}));
