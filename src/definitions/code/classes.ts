// The classes that an expression names, what they are made from, and their methods.
import type { Evaluator } from './evaluation.ts';
import type { Binding, Expression, Scope } from './expression.ts';

const DEPTH = 24;

export class Classes {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  basesOf(owner: Scope, depth = 0): Scope[] {
    if (depth > 4) return [];
    return this.evaluator.dialect
      .bases(owner)
      .flatMap(base => this.classesOf(base))
      .flatMap(base => [base, ...this.basesOf(base, depth + 1)]);
  }

  /** A member of the class, or of those it is made from. */
  fieldOf(body: Scope, name: string): readonly Binding[] {
    const own = body.members(name);
    return own.length > 0
      ? own
      : this.basesOf(body)
          .flatMap(base => base.members(name))
          .slice(0, 1);
  }

  constructorOf(owner: Scope): Scope | null {
    return this.methodOf(owner, this.evaluator.dialect.maker);
  }

  methodOf(owner: Scope, name: string): Scope | null {
    const body = owner.node.childForFieldName('body');
    for (const each of body?.namedChildren ?? []) {
      const node = each.type === 'decorated_definition' ? each.childForFieldName('definition')! : each;
      if (node.childForFieldName('name')?.text === name && node.childForFieldName('body'))
        return this.evaluator.dialect.scopeOf(node.childForFieldName('body')!);
    }
    return null;
  }

  classesOf(expression: Expression, depth = 0): Scope[] {
    if (depth > DEPTH) return [];
    if (expression.kind === 'member') {
      const base = this.evaluator.qualified(expression.object, depth + 8);
      return base.flatMap(module =>
        this.evaluator
          .ofModule(module, expression.node, expression.name)
          .flatMap(binding => (binding.kind === 'class' ? [binding.body] : [])),
      );
    }
    if (expression.kind !== 'name') return [];
    const bindings = this.evaluator.lookUp(expression.name, expression);
    if (bindings.length === 0)
      return this.evaluator.starred(expression).flatMap(each => (each.kind === 'class' ? [each.body] : []));
    return bindings.flatMap(binding => {
      if (binding.kind === 'class') return [binding.body];
      if (binding.kind === 'import')
        return this.evaluator.imported(binding).flatMap(each => (each.kind === 'class' ? [each.body] : []));
      return binding.kind === 'value' && binding.value !== expression
        ? this.classesOf(binding.value, depth + 4)
        : [];
    });
  }
}
