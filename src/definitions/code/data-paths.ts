// Where the data file of an expression stands, as the text gives its path: "data/x.csv", os.path.join("data", "x.csv"),
// Path("data") / "x.csv".
import { dotted, type Evaluator, usualOf } from './evaluation.ts';
import type { Expression } from './expression.ts';

const DEPTH = 8;

/** null: it cannot be told */
export function dataPath(evaluator: Evaluator, expression: Expression, depth = 0): string | null {
  if (depth > DEPTH) return null;
  const told = usualOf(evaluator.value(expression));
  if (typeof told === 'string') return /^\w+:\/\//.test(told) ? null : told.replaceAll('\\', '/');
  const inner = (each: Expression) => dataPath(evaluator, each, depth + 1);
  if (expression.kind === 'binary' && expression.operator === '/')
    return joined([inner(expression.left), inner(expression.right)]);
  if (expression.kind === 'member' && expression.name === 'parent') {
    const below = inner(expression.object);
    return below === null ? null : below === FILE ? '.' : joined([below, '..']);
  }
  if (expression.kind === 'name' && expression.name === '__file__') return FILE;
  if (expression.kind === 'call') {
    const name = dotted(expression.callee);
    const [first] = expression.positional;
    if (/(?:^|\.)path\.join$/.test(name)) return joined(expression.positional.map(inner));
    if (/(?:^|\.)dirname$/.test(name) && first) {
      const below = inner(first);
      return below === null ? null : below === FILE ? '.' : joined([below, '..']);
    }
    if (/(?:^|\.)(?:Path|abspath|realpath|normpath|str|expanduser)$/.test(name) && first) return inner(first);
    const { callee } = expression;
    if (callee.kind === 'member' && /^(?:resolve|absolute|as_posix)$/.test(callee.name))
      return inner(callee.object);
    return /(?:^|\.)getcwd$/.test(name) ? '.' : null;
  }
  if (expression.kind !== 'name' && expression.kind !== 'member') return null;
  const [made, ...more] = evaluator.definitions(expression);
  return made && more.length === 0 && made.node !== expression.node ? inner(made) : null;
}

/** What `__file__` stands for until its folder is asked. */
const FILE = '\0';

function joined(parts: readonly (string | null)[]): string | null {
  if (parts.length === 0 || parts.some(part => part === null || part === FILE)) return null;
  return (parts as string[]).map(part => part.replace(/\/+$/, '')).join('/');
}
