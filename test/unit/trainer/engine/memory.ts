// Memory of a provider for tests, with numbers around each operand that must be left alone.
import assert from 'node:assert/strict';
import type { Provider, Slice } from '../../../../src/trainer/engine/provider.ts';
import type { GoldenTensor } from './golden.ts';

/** Slots with numbers around them that must neither be read nor written, at odd offsets. */
export class Memory {
  readonly #guards: { slice: Slice; size: number; offset: number }[] = [];
  readonly #provider: Provider;

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  /** A slot of `size` NaN, or holding `values`. */
  slot(size: number, values?: ArrayLike<number>): Slice {
    const offset = 1 + ((this.#guards.length * 7) % 5);
    const data = this.#provider.allocate(offset + size + 3).fill(Number.NaN);
    if (values) data.set(values, offset);
    const slice = { data, offset };
    this.#guards.push({ slice, size, offset });
    return slice;
  }

  of(tensor: GoldenTensor | undefined): Slice | null {
    return tensor ? this.slot(tensor.data.length, tensor.data) : null;
  }

  /** Fails when something stands beside a slot, and gives the memory back. */
  check(): void {
    for (const { slice, size, offset } of this.#guards) {
      const outside = [...slice.data.subarray(0, offset), ...slice.data.subarray(offset + size)];
      assert.ok(outside.every(Number.isNaN), 'a provider wrote outside of an operand');
      this.#provider.release(slice.data);
    }
  }
}

export function read({ data, offset }: Slice, size: number): Float32Array {
  return data.slice(offset, offset + size);
}
