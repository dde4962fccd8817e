// What passes between the layers of a Keras or TensorFlow.js model, without the batch: from what a layer is applied to
// where the code says that, as in `LSTM(32)(x)` and `lstm.apply(x)`, else from the layer before it in a Sequential.
import { areExclusive, covers, isPrefix, type Placed } from './code/branching.ts';
import { type Branch, type CallOf, type Expression, enclosingClass, type Scope } from './code/expression.ts';
import type { Node } from './code/node.ts';
import type { FoundLayer, Given } from './definition.ts';
import { INPUT_SHAPES, innerOf, type KnownCall, type SourceReader } from './found-layers.ts';
import { agreed, broadcast, OPEN, ofSizes, outputOf, type Shape, type Told } from './layer-shapes.ts';

const DEPTH = 24;
/** functions inside functions whose results are followed */
const DEEPEST = 4;
const WIDTHS = /^(?:units|filters|output_dim)$/;
const MERGES: Readonly<Record<string, string>> = {
  sum: 'add',
  mul: 'multiply',
  ave: 'average',
  max: 'maximum',
  concat: 'concatenate',
};

/** Those that are sure, those that hold by default, or the ends of what several calls and searches make. */
export type Sizes = 'known' | 'usual' | 'least' | 'most';

/** What comes before a layer in its Sequential: one of several where some stand in branches. */
type Place = Node | Node[] | 'first' | 'unknown' | null;

export class Shapes {
  private readonly reader: SourceReader;
  private readonly found: readonly FoundLayer[];
  private readonly layers: ReadonlyMap<number, FoundLayer>;
  private readonly sizes: Sizes;
  private readonly inputs = new Map<Node, Shape>();
  private readonly outputs = new Map<Node, Shape>();
  private readonly results = new Map<Node, Shape>();
  private readonly options = new Map<Node, FoundLayer['options']>();
  /** calls of functions that this reads inside of, each with the frames of its own */
  private readonly inside: number;

  constructor(reader: SourceReader, layers: readonly FoundLayer[], sizes: Sizes, inside = 0) {
    this.reader = reader;
    this.found = layers;
    this.layers = new Map(layers.map(layer => [layer.callRange.offset, layer]));
    this.sizes = sizes;
    this.inside = inside;
  }

  /** The width of what a layer reads; null where it cannot be told. */
  widthBefore(call: Node): number | null {
    return this.before(call, 0).last;
  }

  /** The shape of what a layer reads. */
  shapeBefore(call: Node): Shape {
    return this.before(call, 0);
  }

  /** The call that made what a layer reads: a layer, an Input, or itself where it declares that; null where unknown. */
  makerBefore(call: Node): Node | null {
    const whole = this.wrapped(call);
    if (!whole) return null;
    const applied = this.applied(whole) ?? null;
    const place = applied ? null : this.placeInSequential(whole);
    if (place === 'unknown' || Array.isArray(place)) return null;
    if (place === 'first') return this.declared(call) ? call : this.declared(whole) ? whole : null;
    if (place) {
      const [only, ...more] = this.reader.resolver.definitions(this.reader.dialect.expression(place));
      return only?.kind === 'call' && more.length === 0 ? this.knownMaker(only.node) : null;
    }
    const use = applied ?? this.calls(whole)[0];
    const expression = use && this.reader.dialect.expression(use);
    const given = expression?.kind === 'call' ? expression.positional[0] : undefined;
    const [made, ...more] = given ? this.reader.resolver.definitions(given) : [];
    if (made?.kind !== 'call' || more.length > 0) return null;
    if (this.reader.known(made.node)) return made.node;
    const { callee } = made;
    const maker = callee.kind === 'member' && callee.name === 'apply' ? callee.object : callee;
    const [layer, ...others] = this.reader.resolver.definitions(maker);
    return layer?.kind === 'call' && others.length === 0 ? this.knownMaker(layer.node) : null;
  }

  private knownMaker(node: Node): Node | null {
    return this.reader.known(node) ? node : null;
  }

  private before(call: Node, depth: number): Shape {
    return once(this.inputs, call, () => (depth > DEPTH ? OPEN : this.find(call, depth)));
  }

