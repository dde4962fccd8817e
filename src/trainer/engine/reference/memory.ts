// How the reference provider lays out the memory that the caller lends to a recurrent call.
import { gateBlocks, type RecurrentMemory, type RecurrentShape, type Slice } from '../provider.ts';
import { referenceCells } from './cells.ts';

/** What a forward pass leaves to its backward pass. */
export interface Cache {
  /** (T, B, G·H) activations of the gates; the backward pass turns them into gradients of their sums */
  gates: Float32Array;
  /** (T+1, B, H) states, the initial one first; c is empty for cells without */
  h: Float32Array;
  c: Float32Array;
  /** (T, B, H) what the cell keeps besides; empty for most */
  kept: Float32Array;
}

function cacheSizes(shape: RecurrentShape): Record<keyof Cache, number> {
  const perStep = shape.batch * shape.hiddenSize;
  const states = (shape.seqLen + 1) * perStep;
  return {
    gates: shape.seqLen * perStep * gateBlocks(shape.cell),
    h: states,
    c: shape.cell === 'lstm' ? states : 0,
    kept: referenceCells[shape.cell].keeps ? shape.seqLen * perStep : 0,
  };
}

/** Forward scratch: x in step order, and room for a cache that no one wants. Backward: x, dx, and dh, dc twice. */
export function recurrentMemory(shape: RecurrentShape): RecurrentMemory {
  const { gates, h, c, kept } = cacheSizes(shape);
  const cache = gates + h + c + kept;
  const input = shape.seqLen * shape.batch * shape.inputSize;
  const state = shape.batch * shape.hiddenSize;
  return { packed: 0, cache, forwardScratch: input + cache, backwardScratch: 2 * input + 4 * state };
}

/** Cuts a slice into consecutive parts. */
export function parts({ data, offset }: Slice): (floats: number) => Float32Array {
  return floats => data.subarray(offset, (offset += floats));
}

export function cacheIn(shape: RecurrentShape, take: (floats: number) => Float32Array): Cache {
  const sizes = cacheSizes(shape);
  return { gates: take(sizes.gates), h: take(sizes.h), c: take(sizes.c), kept: take(sizes.kept) };
}

/** Block s of a (T, …) array; empty when the array is. */
export function block(array: Float32Array, s: number, size: number): Float32Array {
  return array.length === 0 ? array : array.subarray(s * size, (s + 1) * size);
}

export function clear({ data, offset }: Slice, size: number): void {
  data.fill(0, offset, offset + size);
}

export function copyOrZero(from: Slice | null, to: Float32Array): void {
  if (from) to.set(from.data.subarray(from.offset, from.offset + to.length));
  else to.fill(0);
}
