// How many features each layer of a Keras or TensorFlow.js model reads: from what it is applied to where the code says
// that, as in `LSTM(32)(x)` and `lstm.apply(x)`, and else from the layer before it.
import type { Expression } from './code/expression.ts';
import type { Node } from './code/syntax.ts';
import type { FoundLayer } from './definition.ts';
import { INPUT_SHAPES, type KnownCall, type SourceReader } from './found-layers.ts';

const DEPTH = 8;

export class Widths {
  private readonly reader: SourceReader;
  private readonly isSequential: boolean;
  private readonly order: readonly FoundLayer[];
  private readonly calls: ReadonlyMap<number, KnownCall>;
  private readonly layers: ReadonlyMap<number, FoundLayer>;
  private readonly widthsBefore = new Map<FoundLayer, number | null>();

  /** The layers in the order of the text, and the calls that make them. */
  constructor(
    reader: SourceReader,
    isSequential: boolean,
    order: readonly FoundLayer[],
    calls: readonly KnownCall[],
  ) {
    this.reader = reader;
    this.isSequential = isSequential;
    this.order = order;
    this.calls = new Map(calls.map(call => [call.expression.node.startIndex, call]));
    this.layers = new Map(order.map(layer => [layer.callRange.offset, layer]));
  }

  /** null: it cannot be told */
  before(layer: FoundLayer, depth = 0): number | null {
    const known = this.widthsBefore.get(layer);
    if (known !== undefined) return known;
    // a layer that reads itself, through a loop, has no width that can be told
    this.widthsBefore.set(layer, null);
    const width = depth > DEPTH ? null : this.find(layer, depth);
    this.widthsBefore.set(layer, width);
    return width;
  }

  private find(layer: FoundLayer, depth: number): number | null {
    const source = this.sourceOf(layer);
    const before = source === 'before' ? this.order[this.order.indexOf(layer) - 1] : undefined;
    const read =
      source !== 'before' && source !== null
        ? this.widthOf(source, depth + 1)
        : before && (this.isSequential || !declares(layer))
          ? this.after(before, depth)
          : null;
    // a Sequential asks none but its first layer for its input, and those that hand it on
    if (read !== null || (this.isSequential && before && !this.handsOn(before))) return read;
    for (const name of INPUT_SHAPES) {
      const value = layer.options.get(name)?.value;
      if (typeof value === 'number') return value;
    }
    return null;
  }

  private handsOn(layer: FoundLayer): boolean {
    const role = this.calls.get(layer.callRange.offset)?.maker.role;
    return role === 'keeps' || role === 'dropout' || role === 'input';
  }

  private after(layer: FoundLayer, depth: number): number | null {
    const { options, recurrent, inLoop, isConditional } = layer;
    if (inLoop || isConditional) return null;
    const number = (...names: string[]) => {
      for (const name of names) {
        const value = options.get(name)?.value;
        if (typeof value === 'number') return value;
      }
      return null;
    };
    if (recurrent) {
      const both = recurrent.bidirectional.value;
      const merge = (options.get('merge_mode') ?? options.get('mergeMode'))?.value ?? 'concat';
      if (recurrent.units.value === null || both === null) return null;
      return recurrent.units.value * (both && merge === 'concat' ? 2 : 1);
    }
    const role = this.calls.get(layer.callRange.offset)?.maker.role;
    if (role === 'embedding') return number('output_dim', 'outputDim', 'embedding_dim');
    if (role === 'dense') return number('units', 'out_features', 'output_dim');
    return this.handsOn(layer) ? this.before(layer, depth) : null;
  }

  /** What the layer is applied to; `before` where it stands in a list or is added. */
  private sourceOf(layer: FoundLayer): Expression | 'before' | null {
    const call = this.calls.get(layer.callRange.offset)?.expression.node;
    if (!call) return 'before';
    const whole = this.wrapped(call);
    if (!whole) return 'before';
    const applied = this.applied(whole);
    if (applied) return this.argument(applied);
    const target = targetOf(whole);
    if (!target) return 'before';
    const { dialect } = this.reader;
    const isMember = target.startsWith(`${dialect.self}.`);
    const scope = dialect.scopeOf(whole);
    const place = isMember ? (scope.parent?.node ?? scope.node) : scope.node;
    const from = isMember ? place.startIndex : whole.endIndex;
    const [first] = [
      ...this.reader.callsTo(target, from, place.endIndex),
      ...this.reader.callsOf(target, 'apply', from, place.endIndex),
    ].sort((a, b) => a.startIndex - b.startIndex);
    if (first) return this.argument(first);
    // what runs a cell stands elsewhere
    return layer.recurrent?.isCell ? null : 'before';
  }

