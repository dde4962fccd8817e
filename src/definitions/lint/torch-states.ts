// PyTorch: the last state of a recurrent layer, one vector a sequence: `h[-1]` of `out, h = gru(x)` and of
// `out, (h, c) = lstm(x)`, and the states of both directions behind each other.
import type { CallOf, Expression } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import type { FoundLayer } from '../definition.ts';
import { assignmentTo } from './last-step.ts';
import { type LintSource, nameOf } from './source.ts';

export interface StateWidth {
  width: number;
  /** what gives it, as a sentence names it */
  by: string;
  /** of a layer with two directions: the expression that takes one of them */
  oneOfBoth: Node | null;
}

/** `h[-1]`, `h[0]`, `h[-1, :, :]`, `hidden[0][-1]`, `torch.cat((h[-2], h[-1]), dim=1)`; null for what is none. */
export function stateWidth(source: LintSource, expression: Expression): StateWidth | null {
  if (expression.kind === 'call') return ofBoth(source, expression);
  if (expression.kind !== 'index' || !isOneState(expression.node)) return null;
  const layer = layerOfState(source, expression.object);
  const recurrent = layer?.recurrent;
  if (!layer || !recurrent || recurrent.units.value === null || recurrent.bidirectional.value === null)
    return null;
  const isBoth = recurrent.bidirectional.value;
  return {
    width: recurrent.units.value,
    by: `the last state of ${isBoth ? 'one direction of ' : ''}the ${nameOf(layer)} before it`,
    oneOfBoth: isBoth ? expression.node : null,
  };
}

/** One of the first dimension, all of the others. */
function isOneState(node: Node): boolean {
  const [first, ...rest] = node.childrenForFieldName('subscript');
  return /^-?\s*\d+$/.test(first?.text ?? '') && rest.length < 3 && rest.every(part => part?.text === ':');
}

function ofBoth(source: LintSource, { callee, positional, named }: CallOf): StateWidth | null {
  const name = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
  if (!/^(?:cat|concat|concatenate)$/.test(name)) return null;
  const [list] = positional;
  const axis = (named.get('dim') ?? named.get('axis'))?.value ?? positional[1];
  const place = axis ? source.reader.resolver.value(axis) : null;
  if (list?.kind !== 'list' || place?.kind !== 'known' || (place.value !== 1 && place.value !== -1))
    return null;
  const parts = list.items.map(item => stateWidth(source, item));
  if (parts.length === 0 || parts.some(part => part === null)) return null;
  const width = parts.reduce((sum, part) => sum + part!.width, 0);
  return { width, by: `the ${parts.length} states before it, behind each other,`, oneOfBoth: null };
}

/** The layer whose states, `(layers · directions, batch, units)`, an expression surely holds. */
function layerOfState(source: LintSource, states: Expression): FoundLayer | null {
  // `hidden[0]` of an LSTM's pair
  const isPair = states.kind === 'index';
  if (isPair && !(states.index.kind === 'constant' && states.index.value === 0)) return null;
  const name = isPair ? states.object : states;
  if (name.kind !== 'name') return null;
  const bound = assignmentTo(source, name.node);
  const targets = bound?.assignment.childForFieldName('left')?.namedChildren ?? [];
  const value = bound?.assignment.childForFieldName('right');
  if (!bound || !value || targets.length !== 2) return null;
  const call = source.expression(value);
  const known = call.kind === 'call' ? source.knownCall(call.callee) : null;
  const layer = known && source.layerAt(known.expression.node)?.layer;
  if (!layer?.isWhole || layer.framework !== 'torch' || layer.recurrent?.isCell) return null;
  const projection = layer.options.get('proj_size');
  if (projection && projection.value !== 0) return null;
  const second = targets[1]!;
  const isWhole = second.id === bound.target.id;
  const isFirst =
    /^tuple_pattern|^pattern_list/.test(second.type) && second.namedChild(0)?.id === bound.target.id;
  const isOfLstm = layer.recurrent?.cell === 'LSTM';
  if (layer.recurrent?.cell === null) return null;
  return (isOfLstm ? (isPair ? isWhole : isFirst) : isWhole && !isPair) ? layer : null;
}
