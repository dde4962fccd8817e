// Scopes, made when they are first asked for: what a name is bound to in each.
import type { Binding, Parameter, Scope, Star } from './expression.ts';
import type { Node } from './syntax.ts';

export interface ScopeRules {
  kindOf(node: Node): Scope['kind'] | null;
  /** what a scope binds itself, not what others inside it bind */
  collect(scope: Scope, bind: (name: string, binding: Binding) => void, star: (star: Star) => void): void;
  members(scope: Scope, bind: (name: string, binding: Binding) => void): void;
  fields(scope: Scope): string[];
}

export class LazyScopes {
  private readonly rules: ScopeRules;

  constructor(rules: ScopeRules) {
    this.rules = rules;
  }

  /** The innermost scope that a node stands in. */
  around(node: Node): Scope {
    const start = node.parent ?? node;
    if (!start.scope) {
      let here = start;
      while (!this.rules.kindOf(here) && here.parent) here = here.parent;
      start.scope = this.of(here);
    }
    return start.scope as Scope;
  }

  private of(node: Node): Scope {
    node.ownScope ??= this.make(node);
    return node.ownScope as Scope;
  }

  private make(node: Node): Scope {
    const { rules } = this;
    const around = () => (node.parent ? this.around(node) : null);
    let bound: Map<string, Binding[]> | null = null;
    let fields: Map<string, Binding[]> | null = null;
    const stars: Star[] = [];
    const parameters: Parameter[] = [];
    let typed: string[] | null = null;
    const into = (table: Map<string, Binding[]>) => (name: string, binding: Binding) => {
      const own =
        binding.kind === 'class' || binding.kind === 'function'
          ? { ...binding, body: this.of(binding.node) }
          : binding;
      if (own.kind === 'parameter') parameters.push(own);
      const list = table.get(name);
      if (list) list.push(own);
      else table.set(name, [own]);
    };
    const all = () => {
      if (!bound) {
        bound = new Map();
        rules.collect(scope, into(bound), star => stars.push(star));
      }
      return bound;
    };
    const scope: Scope = {
      kind: rules.kindOf(node) ?? 'module',
      node,
      get parent() {
        return around();
      },
      bindings: name => all().get(name) ?? [],
      members(name) {
        if (!fields) {
          fields = new Map();
          rules.members(scope, into(fields));
        }
        return fields.get(name) ?? [];
      },
      get stars() {
        all();
        return stars;
      },
      get parameters() {
        all();
        return parameters;
      },
      get fields() {
        typed ??= rules.fields(scope);
        return typed;
      },
    };
    return scope;
  }
}
