// The provider over the WASM module: operands on its heap are addressed, others are copied there and back.
import { availableParallelism, totalmem } from 'node:os';
import process from 'node:process';
import { type KernelName, kernelCalls, OPERANDS, type Operand } from '../calls.ts';
import type { Provider } from '../provider.ts';
import { Heap } from './heap.ts';
import {
  INSTRUCTION_SETS,
  type LoadedModule,
  loadModule,
  type WasmExports,
  type WasmInstructionSet,
} from './module.ts';
import { startThreads } from './threads.ts';
import { Visitors } from './visitors.ts';

const PAGE = 65536;
const MOST_PAGES = 65536;
const MAX_THREADS = 64;
/** Room for any struct: UNROLL_CALL_BYTES of abi.h. */
export const CALL_BYTES = 512;

export interface WasmOptions {
  /** left out: UNROLL_ISA, or the best that the host has */
  instructionSet?: string;
  /** another folder than the one beside the engine */
  folder?: string;
  /** bytes that the memory may grow to */
  limit?: number;
}

/** The WASM provider, or why it is not to be had. `threads` null: one for each processor. */
export async function loadWasm(
  threads: number | null,
  { instructionSet = process.env.UNROLL_ISA, folder, limit }: WasmOptions = {},
): Promise<Provider | string> {
  const asked = INSTRUCTION_SETS.filter(set => set === instructionSet);
  const loaded = loadModule(asked.length > 0 ? asked : INSTRUCTION_SETS, folder);
  if (typeof loaded === 'string') return loaded;
  const wanted = Math.max(1, Math.min(threads ?? availableParallelism(), MAX_THREADS));
  return createProvider(loaded, wanted, limit);
}

async function createProvider(
  loaded: LoadedModule,
  wanted: number,
  limit?: number,
): Promise<Provider | string> {
  const memory = createMemory(limit);
  if (!memory) return 'The WASM engine cannot be used: the system gives it no address space';
  const instance = new WebAssembly.Instance(loaded.module, {
    env: { memory: memory.memory, now: () => performance.now() },
  });
  const exports = instance.exports as unknown as WasmExports;
  const heap = new Heap(memory.memory, exports.__heap_base.value, memory.limit);
  const threads = await startPool(loaded, heap, exports, wanted);
  const invoke = invoker(exports, heap);
  const allocate = (floats: number) => {
    const address = heap.takeZeroed(floats * Float32Array.BYTES_PER_ELEMENT); // before the buffer is asked for: it may grow
    return new Float32Array(heap.memory.buffer, address, floats);
  };
  const release = (array: Float32Array) => {
    // tensors of an engine that was exchanged for this one are the garbage collector's
    if (heap.addressOf(array) !== null) heap.give(array.byteOffset);
  };
  return {
    name: 'wasm',
    instructionSet: loaded.instructionSet satisfies WasmInstructionSet,
    threads,
    allocate,
    release,
    ...kernelCalls(invoke, { allocate, release }),
    timeAlone: () => exports.unroll_threads_alone?.() ?? 0,
    close: () => exports.unroll_threads_stop(),
  };
}

/** Address space for the most that 32 bits reach, or for less where there is less. */
function createMemory(limit = totalmem()): { memory: WebAssembly.Memory; limit: number } | null {
  for (let maximum = MOST_PAGES; maximum >= MOST_PAGES / 16; maximum /= 2) {
    try {
      const memory = new WebAssembly.Memory({ initial: 64, maximum, shared: true });
      return { memory, limit: Math.min(maximum * PAGE, Math.floor(limit / PAGE) * PAGE) };
    } catch {
      // a limit of the system on address space: half of it may do
    }
  }
  return null;
}

/** How many threads compute: one where the host cannot start more. */
async function startPool(
  loaded: LoadedModule,
  heap: Heap,
  exports: WasmExports,
  wanted: number,
): Promise<number> {
  exports.unroll_threads_start(wanted);
  try {
    await startThreads(loaded, heap, wanted);
    return wanted;
  } catch {
    exports.unroll_threads_stop();
    return 1;
  }
}

function invoker(exports: WasmExports, heap: Heap) {
  const address = heap.take(CALL_BYTES);
  const numbers = new Float64Array(heap.memory.buffer, address, CALL_BYTES / 8);
  const words = new Int32Array(heap.memory.buffer, address, CALL_BYTES / 4);
  const visitors = new Visitors(heap);

  return (
    kernel: KernelName,
    doubles: readonly number[],
    operands: readonly Operand[],
    integers: readonly number[],
  ): number => {
    try {
      for (let i = 0; i < doubles.length; i++) numbers[i] = doubles[i]!;
      let at = 2 * doubles.length;
      for (let i = 0; i < operands.length; i++)
        words[at++] = visitors.address(operands[i]!, OPERANDS[kernel][i] === 'w');
      for (let i = 0; i < integers.length; i++) words[at++] = integers[i]!;
      const result = exports[`unroll_${kernel}`](address);
      visitors.copyBack();
      return result;
    } finally {
      visitors.leave();
    }
  };
}
