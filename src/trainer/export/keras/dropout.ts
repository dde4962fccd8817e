// Dropout, which does nothing where nobody trains.
import type { KerasLayer } from './kind.ts';

export const dropout: KerasLayer<'dropout'> = {
  build: (graph, x, { layer }) => graph.add('Dropout', x, { rate: layer.rate }),
};