  private find(call: Node, depth: number): Shape {
    const whole = this.wrapped(call);
    if (!whole) return this.afterCellBefore(call);
    const inside = this.throughWrappers(call, whole);
    const declared = () => inside(this.declared(call) ?? this.declared(whole) ?? OPEN);
    const applied = this.applied(whole);
    if (applied) return inside(this.ofArgument(applied, depth));
    const place = this.placeInSequential(whole);
    if (place === 'unknown') return OPEN;
    if (place === 'first') return declared();
    if (Array.isArray(place)) return inside(this.ofAny(place, depth));
    if (place) {
      const before = this.ofElement(place, depth);
      // a Sequential asks its first layer for its input; those that hand it on may leave that to it
      return before.last === null && this.handsOnFromFirst(place) ? declared() : inside(before);
    }
    const first = this.calls(whole)[0];
    if (first) return inside(this.ofArgument(first, depth));
    return this.throughVariable(call, depth) ?? declared();
  }

  /** `gru = GRU(8)` and below it `Bidirectional(gru)(x)` */
  private throughVariable(call: Node, depth: number): Shape | null {
    const [wrapper, ...more] = this.reader.wrappersAround(call);
    if (!wrapper || more.length > 0 || this.isWithin(call, wrapper.expression.node)) return null;
    return this.before(wrapper.expression.node, depth + 1);
  }

  private isWithin(inner: Node, outer: Node): boolean {
    return outer.startIndex <= inner.startIndex && inner.endIndex <= outer.endIndex;
  }

  /** Of `RNN([first, second])`, the second reads the units of the first. */
  private afterCellBefore(call: Node): Shape {
    const before = call.parent?.namedChildren[call.parent.namedChildren.indexOf(call) - 1];
    const layer = before && this.layers.get(before.startIndex);
    const units = layer?.recurrent ? this.read(layer.recurrent.units) : null;
    return { dims: null, last: units };
  }

  /** What a layer gets of what its wrappers get: TimeDistributed gives one step of it. */
  private throughWrappers(call: Node, whole: Node): (shape: Shape) => Shape {
    let isTimed = false;
    for (let here = call; here !== whole && here.parent; here = here.parent) {
      const known = this.reader.dialect.calls.includes(here.parent.type)
        ? this.reader.known(here.parent)
        : null;
      if (known && /^timedistributed$/i.test(known.maker.name)) isTimed = true;
    }
    return shape => (isTimed && shape.dims ? ofSizes(shape.dims.slice(1)) : shape);
  }

  /** `input_shape=(24, 7)`, `batch_input_shape=(None, 24, 7)`, `input_dim=7` of the layer itself. */
  private declared(call: Node): Shape | null {
    const options = this.optionsAt(call);
    for (const name of INPUT_SHAPES) {
      const given = options.get(name);
      if (!given) continue;
      const last = this.read(given);
      const value = typeof last === 'number' ? last : null;
      if (/dim$/i.test(name)) return this.isEmbedding(call) ? null : { dims: null, last: value };
      if (!given.sizes) return { dims: null, last: value };
      const sizes = given.sizes.map((size, index) => (index === given.sizes!.length - 1 ? value : size));
      return ofSizes(name.startsWith('batch') ? sizes.slice(1) : sizes);
    }
    return null;
  }

  private isEmbedding(call: Node): boolean {
    return this.reader.known(call)?.maker.role === 'embedding';
  }

  /** What several elements give, of which one comes before. */
  private ofAny(places: readonly Node[], depth: number): Shape {
    const shapes = places.map(place => this.ofElement(place, depth));
    return this.either(shapes);
  }

  // places

  /** The element before a layer in its Sequential; `first` where it has none; null outside of one. */
  private placeInSequential(whole: Node): Place {
    return this.placeInList(whole) ?? this.placeInAdds(whole);
  }

  private placeInList(whole: Node): Place {
    const list = whole.parent;
    if (!list || !/^(?:list|tuple|array)$/.test(list.type)) return null;
    const call = this.sequentialAround(list);
    if (!call) return null;
    return this.beforeItem(list, whole);
  }

