// What `object.name` is bound to: fields of the class that is being defined, entries of records, members of instances,
// options of a command line, and settings of a configuration.
import { bindingOf, callsNamed, dotted, type Evaluator } from './evaluation.ts';
import {
  type Binding,
  type CallOf,
  type Expression,
  enclosingClass,
  itemAt,
  type Scope,
} from './expression.ts';
import type { Node } from './node.ts';
import { isBefore, lastOfEach } from './reach.ts';

const DEPTH = 24;
/** What holds numbers by name. */
const HOLDERS = /(?:^|\.)(?:dict|Namespace|SimpleNamespace|HParams)$/;
/** The member of what a state is made by that holds its value. */
const STATES: Readonly<Record<string, string>> = { useState: '0', useRef: 'current', ref: 'value' };
/** By modules of torch.nn: attributes that are their arguments, by place. */
const MODULE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Embedding: ['num_embeddings', 'embedding_dim'],
  EmbeddingBag: ['num_embeddings', 'embedding_dim'],
  Linear: ['in_features', 'out_features'],
  LSTM: ['input_size', 'hidden_size', 'num_layers'],
  GRU: ['input_size', 'hidden_size', 'num_layers'],
  RNN: ['input_size', 'hidden_size', 'num_layers'],
  LSTMCell: ['input_size', 'hidden_size'],
  GRUCell: ['input_size', 'hidden_size'],
  RNNCell: ['input_size', 'hidden_size'],
  Conv1d: ['in_channels', 'out_channels'],
  Conv2d: ['in_channels', 'out_channels'],
  MultiheadAttention: ['embed_dim', 'num_heads'],
};
/** methods that call each other, through which a member is followed */
const MOST_METHODS = 4;
/** members asked for while others are looked up: bundles of generated code lead round in circles */
const MOST_NESTED = 60;

export class Members {
  private readonly evaluator: Evaluator;
  private nesting = 0;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** `object.name`: of an instance of the class that is being defined, of a record, or of an instance of a class. */
  membersOf(object: Expression, name: string, depth: number, at?: Expression): readonly Binding[] {
    if (depth > DEPTH || this.nesting > MOST_NESTED) return [];
    if (object.kind === 'name' && object.name === this.evaluator.dialect.self)
      return this.ownMembers(object, name, at);
    this.nesting++;
    try {
      const all = this.evaluator.definitions(object, depth + 1).map(definition => {
        const made = this.membersOfDefinition(definition, name, depth);
        return { definition, found: this.evaluator.stores.merged(definition, name, made, at ?? object) };
      });
      const found = all.flatMap(each => each.found);
      if (found.length === 0 || all.length < 2) return found;
      const open = all.filter(each => each.found.length === 0 && !isClosed(each.definition));
      if (open.length === 0) return found;
      // `config = config or Config()`: a caller may give another one
      if (open.every(({ definition }) => this.isParameter(definition)))
        return found.map(each => assumed(each, name));
      const scope = this.evaluator.dialect.scopeOf(object.node);
      return [...found, { kind: 'other', node: object.node, scope }];
    } finally {
      this.nesting--;
    }
  }

  private ownMembers(object: Expression, name: string, at?: Expression): readonly Binding[] {
    const { dialect } = this.evaluator;
    const owner = enclosingClass(this.evaluator.dialect.scopeOf(object.node));
    if (!owner) return [];
    const found = owner.members(name);
    if (found.length === 0)
      return this.evaluator.basesOf(owner).flatMap(base => (base === owner ? [] : base.members(name)));
    if (!at || found.length < 2) return found;
    // set before in the same method, or in the one that calls it
    for (let here: Expression | null = at, left = MOST_METHODS; here && left > 0; left--) {
      const own: Scope = dialect.scopeOf(here.node);
      const near = found.filter(({ node }) => dialect.scopeOf(node) === own);
      const isSet = near.some(binding => isBefore(binding, here!.node));
      if (isSet && (here === at || !this.mayBeSetBetween(found, own)))
        return this.evaluator.reaching(near, here, own);
      const caller: CallOf | number | undefined = this.evaluator.frames.get(own.node.id);
      const isOwn =
        typeof caller === 'object' &&
        caller.callee.kind === 'member' &&
        caller.callee.object.kind === 'name' &&
        caller.callee.object.name === dialect.self &&
        enclosingClass(dialect.scopeOf(caller.node)) === owner;
      here = isOwn ? (caller as CallOf) : null;
    }
    // a field of the class body is what it is until a method sets it
    const set = found.filter(({ node }) => dialect.scopeOf(node) !== owner);
    return set.length > 0 ? lastOfEach(set, dialect) : found;
  }

