// Dropout, which does nothing where nobody trains.
import type { OnnxLayer } from './kind.ts';

export const dropout: OnnxLayer<'dropout'> = { build: (_graph, x) => x };
