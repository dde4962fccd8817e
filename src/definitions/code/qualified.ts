// Dotted names of what is called, with imports and aliases followed: they decide the framework and the layer.
import type { Evaluator } from './evaluation.ts';
import { type Binding, type CallOf, type Expression, enclosingClass, type Scope } from './expression.ts';

const DEPTH = 24;

export class QualifiedNames {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /**
   * The dotted names that an expression may stand for: imports followed, aliases too. A name that nothing binds stands
   * for itself; a part that is not known is `*`.
   */
  of(expression: Expression, depth: number): string[] {
    if (depth > DEPTH) return [];
    switch (expression.kind) {
      case 'name':
        return this.qualifiedName(expression, depth);
      case 'member':
        return this.qualifiedMember(expression, depth);
      case 'choice':
        return distinct(
          this.evaluator.chosen(expression, depth).flatMap(each => this.evaluator.qualified(each, depth + 1)),
        );
      case 'index':
        return this.qualifiedIndex(expression, depth);
      case 'call':
        return this.qualifiedCall(expression, depth);
      default:
        return [];
    }
  }

  private qualifiedName(expression: Extract<Expression, { kind: 'name' }>, depth: number): string[] {
    const found = this.evaluator.lookUp(expression.name, expression);
    if (found.length === 0) return [expression.name, ...this.fromStars(expression)];
    const names = found.flatMap(binding => this.qualifiedBinding(binding, expression.name, depth));
    return names.length > 0 ? distinct(names) : [`(unknown).${expression.name}`];
  }

  private qualifiedBinding(binding: Binding, name: string, depth: number): string[] {
    switch (binding.kind) {
      case 'import': {
        const found = this.evaluator.imported(binding);
        const own = found.flatMap(each =>
          each.kind === 'class' || each.kind === 'value' ? this.qualifiedBinding(each, name, depth + 1) : [],
        );
        return own.length > 0 ? own : [binding.qualified];
      }
      case 'value':
        return this.evaluator.qualified(binding.value, depth + 1);
      case 'property':
        return this.evaluator.qualified(binding.of, depth + 1).map(base => `${base}.${binding.name}`);
      case 'turn':
        return this.evaluator
          .turnsOf(binding, depth)
          .flatMap(each => (each ? this.evaluator.qualified(each, depth + 1) : []));
      case 'class':
        return this.qualifiedClass(binding.body, depth);
      case 'parameter': {
        const given = this.evaluator.argumentOf(binding, depth);
        if (given?.expression) return this.evaluator.qualified(given.expression, depth + 1);
        // `rnn_type=nn.LSTM`: that one, or another beside it
        const usual = binding.fallback ? this.evaluator.qualified(binding.fallback, depth + 1) : [];
        return [`(parameter).${name}`, ...usual, ...usual.map(each => each.replace(/\w+$/, '*'))];
      }
      default:
        return [];
    }
  }

  /** A class that takes the constructor of another is told as that one. */
  private qualifiedClass(body: Scope, depth: number): string[] {
    if (depth > DEPTH - 2 || this.evaluator.constructorOf(body)) return [];
    return this.evaluator.dialect.bases(body).flatMap(base => this.evaluator.qualified(base, depth + 2));
  }

  private fromStars(expression: Extract<Expression, { kind: 'name' }>): string[] {
    const found: string[] = [];
    for (
      let scope: Scope | null = this.evaluator.dialect.scopeOf(expression.node);
      scope;
      scope = scope.parent
    )
      for (const { module } of scope.stars) {
        const own = this.evaluator.ofModule(module, expression.node, expression.name);
        if (own.length === 0) found.push(`${module}.${expression.name}`);
        else found.push(...own.flatMap(each => this.qualifiedBinding(each, expression.name, 1)));
      }
    return found;
  }

  private qualifiedMember(expression: Extract<Expression, { kind: 'member' }>, depth: number): string[] {
    const members = this.evaluator.membersOf(expression.object, expression.name, depth, expression);
    const throughMembers = members.flatMap(binding =>
      this.qualifiedBinding(binding, expression.name, depth + 1),
    );
    if (throughMembers.length > 0) return distinct(throughMembers);
    return this.evaluator.qualified(expression.object, depth + 1).map(base => `${base}.${expression.name}`);
  }

  private qualifiedIndex(expression: Extract<Expression, { kind: 'index' }>, depth: number): string[] {
    const found = distinct(
      this.evaluator
        .definitions(expression, depth + 1)
        .flatMap(each =>
          each === expression || each.kind === 'index' ? [] : this.evaluator.qualified(each, depth + 1),
        ),
    );
    if (found.length > 0) return found;
    // `tf.layers[kind]`
    const key = this.evaluator.value(expression.index, depth + 1);
    const last = key.kind === 'known' ? String(key.value) : '*';
    return this.evaluator.qualified(expression.object, depth + 1).map(base => `${base}.${last}`);
  }

  /** `require("x")`, `import("x")`, `importlib.import_module("x")`, `getattr(nn, "LSTM")`, `partial(nn.LSTM)`. */
  private qualifiedCall(expression: CallOf, depth: number): string[] {
    const { callee, positional } = expression;
    const [first, second] = positional;
    const name = callee.kind === 'name' ? callee.name : callee.kind === 'member' ? callee.name : '';
    if (['require', 'import', 'import_module'].includes(name) && first?.kind === 'constant')
      return [name === 'import_module' ? String(first.value) : `npm:${first.value}`];
    if (name === 'import_module' && first) {
      // `import_module("package." + name)`
      const [begin] = /^\(?[rbf]*["']([\w.]*\.)/.exec(first.node.text)?.slice(1) ?? [];
      return begin ? [`${begin}*`] : [];
    }
    if (name === 'partial' && first) return this.evaluator.qualified(first, depth + 1);
    if (name === 'super') {
      const owner = enclosingClass(this.evaluator.dialect.scopeOf(expression.node));
      return owner
        ? this.evaluator.dialect.bases(owner).flatMap(base => this.evaluator.qualified(base, depth + 1))
        : [];
    }
    if (name === 'get') {
      const entries = this.evaluator.definitions(expression, depth + 1).filter(each => each !== expression);
      return distinct(entries.flatMap(each => this.evaluator.qualified(each, depth + 1)));
    }
    if (name !== 'getattr' || !first || !second) return [];
    const attribute = this.evaluator.value(second, depth + 1);
    const last = attribute.kind === 'known' ? String(attribute.value) : '*';
    return this.evaluator.qualified(first, depth + 1).map(base => `${base}.${last}`);
  }
}

function distinct(names: string[]): string[] {
  return [...new Set(names)];
}