  /** A method that sets the member too is called in the one that set it first. */
  private mayBeSetBetween(found: readonly Binding[], own: Scope): boolean {
    const { dialect } = this.evaluator;
    const { text } = own.node;
    return found.some(({ node }) => {
      const there = dialect.scopeOf(node);
      const name = there === own ? null : there.node.childForFieldName('name')?.text;
      return name !== null && (name === undefined || text.includes(`${dialect.self}.${name}(`));
    });
  }

  private membersOfDefinition(definition: Expression, name: string, depth: number): readonly Binding[] {
    switch (definition.kind) {
      case 'record': {
        const value = definition.entries.get(name);
        if (value) return [bindingOf(value, this.evaluator.dialect)];
        if (definition.without?.has(name)) return [];
        return this.membersOfSpreads(definition.spreads, name, depth);
      }
      case 'list': {
        const place = Number(name);
        const value = itemAt(definition.items, place);
        return value ? [bindingOf(value, this.evaluator.dialect)] : [];
      }
      case 'call':
        return this.membersOfCall(definition, name, depth);
      case 'name':
        return this.membersOfName(definition, name, depth);
      case 'member':
        return this.membersOfMember(definition, name);
      default:
        return [];
    }
  }

  /** The last spread that has the member; one that is not told may have it. */
  private membersOfSpreads(spreads: readonly Expression[], name: string, depth: number): readonly Binding[] {
    for (const spread of spreads.toReversed()) {
      const found = this.membersOf(spread, name, depth + 1);
      const made = this.evaluator.definitions(spread, depth + 1);
      const isTold = found.length > 0 ? made.length === 1 : made.every(each => this.lacks(each, name, depth));
      if (found.length > 0 && isTold) return found;
      if (!isTold)
        return [
          ...found,
          { kind: 'other', node: spread.node, scope: this.evaluator.dialect.scopeOf(spread.node) },
        ];
    }
    return [];
  }

  /** A record that surely has no such member. */
  private lacks(definition: Expression, name: string, depth: number): boolean {
    if (definition.kind === 'constant') return true;
    if (definition.kind !== 'record' || !definition.isWhole || definition.entries.has(name)) return false;
    if (definition.without?.has(name)) return true;
    return (
      depth < DEPTH &&
      definition.spreads.every(spread =>
        this.evaluator.definitions(spread, depth + 1).every(each => this.lacks(each, name, depth + 1)),
      )
    );
  }

  private isParameter(definition: Expression): boolean {
    if (definition.kind !== 'name') return false;
    const [binding, ...more] = this.evaluator.lookUp(definition.name, definition);
    return binding?.kind === 'parameter' && more.length === 0;
  }

  /** `Config.hidden`, a field of the class itself; `config.hidden`, where the parameter `config: Config` has one. */
  private membersOfName(
    definition: Extract<Expression, { kind: 'name' }>,
    name: string,
    depth: number,
  ): readonly Binding[] {
    return this.evaluator.lookUp(definition.name, definition).flatMap(binding => {
      if (binding.kind === 'class') return binding.body.members(name);
      if (binding.kind === 'import')
        return [
          ...this.evaluator
            .imported(binding)
            .flatMap(each => (each.kind === 'class' ? each.body.members(name) : [])),
          ...this.evaluator.ofModule(binding.qualified, definition.node, name),
        ];
      if (binding.kind !== 'parameter') return [];
      const sent = name === 'data' ? this.messagesTo(binding, definition) : [];
      if (sent.length > 0) return sent;
      const classes = binding.annotation ? this.evaluator.classesOf(binding.annotation) : [];
      const fields = classes.flatMap(body => this.evaluator.fieldOf(body, name));
      if (fields.length > 0) return fields.map(field => assumed(field, name));
      if (binding.fallback)
        return this.membersOf(binding.fallback, name, depth + 1).map(field => assumed(field, name));
      const setting = this.evaluator.project.setting([binding.name, name], definition.node.source);
      return setting ? [bindingOf(setting, this.evaluator.dialect)] : [];
    });
  }

