// The layers that a new experiment begins with.
import { CLASSIC_CELLS, type LayerInput, type LayerType } from './index.ts';

/** What most begin with: the last of the cells that everyone knows. */
export const FIRST_CELL = CLASSIC_CELLS.at(-1)!;

/** One cell, its outputs, and for tokens an embedding before it; `embedding`: its width, 0 for none. */
export function starterLayers(embedding: number, type: LayerType, units: number): LayerInput[] {
  return [
    ...(embedding > 0 ? [{ type: 'embedding' as const, dim: embedding }] : []),
    { type, units } as LayerInput,
    { type: 'dense' },
  ];
}

/** The same layers read the source, and the decoder looks at their states before its last layer. */
export function withEncoder(layers: LayerInput[]): { encoder: LayerInput[]; layers: LayerInput[] } {
  const [inner, last] = [layers.slice(0, -1), layers.slice(-1)];
  return { encoder: inner, layers: [...inner, { type: 'attention' }, ...last] };
}
