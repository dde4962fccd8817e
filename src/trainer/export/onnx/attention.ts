// Attention over an encoder's outputs as products, a softmax over the source, and a sum.
import { comparedWidth, isAdditive } from '../../../experiment/layers/attention.ts';
import { aheadOf } from '../../../experiment/layers/windows.ts';
import { transposed } from './dense.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { Made, OnnxLayer } from './kind.ts';

/** exp of it is 0. */
const NEVER = -1e30;
/** The state of a step that reads where the one before it looked. */
const SHARES = 'shares';

export const attention: OnnxLayer<'attention'> = {
  carried: ({ locationSensitive }) =>
    locationSensitive ? [{ part: SHARES, size: 'source_steps', isSingle: true }] : [],
  build(graph, h, made) {
    const { states, inside } = made.paired!.memory!;
    // (batch, source steps, width)
    const bySequence = graph.add('Transpose', [states], { perm: [1, 0, 2] });
    const e = isAdditive(made.layer) ? additive(graph, h, states, made) : product(graph, h, bySequence, made);
    const valid = graph.add('Unsqueeze', [graph.add('Transpose', [inside], { perm: [1, 0] }), graph.ints(1)]);
    const shares = graph.add('Softmax', [graph.add('Where', [valid, e, graph.scalar(NEVER)])], { axis: 2 });
    made.paired!.carry(SHARES)?.after(graph.add('Squeeze', [shares, graph.ints(1)]));
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
  const before = made.paired!.carry(SHARES)?.before;
  const pairs = graph.add('Add', [
    graph.add('Unsqueeze', [query, graph.ints(1)]),
    graph.add('Unsqueeze', [
      before ? graph.add('Add', [key, located(graph, before, made, compared)]) : key,
      graph.ints(0),
    ]),
  ]);
  // (steps, source steps, batch, 1)
  const e = projected(graph, graph.add('Tanh', [pairs]), made, 'v.weight', 1, compared);
  return graph.add('Transpose', [graph.add('Squeeze', [e, graph.ints(3)])], { perm: [2, 0, 1] });
}

/** `shares`: (batch, source steps). @returns (source steps, batch, compared) */
function located(graph: GraphBuilder, shares: string, made: Made<'attention'>, compared: number): string {
  const { filters, kernelSize } = made.layer;
  const ahead = aheadOf({ kernelSize, dilation: 1, stride: 1, padding: 'same' });
  const around = graph.add(
    'Conv',
    [graph.add('Unsqueeze', [shares, graph.ints(1)]), graph.tensor(made.weight('filters.weight')!)],
    { kernel_shape: [kernelSize], pads: [kernelSize - 1 - ahead, ahead] },
  );
  const turned = graph.add('Transpose', [around], { perm: [2, 0, 1] });
  return projected(graph, turned, made, 'location.weight', compared, filters);
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
