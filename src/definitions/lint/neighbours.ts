// Which layer surely feeds which: neighbours in one Sequential, and calls on what another layer's call gave.
import type { Node } from '../code/syntax.ts';
import type { KnownCall } from '../found-layers.ts';
import type { LayerCall, LintSource } from './source.ts';

/** Names of layers, without capitals, that leave every dimension of what they get. */
const SHAPELESS =
  /^(?:(?:gaussian|alpha)?dropout|gaussiannoise|(?:batch|layer)normalization|activation|leakyrelu|relu|elu)$/i;

/** what adds nothing to a model */
const ASIDES =
  'summary|build|compile|fit|fit_generator|fitDataset|evaluate|predict|save|save_weights|load_weights';

/** Wrappers that take one layer and are one for those around them. */
const AROUND = /^bidirectional$/i;

interface Pair {
  first: LayerCall;
  second: LayerCall;
}

/** Each pair of recurrent layers of which the second surely gets what the first gives, in the order of the text. */
export function stackedPairs(source: LintSource): Pair[] {
  const seen = new Set<LayerCall>();
  return source.layers.flatMap(layer => {
    if (layer.layer.framework === 'torch' || seen.has(layer)) return [];
    const outer = outermost(source, layer.call.node);
    const sequence = sequenceAround(source, outer);
    const pairs = sequence ? pairsOf(source, sequence, seen) : [];
    const first = sequence ? null : beforeInCalls(source, outer);
    return [...pairs, ...(first ? [{ first, second: layer }] : [])].filter(
      pair => isPlain(pair.first) && isPlain(pair.second),
    );
  });
}

function isPlain({ layer }: LayerCall): boolean {
  return !layer.recurrent?.isCell && !layer.inLoop && !layer.isConditional;
}

/** All of one Sequential, which is gone through once. */
function pairsOf(source: LintSource, sequence: readonly (Node | null)[], seen: Set<LayerCall>): Pair[] {
  const pairs: Pair[] = [];
  let first: LayerCall | null = null;
  for (const layer of sequence) {
    const known = layer ? source.knownCall(source.expression(layer)) : null;
    const second = known && recurrentOf(source, known);
    if (second) {
      seen.add(second);
      if (first) pairs.push({ first, second });
      first = second;
    } else if (!known || !SHAPELESS.test(known.maker.name)) first = null;
  }
  return pairs;
}

/** The wrapper around a layer, else the layer. */
export function outermost(source: LintSource, node: Node): Node {
  for (let here = node.parent, hops = 0; here && hops < 4; here = here.parent, hops++) {
    if (!source.reader.dialect.calls.includes(here.type)) continue;
    const known = source.reader.known(here);
    return known?.maker.role === 'wrapper' && AROUND.test(known.maker.name) && inner(known) === node.id
      ? outermost(source, here)
      : node;
  }
  return node;
}

function inner({ expression: { positional, named } }: KnownCall): number | undefined {
  return (named.get('layer')?.value ?? positional[0])?.node.id;
}

// ---------------------------------------------------------------- in a Sequential

/** The layers of the Sequential that a layer stands in or is added to; null in it: what cannot be told. */
export function sequenceAround(source: LintSource, node: Node): (Node | null)[] | null {
  return listAround(source, node) ?? addsAround(source, node);
}

