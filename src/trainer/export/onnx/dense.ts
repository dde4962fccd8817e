// Dense as a matrix product and a sum, with its activation behind it.
import type { GraphBuilder } from './graph-builder.ts';
import type { OnnxLayer } from './kind.ts';

export const dense: OnnxLayer<'dense'> = {
  build(graph, x, { layer, at, weight }) {
    const matrix = transposed(weight('weight')!.data, at.outputs, at.inputs);
    const product = graph.add('MatMul', [x, graph.floats(matrix, [at.inputs, at.outputs])]);
    const sum = graph.add('Add', [product, graph.tensor(weight('bias')!)]);
    return activated(graph, sum, layer.activation);
  },
};

const OPS = { relu: 'Relu', tanh: 'Tanh', sigmoid: 'Sigmoid' } as const;

export function activated(
  graph: GraphBuilder,
  x: string,
  activation: 'linear' | 'gelu' | keyof typeof OPS,
): string {
  if (activation === 'linear') return x;
  if (activation !== 'gelu') return graph.add(OPS[activation], [x]);
  // x · (1 + erf(x / √2)) / 2
  const error = graph.add('Erf', [graph.add('Mul', [x, graph.scalar(Math.SQRT1_2)])]);
  const share = graph.add('Mul', [graph.add('Add', [error, graph.scalar(1)]), graph.scalar(0.5)]);
  return graph.add('Mul', [x, share]);
}

/** (rows, columns) as (columns, rows) */
export function transposed(data: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column]!;
  return result;
}
