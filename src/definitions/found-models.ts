// The models that recurrent layers stand in: a Sequential, a class, a builder function, or a whole script; and the
// widths that pass from layer to layer.
import { type Binding, rangeOf, type Scope } from './code/expression.ts';
import type { Node } from './code/syntax.ts';
import { countParameters } from './counts.ts';
import { CONVENTION_OF, type FoundLayer, type FoundModel, type Origin } from './definition.ts';
import { INPUT_SHAPES, type SourceReader } from './found-layers.ts';
import type { Role } from './frameworks/framework.ts';
import { functionalModels } from './functional.ts';
import { Shapes } from './shapes.ts';
import type { Steps } from './steps.ts';
import { WEIGHT_HH, withBeginning } from './torch-beginning.ts';
import { withActivation } from './torch-forward.ts';

/** Where a model is made, before its layers are gathered. */
interface Site {
  kind: FoundModel['kind'];
  name: string;
  /** the node that all its layers stand in or are added to */
  node: Node;
  /** where the lenses stand */
  place: Node;
  /** the variable that layers are added to */
  variable: string | null;
  /** of a functional model: the calls that make its layers */
  graph?: ReadonlySet<Node>;
  /** of what stands in no functional model: the calls of those that are */
  beside?: ReadonlySet<Node>;
}

export function* findModels(
  reader: SourceReader,
  recurrent: readonly FoundLayer[],
  nodes: readonly Node[],
): Steps<FoundModel[]> {
  const setsWeights = reader.text.includes(WEIGHT_HH);
  const sites = new Map<string, { site: Site; recurrent: FoundLayer[]; nodes: Node[] }>();
  for (const [index, layer] of recurrent.entries()) {
    const node = nodes[index]!;
    const site = siteOf(reader, node);
    const key = `${site.node.id} ${site.variable ?? ''}`;
    const known = sites.get(key) ?? { site, recurrent: [], nodes: [] };
    const begins = setsWeights && layer.framework === 'torch';
    known.recurrent.push(begins ? withBeginning(layer, node, site.node) : layer);
    known.nodes.push(node);
    sites.set(key, known);
    yield;
  }
  const models: FoundModel[] = [];
  for (const each of [...sites.values()].flatMap(whole => apart(reader, whole))) {
    models.push(modelOf(reader, each.site, each.recurrent));
    yield;
  }
  return withOwnNames(models);
}

/** The models that one function or script makes with `keras.Model`, where there are several. */
function apart(
  reader: SourceReader,
  whole: { site: Site; recurrent: FoundLayer[]; nodes: Node[] },
): { site: Site; recurrent: FoundLayer[] }[] {
  const { site, recurrent, nodes } = whole;
  const isOne = site.variable !== null || (site.kind !== 'functional' && site.kind !== 'function');
  if (isOne || recurrent[0]!.framework === 'torch') return [whole];
  const graphs = functionalModels(reader, site.node);
  const own = (graph: ReadonlySet<Node>) => recurrent.filter((_, index) => graph.has(nodes[index]!));
  const found: { site: Site; recurrent: FoundLayer[] }[] = [];
  for (const { call, layers } of graphs) {
    const within = own(layers);
    // the encoder of a model that stands here too is a view of it
    const isView = found.some(each => within.every(layer => each.recurrent.includes(layer)));
    if (within.length === 0 || isView) continue;
    const name = assignedTo(call) ?? site.name;
    found.push({
      site: { ...site, kind: 'functional', name, place: statementOf(call), graph: layers },
      recurrent: within,
    });
  }
  const [only] = found;
  const rest = recurrent.filter(layer => !found.some(each => each.recurrent.includes(layer)));
  if (found.length === 0 || !only) return [whole];
  if (found.length === 1 && rest.length === 0)
    return [{ site: { ...site, graph: only.site.graph! }, recurrent: only.recurrent }];
  const beside = new Set(graphs.flatMap(({ layers }) => [...layers]));
  return rest.length === 0 ? found : [...found, { site: { ...site, beside }, recurrent: rest }];
}

