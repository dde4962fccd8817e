// What `configparser` reads: the sections of the file that a parser is told to read, and what its methods take from them.
import { callsNamed, type Evaluator, usualOf, type Value } from './evaluation.ts';
import type { CallOf, Constant, Expression } from './expression.ts';

const PARSER = /^(?:configparser|ConfigParser|six\.moves\.configparser)\.(?:Raw|Safe)?ConfigParser$/;
const GETTER = /^get(int|float|boolean)?$/;
const TRUTHS: Readonly<Record<string, boolean>> = {
  ...{ '1': true, yes: true, true: true, on: true },
  ...{ '0': false, no: false, false: false, off: false },
};

export class ParsedSettings {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** The settings that `ConfigParser()` holds; null for other calls, and where no file is found. */
  heldBy(call: CallOf, depth: number): Expression | null {
    const { node } = call;
    if (!/parser|conf/i.test(call.callee.node.text) && !node.source.text.includes('ConfigParser'))
      return null;
    if (!this.isParser(call.callee, depth)) return null;
    const { project } = this.evaluator;
    let isOpen = false;
    const found: Expression[] = [];
    for (const given of this.readInto(call)) {
      const paths = given.kind === 'list' ? given.items : [given];
      for (const each of paths) {
        const told = this.evaluator.value(each, depth + 1);
        const file = usualOf(told);
        const settings = typeof file === 'string' ? project.settingsIn(file, node.source) : null;
        if (settings) found.push(settings);
        else if (told.kind !== 'known') isOpen = true;
      }
    }
    // with several files it is not told which of them there are
    if (found.length > 1) return null;
    return found[0] ?? (isOpen ? project.anySettings('ini', node.source) : null);
  }

  /** A class of the library, or one that the project makes from it. */
  private isParser(callee: Expression, depth: number): boolean {
    if (this.evaluator.qualified(callee, depth + 1).some(name => PARSER.test(name))) return true;
    return this.evaluator
      .classesOf(callee, depth + 1)
      .some(made =>
        [made, ...this.evaluator.basesOf(made)].some(each =>
          this.evaluator.dialect
            .bases(each)
            .some(base => this.evaluator.qualified(base, depth + 1).some(name => PARSER.test(name))),
        ),
      );
  }

  /** What `parser.read(…)` is given, of the parser that a call makes. */
  private readInto(made: CallOf): Expression[] {
    const { dialect } = this.evaluator;
    return callsNamed(made.node.source.root, 'read', dialect).flatMap(node => {
      const call = dialect.expression(node);
      if (call.kind !== 'call' || call.callee.kind !== 'member') return [];
      const bindings = this.evaluator.bindingsOf(call.callee.object, 0);
      const isIt = bindings.some(each => each.kind === 'value' && each.value.node === made.node);
      const given = call.positional[0] ?? call.named.get('filenames')?.value;
      return isIt && given ? [given] : [];
    });
  }

  /** `parser.getint("Model", "units")`, `parser["Model"].getint("units")`; null for what is no such call. */
  taken(call: CallOf, depth: number): Value | null {
    const { callee, positional, named } = call;
    if (callee.kind !== 'member') return null;
    const getter = GETTER.exec(callee.name);
    const [first, second] = positional;
    if (!getter || !first || (!second && !getter[1])) return null;
    const names = (second ? [first, second] : [first]).map(each => this.evaluator.value(each, depth + 1));
    const keys = names.map(name => (name.kind === 'known' ? String(name.value) : null));
    const [key] = keys.slice(-1);
    if (keys.includes(null) || !key) return null;
    const section: Expression = second
      ? { kind: 'key', object: callee.object, name: keys[0]!, node: callee.object.node }
      : callee.object;
    for (const name of new Set([key, key.toLowerCase()])) {
      const [binding, ...more] = this.evaluator.membersOf(section, name, depth + 1);
      if (!binding || more.length > 0) continue;
      const value = this.evaluator.valueOfBinding(binding, depth + 1);
      return value.kind === 'outside' ? converted(value, getter[1]) : null;
    }
    const fallback = named.get('fallback')?.value;
    const usual = fallback && getter[1] ? this.evaluator.value(fallback, depth + 1) : null;
    return usual?.kind === 'known' ? { kind: 'outside', fallback: usual.value, from: usual.from } : null;
  }
}

function converted(
  value: Extract<Value, { kind: 'outside' }>,
  type: string | undefined,
): Extract<Value, { kind: 'outside' }> {
  const { fallback } = value;
  return type && fallback !== undefined ? { ...value, fallback: read(String(fallback), type) } : value;
}

function read(text: string, type: string): Constant | undefined {
  if (type === 'boolean') return TRUTHS[text.toLowerCase()];
  const number = text === '' ? Number.NaN : Number(text.replaceAll('_', ''));
  return Number.isNaN(number) || (type === 'int' && !Number.isInteger(number)) ? undefined : number;
}
