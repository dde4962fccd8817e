// RNN, GRU and LSTM as ONNX's nodes of the same names. Their gates stand in the order i o f c and z r h; here it is
// i f g o and r z n. Both biases stand in one row; a convention that has only one gets zeros for the other.
import { resetsAfter } from '../../../experiment/layers/gru.ts';
import { directionsOf, type RecurrentFields } from '../../../experiment/layers/recurrent.ts';
import type { RnnActivation } from '../../../experiment/layers/rnn.ts';
import type { RecurrentLayer } from '../../../experiment/schema.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import { mergesEnds } from '../pytorch/recurrent-fields.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { Made, OnnxLayer } from './kind.ts';
import type { Attribute } from './proto.ts';

interface Node {
  op: 'RNN' | 'GRU' | 'LSTM';
  /** places of our gates in ONNX's order */
  order: readonly number[];
  attributes: Readonly<Record<string, Attribute>>;
  /** peepholes, of one direction */
  peephole?(end: string): ArrayLike<number> | null;
}

/** What its fields ask for and a plain node of another framework has not; null: nothing. */
export function lackedBy(layer: RecurrentLayer): string | null {
  if (layer.initialState === 'learned') return 'a learned initial state';
  if (layer.zoneout) return 'zoneout, which also changes what is predicted';
  if (mergesEnds(layer)) return `the merge "${layer.merge}"`;
  if (layer.residual && layer.layers > 1) return 'a residual inside of a stack';
  if (layer.type !== 'lstm') return null;
  if (layer.projection) return 'a projection';
  if (layer.coupledGates) return 'coupled gates';
  return layer.layerNorm ? 'layer norm inside of the cell' : null;
}

/** Names in ONNX, with what they are given: a slope, a factor and a summand. */
const ACTIVATIONS: Readonly<Record<RnnActivation, { name: string; alpha?: number; beta?: number }>> = {
  tanh: { name: 'Tanh' },
  relu: { name: 'Relu' },
  sigmoid: { name: 'Sigmoid' },
  'leaky-relu': { name: 'LeakyRelu', alpha: 0.01 },
  linear: { name: 'Affine', alpha: 1, beta: 0 },
};

export const rnn: OnnxLayer<'rnn'> = {
  lacks: lackedBy,
  build(graph, x, made) {
    const { name, alpha, beta } = ACTIVATIONS[made.layer.activation];
    const each = <V>(value: V) => new Array<V>(directionsOf(made.layer)).fill(value);
    const attributes = {
      activations: each(name),
      ...(alpha === undefined ? {} : { activation_alpha: { floats: each(alpha) } }),
      ...(beta === undefined ? {} : { activation_beta: { floats: each(beta) } }),
    };
    return stacked(graph, x, made, { op: 'RNN', order: [0], attributes });
  },
};

export const gru: OnnxLayer<'gru'> = {
  lacks: lackedBy,
  build(graph, x, made) {
    const after = resetsAfter(made.at.convention, made.layer.resetAfter);
    const attributes = { linear_before_reset: after ? 1 : 0 };
    return stacked(graph, x, made, { op: 'GRU', order: [1, 0, 2], attributes });
  },
};

export const lstm: OnnxLayer<'lstm'> = {
  lacks: lackedBy,
  build(graph, x, made) {
    const { units, peephole } = made.layer;
    return stacked(graph, x, made, {
      op: 'LSTM',
      order: [0, 3, 1, 2],
      attributes: {},
      peephole: end => {
        const own = peephole ? made.weight(`peephole_${end}`) : null;
        return own && inOrder(own.data, units, [0, 2, 1]);
      },
    });
  },
};

function stacked<T extends 'rnn' | 'gru' | 'lstm'>(
  graph: GraphBuilder,
  x: string,
  made: Made<T>,
  node: Node,
): string {
  const { units, layers } = made.layer as RecurrentFields;
  const both = directionsOf(made.layer as RecurrentFields) === 2;
  let here = x;
  for (let level = 0; level < layers; level++) {
    const ends = both ? [`l${level}`, `l${level}_reverse`] : [`l${level}`];
    const joined = (parts: (end: string) => ArrayLike<number>) =>
      Float32Array.from(ends.flatMap(end => Array.from(parts(end))));
    const blocks = (end: string, name: string) =>
      inOrder(weightOf(made, `${name}_${end}`).data, units, node.order);
    const inputs = weightOf(made, `weight_ih_l${level}`).shape[1]!;
    const rows = node.order.length * units;
    const bias = (end: string) => {
      const hidden = made.weight(`bias_hh_${end}`);
      const own = blocks(end, 'bias_ih');
      return [...own, ...(hidden ? inOrder(hidden.data, units, node.order) : new Float32Array(rows))];
    };
    const given = [
      here,
      graph.floats(
        joined(end => blocks(end, 'weight_ih')),
        [ends.length, rows, inputs],
      ),
      graph.floats(
        joined(end => blocks(end, 'weight_hh')),
        [ends.length, rows, units],
      ),
      graph.floats(joined(bias), [ends.length, 2 * rows]),
    ];
    const { paired } = made;
    const hasCell = node.op === 'LSTM';
    const begin = paired?.begin(level);
    const state = (values: string | undefined) =>
      values ? graph.add('Unsqueeze', [values, graph.ints(0)]) : '';
    given.push(paired?.lengths ?? '', state(begin?.h), ...(hasCell ? [state(begin?.c)] : []));
    if (node.peephole?.(ends[0]!))
      given.push(
        graph.floats(
          joined(end => node.peephole!(end)!),
          [ends.length, 3 * units],
        ),
      );
    while (given.at(-1) === '') given.pop();
    const direction = both ? 'bidirectional' : 'forward';
    const attributes = { hidden_size: units, direction, ...node.attributes };
    // y (steps, directions, batch, units), h and c (directions, batch, units)
    const [y, h, c] = graph.addNode(node.op, given, attributes, paired ? (hasCell ? 3 : 2) : 1);
    const turned = graph.add('Transpose', [y!], { perm: [0, 2, 1, 3] });
    here = graph.add('Reshape', [turned, graph.ints(0, 0, -1)]);
    const sideBySide = (part: string) =>
      graph.add('Reshape', [graph.add('Transpose', [part], { perm: [1, 0, 2] }), graph.ints(0, -1)]);
    paired?.end(level, { h: sideBySide(h!), ...(c && { c: sideBySide(c) }) });
  }
  return here;
}

function weightOf<T extends 'rnn' | 'gru' | 'lstm'>(made: Made<T>, name: string): NamedTensor {
  const weight = made.weight(name);
  if (!weight) throw new Error(`a recurrent layer without ${name}`);
  return weight;
}

/** Blocks of rows, one for each gate: `order` names ours in the order that is wanted. */
export function inOrder(data: ArrayLike<number>, units: number, order: readonly number[]): Float32Array {
  const size = data.length / order.length;
  if (!Number.isInteger(size) || size % units !== 0) throw new Error('weights of another number of gates');
  const result = new Float32Array(data.length);
  for (const [place, gate] of order.entries())
    for (let i = 0; i < size; i++) result[place * size + i] = data[gate * size + i]!;
  return result;
}
