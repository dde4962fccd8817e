// The provider over the native addon: each call leaves its numbers in one array and hands over the arrays of its operands.
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { type Invoke, kernelCalls } from '../calls.ts';
import type { Provider } from '../provider.ts';
import { type Addon, loadAddon, type NativeArray } from './addon.ts';

const MAX_NUMBERS = 96;
const MAX_THREADS = 64;

export interface NativeOptions {
  /** one of the addon's; left out: UNROLL_ISA, or the best that the processor has */
  instructionSet?: string;
  /** another file than the one beside the engine */
  file?: string;
}

/** The native provider, or why it is not to be had. `threads` null: one for each processor. */
export async function loadNative(
  threads: number | null,
  { instructionSet = process.env.UNROLL_ISA, file }: NativeOptions = {},
): Promise<Provider | string> {
  const addon = loadAddon(file);
  if (typeof addon === 'string') return addon;
  const works = addon.instructionSets();
  const chosen = instructionSet || works[0]!;
  if (!works.includes(chosen))
    return `UNROLL_ISA asks for "${chosen}", but the native engine has ${works.join(', ')} on this processor`;
  const wanted = Math.max(1, Math.min(threads ?? availableParallelism(), MAX_THREADS));
  return createProvider(addon, chosen, wanted);
}

function createProvider(addon: Addon, instructionSet: string, wanted: number): Provider {
  const numbers = new Float64Array(MAX_NUMBERS);
  const { generation, threads } = addon.start(instructionSet, wanted, numbers);

  /** An array at the beginning of a cache line, inside an ordinary buffer: Electron allows no memory from outside. */
  function allocate(floats: number): Float32Array {
    const buffer = new ArrayBuffer(floats * 4 + 64);
    return new Float32Array(buffer, (64 - addon.misalignment(buffer)) % 64, floats);
  }

  const invoke: Invoke = (kernel, doubles, operands, integers) => {
    numbers[0] = threads;
    let at = 1;
    for (const number of doubles) numbers[at++] = number;
    const arrays: NativeArray[] = [];
    for (const operand of operands) {
      numbers[at++] = operand?.offset ?? 0;
      arrays.push(operand?.data ?? null);
    }
    for (const number of integers) numbers[at++] = number;
    return addon[kernel](generation, ...arrays);
  };

  const memory = { allocate, release() {} };
  return {
    name: 'native',
    instructionSet,
    threads,
    ...memory,
    ...kernelCalls(invoke, memory),
    timeAlone: () => addon.alone(generation),
    close: () => addon.stop(generation),
  };
}
