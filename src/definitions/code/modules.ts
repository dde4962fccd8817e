// What is imported from files of the project, by name or with `*`, as it is bound at the end of that file.
import type { Evaluator } from './evaluation.ts';
import type { Binding, Expression, Scope } from './expression.ts';
import type { Node } from './node.ts';
import { lastOfEach } from './reach.ts';

const EXPORTED =
  /^export\s+default\s+(?:(?:abstract\s+)?class\s+|(?:async\s+)?function\s*\*?\s*)?([A-Za-z_$][\w$]*)/m;

export class Modules {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** What `from module import *` binds a name to that nothing else binds. */
  starred(expression: Extract<Expression, { kind: 'name' }>): readonly Binding[] {
    for (
      let scope: Scope | null = this.evaluator.dialect.scopeOf(expression.node);
      scope;
      scope = scope.parent
    )
      for (const { module } of scope.stars) {
        const own = this.ofModule(module, expression.node, expression.name);
        if (own.length > 0) return own;
      }
    return [];
  }

  /** What a name that is imported from a file of the project is bound to at the end of that file. */
  imported(binding: Extract<Binding, { kind: 'import' }>): readonly Binding[] {
    const dot = binding.qualified.lastIndexOf('.');
    if (dot < 0) return [];
    return this.ofModule(binding.qualified.slice(0, dot), binding.node, binding.qualified.slice(dot + 1));
  }

  ofModule(module: string, from: Node, name: string, depth = 0): readonly Binding[] {
    const target = this.evaluator.project.module(module, from.source);
    if (!target || depth > 4) return [];
    const scope = this.evaluator.dialect.scopeOf(target.root);
    const exported = name === 'default' && module.startsWith('npm:') ? EXPORTED.exec(target.text)?.[1] : name;
    if (!exported) return [];
    const all = scope.bindings(exported);
    const found = all.length < 2 ? all : lastOfEach(all, this.evaluator.dialect);
    if (found.length > 0)
      return found.flatMap(each => {
        if (each.kind !== 'import') return [each];
        const dot = each.qualified.lastIndexOf('.');
        return dot < 0
          ? []
          : this.ofModule(each.qualified.slice(0, dot), each.node, each.qualified.slice(dot + 1), depth + 1);
      });
    return scope.stars.flatMap(({ module: star }) => this.ofModule(star, target.root, name, depth + 1));
  }
}