  private beforeItem(list: Node, item: Node): Place {
    const items = list.namedChildren.filter(({ type }) => type !== 'comment');
    const before = items[items.indexOf(item) - 1];
    if (before) return /splat|spread/.test(before.type) ? this.lastsOf(before, list) : before;
    // `[first, *([own] if deep else [other])]`
    for (let here = list.parent; here; here = here.parent) {
      if (!/splat|spread|conditional|ternary|parenthesized/.test(here.type)) break;
      const { parent } = here;
      if (/splat|spread/.test(here.type) && parent && /^(?:list|tuple|array)$/.test(parent.type))
        return this.beforeItem(parent, here);
    }
    return 'first';
  }

  /** The last elements of the lists that `*([…] if deep else […])` may bring; of an empty one, what stands before it. */
  private lastsOf(splat: Node, list: Node): Place {
    const found: Node[] = [];
    const lists: (Node | null)[] = [splat.namedChild(0)];
    for (let here = lists.pop(); here; here = lists.pop()) {
      const { type, namedChildren } = here;
      if (type === 'parenthesized_expression') lists.push(here.namedChild(0));
      else if (type === 'conditional_expression') lists.push(namedChildren[0]!, namedChildren[2]!);
      else if (type === 'ternary_expression')
        lists.push(here.childForFieldName('consequence'), here.childForFieldName('alternative'));
      else if (/^(?:list|tuple|array)$/.test(type)) {
        const last = namedChildren.filter(each => each.type !== 'comment').at(-1);
        const place = last ?? this.beforeItem(list, splat);
        if (place === null || place === 'first' || place === 'unknown') return 'unknown';
        for (const each of Array.isArray(place) ? place : [place]) found.push(each);
      } else return 'unknown';
    }
    return found.length > 0 && !found.some(({ type }) => /splat|spread/.test(type)) ? found : 'unknown';
  }

  /** `Sequential([…])`, `tf.sequential({layers: […]})` around a list. */
  private sequentialAround(list: Node): Node | null {
    const { reader } = this;
    let here = list.parent;
    for (let hops = 0; here && hops < 9; here = here.parent, hops++) {
      if (reader.dialect.calls.includes(here.type)) return this.isSequential(here) ? here : null;
    }
    return null;
  }

  private isSequential(call: Node): boolean {
    const known = this.reader.known(call);
    return known?.maker.role === 'model' && /sequential/i.test(known.maker.name);
  }

  /** `model.add(layer)`: what was added before it, by the text. */
  private placeInAdds(whole: Node): Place {
    const { dialect, resolver } = this.reader;
    const add = whole.parent?.parent;
    const call = add && dialect.calls.includes(add.type) ? dialect.expression(add) : null;
    if (call?.kind !== 'call' || call.callee.kind !== 'member' || call.callee.name !== 'add') return null;
    if (call.positional[0]?.node !== whole) return null;
    const { object } = call.callee;
    const [made, ...more] = resolver.definitions(object);
    const own = dialect.scopeOf(whole);
    const isHere = made?.kind === 'call' && dialect.scopeOf(made.node) === own && more.length === 0;
    if (isHere && !this.isSequential(made.node)) return null;
    const from = isHere ? made.node.endIndex : own.node.startIndex;
    const here = dialect.branches(add!);
    if (here.some(({ isLoop }) => isLoop) && !isHere) return 'unknown';
    const before = this.reader
      .callsOf(object.node.text, 'add', from, add!.startIndex)
      .filter(node => dialect.scopeOf(node) === own && !areExclusive(dialect.branches(node), here));
    const last = before.at(-1);
    if (!last)
      return isHere
        ? this.lastOfList(made.node, here, dialect.branches(made.node))
        : this.placeInMadeElsewhere(object, made, own);
    const there = dialect.branches(last);
    if (!isPrefix(there, here))
      return this.eitherBefore(before, here) ?? this.afterLoop(before, here) ?? 'unknown';
    // in a loop the next turn comes back to the first that is added in it
    if (here.filter(({ isLoop }) => isLoop).length > there.filter(({ isLoop }) => isLoop).length)
      return this.firstOfLoop(last, add!, object.node.text) ?? 'unknown';
    return this.addedBy(last) ?? 'unknown';
  }

