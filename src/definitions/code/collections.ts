// Literal collections that code derives from others: characters and words of texts in quotes, sets, and numberings of
// them. Only how many there are is asked, since the order of a set is not told.
import { dotted, type Evaluator } from './evaluation.ts';
import { type Constant, type Expression, isSpread } from './expression.ts';
import { FileTexts } from './file-texts.ts';
import type { Node } from './node.ts';

const DEPTH = 16;
const MOST = 20_000;
/** Methods that change a collection. */
const CHANGES =
  '(?:append|extend|insert|remove|pop|popitem|add|update|clear|discard|setdefault|push|splice|shift|unshift|delete|set|fill)';

const DISTINCT =
  /^(?:set|frozenset|Set|dict\.fromkeys|(?:collections\.)?(?:Counter|OrderedDict\.fromkeys)|np\.unique|numpy\.unique)$/;

export class Collections {
  private readonly evaluator: Evaluator;
  private readonly texts: FileTexts;
  private readonly under = new Set<Node>();
  /** the file that some of what is looked at now was read from */
  private from: Node | null = null;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
    this.texts = new FileTexts(evaluator);
  }

  /** How many elements, characters or keys, and the file that they are of; null where it cannot be told. */
  count(expression: Expression): { count: number; from: Node | null } | null {
    const before = this.from;
    this.from = null;
    try {
      const items = this.items(expression, 0);
      return items && { count: items.length, from: this.from };
    } finally {
      this.from = before;
    }
  }

  /** Elements, characters or keys. */
  private items(expression: Expression, depth: number): Constant[] | null {
    if (depth > DEPTH || this.under.has(expression.node)) return null;
    this.under.add(expression.node);
    try {
      const found = this.find(expression, depth + 1);
      return found && found.length <= MOST ? found : null;
    } finally {
      this.under.delete(expression.node);
    }
  }

  private find(expression: Expression, depth: number): Constant[] | null {
    switch (expression.kind) {
      case 'constant':
        return typeof expression.value === 'string' ? [...expression.value] : null;
      case 'list': {
        const all = expression.items.flatMap(each => this.element(each, depth) ?? [undefined]);
        return all.every(each => each !== undefined) ? (all as Constant[]) : null;
      }
      case 'record':
        return expression.isWhole && expression.spreads.length === 0 ? [...expression.entries.keys()] : null;
      case 'binary': {
        if (expression.operator !== '+') return null;
        const [left, right] = [this.items(expression.left, depth), this.items(expression.right, depth)];
        return left && right && [...left, ...right];
      }
      case 'call':
        return this.ofCall(expression, depth);
      case 'name':
      case 'member':
      case 'index':
        return this.ofReference(expression, depth);
      default:
        return this.ofComprehension(expression.node, depth);
    }
  }

  /** What an element of a list adds to it: `*words` and `...words` add several. */
  private element(expression: Expression, depth: number): Constant[] | null {
    const { node } = expression;
    const spread = isSpread(expression) ? node.namedChild(0) : null;
    if (spread) return this.items(this.evaluator.dialect.expression(spread), depth);
    const told = this.evaluator.value(expression);
    if (told.kind === 'known') return [told.value];
    // a list in a list counts as one
    return this.items(expression, depth) ? [node.text] : null;
  }

  private ofReference(expression: Expression, depth: number): Constant[] | null {
    if (isChanged(expression.node)) return null;
    const [made, ...more] = this.evaluator.definitions(expression);
    if (!made || made === expression || made.node === expression.node || more.length > 0) return null;
    return this.items(made, depth);
  }

  private ofCall(call: Extract<Expression, { kind: 'call' }>, depth: number): Constant[] | null {
    const { callee, positional } = call;
    const [first] = positional;
    const name = dotted(callee);
    if (/^(?:list|tuple|sorted|iter|Array\.from|Object\.keys|reversed)$/.test(name))
      return first ? this.items(first, depth) : name === 'list' ? [] : null;
    if (DISTINCT.test(name) && first) {
      const read = isChanged(first.node) ? null : this.texts.differing(first);
      if (read) {
        this.from = read.at;
        return [...read.items];
      }
    }
    if (/^(?:set|frozenset|Set|dict\.fromkeys|OrderedDict\.fromkeys|np\.unique|numpy\.unique)$/.test(name))
      return distinct(first ? this.items(first, depth) : null);
    if (callee.kind !== 'member') return null;
    const text = (of: Expression) => this.text(of, depth);
    switch (callee.name) {
      case 'join': {
        const items = first && this.items(first, depth);
        const by = text(callee.object);
        if (items && by !== null) return [...items.join(by)];
        // in JavaScript the list stands before
        const list = this.items(callee.object, depth);
        const sign = first ? text(first) : ',';
        return list && sign !== null ? [...list.join(sign)] : null;
      }
      case 'split': {
        const whole = text(callee.object);
        const by = first ? text(first) : null;
        if (whole === null || (first && by === null)) return null;
        return first ? whole.split(by!) : whole.split(/\s+/).filter(Boolean);
      }
      case 'lower':
      case 'toLowerCase':
      case 'strip':
      case 'trim':
      case 'upper':
      case 'toUpperCase': {
        const whole = text(callee.object);
        if (whole === null || positional.length > 0) return null;
        return [...changed(whole, callee.name)];
      }
      case 'keys':
      case 'values':
      case 'items':
        return this.items(callee.object, depth);
      default:
        return null;
    }
  }

  private text(expression: Expression, depth: number): string | null {
    const told = this.evaluator.value(expression);
    if (told.kind === 'known') return typeof told.value === 'string' ? told.value : null;
    if (expression.kind === 'call' || expression.kind === 'name') {
      const items = this.items(expression, depth);
      const isText = items?.every(each => typeof each === 'string' && [...each].length === 1);
      return items && isText && this.isText(expression) ? items.join('') : null;
    }
    return null;
  }

  /** What a call of a text's method gives, not a list of characters. */
  private isText(expression: Expression): boolean {
    const [made, ...more] = this.evaluator.definitions(expression);
    if (made?.kind !== 'call' || more.length > 0 || made.callee.kind !== 'member') return false;
    return /^(?:join|lower|upper|strip|trim|toLowerCase|toUpperCase)$/.test(made.callee.name);
  }

  /** `{w: i for i, w in enumerate(words)}`, `[c for c in letters]`: one clause, no condition. */
  private ofComprehension(node: Node, depth: number): Constant[] | null {
    if (!/_comprehension$|^generator_expression$/.test(node.type)) return null;
    const { dialect } = this.evaluator;
    const [clause, ...more] = node.namedChildren.filter(({ type }) => type === 'for_in_clause');
    if (!clause || more.length > 0 || node.namedChildren.some(({ type }) => type === 'if_clause'))
      return null;
    const left = clause.childForFieldName('left');
    const right = clause.childForFieldName('right');
    const body = node.childForFieldName('body') ?? node.namedChild(0);
    if (!left || !right || !body) return null;
    const over = dialect.expression(right);
    const isNumbered = over.kind === 'call' && dotted(over.callee) === 'enumerate' && over.positional[0];
    const items = this.items(isNumbered ? over.positional[0]! : over, depth);
    if (!items) return null;
    const targets = /^(?:pattern_list|tuple_pattern)$/.test(left.type) ? left.namedChildren : [left];
    const key = body.type === 'pair' ? body.childForFieldName('key') : body;
    // a number for each, or the element itself
    const own = isNumbered ? targets[1]?.text : targets.length === 1 ? left.text : null;
    const isCounted = isNumbered && key?.text === targets[0]?.text;
    const isOwn = own !== null && own !== undefined && key?.text === own;
    const all = isCounted ? items.map((_, index) => index) : isOwn ? items : null;
    if (all) return /^(?:dictionary|set)/.test(node.type) ? distinct(all) : all;
    return /^(?:dictionary|set)/.test(node.type) ? null : items.map((_, index) => index);
  }
}

function changed(text: string, method: string): string {
  if (/^(?:lower|toLowerCase)$/.test(method)) return text.toLowerCase();
  if (/^(?:upper|toUpperCase)$/.test(method)) return text.toUpperCase();
  return text.trim();
}

function distinct(items: Constant[] | null): Constant[] | null {
  return items && [...new Set(items)];
}

/** The text stores into it, or calls a method of it that does. */
function isChanged(node: Node): boolean {
  const name = node.text.replace(/[.$()[\]*+?^{}|\\]/g, '\\$&');
  return new RegExp(
    `(?<![\\w.])${name}(?:\\s*\\.\\s*${CHANGES}\\s*\\(|\\s*\\[[^\\]\\n]*\\]\\s*(?:[-+*/|&]|\\*\\*|//)?=(?!=)|\\s*(?:\\+|\\||&)=)`,
  ).test(node.source.text);
}
