// Calls and named constants of a file, found in its text and then looked up in its tree.
import { usualOf } from '../code/evaluation.ts';
import type { Expression } from '../code/expression.ts';
import type { Source } from '../code/node.ts';
import type { Project } from '../code/project.ts';
import { Resolver } from '../code/resolve.ts';
import type { Language, Node } from '../code/syntax.ts';
import { dialectOf } from '../dialects.ts';
import type { CallExpression } from '../found-layers.ts';
import type { Taken } from './taken.ts';

export type Note = (line: number, sentence: string) => void;

export interface FoundCall extends CallExpression {
  /** the last part of the callee: `optim.Adam` → "Adam" */
  name: string;
  line: number;
}

export class CodeReader {
  readonly text: string;
  readonly isPython: boolean;
  readonly root: Node;
  private readonly dialect: ReturnType<typeof dialectOf>;
  private readonly resolver: Resolver;
  /** the variable that holds the model, where the file trains it by that name; calls of others' are passed over then */
  private readonly model: string | null;

  constructor({ text, root }: Source, language: Language, project: Project, model: string | null = null) {
    this.text = text;
    this.root = root;
    this.isPython = language === 'python';
    this.dialect = dialectOf(language);
    this.resolver = new Resolver(this.dialect, root, project);
    this.model = model !== null && trainedBy(text).includes(model) ? model : null;
  }

  /** Calls whose callee ends in one of these names, in the order of the text. */
  calls(names: RegExp): FoundCall[] {
    const called = new RegExp(`(?<![\\w$])(?:${names.source})(?=\\s*\\()`, `g${names.flags}`);
    const found = new Map<number, FoundCall>();
    for (const { index, 0: name } of this.text.matchAll(called)) {
      const call = this.callAt(index, name);
      if (call && !this.isOfAnother(call.node)) found.set(call.node.id, call);
    }
    return [...found.values()];
  }

  /** `other.compile(…)`, `other.fit(…)`, and what stands in them */
  private isOfAnother(node: Node): boolean {
    if (this.model === null) return false;
    for (let here: Node | null = node; here; here = here.parent) {
      if (!this.dialect.calls.includes(here.type)) continue;
      const [holder] = trainedBy(here.text.slice(0, 200), '^');
      if (holder !== undefined && holder !== this.model) return true;
    }
    return false;
  }

  private callAt(index: number, name: string): FoundCall | null {
    let node = this.root.descendantForIndex(index, index + name.length);
    // `a.b.name`: the whole callee ends where the name does, and the call is the first node that goes on
    while (node && node.endIndex <= index + name.length) node = node.parent;
    if (!node || !this.dialect.calls.includes(node.type)) return null;
    const call = this.dialect.expression(node);
    return call.kind === 'call' ? { ...call, name, line: lineOf(node) } : null;
  }

  /** The value of a variable, field or option whose name this is, the first that can be told. */
  constant(names: RegExp): Taken<number> | null {
    for (const { value, node } of this.assignments(names)) {
      const number = this.number(value);
      if (number !== null) return { value: number, line: lineOf(node) };
    }
    return null;
  }

  word(names: RegExp): Taken<string> | null {
    for (const { value, node } of this.assignments(names)) {
      const text = this.string(value);
      if (text !== null) return { value: text, line: lineOf(node) };
    }
    return null;
  }

  texts(names: RegExp): Taken<string[]> | null {
    for (const { value, node } of this.assignments(names)) {
      const texts = this.strings(value);
      if (texts) return { value: texts, line: lineOf(node) };
    }
    return null;
  }

  /** `NAME = …`, `const name = …`, `name: int = …`, `def f(name=…)`, `add_argument("--name", default=…)`, `{name: …}` */
  private *assignments(names: RegExp): Generator<{ value: Expression; node: Node }> {
    const mention = new RegExp(`(?<![\\w$])(?:${names.source})(?![\\w$])`, `g${names.flags}`);
    for (const { index, 0: word } of this.text.matchAll(mention)) {
      const name = this.root.descendantForIndex(index, index + word.length);
      const value = name && !this.isOfAnother(name) && this.assigned(name);
      if (value) yield { value: this.dialect.expression(value), node: name };
    }
  }

  private assigned(name: Node): Node | null {
    for (let here: Node | null = name, hops = 0; here && hops < 3; here = here.parent, hops++) {
      const { parent } = here;
      if (!parent) return null;
      for (const [key, value] of [
        ['left', 'right'],
        ['name', 'value'],
        ['key', 'value'],
      ] as const) {
        const target = parent.childForFieldName(key);
        if (target && target.id === here.id) return parent.childForFieldName(value);
      }
      if (this.dialect.calls.includes(parent.parent?.type ?? '') && here.type === 'string')
        return this.optionDefault(parent.parent!);
    }
    return null;
  }

  private optionDefault(node: Node): Node | null {
    const call = this.dialect.expression(node);
    if (call.kind !== 'call' || !call.callee.node.text.endsWith('add_argument')) return null;
    return call.named.get('default')?.value.node ?? null;
  }

  expression(node: Node): Expression {
    return this.dialect.expression(node);
  }

  /** As far as the file says it; of a parameter its default. */
  number(expression: Expression | undefined): number | null {
    const value = expression && this.value(expression);
    return typeof value === 'number' ? value : null;
  }

  string(expression: Expression | undefined): string | null {
    const value = expression && this.value(expression);
    return typeof value === 'string' ? value : null;
  }

  flag(expression: Expression | undefined): boolean | null {
    const value = expression && this.value(expression);
    return typeof value === 'boolean' ? value : null;
  }

  /** A list of texts; null for anything else. */
  strings(expression: Expression | undefined): string[] | null {
    const items = expression && this.items(expression);
    const texts = items?.map(item => this.string(item));
    return texts && texts.length > 0 && texts.every(text => text !== null) ? (texts as string[]) : null;
  }

  numbers(expression: Expression | undefined): (number | null)[] | null {
    return (expression && this.items(expression)?.map(item => this.number(item))) ?? null;
  }

  /** The call that an expression surely stands for, through a name. */
  callOf(expression: Expression | undefined): CallExpression | null {
    const [only, ...more] = expression ? this.resolver.definitions(expression) : [];
    return only?.kind === 'call' && more.length === 0 ? only : null;
  }

  private items(expression: Expression): readonly Expression[] | null {
    const [list, ...more] = this.resolver.definitions(expression);
    return list?.kind === 'list' && more.length === 0 ? list.items : null;
  }

  private value(expression: Expression): unknown {
    return usualOf(this.resolver.value(expression));
  }
}

/** Variables whose `compile` or `fit` is called. */
function trainedBy(text: string, from = ''): string[] {
  const named = new RegExp(`${from}(?<![\\w$.])([A-Za-z_$][\\w$]*)\\.(?:compile|fit|fitDataset)\\s*\\(`, 'g');
  return [...text.matchAll(named)].map(([, name]) => name!);
}

export function lineOf(node: Node): number {
  return node.startPosition.row + 1;
}

/** What a call is given under this name, else at this place. */
export function argument(call: CallExpression, name: string, place?: number): Expression | undefined {
  return call.named.get(name)?.value ?? (place === undefined ? undefined : call.positional[place]);
}