  private addedBy(add: Node): Node | null {
    const call = this.reader.dialect.expression(add);
    return call.kind === 'call' ? (call.positional[0]?.node ?? null) : null;
  }

  /** The first layer of a loop comes behind the one before the loop, and behind the loop's last. */
  private firstOfLoop(before: Node, add: Node, object: string): Node[] | null {
    const { dialect } = this.reader;
    const here = dialect.branches(add);
    const loop = here.at(-1);
    if (!loop?.isLoop || here.length !== dialect.branches(before).length + 1) return null;
    let statement: Node | null = add;
    while (statement && statement.id !== loop.id) statement = statement.parent;
    if (!statement) return null;
    const all = this.reader.callsOf(object, 'add', statement.startIndex, statement.endIndex);
    const isStraight = all.every(each => dialect.branches(each).length === here.length);
    const last = all.at(-1);
    if (!isStraight || !last || /\b(?:break|continue)\b/.test(statement.text)) return null;
    return these([this.addedBy(before), this.addedBy(last)]);
  }

  /** Behind a loop: its last layer, or the one before it, where it may have no turn. */
  private afterLoop(adds: readonly Node[], here: readonly Branch[]): Node[] | null {
    const { dialect } = this.reader;
    const last = adds.at(-1)!;
    const there = dialect.branches(last);
    const loop = there.at(-1);
    if (!loop?.isLoop || there.length !== here.length + 1) return null;
    const inLoop = adds.filter(add => dialect.branches(add).some(({ id }) => id === loop.id));
    const before = adds[adds.length - inLoop.length - 1];
    if (!before || !isPrefix(dialect.branches(before), here)) return null;
    if (inLoop.some(add => dialect.branches(add).length !== there.length)) return null;
    return these([this.addedBy(last), this.addedBy(before)]);
  }

  /** `self.model = Sequential()` in one method and `self.model.add(…)` in another: the first, unless others add too. */
  private placeInMadeElsewhere(object: Expression, made: Expression | undefined, own: Scope): Place {
    if (made?.kind !== 'call' || !this.isSequential(made.node) || made.positional.length > 0)
      return 'unknown';
    if (made.named.has('layers') || made.node.source !== object.node.source) return 'unknown';
    const { dialect } = this.reader;
    const isMember = object.kind === 'member' && object.object.kind === 'name';
    const around = isMember ? enclosingClass(own)?.node : made.node.source.root;
    if (!around) return 'unknown';
    const others = this.reader
      .callsOf(object.node.text, 'add', around.startIndex, around.endIndex)
      .some(node => dialect.scopeOf(node) !== own);
    return others && this.sizes === 'known' ? 'unknown' : 'first';
  }

  /** Those that may come last before a layer, where the last stands in a branch: null where a loop may bring others. */
  private eitherBefore(before: readonly Node[], here: readonly Branch[]): Node[] | null {
    const { dialect } = this.reader;
    const found: Node[] = [];
    const seen: Placed[] = [];
    for (const add of [...before].reverse()) {
      const branches = dialect.branches(add);
      if (branches.some(({ isLoop }) => isLoop) || here.some(({ isLoop }) => isLoop)) return null;
      // another one surely comes behind it
      if (seen.some(each => isPrefix(each.branches, branches))) continue;
      const expression = dialect.expression(add);
      const element = expression.kind === 'call' ? expression.positional[0]?.node : undefined;
      if (!element) return null;
      found.push(element);
      seen.push({ node: add, branches });
      const level = here.findIndex((branch, at) => !isPrefix([...here.slice(0, at), branch], branches));
      if (isPrefix(branches, here) || covers(seen, level < 0 ? here.length : level)) return found;
    }
    // nothing before: one of the arms is taken, since this layer declares no input
    const whole = found.length > 0 && found.every(element => this.declaresInput(element));
    return whole ? found : null;
  }

  private declaresInput(element: Node): boolean {
    const known = this.knownAt(element);
    if (!known) return false;
    const { node } = known.expression;
    return known.maker.role === 'input' || this.declared(node) !== null;
  }

