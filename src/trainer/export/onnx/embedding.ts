// Embedding as a choice of rows.
import type { OnnxLayer } from './kind.ts';

export const embedding: OnnxLayer<'embedding'> = {
  build: (graph, x, { weight }) => graph.add('Gather', [graph.tensor(weight('weight')!), x], { axis: 0 }),
};
