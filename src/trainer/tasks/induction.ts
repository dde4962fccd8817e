// Induction: C. Olsson et al., 2022, https://arxiv.org/abs/2209.11895; as a task of its own, Gu & Dao 2023,
// https://arxiv.org/abs/2312.00752, section 4.1.2. Symbols drawn evenly, among them once a special one; at the end it
// stands again, and what followed it is asked for. Who cannot look it up guesses: ln 16.
import { ALPHABET } from '../../experiment/tasks/induction.ts';
import { guessing, letters, symbolTask } from './symbols.ts';

const SPECIAL = ALPHABET;

export const induction = symbolTask('induction', () => ({
  symbols: [...letters(ALPHABET), '!'],
  classes: letters(ALPHABET),
  baseline: guessing(ALPHABET, `${ALPHABET} symbols`),
  draw(random, { length }) {
    const input = Array.from({ length }, () => random.int(ALPHABET));
    const place = random.int(length - 2);
    input[place] = SPECIAL;
    input[length - 1] = SPECIAL;
    return { input, targets: [input[place + 1]!] };
  },
}));