  /** `model = Sequential([Input(…)])`, to which more is added. */
  private lastOfList(
    made: Node,
    here: readonly Branch[],
    there: readonly Branch[],
  ): Node | 'first' | 'unknown' {
    if (here.filter(({ isLoop }) => isLoop).length > there.filter(({ isLoop }) => isLoop).length)
      return 'unknown';
    const known = this.reader.known(made);
    const list = known && (known.expression.named.get('layers')?.value ?? known.expression.positional[0]);
    if (!list || list.kind === 'record') return 'first';
    if (list.kind !== 'list') return 'unknown';
    return list.items.at(-1)?.node ?? 'first';
  }

  /** All elements from here to the first leave the width to the one that declares it. */
  private handsOnFromFirst(element: Node): boolean {
    let here: Place = element;
    for (let hops = 0; here && hops < 12; hops++) {
      if (here === 'first') return true;
      if (here === 'unknown' || Array.isArray(here)) return false;
      const known: KnownCall | null = this.knownAt(here);
      if (!known || !/^(?:keeps|dropout)$/.test(known.maker.role)) return false;
      here = this.placeInSequential(here);
    }
    return false;
  }

  /** What an element of a Sequential gives. */
  private ofElement(element: Node, depth: number): Shape {
    return once(this.outputs, element, () => this.findOutput(element, depth));
  }

  private findOutput(element: Node, depth: number): Shape {
    const { dialect, resolver } = this.reader;
    const made = resolver.definitions(dialect.expression(element));
    const [only] = made;
    if (made.length !== 1 || only?.kind !== 'call') return OPEN;
    const known = this.reader.known(only.node);
    if (!known) return OPEN;
    if (known.maker.role === 'input') return this.declared(only.node) ?? OPEN;
    const read = this.beforeElement(element, only.node, depth + 1);
    return this.output(known, read, depth + 1);
  }

  /** What an element of a Sequential reads, its wrappers included. */
  private beforeElement(element: Node, made: Node, depth: number): Shape {
    const place = this.placeInSequential(element);
    if (place === 'unknown' || place === null) return OPEN;
    if (Array.isArray(place)) return this.ofAny(place, depth);
    if (place !== 'first') {
      const before = this.ofElement(place, depth);
      if (before.last !== null || !this.handsOnFromFirst(place)) return before;
    }
    const inner = this.innermost(made);
    return this.declared(made) ?? (inner ? this.declared(inner) : null) ?? OPEN;
  }

  private innermost(made: Node): Node | null {
    const known = this.reader.known(made);
    const inner = known?.maker.role === 'wrapper' ? innerOf(known) : undefined;
    const [only] = inner ? this.reader.resolver.definitions(inner) : [];
    return only?.kind === 'call' ? only.node : null;
  }

  /** The outermost wrapper around a call, `Bidirectional(LSTM(3))`; null for a cell that reads another one. */
  private wrapped(call: Node): Node | null {
    let whole = call;
    for (let here = call; here.parent; here = here.parent) {
      const { parent } = here;
      if (/_statement$|assignment|declarator/.test(parent.type)) break;
      const isCell = this.layers.get(call.startIndex)?.recurrent?.isCell === false && whole === call;
      if (
        isCell &&
        /^(?:list|array)$/.test(parent.type) &&
        parent.namedChildren[0] !== here &&
        this.isCellList(parent)
      )
        return null;
      if (!this.reader.dialect.calls.includes(parent.type)) continue;
      if (this.reader.known(parent)?.maker.role !== 'wrapper') break;
      whole = parent;
    }
    return whole;
  }

  private isCellList(list: Node): boolean {
    for (let here = list.parent, hops = 0; here && hops < 5; here = here.parent, hops++)
      if (this.reader.dialect.calls.includes(here.type))
        return this.reader.known(here)?.maker.role === 'wrapper';
    return false;
  }

  /** `layer(x)` of the call `layer`, `layer.apply(x)` in JavaScript */
  private applied(layer: Node): Node | null {
    const { parent } = layer;
    if (!parent) return null;
    const isCallee = (node: Node) => node.parent?.childForFieldName('function') === node;
    if (isCallee(layer)) return parent;
    const isApply =
      parent.type === 'member_expression' && parent.childForFieldName('property')?.text === 'apply';
    return isApply && isCallee(parent) ? parent.parent : null;
  }