/** `Sequential([…, node, …])`, `tf.sequential({layers: […, node, …]})` */
function listAround(source: LintSource, node: Node): (Node | null)[] | null {
  const { reader } = source;
  const list = node.parent;
  if (!list || !['list', 'tuple', 'array'].includes(list.type)) return null;
  let call = list.parent;
  for (let hops = 0; call && hops < 3 && !reader.dialect.calls.includes(call.type); hops++) {
    if (['keyword_argument', 'pair'].includes(call.type) && !/^['"]?layers\b/.test(call.text)) return null;
    call = call.parent;
  }
  const made = call && reader.known(call);
  if (!made || !isSequential(made)) return null;
  return addedAfterwards(source, made) ?? [...firstLayers(made), ...(isResult(made) ? [] : [null])];
}

/** `m = Sequential([…])` with what is added to it below */
function addedAfterwards(source: LintSource, made: KnownCall): (Node | null)[] | null {
  const { parent } = made.expression.node;
  const target = parent?.childForFieldName('left') ?? parent?.childForFieldName('name');
  const within = parent?.parent;
  const statement = within?.parent?.type === 'export_statement' ? within.parent : within;
  if (target?.type !== 'identifier' || !statement?.parent) return null;
  return addsTo(source, target.text, made, parts(statement.parent), statement);
}

function isResult(made: KnownCall): boolean {
  return made.expression.node.parent?.type === 'return_statement';
}

function isSequential(known: KnownCall | null): boolean {
  return known?.maker.role === 'model' && /sequential/i.test(known.maker.name);
}

/** `model.add(node)` with the adds around it in the same block. */
function addsAround(source: LintSource, node: Node): (Node | null)[] | null {
  const list = node.parent;
  const statement = list?.parent?.parent;
  const own = statement && added(source, statement);
  if (!own?.layer.equals(node) || !statement?.parent) return null;
  const made = source.knownCall(source.expression(own.variable));
  if (!made || !isSequential(made)) return null;
  return addsTo(source, own.variable.text, made, parts(statement.parent), statement);
}

/** From where the variable was made to where it is made anew. */
function addsTo(
  source: LintSource,
  name: string,
  made: KnownCall,
  statements: readonly Node[],
  own: Node,
): (Node | null)[] {
  const escaped = name.replace(/[$.]/g, '\\$&');
  const mention = new RegExp(`(?<![\\w$.])${escaped}(?![\\w$])`);
  const making = new RegExp(`^(?:export\\s+)?(?:(?:const|let|var)\\s+)?${escaped}\\s*(?::[^=]+)?=(?!=)`);
  const aside = new RegExp(
    `^(?:[^=(]+=\\s*)?(?:await\\s+)?${escaped}\\.(?:${ASIDES})\\(|^return\\s+${escaped};?$`,
  );
  let layers: (Node | null)[] = [];
  for (const statement of statements) {
    const add = added(source, statement);
    if (making.test(statement.text)) {
      if (statement.startIndex > own.startIndex) break;
      const begins =
        statement.startIndex <= made.expression.node.startIndex &&
        statement.endIndex >= made.expression.node.endIndex;
      layers = begins ? firstLayers(made) : [null];
    } else if (add?.variable.text === name) layers.push(add.layer);
    else if (mention.test(statement.text) && !aside.test(statement.text)) layers.push(null);
  }
  return layers;
}

/** `Sequential([Input(…)])`, to which more is added */
function firstLayers({ expression: { positional, named } }: KnownCall): (Node | null)[] {
  const list = named.get('layers')?.value ?? positional[0];
  if (!list || (list.kind === 'record' && list.entries.size === 0)) return [];
  return list.kind === 'list'
    ? parts(list.node).map(each => (/splat|spread/.test(each.type) ? null : each))
    : [null];
}

function added(source: LintSource, statement: Node): { variable: Node; layer: Node } | null {
  if (statement.type !== 'expression_statement') return null;
  const call = statement.namedChild(0);
  if (!call || !source.reader.dialect.calls.includes(call.type)) return null;
  const add = source.expression(call);
  if (add.kind !== 'call' || add.callee.kind !== 'member' || add.callee.name !== 'add') return null;
  const [layer] = add.positional;
  const { object } = add.callee;
  const isVariable = object.kind === 'name' || (object.kind === 'member' && object.object.kind === 'name');
  return isVariable && layer ? { variable: object.node, layer: layer.node } : null;
}

// ---------------------------------------------------------------- in calls

/** `second(first(x))`, also through a variable; `second.apply(first.apply(x))` */
function beforeInCalls(source: LintSource, node: Node): LayerCall | null {
  let given = inputOf(source, node);
  for (let hops = 0; given && hops < 8; hops++) {
    const made = source.reader.resolver.definitions(source.expression(given));
    const [only] = made;
    if (made.length !== 1 || only?.kind !== 'call') return null;
    const layer = appliedLayer(source, only.node);
    const known = layer && source.knownCall(source.expression(layer));
    if (!known) return null;
    const recurrent = recurrentOf(source, known);
    if (recurrent) return recurrent;
    if (!SHAPELESS.test(known.maker.name)) return null;
    given = only.positional[0]?.node ?? null;
  }
  return null;
}

/** What a layer is called on, where it stands. */
function inputOf(source: LintSource, layer: Node): Node | null {
  const { parent } = layer;
  const call = parent?.type === 'member_expression' ? parent.parent : parent;
  if (!call || !source.reader.dialect.calls.includes(call.type)) return null;
  if (!appliedLayer(source, call)?.equals(layer)) return null;
  const found = source.expression(call);
  return found.kind === 'call' ? (found.positional[0]?.node ?? null) : null;
}

function appliedLayer(source: LintSource, call: Node): Node | null {
  const found = source.expression(call);
  if (found.kind !== 'call') return null;
  if (source.isPython) return found.callee.node;
  return found.callee.kind === 'member' && found.callee.name === 'apply' ? found.callee.object.node : null;
}

// ---------------------------------------------------------------- both

export function recurrentOf(source: LintSource, known: KnownCall): LayerCall | null {
  if (known.maker.role === 'recurrent') return source.layerAt(known.expression.node);
  if (known.maker.role !== 'wrapper' || !AROUND.test(known.maker.name)) return null;
  const layer = known.expression.named.get('layer')?.value ?? known.expression.positional[0];
  const within = layer ? source.knownCall(layer) : null;
  return within && recurrentOf(source, within);
}

function parts(list: Node): Node[] {
  return list.namedChildren.filter(child => child !== null && child.type !== 'comment') as Node[];
}
