// PyTorch: `out[:, -1]` and `out[-1]`, which are the last time step only in the order that the layer gives, and only
// where no sequence was padded.
import type { Branch } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import { replace, setArgument } from './edits.ts';
import type { Rule, TextEdit, TextFix } from './finding.ts';
import { type LayerCall, type LintSource, nameOf, rangeOf } from './source.ts';
import { hasTorch } from './torch-names.ts';

const LAST = /\[\s*(?::\s*,\s*)?-\s*1\s*[,\]]/g;
const PADDED = /\b(?:pad_sequence|pack_padded_sequence|pad_packed_sequence)\s*\(/;
/** padded in front, the last step is the last of every sequence */
const LEFT = /padding_side\s*=\s*["']left/;

/** A place where -1 is taken from what recurrent layers gave, in the first or the second dimension. */
interface LastStep {
  node: Node;
  name: string;
  dimension: 0 | 1;
  /** the layers that may have given it; none where it was unpacked from a packed sequence */
  layers: LayerCall[];
  batchFirst: boolean;
  /** the variable with the lengths that unpacking gave */
  lengths: string | null;
}

export const wrongDimension: Rule = source =>
  lastSteps(source).flatMap(({ node, name, dimension, layers, batchFirst }) => {
    const [first] = layers;
    if (!first || batchFirst === (dimension === 1)) return [];
    const kind = nameOf(first.layer);
    return {
      id: 'torch-batch-first',
      severity: 'hint',
      message: batchFirst
        ? `\`${node.text}\` is the last sequence of the batch, not the last time step: this ${kind} has batch_first=True, so \`${name}\` is (batch, time, units).`
        : `\`${node.text}\` is the last sequence of the batch, not the last time step: this ${kind} has no batch_first=True, so \`${name}\` is (time, batch, units).`,
      range: rangeOf(node),
      fixes: batchFirst ? takeTime(source, node) : giveBatchFirst(source, layers),
    };
  });

export const lastOfPadded: Rule = source => {
  if (!PADDED.test(source.text) || LEFT.test(source.text)) return [];
  return lastSteps(source).flatMap(({ node, name, dimension, batchFirst, lengths }) => {
    if (batchFirst !== (dimension === 1)) return [];
    return {
      id: 'torch-last-step-padded',
      severity: 'hint',
      message: `\`${node.text}\` is padding for every sequence that is shorter than the longest: sequences are padded in this file, and the last step of each stands at its own length.`,
      range: rangeOf(node),
      fixes:
        lengths && hasTorch(source) && isWhole(node, dimension)
          ? takeAtLengths(source, node, name, dimension, lengths)
          : [],
    };
  });
};

// ---------------------------------------------------------------- fixes

function giveBatchFirst(source: LintSource, layers: readonly LayerCall[]): TextFix[] {
  const edits = layers.map(({ layer, call }) => {
    const { text, range } = layer.options.get('batch_first')!;
    const byPlace = call.positional.find(({ node }) => node.startIndex === range?.offset);
    if (byPlace) return replace(source, byPlace.node, 'True');
    return text && !call.named.has('batch_first') ? null : setArgument(source, call, 'batch_first', 'True');
  });
  if (edits.includes(null)) return [];
  return [{ title: 'Give the layer batch_first=True', edits: edits as TextEdit[] }];
}

function takeTime(source: LintSource, node: Node): TextFix[] {
  const [last, time, ...rest] = node.childrenForFieldName('subscript') as Node[];
  if (rest.length > 1 || (time && time.text !== ':')) return [];
  const range = source.range(last!.startIndex, (time ?? last!).endIndex);
  return [{ title: 'Take the last time step: [:, -1]', edits: [{ range, text: ':, -1' }] }];
}

function takeAtLengths(
  source: LintSource,
  node: Node,
  name: string,
  dimension: 0 | 1,
  lengths: string,
): TextFix[] {
  const [each, last] = [`torch.arange(${name}.size(${dimension === 1 ? 0 : 1}))`, `${lengths} - 1`];
  const text = `${name}[${dimension === 1 ? `${each}, ${last}` : `${last}, ${each}`}]`;
  return [
    { title: `Take the last step of each sequence, by ${lengths}`, edits: [replace(source, node, text)] },
  ];
}

/** `[:, -1]` or `[:, -1, :]`, not `[:, -1, 3]` */
function isWhole(node: Node, dimension: 0 | 1): boolean {
  const rest = node.childrenForFieldName('subscript').slice(dimension + 1);
  return rest.every(each => each?.text === ':');
}

// ---------------------------------------------------------------- where

function lastSteps(source: LintSource): LastStep[] {
  if (!source.isPython || source.of('torch').length === 0) return [];
  return source.around(LAST, ['subscript']).flatMap(node => {
    const value = node.childForFieldName('value');
    const indices = node.childrenForFieldName('subscript');
    const dimension = isMinusOne(indices[0])
      ? 0
      : indices[0]?.text === ':' && isMinusOne(indices[1])
        ? 1
        : null;
    if (value?.type !== 'identifier' || dimension === null) return [];
    const origin = originOf(source, value);
    return origin ? [{ node, name: value.text, dimension, ...origin }] : [];
  });
}

function isMinusOne(node: Node | null | undefined): boolean {
  return node?.type === 'unary_operator' && /^-\s*1$/.test(node.text);
}

type Origin = Pick<LastStep, 'layers' | 'batchFirst' | 'lengths'>;

/** Where a variable's value was surely made, if by recurrent layers or by unpacking. */
function originOf(source: LintSource, name: Node, depth = 0): Origin | null {
  const bound = boundBy(source, name);
  if (!bound) return null;
  return bound.isFirst ? ofPair(source, bound.value, bound.second) : ofOne(source, bound.value, depth);
}

/** What surely bound a name last: a value, or the first part of one. */
export function boundBy(
  source: LintSource,
  name: Node,
): { value: Node; isFirst: boolean; second: Node | null } | null {
  const bound = assignmentTo(source, name);
  if (!bound) return null;
  const [left, right] = [
    bound.assignment.childForFieldName('left')!,
    bound.assignment.childForFieldName('right')!,
  ];
  const targets = left.type === 'identifier' ? null : left.namedChildren;
  if (targets && targets[0]?.id !== bound.target.id) return null;
  return { value: right, isFirst: targets !== null, second: targets?.[1] ?? null };
}

/** The assignment that surely bound a name last, and the name in it. */
export function assignmentTo(source: LintSource, name: Node): { assignment: Node; target: Node } | null {
  const { dialect } = source.reader;
  const made = dialect
    .scopeOf(name)
    .bindings(name.text)
    .filter(({ node }) => node.startIndex < name.startIndex)
    // `out = norm(out)`: what is bound there is not what is read there
    .filter(({ node }) => (assignmentOf(node)?.endIndex ?? 0) <= name.startIndex)
    .at(-1);
  const assignment = made && assignmentOf(made.node);
  if (!assignment || !reaches(dialect.branches(made.node), dialect.branches(name))) return null;
  return { assignment, target: made.node };
}

function assignmentOf(node: Node): Node | null {
  for (let here = node.parent, hops = 0; here && hops < 3; here = here.parent, hops++)
    if (here.type === 'assignment') return here.childForFieldName('right') ? here : null;
  return null;
}

/** Surely run before, and not made anew in a loop that the place stands in. */
function reaches(there: readonly Branch[], here: readonly Branch[]): boolean {
  if (!there.every((branch, index) => here[index]?.id === branch.id && here[index]?.arm === branch.arm))
    return false;
  return here.slice(there.length).every(({ isLoop }) => !isLoop);
}

/** `out, hidden = lstm(x)`, `out, lengths = pad_packed_sequence(packed)` */
function ofPair(source: LintSource, right: Node, second: Node | null | undefined): Origin | null {
  const call = source.expression(right);
  if (call.kind !== 'call') return null;
  const name = call.callee.kind === 'member' || call.callee.kind === 'name' ? call.callee.name : '';
  if (name === 'pad_packed_sequence') {
    const given = call.named.get('batch_first')?.value ?? call.positional[1];
    const batchFirst = given ? source.reader.resolver.value(given) : null;
    if (batchFirst && (batchFirst.kind !== 'known' || typeof batchFirst.value !== 'boolean')) return null;
    const lengths = second?.type === 'identifier' && !/^_+$/.test(second.text) ? second.text : null;
    return { layers: [], batchFirst: batchFirst?.value === true, lengths };
  }
  return ofLayers(source, right);
}

/** `out = lstm(x)[0]`, `out = dropout(out)` */
function ofOne(source: LintSource, right: Node, depth: number): Origin | null {
  const value = source.expression(right);
  if (value.kind === 'index' && value.index.kind === 'constant' && value.index.value === 0)
    return value.object.kind === 'call' ? ofLayers(source, value.object.node) : null;
  if (value.kind !== 'call' || value.positional.length !== 1 || depth > 3) return null;
  const through = source.knownCall(value.callee);
  const [argument] = value.positional;
  const keeps = through?.maker.role === 'dropout' || through?.maker.name === 'LayerNorm';
  return keeps && argument!.kind === 'name' ? originOf(source, argument!.node, depth + 1) : null;
}

function ofLayers(source: LintSource, node: Node): Origin | null {
  const call = source.expression(node);
  if (call.kind !== 'call') return null;
  const layers = source.reader.resolver.definitions(call.callee).map(each => source.layerAt(each.node));
  const batchFirst = layers.map(found =>
    found?.layer.isWhole ? found.layer.recurrent?.batchFirst?.value : null,
  );
  const [order] = batchFirst;
  if (typeof order !== 'boolean' || batchFirst.some(each => each !== order)) return null;
  return { layers: layers as LayerCall[], batchFirst: order, lengths: null };
}