  /** Where a layer that has a name is applied. */
  private calls(whole: Node): Node[] {
    const target = targetOf(whole);
    if (!target) return [];
    const { dialect } = this.reader;
    const isMember = target.startsWith(`${dialect.self}.`);
    const scope = dialect.scopeOf(whole);
    const place = isMember ? (scope.parent?.node ?? scope.node) : scope.node;
    const from = isMember ? place.startIndex : whole.endIndex;
    return [
      ...this.reader.callsTo(target, from, place.endIndex),
      ...this.reader.callsOf(target, 'apply', from, place.endIndex),
    ].sort((a, b) => a.startIndex - b.startIndex);
  }

  // tensors

  private ofArgument(call: Node, depth: number): Shape {
    const expression = this.reader.dialect.expression(call);
    if (expression.kind !== 'call') return OPEN;
    const [first] = expression.positional;
    const given = first ?? expression.named.get('inputs')?.value ?? expression.named.get('x')?.value;
    if (!given) return OPEN;
    // `lstm.apply([x, h, c])`: behind what is read stands the state
    const [list, ...more] = this.reader.resolver.definitions(given);
    const isWithState = list?.kind === 'list' && more.length === 0 && list.items.length > 1;
    return this.of(isWithState ? list.items[0]! : given, depth + 1);
  }

  /** What the function of a call returns, read as that call makes it; null for other calls. */
  private returned(call: CallOf, read: (within: Shapes, result: Expression) => Shape): Shape | null {
    if (this.inside >= DEEPEST) return null;
    const all = this.reader.resolver.returned(call, result =>
      read(new Shapes(this.reader, this.found, this.sizes, this.inside + 1), result),
    );
    return all && all.length > 0 ? this.either(all) : null;
  }

  /** Of a tensor; what several sources do not agree on is not known. */
  private of(expression: Expression, depth: number): Shape {
    if (depth > DEPTH) return OPEN;
    const shapes = this.reader.resolver.definitions(expression).map(each => this.ofResult(each, depth));
    return this.either(shapes);
  }

  private ofResult(expression: Expression, depth: number): Shape {
    return once(this.results, expression.node, () => this.findResult(expression, depth));
  }

  private findResult(expression: Expression, depth: number): Shape {
    if (expression.kind === 'index' && expression.index.kind === 'constant' && expression.index.value === 0)
      // the first of what `return_state=True` gives
      return expression.object.kind === 'call' ? this.of(expression.object, depth + 1) : OPEN;
    if (expression.kind === 'binary' && '+-*/'.includes(expression.operator))
      return broadcast(this.of(expression.left, depth + 1), this.of(expression.right, depth + 1));
    if (expression.kind !== 'call') return OPEN;
    const own = this.reader.known(expression.node);
    if (own?.maker.role === 'input') return this.declared(expression.node) ?? OPEN;
    const { callee, positional, named } = expression;
    const joined = this.joined(expression, depth);
    if (joined) return joined;
    const maker = callee.kind === 'member' && callee.name === 'apply' ? callee.object : callee;
    const made = this.reader.resolver.definitions(maker);
    const [only] = made;
    const known = made.length === 1 && only?.kind === 'call' ? this.knownAt(only.node) : null;
    if (!known) return this.returned(expression, (within, result) => within.of(result, depth + 1)) ?? OPEN;
    const given = positional[0] ?? named.get('inputs')?.value;
    if (!given) return OPEN;
    const list = this.reader.resolver.definitions(given);
    const inputs =
      list.length === 1 && list[0]!.kind === 'list'
        ? list[0]!.items.map(item => this.of(item, depth + 1))
        : [this.of(given, depth + 1)];
    return this.output(known, inputs[0]!, depth + 1, inputs);
  }

