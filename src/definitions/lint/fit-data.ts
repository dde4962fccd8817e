// Keras and TensorFlow.js: data of two dimensions to the `fit` of a model whose first layer reads sequences.
import type { Expression } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import type { Dim } from '../layer-shapes.ts';
import { replace } from './edits.ts';
import type { Rule, TextFix } from './finding.ts';
import { outermost } from './neighbours.ts';
import { type LayerCall, type LintSource, nameOf, rangeOf } from './source.ts';

const FITS = /\.fit(?=\s*\()/g;

interface Begun {
  /** the call that makes the model, or its Input */
  by: Node;
  layer: LayerCall;
  dims: readonly Dim[];
}

export const fitData: Rule = source => {
  const fits = source.matches(FITS);
  if (fits.length === 0) return [];
  const begun = [...source.of('keras'), ...source.of('tfjs')].flatMap(layer => begins(source, layer));
  if (begun.length === 0) return [];
  return fits.flatMap(({ 0: match, index }) => {
    const node = source.reader.callThatEndsIn(index! + match.length);
    const call = node && !node.hasError ? source.expression(node) : null;
    if (call?.kind !== 'call' || call.callee.kind !== 'member') return [];
    const data = call.positional[0] ?? call.named.get('x')?.value;
    const model = source.knownCall(call.callee.object)?.expression.node;
    const first =
      model && begun.find(({ by }) => by.equals(model) || by.equals(inputOf(source, model) ?? model));
    if (!data || !first || !isFlat(source, data)) return [];
    const { layer } = first.layer;
    return {
      id: 'fit-two-dimensions',
      severity: 'warning',
      message: `\`${data.node.text}\` has two dimensions, but the ${nameOf(layer)} in line ${layer.range.line} reads three (samples, steps, features): fit fails.`,
      range: rangeOf(data.node),
      fixes: asSequences(source, data, first.dims),
    };
  });
};

/** A layer that is the first of a model and says that it reads steps of features. */
function begins(source: LintSource, layer: LayerCall): Begun[] {
  const { node } = layer.call;
  if (layer.layer.recurrent?.isCell || layer.layer.inLoop || layer.layer.isConditional) return [];
  const shapes = source.shapesAround(layer.layer);
  const dims = shapes?.shapeBefore(node).dims;
  const maker = dims?.length === 2 ? shapes!.makerBefore(node) : null;
  if (!dims || !maker) return [];
  const whole = outermost(source, node);
  const isInput = source.reader.known(maker)?.maker.role === 'input';
  if (!isInput && !maker.equals(node) && !maker.equals(whole)) return [];
  const model = modelAround(source, whole);
  return [...(model ? [{ by: model, layer, dims }] : []), ...(isInput ? [{ by: maker, layer, dims }] : [])];
}

/** The Sequential that a layer stands in, or is added to. */
function modelAround(source: LintSource, layer: Node): Node | null {
  for (let here = layer.parent, hops = 0; here && hops < 6; here = here.parent, hops++) {
    if (!source.reader.dialect.calls.includes(here.type)) continue;
    const known = source.reader.known(here);
    if (known) return known.maker.role === 'model' ? here : null;
    const call = source.expression(here);
    const isAdd = call.kind === 'call' && call.callee.kind === 'member' && call.callee.name === 'add';
    return isAdd
      ? (source.knownCall((call.callee as { object: Expression }).object)?.expression.node ?? null)
      : null;
  }
  return null;
}

/** The one Input of `Model(inputs, outputs)`. */
function inputOf(source: LintSource, model: Node): Node | null {
  const call = source.reader.known(model)?.expression;
  const given = call && ((call.named.get('inputs') ?? call.named.get('input'))?.value ?? call.positional[0]);
  const items = given?.kind === 'list' ? given.items : given ? [given] : [];
  return items.length === 1 ? (source.knownCall(items[0]!)?.expression.node ?? null) : null;
}

function isFlat(source: LintSource, data: Expression): boolean {
  const { resolver } = source.reader;
  const shape = resolver.shapeOf(data);
  if (shape) return shape.length === 2;
  const made = resolver.definitions(data);
  return (
    !source.isPython &&
    made.length > 0 &&
    made.every(
      each => each.kind === 'call' && each.callee.kind === 'member' && each.callee.name === 'tensor2d',
    )
  );
}

/** One feature at each step, or one step of all features, as the layer says. */
function asSequences(source: LintSource, data: Expression, [steps, features]: readonly Dim[]): TextFix[] {
  const { text } = data.node;
  if (data.kind !== 'name' || (features !== 1 && steps !== 1)) return [];
  const isOne = features === 1;
  const written = source.isPython
    ? `${text}.reshape((${text}.shape[0], ${isOne ? `${text}.shape[1], 1` : `1, ${text}.shape[1]`}))`
    : `${text}.expandDims(${isOne ? 2 : 1})`;
  return [
    {
      title: isOne ? 'Give each step one feature' : 'Make each sample a sequence of one step',
      edits: [replace(source, data.node, written)],
    },
  ];
}
