// Parity of a stream of bits, asked for at every step: a state that each 1 turns over. It needs a transition with a
// negative eigenvalue or a gate that reads the state: R. Grazzi et al., 2024, https://arxiv.org/abs/2411.12537.
import { guessing, symbolTask } from './symbols.ts';

export const parity = symbolTask('parity', () => ({
  symbols: ['0', '1'],
  classes: ['0', '1'],
  baseline: guessing(2, 'two'),
  draw(random, { length }) {
    const input = Array.from({ length }, () => random.int(2));
    let odd = 0;
    return { input, targets: input.map(bit => (odd ^= bit)) };
  },
}));
