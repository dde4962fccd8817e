// Modular arithmetic, a regular language: G. Delétang et al., 2022, https://arxiv.org/abs/2207.02098, there asked for at
// the end alone. Numbers below the modulus with an operator between them, worked off from left to right; the result so
// far is asked for at each number, and at the "=" that ends an even number of steps. Guessing: ln modulus.
import { OPERATORS } from '../../experiment/tasks/modular-arithmetic.ts';
import { guessing, NOTHING, symbolTask } from './symbols.ts';

export const modularArithmetic = symbolTask('modular-arithmetic', ({ modulus, operators }) => {
  const numbers = Array.from({ length: modulus }, (_, number) => String(number));
  const equals = modulus + OPERATORS.length;
  return {
    symbols: [...numbers, ...OPERATORS, '='],
    classes: numbers,
    baseline: guessing(modulus, `${modulus} numbers`),
    draw(random, { length }) {
      const input: number[] = [];
      const targets: number[] = [];
      let [result, operator] = [0, 0];
      for (let t = 0; t < length; t++) {
        if (t % 2 === 0) {
          const number = random.int(modulus);
          result = [result + number, result - number + modulus, result * number][operator]! % modulus;
          input.push(number);
        } else if (t === length - 1) input.push(equals);
        else {
          operator = random.int(operators.length);
          input.push(modulus + operator);
        }
        targets.push(t % 2 === 0 || t === length - 1 ? result : NOTHING);
      }
      return { input, targets };
    },
  };
});
