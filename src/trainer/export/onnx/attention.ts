// Attention over an encoder's outputs as products, a softmax over the source, and a sum.
import { comparedWidth, isAdditive } from '../../../experiment/layers/attention.ts';
import { transposed } from './dense.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { Made, OnnxLayer } from './kind.ts';

/** exp of it is 0. */
const NEVER = -1e30;

export const attention: OnnxLayer<'attention'> = {
  lacks: ({ locationSensitive }) =>
    locationSensitive ? "attention that reads the step before's shares (`locationSensitive`)" : null,
  build(graph, h, made) {
    const { states, inside } = made.paired!.memory!;
    // (batch, source steps, width)
    const bySequence = graph.add('Transpose', [states], { perm: [1, 0, 2] });
    const e = isAdditive(made.layer) ? additive(graph, h, states, made) : product(graph, h, bySequence, made);
    const valid = graph.add('Unsqueeze', [graph.add('Transpose', [inside], { perm: [1, 0] }), graph.ints(1)]);
    const shares = graph.add('Softmax', [graph.add('Where', [valid, e, graph.scalar(NEVER)])], { axis: 2 });
    const sum = graph.add('MatMul', [shares, bySequence]);
    return graph.add('Concat', [graph.add('Transpose', [sum], { perm: [1, 0, 2] }), h], { axis: 2 });
  },
};

/** @returns (batch, steps, source steps) */
function additive(graph: GraphBuilder, h: string, states: string, made: Made<'attention'>): string {
  const { layer, at } = made;
  const compared = comparedWidth(layer, at.memory!);
  const query = projected(graph, h, made, 'query.weight', compared, at.inputs);
  const key = projected(graph, states, made, 'key.weight', compared, at.memory!);
  const pairs = graph.add('Add', [
    graph.add('Unsqueeze', [query, graph.ints(1)]),
    graph.add('Unsqueeze', [key, graph.ints(0)]),
  ]);
  // (steps, source steps, batch, 1)
  const e = projected(graph, graph.add('Tanh', [pairs]), made, 'v.weight', 1, compared);
  return graph.add('Transpose', [graph.add('Squeeze', [e, graph.ints(3)])], { perm: [2, 0, 1] });
}

/** `states`: (batch, source steps, width). @returns (batch, steps, source steps) */
function product(graph: GraphBuilder, h: string, states: string, made: Made<'attention'>): string {
  const { score } = made.layer;
  const { inputs, memory } = made.at;
  const query = score === 'dot' ? h : projected(graph, h, made, 'query.weight', memory!, inputs);
  const [byBatch, keys] = [
    graph.add('Transpose', [query], { perm: [1, 0, 2] }),
    graph.add('Transpose', [states], { perm: [0, 2, 1] }),
  ];
  return graph.add('MatMul', [byBatch, keys]);
}

function projected(
  graph: GraphBuilder,
  x: string,
  { weight }: Made<'attention'>,
  name: string,
  rows: number,
  columns: number,
): string {
  return graph.add('MatMul', [
    x,
    graph.floats(transposed(weight(name)!.data, rows, columns), [columns, rows]),
  ]);
}