  /** `concatenate([a, b])`, `add([a, b])`, `tf.concat([a, b], axis=-1)` */
  private joined(
    { callee, positional, named }: Extract<Expression, { kind: 'call' }>,
    depth: number,
  ): Shape | null {
    const own = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
    const mode = named.get('mode')?.value;
    // `merge([a, b], mode='mul')` of Keras 1
    const name = own === 'merge' && mode?.kind === 'constant' ? (MERGES[String(mode.value)] ?? '') : own;
    if (!/^(?:concatenate|concat|add|multiply|average|maximum)$/.test(name)) return null;
    const [list] = positional[0] ? this.reader.resolver.definitions(positional[0]) : [];
    if (list?.kind !== 'list') return null;
    const inputs = list.items.map(item => this.of(item, depth + 1));
    const axis = named.get('axis')?.value ?? positional[1];
    const given = axis ? this.reader.resolver.value(axis) : null;
    const value = given?.kind === 'known' && typeof given.value === 'number' ? given.value : axis ? null : -1;
    const told: Told = option => (option === 'axis' ? value : undefined);
    return outputOf(/^conc/.test(name) ? 'concatenate' : 'add', told, inputs[0] ?? OPEN, inputs);
  }

  private output(known: KnownCall, input: Shape, depth: number, inputs: readonly Shape[] = [input]): Shape {
    if (depth > DEPTH) return OPEN;
    const { node } = known.expression;
    const name = known.maker.name.toLowerCase();
    if (/^model$/.test(name) && known.maker.role === 'model') {
      // a model that is applied as a layer gives its outputs
      const { named, positional } = known.expression;
      const outputs = (named.get('outputs') ?? named.get('output'))?.value ?? positional[1];
      return outputs ? this.of(outputs, depth + 1) : OPEN;
    }
    if (known.maker.role === 'wrapper') {
      const inner = innerOf(known);
      const made = inner ? this.reader.resolver.definitions(inner) : [];
      const cell = made.length === 1 && made[0]!.kind === 'list' ? made[0]!.items.at(-1) : made[0];
      if (cell?.kind !== 'call' || made.length !== 1) return OPEN;
      const within = this.knownAt(cell.node);
      if (within && name !== 'timedistributed') return this.output(within, input, depth + 1);
      if (name !== 'timedistributed') return OPEN;
      const ofStep = (step: Shape) =>
        within ? this.output(within, step, depth + 1) : this.ofMadeModel(cell, step, depth + 1);
      if (!input.dims) return { dims: null, last: ofStep(OPEN).last };
      const step = ofStep(ofSizes(input.dims.slice(1)));
      return step.dims ? ofSizes([input.dims[0] ?? null, ...step.dims]) : { dims: null, last: step.last };
    }
    // a layer of another model may stand in a model that is applied here
    const layer =
      this.layerAt(node) ??
      (known.maker.role === 'recurrent'
        ? this.reader.inContexts(known, this.reader.wrappersAround(node))
        : undefined);
    if (layer?.recurrent) return this.ofRecurrent(layer, input);
    return outputOf(name, this.told(node), input, inputs);
  }

  /** `TimeDistributed(build_step(…))`, where a function makes the model of a step. */
  private ofMadeModel(call: CallOf, input: Shape, depth: number): Shape {
    const made = this.returned(call, (within, result) => {
      const [only, ...more] = this.reader.resolver.definitions(result);
      const known = only?.kind === 'call' && more.length === 0 ? this.reader.known(only.node) : null;
      return known?.maker.role === 'model' ? within.output(known, input, depth) : OPEN;
    });
    return made ?? OPEN;
  }

  private ofRecurrent({ recurrent, options }: FoundLayer, input: Shape): Shape {
    if (!recurrent) return OPEN;
    const [units, both] = [this.read(recurrent.units), this.read(recurrent.bidirectional)];
    const mode = options.get('merge_mode') ?? options.get('mergeMode');
    const merge = mode ? this.read(mode) : 'concat';
    if (both && merge === null) return OPEN;
    if (units === null || both === null || recurrent.layers.value !== 1) return OPEN;
    const last = units * (both && merge === 'concat' ? 2 : 1);
    const isSequence = recurrent.returnSequences && this.read(recurrent.returnSequences);
    if (isSequence === true)
      return input.dims ? ofSizes([input.dims[0] ?? null, last]) : { dims: null, last };
    return isSequence === false ? ofSizes([last]) : { dims: null, last };
  }

