// Balanced brackets, the Dyck languages. A string has an even number of brackets, each number as likely; its shape is
// drawn evenly from all balanced ones of that number (D. Arnold, M. Sleep, 1980,
// https://doi.org/10.1145/357084.357091), its kinds evenly. Read: a start and the brackets; said: brackets and the end.
import { PAIRS } from '../../experiment/tasks/dyck.ts';
import type { RandomStream } from '../random.ts';
import { guessing, symbolTask } from './symbols.ts';

/** true: a bracket opens. Each of the balanced shapes is as likely. */
export function balancedShape(random: RandomStream, pairs: number): boolean[] {
  let depth = 0;
  return Array.from({ length: 2 * pairs }, (_, t) => {
    const left = 2 * pairs - t;
    const closes = (depth * (left + depth + 2)) / (2 * left * (depth + 1));
    const opens = random.uniform() >= closes;
    depth += opens ? 1 : -1;
    return opens;
  });
}

/** Classes: opening and closing bracket of each kind in turn, then the end. */
export const dyck = symbolTask('dyck', ({ brackets }) => {
  const kinds = PAIRS.slice(0, brackets);
  const names = kinds.flatMap(pair => [...pair]);
  const openings = kinds.map((_, kind) => 2 * kind);
  const end = names.length;
  return {
    symbols: [...names, 'S'],
    classes: [...names, 'E'],
    baseline: guessing(end + 1, `${end + 1} symbols`),
    draw(random, { length, above }) {
      const [least, most] = [(above >> 1) + 1, length >> 1];
      const open: number[] = [];
      const said = balancedShape(random, least + random.int(most - least + 1)).map(opens => {
        if (!opens) return 2 * open.pop()! + 1;
        const kind = random.int(brackets);
        open.push(kind);
        return 2 * kind;
      });
      return { input: [end, ...said], targets: [...said, end] };
    },
    legal(input) {
      const open: number[] = [];
      return input.map(id => {
        if (id !== end && id % 2 === 0) open.push(id);
        else if (id !== end) open.pop();
        const closing = open.length > 0 ? open.at(-1)! + 1 : end;
        return [...openings, closing].sort((a, b) => a - b);
      });
    },
  };
});
