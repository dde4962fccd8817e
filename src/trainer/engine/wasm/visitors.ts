// Operands that stand outside of the heap: they are on it for one call, and what was written goes back.
import type { Operand } from '../calls.ts';
import type { Heap } from './heap.ts';

/** Small ones, of which a step has dozens, share a place that is always there. */
const HALL_BYTES = 64 * 1024;
const LARGEST_IN_HALL = 4 * 1024;
const LINE = 64;

interface Visitor {
  data: Float32Array | Int32Array;
  address: number;
  /** has a block of its own, to be given back */
  block: boolean;
  written: boolean;
}

export class Visitors {
  readonly #heap: Heap;
  readonly #hall: number;
  #inHall = 0;
  readonly #present: Visitor[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#hall = heap.take(HALL_BYTES);
  }

  /** The address of an operand, which now may be a copy. An array that comes twice has one place. */
  address(operand: Operand, written: boolean): number {
    if (!operand) return 0;
    const { data, offset } = operand;
    const from = this.#heap.addressOf(data) ?? this.#enter(data, written);
    return from + offset * data.BYTES_PER_ELEMENT;
  }

  copyBack(): void {
    for (const { data, address, written } of this.#present) if (written) data.set(this.#view(data, address));
  }

  leave(): void {
    for (const { address, block } of this.#present) if (block) this.#heap.give(address);
    this.#present.length = 0;
    this.#inHall = 0;
  }

  #enter(data: Float32Array | Int32Array, written: boolean): number {
    const known = this.#present.find(visitor => visitor.data === data);
    if (known) {
      known.written ||= written;
      return known.address;
    }
    const block = data.byteLength > LARGEST_IN_HALL || this.#inHall + data.byteLength > HALL_BYTES;
    const address = block ? this.#heap.take(data.byteLength) : this.#hall + this.#inHall;
    if (!block) this.#inHall += Math.ceil(data.byteLength / LINE) * LINE;
    this.#present.push({ data, address, block, written });
    this.#view(data, address).set(data);
    return address;
  }

  #view(data: Float32Array | Int32Array, address: number): Float32Array | Int32Array {
    const View = data instanceof Float32Array ? Float32Array : Int32Array;
    return new View(this.#heap.buffer, address, data.length);
  }
}
