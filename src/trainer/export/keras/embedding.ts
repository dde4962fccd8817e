// Embedding. Symbols that no embedding reads enter by one whose vectors are the unit vectors.
import type { KerasGraph } from './graph.ts';
import type { KerasLayer } from './kind.ts';

export const embedding: KerasLayer<'embedding'> = {
  build: (graph, x, { at, weight }) =>
    graph.add('Embedding', x, { input_dim: at.inputs, output_dim: at.outputs }, [
      { name: 'embeddings', shape: [at.inputs, at.outputs], data: weight('weight')!.data },
    ]),
};

export function oneHot(graph: KerasGraph, x: string, vocabulary: number, prefix = ''): string {
  const data = new Float32Array(vocabulary * vocabulary);
  for (let id = 0; id < vocabulary; id++) data[id * vocabulary + id] = 1;
  graph.begin(`${prefix}one_hot`);
  const config = { input_dim: vocabulary, output_dim: vocabulary, trainable: false };
  return graph.add('Embedding', x, config, [{ name: 'embeddings', shape: [vocabulary, vocabulary], data }]);
}