/** A script that makes `model` three times has a "model", a "model 2" and a "model 3": runs and buttons go by the name. */
function withOwnNames(models: readonly FoundModel[]): FoundModel[] {
  const times = new Map<string, number>();
  return models.map(model => {
    const time = (times.get(model.name) ?? 0) + 1;
    times.set(model.name, time);
    return time === 1 ? model : { ...model, name: `${model.name} ${time}` };
  });
}

// ---------------------------------------------------------------- where

function siteOf(reader: SourceReader, node: Node): Site {
  return insideSequential(reader, node) ?? addedTo(reader, node) ?? definedIn(reader, node);
}

/** `Sequential([LSTM(…)])`, `tf.sequential({layers: [tf.layers.lstm(…)]})`, `nn.Sequential(nn.LSTM(…))` */
function insideSequential(reader: SourceReader, node: Node): Site | null {
  for (let here = node.parent; here; here = here.parent) {
    if (!reader.dialect.calls.includes(here.type)) continue;
    const known = reader.known(here);
    if (known?.maker.role !== 'model' || !/sequential/i.test(known.maker.name)) continue;
    const scope = definedIn(reader, here);
    if (scope.kind === 'class') return scope;
    const variable = assignedTo(here);
    return {
      kind: 'sequential',
      name: variable ?? scope.name,
      node: here,
      place: scope.kind === 'function' ? scope.place : statementOf(here),
      variable,
    };
  }
  return null;
}

/** `model.add(LSTM(…))`, also where a wrapper stands between */
function addedTo(reader: SourceReader, node: Node): Site | null {
  for (let here = node.parent; here; here = here.parent) {
    if (!reader.dialect.calls.includes(here.type)) continue;
    const call = reader.dialect.expression(here);
    if (call.kind !== 'call' || call.callee.kind !== 'member' || call.callee.name !== 'add') continue;
    const { object } = call.callee;
    const [made] = reader.resolver.definitions(object);
    if (object.kind !== 'name' || made?.kind !== 'call') return null;
    const known = reader.known(made.node);
    if (known?.maker.role !== 'model') return null;
    const scope = definedIn(reader, made.node);
    return {
      kind: 'sequential',
      name: scope.kind === 'function' ? scope.name : object.name,
      node: made.node,
      place: scope.kind === 'functional' ? statementOf(made.node) : scope.place,
      variable: object.name,
    };
  }
  return null;
}

/** The class, else the function, else the script. */
function definedIn(reader: SourceReader, node: Node): Site {
  let outermost: Scope | null = null;
  for (let scope: Scope | null = reader.dialect.scopeOf(node); scope; scope = scope.parent) {
    if (scope.kind === 'class') return site('class', scope);
    if (scope.kind === 'function') outermost ??= scope;
    if (!scope.parent || scope.kind === 'module') {
      if (outermost) return site('function', outermost);
      return {
        kind: 'functional',
        name: 'model',
        node: scope.node,
        place: statementOf(node),
        variable: null,
      };
    }
  }
  return { kind: 'functional', name: 'model', node, place: statementOf(node), variable: null };
}

function site(kind: 'class' | 'function', { node }: Scope): Site {
  const name = node.childForFieldName('name')?.text ?? assignedTo(node) ?? 'model';
  return {
    kind,
    name,
    node,
    place: kind === 'function' && !node.childForFieldName('name') ? statementOf(node) : node,
    variable: null,
  };
}

function assignedTo(node: Node): string | null {
  for (let here: Node | null = node.parent, hops = 0; here && hops < 3; here = here.parent, hops++) {
    const target =
      here.childForFieldName('left') ??
      (here.type === 'variable_declarator' ? here.childForFieldName('name') : null);
    if (target) return target.text;
  }
  return null;
}

function statementOf(node: Node): Node {
  let here = node;
  while (
    here.parent &&
    !/(_statement|_declaration)$/.test(here.type) &&
    here.parent.type !== 'module' &&
    here.parent.type !== 'program'
  )
    here = here.parent;
  return here;
}

// ---------------------------------------------------------------- its layers

const SHOWN: ReadonlySet<Role> = new Set([
  'recurrent',
  'embedding',
  'dense',
  'dropout',
  'keeps',
  'repeat',
  'sequence',
  'other',
  'input',
]);

