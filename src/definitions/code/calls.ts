// What a call gives to a function's parameters, and what the function returns to it.
import type { Evaluator, Frames, Given } from './evaluation.ts';
import { type Binding, type CallOf, type Expression, enclosingClass, type Scope } from './expression.ts';
import type { Node } from './node.ts';

/** calls inside calls, beyond which what they return is not followed */
const MOST_FRAMES = 12;

export class Calls {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** What the call of the frame gives for a parameter; undefined where no call is known. */
  argumentOf(parameter: Extract<Binding, { kind: 'parameter' }>, depth: number): Given | undefined {
    if (parameter.isAssumed) return undefined;
    const owner = this.evaluator.dialect.scopeOf(parameter.node);
    const call = this.evaluator.frames.get(owner.node.id);
    if (call === undefined || typeof call === 'number') return undefined;
    const given = (expression: Expression | null, isDefault = false) => ({
      expression,
      call: call.node,
      isDefault,
    });
    const argument = this.evaluator.argument(call, owner, parameter, depth);
    if (argument === 'unknown') return given(null);
    if (argument === null) return given(parameter.fallback, true);
    if (parameter.property === null) return given(argument);
    const [property] = this.evaluator.membersOf(argument, parameter.property, depth + 1);
    if (property?.kind === 'value') return given(property.value);
    const records = this.evaluator.definitions(argument, depth + 1);
    return records.every(each => each.kind === 'record' && each.isWhole && each.spreads.length === 0)
      ? given(parameter.fallback, true)
      : given(null);
  }

  /** What the function of a call returns, at each `return`, read as that call makes it; null for other calls. */
  returned<T>(call: CallOf, read: (result: Expression) => T): T[] | null {
    const entered = this.entered(call);
    const body = entered?.scope.node.childForFieldName('body');
    if (!entered || !body || /\byield\b/.test(body.text)) return null;
    const { scope } = entered;
    if (!/^(?:block|statement_block)$/.test(body.type))
      return this.evaluator.within(entered.frames, () => [read(this.evaluator.dialect.expression(body))]);
    if (!body.text.includes('return')) return null;
    const values = body
      .descendantsOfType(['return_statement'])
      .filter(node => this.evaluator.dialect.scopeOf(node) === scope)
      .map(node => node.namedChild(0));
    if (values.length === 0 || values.some(each => !each)) return null;
    return this.evaluator.within(entered.frames, () =>
      values.map(each => read(this.evaluator.dialect.expression(each!))),
    );
  }

  /** The function or method that a call leads into, and the frames in it. */
  private entered(call: CallOf): { scope: Scope; frames: Frames } | null {
    const { callee } = call;
    if (this.evaluator.frames.size > MOST_FRAMES) return null;
    if (callee.kind !== 'name' && callee.kind !== 'member') return null;
    const bindings =
      callee.kind === 'name'
        ? this.evaluator
            .lookUp(callee.name, callee)
            .flatMap(binding => (binding.kind === 'import' ? this.evaluator.imported(binding) : [binding]))
        : this.ofImported(callee);
    const [made] = bindings;
    if (callee.kind === 'name' || made) {
      const scope =
        made?.kind === 'function'
          ? made.body
          : made?.kind === 'value'
            ? this.functionOf(made.value.node)
            : null;
      if (bindings.length !== 1 || !scope) return null;
      return { scope, frames: new Map([...this.evaluator.frames, [scope.node.id, call]]) };
    }
    const { object, name } = callee;
    const own = object.kind === 'name' && object.name === this.evaluator.dialect.self;
    const makers = own ? [] : this.evaluator.definitions(object).filter(each => each.kind === 'call');
    const owners = own
      ? [enclosingClass(this.evaluator.dialect.scopeOf(object.node))]
      : makers.flatMap(each => this.evaluator.classesOf(each.callee));
    const [owner] = owners;
    if (!owner || owners.length > 1) return null;
    const method = [owner, ...this.evaluator.basesOf(owner)]
      .map(each => this.evaluator.methodOf(each, name))
      .find(Boolean);
    if (!method) return null;
    const frames = new Map([...this.evaluator.frames, [method.node.id, call]]);
    const maker = own ? null : this.evaluator.constructorOf(owner);
    if (maker && makers[0]) frames.set(maker.node.id, makers[0]);
    return { scope: method, frames };
  }

  /** `utils.load("a.yaml")`, of a file of the project */
  private ofImported({ object, name, node }: Extract<Expression, { kind: 'member' }>): readonly Binding[] {
    if (object.kind !== 'name') return [];
    const [binding, ...more] = this.evaluator.lookUp(object.name, object);
    if (binding?.kind !== 'import' || more.length > 0) return [];
    return this.evaluator.ofModule(binding.qualified, node, name);
  }

  /** `const build = (units) => …` */
  private functionOf(node: Node): Scope | null {
    const body = /function|arrow/.test(node.type) ? node.childForFieldName('body') : null;
    return body ? this.evaluator.dialect.scopeOf(body) : null;
  }
}