  /** The outermost wrapper around a call, `Bidirectional(LSTM(3))`; null for a cell that reads another one. */
  private wrapped(call: Node): Node | null {
    let whole = call;
    for (let here = call; here.parent; here = here.parent) {
      const { parent } = here;
      if (/_statement$|assignment|declarator/.test(parent.type)) break;
      if (/^(?:list|array)$/.test(parent.type) && !parent.namedChild(0)?.equals(here)) return null;
      if (!this.reader.dialect.calls.includes(parent.type)) continue;
      if (this.reader.known(parent)?.maker.role !== 'wrapper') break;
      whole = parent;
    }
    return whole;
  }

  /** `layer(x)` of the call `layer`, `layer.apply(x)` in JavaScript */
  private applied(layer: Node): Node | null {
    const { parent } = layer;
    if (!parent) return null;
    const isCallee = (node: Node) => node.parent?.childForFieldName('function')?.equals(node) ?? false;
    if (isCallee(layer)) return parent;
    const isApply =
      parent.type === 'member_expression' && parent.childForFieldName('property')?.text === 'apply';
    return isApply && isCallee(parent) ? parent.parent : null;
  }

  private argument(call: Node): Expression | null {
    const expression = this.reader.dialect.expression(call);
    return (expression.kind === 'call' && expression.positional[0]) || null;
  }

  /** Of a tensor; what several sources do not agree on is not known. */
  private widthOf(expression: Expression, depth: number): number | null {
    if (depth > DEPTH) return null;
    const widths = new Set(
      this.reader.resolver.definitions(expression).map(each => this.widthOfResult(each, depth)),
    );
    const [only] = widths;
    return widths.size === 1 ? only! : null;
  }

  private widthOfResult(expression: Expression, depth: number): number | null {
    if (expression.kind !== 'call') return null;
    const own = this.layers.get(expression.node.startIndex);
    const isInput = this.reader.known(expression.node)?.maker.role === 'input';
    if (isInput) return own ? this.before(own, depth) : null;
    const { callee } = expression;
    const maker = callee.kind === 'member' && callee.name === 'apply' ? callee.object : callee;
    const made = this.reader.resolver.definitions(maker);
    const layer = made.length === 1 ? this.layerMadeBy(made[0]!) : undefined;
    return layer ? this.after(layer, depth) : null;
  }

  private layerMadeBy(expression: Expression, depth = 0): FoundLayer | undefined {
    if (expression.kind !== 'call' || depth > DEPTH) return undefined;
    const known = this.reader.known(expression.node);
    if (known?.maker.role !== 'wrapper') return this.layers.get(expression.node.startIndex);
    const { positional, named } = known.expression;
    const inner = named.get('layer')?.value ?? named.get('cell')?.value ?? positional[0];
    const made = inner ? this.reader.resolver.definitions(inner) : [];
    const cell = made.length === 1 && made[0]!.kind === 'list' ? made[0]!.items.at(-1) : made[0];
    return cell && made.length === 1 ? this.layerMadeBy(cell, depth + 1) : undefined;
  }
}

function declares({ options }: FoundLayer): boolean {
  return INPUT_SHAPES.some(name => options.has(name));
}

/** `name = layer`, `self.name = layer`, `const name = layer` */
function targetOf(layer: Node): string | null {
  const { parent } = layer;
  if (!parent) return null;
  const target = parent.childForFieldName('left') ?? parent.childForFieldName('name');
  const value = parent.childForFieldName('right') ?? parent.childForFieldName('value');
  if (!target || !value?.equals(layer)) return null;
  return /^(?:identifier|attribute|member_expression)$/.test(target.type) ? target.text : null;
}