function modelOf(
  reader: SourceReader,
  { kind, name, node, place, variable, graph, beside }: Site,
  own: FoundLayer[],
): FoundModel {
  const { framework } = own[0]!;
  const within = [...new Set([node, ...(variable ? addCalls(reader, node, variable) : [])])];
  const calls = within.flatMap(each => reader.layersWithin(each, framework));
  const seen = new Set<number>();
  const layers: FoundLayer[] = [...own];
  for (const call of calls) {
    const { node: at } = call.expression;
    if (seen.has(at.id) || !SHOWN.has(call.maker.role) || beside?.has(at)) continue;
    if (reader.isBackward(at) || (graph && !graph.has(at))) continue;
    // a Sequential beside it is a model of its own
    if (kind === 'functional' && siteOf(reader, at).node !== node) continue;
    seen.add(at.id);
    const isOwn = own.some(
      ({ callRange }) =>
        callRange.offset === at.startIndex && callRange.length === at.endIndex - at.startIndex,
    );
    if (!isOwn) layers.push(withActivation(reader.inContexts(call), at, node));
  }
  const ordered = layers.sort((a, b) => a.callRange.offset - b.callRange.offset);
  if (framework !== 'torch')
    countThrough(
      reader,
      ordered,
      calls.map(({ expression }) => expression.node),
    );
  // what is added to a variable stands around it
  const text = variable ? reader.dialect.scopeOf(node).node : node;
  return {
    framework,
    kind,
    name,
    range: rangeOf(place),
    layers: ordered,
    isBroken: isBroken(reader, text),
    isKept: false,
  };
}

/** An error beside it may be its own rest, which the parser could not tell to be one. */
function isBroken(reader: SourceReader, node: Node): boolean {
  for (let here: Node | null = node; here; here = here.parent) if (here.isError) return true;
  return reader.hasError(node) || (node.nextSibling?.isError ?? false);
}

/** What is added to a model's variable after it was made, up to where the variable is made anew. */
function addCalls(reader: SourceReader, made: Node, variable: string): Node[] {
  const scope = reader.dialect.scopeOf(made);
  const next = scope.bindings(variable).find(({ node }: Binding) => node.startIndex > made.endIndex);
  const end = next?.node.startIndex ?? scope.node.endIndex;
  return reader
    .callsOf(variable, 'add', made.startIndex, end)
    .filter(node => reader.dialect.scopeOf(node) === scope);
}

/** Where the width stands that a layer's own input shape has by default. */
function declaredAt({ options }: FoundLayer, width: number): Origin | null {
  for (const name of INPUT_SHAPES) {
    const given = options.get(name);
    if (given?.value === null && given.fallback === width) return given.from ?? null;
  }
  return null;
}

/** Keras and tfjs tell no layer the width of its input: it follows from what it reads. */
function countThrough(reader: SourceReader, layers: readonly FoundLayer[], calls: readonly Node[]): void {
  const byPlace = new Map(calls.map(call => [`${call.startIndex} ${call.endIndex}`, call]));
  const [known, usual] = [new Shapes(reader, layers, 'known'), new Shapes(reader, layers, 'usual')];
  const ends = [new Shapes(reader, layers, 'least'), new Shapes(reader, layers, 'most')];
  for (const layer of layers) {
    const { recurrent, callRange } = layer;
    const call = byPlace.get(`${callRange.offset} ${callRange.offset + callRange.length}`);
    if (!recurrent || !call) continue;
    const value = known.widthBefore(call);
    const fallback = value === null ? usual.widthBefore(call) : null;
    const from = fallback === null ? null : declaredAt(layer, fallback);
    recurrent.inputSize = { ...recurrent.inputSize, value, fallback, ...(from && { from }) };
    const widths = value === null ? ends.map(each => each.widthBefore(call)) : [];
    const isRange = widths.length > 0 && widths.every(width => width !== null);
    if (isRange && (fallback === null || widths[0] !== widths[1]))
      recurrent.inputSize.called = widths.map(width => ({ value: null, fallback: width, from: null }));
    // cuDNN's LSTM has a bias for each product, as PyTorch's has
    const convention = layer.name === 'CuDNNLSTM' ? 'pytorch' : CONVENTION_OF[layer.framework];
    countParameters(recurrent, convention, layer.options);
  }
}