  /** `event.data` where a worker hears of a message: what its makers post to it. */
  private messagesTo({ node }: Binding, { node: at }: Expression): readonly Binding[] {
    const { dialect, project } = this.evaluator;
    const { file } = at.source;
    if (dialect.self !== 'this' || file === null || !hearsMessages(dialect.scopeOf(node).node)) return [];
    const own = file.slice(file.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]sx?$/, '');
    const makes = new RegExp(
      `new\\s+Worker\\s*\\([^;]*?["'\`](?:[^"'\`]*/)?${own.replace(/\W/g, '\\$&')}(?:\\.\\w+)?["'\`]`,
    );
    return project.mentioning('postMessage', at.source).flatMap(source =>
      makes.test(source.text)
        ? callsNamed(source.root, 'postMessage', dialect).flatMap(call => {
            const posted = dialect.expression(call);
            const value = posted.kind === 'call' ? posted.positional[0] : undefined;
            return value ? [bindingOf(value, dialect)] : [];
          })
        : [],
    );
  }

  /** `self.hparams.hidden`, which is a parameter of the constructor; `cfg.model.hidden` of a configuration file. */
  private membersOfMember(
    definition: Extract<Expression, { kind: 'member' }>,
    name: string,
  ): readonly Binding[] {
    const { object, name: own, node } = definition;
    if (object.kind === 'name' && object.name === this.evaluator.dialect.self && own === 'hparams') {
      const owner = enclosingClass(this.evaluator.dialect.scopeOf(node));
      const maker = owner && this.evaluator.constructorOf(owner);
      if (maker && owner.node.text.includes('save_hyperparameters')) return maker.bindings(name);
    }
    const path = pathOf(definition);
    const first = path && this.rootOf(definition);
    if (!path || !first || this.evaluator.lookUp(first.name, first).some(({ kind }) => kind !== 'parameter'))
      return [];
    const setting = this.evaluator.project.setting([...path, name], node.source);
    return setting ? [bindingOf(setting, this.evaluator.dialect)] : [];
  }

  private rootOf(expression: Expression): Extract<Expression, { kind: 'name' }> | null {
    if (expression.kind === 'name') return expression;
    return expression.kind === 'member' ? this.rootOf(expression.object) : null;
  }

  /** `Config(hidden=3).hidden`, `parser.parse_args().hidden` and `dict(hidden=3)["hidden"]`. */
  private membersOfCall(call: CallOf, name: string, depth: number): readonly Binding[] {
    const { callee } = call;
    const last = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
    if (HOLDERS.test(last)) {
      const given = call.named.get(name);
      if (!given) return [];
      const member = bindingOf(given.value, this.evaluator.dialect);
      // hyperparameters are parsed from the command line as a rule
      return [/^HParams$/.test(last) ? assumed(member, name) : member];
    }
    if (callee.kind === 'member' && last === 'get' && call.positional.length === 2)
      // `options.get("sizes", [64, 32])[0]`
      return this.membersOf(call.positional[1]!, name, depth + 1).map(each => assumed(each, name));
    if (callee.kind === 'member' && /^(?:parse_(?:known_)?args|parseArgs)$/.test(last))
      return this.option(call, name);
    if (Object.hasOwn(STATES, last) && STATES[last] === name && call.positional[0])
      return [assumed(bindingOf(call.positional[0], this.evaluator.dialect), name)];
    const field = this.moduleField(call, last, name);
    if (field) return [bindingOf(field, this.evaluator.dialect)];
    const classes = this.evaluator.classesOf(callee, depth + 1);
    return classes.flatMap(body => this.memberOfInstance(body, call, name, depth));
  }

  /** `embedding.embedding_dim`, `encoder.hidden_size`: what a module of PyTorch was made with. */
  private moduleField({ callee, positional, named, spreads, isWhole }: CallOf, made: string, name: string) {
    const fields = Object.hasOwn(MODULE_FIELDS, made) ? MODULE_FIELDS[made] : undefined;
    const place = fields?.indexOf(name) ?? -1;
    if (place < 0 || !isWhole || spreads.length > 0) return null;
    const isModule = this.evaluator.qualified(callee).some(each => /^torch\.nn\.\w+$/.test(each));
    return isModule ? (named.get(name)?.value ?? positional[place] ?? null) : null;
  }

  private memberOfInstance(body: Scope, call: CallOf, name: string, depth: number): readonly Binding[] {
    const maker = this.evaluator.constructorOf(body);
    const members = this.evaluator.fieldOf(body, name);
    if (!maker) {
      // a dataclass: its fields are its parameters
      const given = call.named.get(name)?.value ?? call.positional[body.fields.indexOf(name)];
      if (given && members.length > 0) return [bindingOf(given, this.evaluator.dialect)];
      if (call.spreads.length > 0 || !call.isWhole) return members.map(field => assumed(field, name));
      return members;
    }
    return members.flatMap(member => {
      if (member.kind !== 'value' || member.value.kind === 'constant') return [member];
      if (member.value.kind !== 'name') {
        const { value } = member;
        return [{ ...member, value: { kind: 'within', value, maker, call, node: value.node } }];
      }
      // a member that its constructor's parameter sets comes from that parameter
      const found = this.evaluator.bindingsOf(member.value, depth + 1);
      return found.flatMap((each): Binding[] => {
        if (each.kind !== 'parameter') return [each];
        const given = this.evaluator.argument(call, maker, each, depth);
        if (given === 'unknown') return [each];
        if (given) return [bindingOf(given, this.evaluator.dialect)];
        return each.fallback ? [bindingOf(each.fallback, this.evaluator.dialect)] : [each];
      });
    });
  }

  /** The default of an `add_argument("--name", default=…)`: a caller's, so it stays open. */
  private option(call: CallOf, name: string): readonly Binding[] {
    const flag = new RegExp(`^--?${name.replaceAll('_', '[-_]')}$`);
    const { root } = call.node.source;
    const all = ['add_argument', 'addArgument'].flatMap(each =>
      callsNamed(root, each, this.evaluator.dialect),
    );
    for (const node of all) {
      const added = this.evaluator.dialect.expression(node);
      if (added.kind !== 'call') continue;
      const names = added.positional
        .flatMap(each => (each.kind === 'list' ? each.items : [each]))
        .map(each => (each.kind === 'constant' ? String(each.value) : ''));
      const target = added.named.get('dest')?.value;
      const isIt =
        names.some(each => flag.test(each) || each === name) ||
        (target?.kind === 'constant' && target.value === name);
      if (!isIt) continue;
      const fallback =
        (added.named.get('default') ?? added.named.get('defaultValue'))?.value ?? switched(added);
      return [assumed(bindingOf(fallback ?? { kind: 'other', node }, this.evaluator.dialect), name)];
    }
    return [];
  }
}

