// The WASM engine's memory: blocks by size class, which go back to a list of their class. It grows as long as it may.

const LINE = 64;
const PAGE = 65536;
const MEGABYTE = 1 << 20;
/** Growing is a system call: not for every block. */
const LEAST_GROWTH = 4 * MEGABYTE;

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly #limit: number;
  #top: number;
  #inUse = 0;
  /** by class, the addresses of blocks that are free */
  readonly #free = new Map<number, number[]>();
  /** by address, the class of blocks that are not */
  readonly #taken = new Map<number, number>();
  /** growing makes a new buffer over the same bytes; views of the old ones stay valid */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  /** the newest of them */
  #buffer: ArrayBuffer;

  /** @param limit bytes that the memory may grow to */
  constructor(memory: WebAssembly.Memory, start: number, limit: number) {
    this.memory = memory;
    this.#limit = limit;
    this.#top = Math.ceil(start / LINE) * LINE;
    this.#buffer = memory.buffer;
    this.#buffers.add(this.#buffer);
  }

  /** The address of a block at the beginning of a cache line; what stands in it means nothing. */
  take(bytes: number): number {
    return this.#take(bytes).address;
  }

  /** The same with zeros in it. Fresh memory has them, and takes no room before it is written to. */
  takeZeroed(bytes: number): number {
    const { address, used } = this.#take(bytes);
    if (used) new Uint8Array(this.memory.buffer, address, bytes).fill(0);
    return address;
  }

  #take(bytes: number): { address: number; used: boolean } {
    const size = this.#classOf(bytes);
    const waiting = this.#free.get(size)?.pop();
    const address = waiting ?? this.#extend(size);
    this.#taken.set(address, size);
    this.#inUse += size;
    return { address, used: waiting !== undefined };
  }

  give(address: number): void {
    const size = this.#taken.get(address);
    if (size === undefined)
      throw new Error(
        'An array was released that the WASM engine did not allocate, or that was released before.',
      );
    this.#taken.delete(address);
    this.#inUse -= size;
    const waiting = this.#free.get(size);
    if (waiting) waiting.push(address);
    else this.#free.set(size, [address]);
  }

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** The address of a view's first byte, or null when it is not one of this memory. */
  addressOf(view: Float32Array | Int32Array): number | null {
    const { buffer } = view;
    return buffer === this.#buffer || this.#buffers.has(buffer) ? view.byteOffset : null;
  }

  /** Where the end is near, a larger class will do of which a block is free. */
  #classOf(bytes: number): number {
    const size = sizeClass(bytes);
    if (this.#top + size <= this.#limit || this.#free.get(size)?.length) return size;
    const larger = [...this.#free].filter(([other, blocks]) => other > size && blocks.length > 0);
    return larger.length > 0 ? Math.min(...larger.map(([other]) => other)) : size;
  }

  #extend(size: number): number {
    const address = this.#top;
    const missing = address + size - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(missing, size);
    this.#top = address + size;
    return address;
  }

  #grow(missing: number, size: number): void {
    const room = this.#limit - this.memory.buffer.byteLength;
    const wanted = Math.min(Math.max(missing, LEAST_GROWTH), room);
    try {
      if (missing > room) throw new RangeError();
      this.memory.grow(Math.ceil(wanted / PAGE));
    } catch {
      const [more, used, most] = [size, this.#inUse, this.#limit].map(bytes => Math.ceil(bytes / MEGABYTE));
      throw new Error(
        `The WASM engine's memory is used up: ${more} MB more are wanted beside ${used} MB, of at most ${most} MB. Choose a smaller batch size or sequence length, or the native engine.`,
      );
    }
    this.#buffer = this.memory.buffer;
    this.#buffers.add(this.#buffer);
  }
}

/**
 * Rounds up to one of four sizes between powers of two, at most a quarter more. The odd line beside keeps blocks of a
 * power of two from falling on the same sets of the cache.
 */
export function sizeClass(bytes: number): number {
  const lines = Math.max(1, Math.ceil(bytes / LINE));
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(lines)) - 3);
  return (Math.ceil(lines / step) * step + 1) * LINE;
}
