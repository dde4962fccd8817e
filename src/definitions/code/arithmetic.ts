// Operators on constants, as far as Python and JavaScript agree on them.
import type { Constant } from './expression.ts';

/** undefined: it is not followed */
export function unary(operator: string, operand: Constant): Constant | undefined {
  if (operator === 'not' || operator === '!') return !operand;
  if (typeof operand !== 'number') return undefined;
  if (operator === '-') return -operand;
  return operator === '+' ? operand : undefined;
}

export function binary(operator: string, left: Constant, right: Constant): Constant | undefined {
  switch (operator) {
    case '==':
    case '===':
    case 'is':
      return left === right;
    case '!=':
    case '!==':
    case 'is not':
      return left !== right;
  }
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '//':
      return Math.floor(left / right);
    case '%':
      // of a negative number the two languages give another sign
      return left < 0 || right < 0 ? undefined : left % right;
    case '**':
      return left ** right;
    case '<<':
      return left << right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      return undefined;
  }
}