/** `addEventListener("message", event => …)`, `self.onmessage = event => …` */
function hearsMessages(handler: Node): boolean {
  const { parent } = handler;
  if (parent?.type === 'arguments')
    return /addEventListener\s*\(\s*["']message["']\s*,/.test(parent.parent?.text.slice(0, 200) ?? '');
  return parent?.type === 'assignment_expression' && /^(?:self\.)?onmessage\s*=/.test(parent.text);
}

/** What a caller may set otherwise. */
function assumed(field: Binding, name: string): Binding {
  const fallback = field.kind === 'value' ? field.value : field.kind === 'parameter' ? field.fallback : null;
  const { node, scope } = field;
  return {
    kind: 'parameter',
    name,
    fallback,
    place: null,
    property: null,
    annotation: null,
    isRest: false,
    isAssumed: true,
    node,
    scope,
  };
}

/** `action="store_true"`: false unless it is given. */
function switched(added: CallOf): Expression | null {
  const action = added.named.get('action')?.value;
  const isSwitch = action?.kind === 'constant' && /^store_(?:true|false)$/.test(String(action.value));
  return isSwitch ? { kind: 'constant', value: action.value === 'store_false', node: action.node } : null;
}

/** It has all that it will ever have, but for what is stored into it. */
function isClosed(definition: Expression): boolean {
  if (definition.kind === 'constant') return true;
  return definition.kind === 'record' && definition.isWhole && definition.spreads.length === 0;
}

function pathOf(expression: Expression): string[] | null {
  const name = dotted(expression);
  return name ? name.split('.') : null;
}
