// The expressions that a reference may stand for: what made a record, a list, an instance or a layer.
import { dotted, type Evaluator, framesWith, usualOf } from './evaluation.ts';
import type { Binding, CallOf, Expression } from './expression.ts';
import { ParsedSettings } from './parsed-settings.ts';
import { Searches } from './searches.ts';

const DEPTH = 24;
/** What copies a record, or hands it on. */
const COPIES =
  /^(?:Object\.(?:freeze|seal)|structuredClone|dict|(?:copy\.)?deepcopy|copy\.copy|MappingProxyType|OmegaConf\.create|EasyDict|edict|AttrDict|Box|ConfigDict|ml_collections\.ConfigDict)$/;

/** What a function may return that holds numbers by name. */
const RESULTS = /(?:^|\.)(?:dict|Namespace|SimpleNamespace|HParams|parse_args|parse_known_args|parseArgs)$/;
const LOADS = /^(?:OmegaConf\.load|yaml\.(?:safe_|full_)?load|json\.loads?)$/;
const OPENS = /^(?:(?:io\.|codecs\.)?open|(?:pathlib\.)?Path)$/;

export class Definitions {
  private readonly evaluator: Evaluator;
  private readonly parsed: ParsedSettings;
  private readonly searches: Searches;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
    this.searches = new Searches(evaluator);
    this.parsed = new ParsedSettings(evaluator);
  }

  /** The expressions that a reference may stand for; itself where it is none, or leads out of the file. */
  of(expression: Expression, depth: number): Expression[] {
    if (depth > DEPTH) return [expression];
    if (expression.kind === 'choice')
      return this.evaluator
        .chosen(expression, depth)
        .flatMap(each => this.evaluator.definitions(each, depth + 1));
    if (expression.kind === 'call') return this.definitionsOfCall(expression, depth);
    if (expression.kind === 'binary') return this.joined(expression, depth) ?? [expression];
    if (expression.kind === 'within')
      return this.evaluator.within(framesWith(this.evaluator.frames, expression), () =>
        this.evaluator.definitions(expression.value, depth + 1),
      );
    if (!['name', 'member', 'index', 'key'].includes(expression.kind)) return [expression];
    const bindings = this.evaluator.bindingsOf(expression, depth);
    if (bindings.length === 0) {
      const entries = expression.kind === 'index' ? this.anyEntry(expression.object, depth) : [];
      return entries.length > 0 ? entries : [expression];
    }
    return bindings.flatMap(binding => this.definitionsOfBinding(binding, expression, depth));
  }

  /** `options | {"hidden_size": 3}` */
  private joined(
    { operator, left, right, node }: Extract<Expression, { kind: 'binary' }>,
    depth: number,
  ): Expression[] | null {
    if (operator !== '|') return null;
    const isRecord = [left, right].some(side =>
      this.evaluator.definitions(side, depth + 1).some(({ kind }) => kind === 'record'),
    );
    return isRecord
      ? [{ kind: 'record', entries: new Map(), spreads: [left, right], isWhole: true, node }]
      : null;
  }

  private definitionsOfBinding(binding: Binding, expression: Expression, depth: number): Expression[] {
    switch (binding.kind) {
      case 'value':
        return this.evaluator.definitions(binding.value, depth + 1);
      case 'property':
        return this.evaluator
          .membersOf(binding.of, binding.name, depth + 1)
          .flatMap(each => (each.kind === 'value' ? this.evaluator.definitions(each.value, depth + 1) : []));
      case 'turn':
        return this.evaluator
          .turnsOf(binding, depth)
          .flatMap(each => (each ? this.evaluator.definitions(each, depth + 1) : [expression]));
      case 'parameter': {
        const given = this.evaluator.argumentOf(binding, depth)?.expression;
        if (given) return this.evaluator.definitions(given, depth + 1);
        // the name itself, which says of which class it is
        return [{ kind: 'name', name: binding.name, node: binding.node }];
      }
      case 'import': {
        const found = this.evaluator.imported(binding).filter(each => each.kind === 'value');
        return found.length > 0
          ? found.flatMap(each => this.definitionsOfBinding(each, expression, depth + 1))
          : [expression];
      }
      default:
        return [expression];
    }
  }

  /** `table.get(kind, nn.LSTM)` is one of the table's entries; copies stand for what they copy. */
  private definitionsOfCall(call: CallOf, depth: number): Expression[] {
    const { callee, positional, named, spreads } = call;
    if (callee.kind === 'member' && callee.name === 'get' && positional.length > 0) {
      const key = this.evaluator.value(positional[0]!, depth + 1);
      const found =
        key.kind === 'known'
          ? this.evaluator.membersOf(callee.object, String(key.value), depth + 1, call)
          : [];
      if (found.length > 0) return found.flatMap(each => this.definitionsOfBinding(each, call, depth + 1));
      const entries = this.anyEntry(callee.object, depth);
      const otherwise = positional[1] ? this.evaluator.definitions(positional[1], depth + 1) : [];
      return entries.length > 0 ? [...entries, ...otherwise] : [call];
    }
    const name = dotted(callee);
    if (/(?:^|\.)(?:field|Field)$/.test(name)) {
      const made = this.ofField(call);
      if (made) return this.evaluator.definitions(made, depth + 1);
    }
    // in JavaScript a name that comes last may hold options; as an argument it has its place
    const isPlain = spreads.every(({ node }) => positional.some(each => each.node === node));
    const returned = name && isPlain ? this.returnedBy(call, depth) : null;
    if (returned) return returned;
    if (LOADS.test(name)) {
      const loaded = this.loaded(call, depth);
      return loaded ? [loaded] : [call];
    }
    const choices = this.searches.choices(call, depth);
    if (choices) return choices.flatMap(each => this.evaluator.definitions(each, depth + 1));
    const parsed = this.parsed.heldBy(call, depth);
    if (parsed) return [parsed];
    if (name === 'Object.assign' && positional.length > 0)
      return [
        { kind: 'record', entries: new Map(), spreads: positional, isWhole: call.isWhole, node: call.node },
      ];
    if (callee.kind === 'member' && callee.name === 'copy' && positional.length === 0) {
      const copied = this.evaluator.definitions(callee.object, depth + 1);
      // the copy holds what its first held there
      if (copied.length > 0 && copied.every(({ kind }) => kind === 'record'))
        return [
          { kind: 'record', entries: new Map(), spreads: [callee.object], isWhole: true, node: call.node },
        ];
    }
    if (!COPIES.test(name)) return [call];
    if (name === 'dict' && positional.length === 0) {
      const entries = new Map([...named].map(([key, { value }]) => [key, value]));
      return [{ kind: 'record', entries, spreads, isWhole: call.isWhole, node: call.node }];
    }
    if (positional.length !== 1 || name === 'dict') {
      // `dict(base, hidden=3)`
      const [base] = positional;
      if (name !== 'dict' || positional.length !== 1 || !base) return [call];
      const entries = new Map([...named].map(([key, { value }]) => [key, value]));
      return [
        { kind: 'record', entries, spreads: [base, ...spreads], isWhole: call.isWhole, node: call.node },
      ];
    }
    const inner = this.evaluator.definitions(positional[0]!, depth + 1);
    if (/freeze|seal|Mapping/.test(name)) return inner;
    // a copy of its own: what is stored into it does not change the first
    return inner.map(each => (each.kind === 'record' ? { ...each, node: call.node } : each));
  }

  /** `field(default=…)`, `field(default_factory=lambda: [64, 32])`, `field(default_factory=Sizes)` */
  private ofField({ positional, named, node }: CallOf): Expression | null {
    const given = named.get('default')?.value ?? positional[0];
    const factory = named.get('default_factory')?.value;
    if (given || !factory) return given ?? null;
    const body = factory.node.type === 'lambda' ? factory.node.childForFieldName('body') : null;
    if (body) return this.evaluator.dialect.expression(body);
    if (factory.kind !== 'name' || /^(?:list|dict|set)$/.test(factory.name)) return null;
    return {
      kind: 'call',
      callee: factory,
      positional: [],
      named: new Map(),
      spreads: [],
      isWhole: true,
      node,
    };
  }

  /** What a function of the file or project returns, where it has one `return`; only what holds numbers is of use. */
  private returnedBy(call: CallOf, depth: number): Expression[] | null {
    if (depth > 16 || !this.isNamed(call.callee)) return null;
    const all = this.evaluator.returned(call, result =>
      ['name', 'call', 'record'].includes(result.kind) ? this.evaluator.definitions(result, depth + 2) : [],
    );
    const [found] = all ?? [];
    if (!found || all!.length > 1 || found.length === 0) return null;
    return found.every(
      each => each.kind === 'record' || (each.kind === 'call' && RESULTS.test(each.callee.node.text)),
    )
      ? found
      : null;
  }

  /** A function by its name, or by that and its module. */
  private isNamed(callee: Expression): boolean {
    if (callee.kind === 'name') return true;
    if (callee.kind !== 'member' || callee.object.kind !== 'name') return false;
    return this.evaluator.lookUp(callee.object.name, callee.object).every(({ kind }) => kind === 'import');
  }

  /** `OmegaConf.load("conf.yaml")`, `yaml.safe_load(open("conf.yaml"))` */
  private loaded({ callee, positional, node }: CallOf, depth: number): Expression | null {
    const [first] = positional;
    let made = first && this.evaluator.definitions(first, depth + 1)[0];
    // `json.loads(Path("conf.json").read_text())`
    if (made?.kind === 'call' && made.callee.kind === 'member' && /^read(?:_text)?$/.test(made.callee.name))
      made = this.evaluator.definitions(made.callee.object, depth + 1)[0];
    const path = made?.kind === 'call' ? made.positional[0] : first;
    const told = path && this.evaluator.value(path, depth + 1);
    // settings are open anyway: the default of a path serves
    const file = usualOf(told);
    const { project } = this.evaluator;
    const settings = typeof file === 'string' ? project.settingsIn(file, node.source) : null;
    if (settings || told?.kind === 'known') return settings;
    // `json.load(open(args.config))`: one of the project's
    const isFile = made?.kind === 'call' && OPENS.test(dotted(made.callee));
    return isFile
      ? project.anySettings(dotted(callee).startsWith('json') ? 'json' : 'yaml', node.source)
      : null;
  }

  /** `{"lstm": nn.LSTM, "gru": nn.GRU}[kind]`: any of them, when the key is not known. */
  private anyEntry(object: Expression, depth: number): Expression[] {
    return this.evaluator
      .definitions(object, depth + 1)
      .flatMap(each =>
        each.kind === 'record'
          ? [...each.entries.values()].flatMap(entry => this.evaluator.definitions(entry, depth + 1))
          : each.kind === 'list'
            ? each.items.flatMap(item => this.evaluator.definitions(item, depth + 1))
            : [],
      );
  }
}