  private knownAt(node: Node): KnownCall | null {
    const expression = this.reader.dialect.expression(node);
    if (expression.kind === 'call') return this.reader.known(node);
    const [only, ...more] = this.reader.resolver.definitions(expression);
    return only?.kind === 'call' && more.length === 0 ? this.reader.known(only.node) : null;
  }

  private optionsAt(node: Node): FoundLayer['options'] {
    let options = this.options.get(node);
    if (!options) {
      const layer = this.inside > 0 ? undefined : this.layerAt(node);
      const isIt = layer && layer.callRange.length === node.endIndex - node.startIndex;
      const known = isIt ? null : this.reader.known(node);
      // inside of a call it is as that call makes it
      const read = (call: KnownCall) =>
        this.inside > 0 ? this.reader.options(call) : this.reader.inContexts(call).options;
      options = isIt ? layer.options : known ? read(known) : new Map();
      this.options.set(node, options);
    }
    return options;
  }

  /** A function may lead into another file. */
  private layerAt(node: Node): FoundLayer | undefined {
    return node.source === this.reader.root.source ? this.layers.get(node.startIndex) : undefined;
  }

  private told(node: Node): Told {
    const options = this.optionsAt(node);
    return name => {
      const given = options.get(name) ?? options.get(camelled(name));
      if (!given) return undefined;
      // only a width grows with what is given
      if (!given.sizes) return WIDTHS.test(name) ? this.read(given) : (given.value ?? this.usually(given));
      return given.sizes.map((size, index) =>
        index === given.sizes!.length - 1 && typeof given.value === 'number' ? given.value : size,
      );
    };
  }

  /** One of several: what they have in common, or the least and the most of their widths where all are told. */
  private either(shapes: readonly Shape[]): Shape {
    const common = shapes.reduce(agreed, shapes[0] ?? OPEN);
    if (common.last !== null || (this.sizes !== 'least' && this.sizes !== 'most')) return common;
    const widths = shapes.map(({ last }) => last);
    if (widths.length === 0 || widths.some(width => width === null)) return common;
    const last = Math[this.sizes === 'least' ? 'min' : 'max'](...(widths as number[]));
    return common.dims ? ofSizes([...common.dims.slice(0, -1), last]) : { dims: null, last };
  }

  private usually<T>({ fallback }: Given<T>): T | null {
    return this.sizes === 'known' ? null : fallback;
  }

  private read<T>(given: Given<T>): T | null {
    if (this.sizes === 'known') return given.value;
    if (given.value !== null || this.sizes === 'usual') return given.value ?? given.fallback;
    return endOf(given, this.sizes) ?? given.fallback;
  }
}

/** Found once for each node; what a loop leads back to itself has no shape that can be told. */
function once(known: Map<Node, Shape>, node: Node, find: () => Shape): Shape {
  const before = known.get(node);
  if (before) return before;
  known.set(node, OPEN);
  const shape = find();
  known.set(node, shape);
  return shape;
}

function these(nodes: readonly (Node | null)[]): Node[] | null {
  return nodes.every(each => each !== null) ? (nodes as Node[]) : null;
}

/** The least or the most of numbers that are all told. */
function endOf<T>({ called }: Given<T>, end: 'least' | 'most'): T | null {
  const sizes = (called ?? []).map(({ value, fallback }) => value ?? fallback);
  if (sizes.length === 0 || !sizes.every(size => typeof size === 'number')) return null;
  return Math[end === 'least' ? 'min' : 'max'](...(sizes as number[])) as T;
}

/** `kernel_size` of Keras is `kernelSize` in TensorFlow.js. */
function camelled(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `name = layer`, `self.name = layer`, `const name = layer` */
function targetOf(layer: Node): string | null {
  const { parent } = layer;
  if (!parent) return null;
  const target = parent.childForFieldName('left') ?? parent.childForFieldName('name');
  const value = parent.childForFieldName('right') ?? parent.childForFieldName('value');
  if (!target || value !== layer) return null;
  return /^(?:identifier|attribute|member_expression)$/.test(target.type) ? target.text : null;
}
