// What an encoder-decoder is made of where it is cut into an encoder and single steps of a decoder: the states of the
// steps, and what cannot be cut.
import { type PlacedLayer, traitsOf } from '../../experiment/models.ts';
import type { CellNames } from './onnx/kind.ts';

export interface StepState {
  /** "layers.1.0.h" */
  name: string;
  /** of a cell's states */
  part: keyof CellNames;
  /** numbers of one sequence */
  size: number;
}

/** h, and c of an LSTM, of each level. */
export function statesOf({ layer, kind, name }: PlacedLayer): StepState[][] {
  if (!('initialState' in kind.schema.shape)) return [];
  const { units, layers } = layer as { units: number; layers: number };
  const parts = kind.hasCellState ? (['h', 'c'] as const) : (['h'] as const);
  return Array.from({ length: layers }, (_, level) =>
    parts.map(part => ({ name: `${name}.${level}.${part}`, size: units, part })),
  );
}

/**
 * What is told of a layer that cannot be cut so, in words; null: it can.
 *
 * `carriesOn`: the target has a form of the layer's state, which is no cell's
 */
export function uncut({ layer, kind, path }: PlacedLayer, carriesOn = false): string | null {
  if (path[1] === 'encoder') {
    // how many steps it gives for a source of any length is not told
    const steps = 64;
    return (kind.steps?.(layer, steps) ?? steps) === steps ? null : 'an encoder that shortens its source';
  }
  if (!traitsOf(layer).carries) return 'one step of a decoder layer that sees more than the steps before it';
  return carriesOn || traitsOf(layer).sees === 'step' || 'initialState' in kind.schema.shape
    ? null
    : `one step of the layer "${layer.type}", whose state is no cell's`;
}
