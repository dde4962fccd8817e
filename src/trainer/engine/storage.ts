// Between tensors and providers: the live array of a tensor, the active provider, and memory lent to its calls.
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { engine, getBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import { holdFor, startPool, WatchedStorage } from './pool.ts';
import type { Provider, Slice } from './provider.ts';

export const BACKEND = 'unroll';

/** tfjs's backends for which our fused kernels are registered */
const withKernels = new Set([BACKEND]);

export function kernelsRegisteredFor(backend: string): void {
  withKernels.add(backend);
}

/** Whether tensors live where the fused kernels are; elsewhere layers use their unfused forms. */
export function fusedKernels(): boolean {
  return withKernels.has(getBackend());
}

let active: Provider | null = null;

export function provider(): Provider {
  if (!active) throw new Error('The engine has not been started: call startEngine first.');
  return active;
}

/** Of the time of calls that threads share, the part in which one did all; null: not known, or never. */
export function timeAlone(): number | null {
  return active?.timeAlone?.() || null;
}

export function useProvider(next: Provider): void {
  if (next === active) return;
  active?.close();
  active = next;
  scratch = new Float32Array(0);
  waiting.length = 0;
  packedWeights = new WeakMap();
  settled = new WeakSet();
  startPool(next);
}

/** The array a float32 tensor lives in: writing to it changes the tensor. */
export function floats(tensor: TensorInfo): Float32Array {
  const { data } = engine().backend as MathBackendCPU;
  const { values } = data instanceof WatchedStorage ? data.peek(tensor.dataId) : data.get(tensor.dataId);
  if (values instanceof Float32Array) {
    holdForTape(values);
    return values;
  }
  throw new Error(`Expected a float32 tensor, got ${tensor.dtype} of shape [${tensor.shape}].`);
}

/** Whether a tensor lives in a float32 array: stock kernels leave some of that type in arrays of other kinds. */
export function livesInFloats(tensor: TensorInfo): boolean {
  const { data } = engine().backend as MathBackendCPU;
  const { values } = data instanceof WatchedStorage ? data.peek(tensor.dataId) : data.get(tensor.dataId);
  return values instanceof Float32Array;
}

/** The backward pass of the tape that records now, if one does, may read the array. */
export function holdForTape(values: Float32Array): void {
  if (tapeIsOn()) holdFor(engine().state.activeTape ?? null, values);
}

/** What a float32 tensor holds, to be looked at and not kept: unlike after dataSync, its storage is used again. */
export function glance(tensor: Tensor): Float32Array {
  return getBackend() === BACKEND ? floats(tensor) : (tensor.dataSync() as Float32Array);
}

let settled = new WeakSet<Float32Array>();

/**
 * The array of a variable, moved into memory that the provider reaches without copying, where it stays. What was read
 * of the variable before no longer follows it.
 */
export function settledFloats(variable: TensorInfo): Float32Array {
  const values = floats(variable);
  if (settled.has(values)) return values;
  const own = provider().allocate(values.length);
  own.set(values);
  (engine().backend as MathBackendCPU).data.get(variable.dataId).values = own;
  settled.add(own);
  return own;
}

/** How many tensors share the storage of this one. */
export function sharers(tensor: TensorInfo): number {
  return (engine().backend as MathBackendCPU).refCount(tensor.dataId);
}

export function whole(data: Float32Array): Slice {
  return { data, offset: 0 };
}

export function slice(tensor: TensorInfo): Slice {
  return whole(floats(tensor));
}

export function optionalSlice(tensor: TensorInfo | undefined): Slice | null {
  return tensor ? slice(tensor) : null;
}

/** Whether a gradient tape records what is being computed. */
export function tapeIsOn(): boolean {
  return engine().state.gradientDepth > 0;
}

// ---------------------------------------------------------------- memory for calls

let scratch: Float32Array = new Float32Array(0);

/** Scratch for one provider call; the next call may get the same memory. */
export function scratchOf(size: number): Slice {
  if (scratch.length < size) {
    if (scratch.length > 0) provider().release(scratch);
    scratch = provider().allocate(size);
  }
  return whole(scratch);
}

/**
 * Caches wait here, the longest waiting first, since fresh pages cost more than the arithmetic of a small layer. Batches of
 * unequal lengths ask for another size at every step: a larger array serves too.
 */
const waiting: Float32Array[] = [];
const MOST_WAITING = 64;
/** A larger array than this many times the size asked for stays for those who need it. */
const MOST_TIMES = 4;

/** An array of at least this size; what stands in it means nothing. */
export function borrow(size: number): Float32Array {
  let [fit, smaller] = [-1, -1];
  for (const [at, { length }] of waiting.entries())
    if (length >= size) {
      if (length <= MOST_TIMES * size && (fit < 0 || length < waiting[fit]!.length)) fit = at;
    } else if (MOST_TIMES * length >= size && (smaller < 0 || length > waiting[smaller]!.length))
      smaller = at;
  if (fit >= 0) return waiting.splice(fit, 1)[0]!;
  // the new array takes the place of the next smaller one
  if (smaller >= 0) provider().release(waiting.splice(smaller, 1)[0]!);
  return provider().allocate(size);
}

export function giveBack(array: Float32Array): void {
  waiting.push(array);
  if (waiting.length > MOST_WAITING) provider().release(waiting.shift()!);
}

// ---------------------------------------------------------------- packed weights

let changes = 1;

/** To be called after weights have been written in place: packed copies of them are out of date. */
export function weightsChanged(): void {
  changes = (changes % 0xffff_ffff) + 1;
}

interface PackedWeights {
  packed: Slice;
  parts: Float32Array[];
  seen: number;
  version: number;
}
let packedWeights = new WeakMap<Float32Array, PackedWeights>();

/** The packed place of a recurrent layer's weights (known by their arrays, the first one leading), and its version. */
export function packedOf(parts: Float32Array[], size: number): { packed: Slice; version: number } {
  const leading = parts[0]!;
  let entry = packedWeights.get(leading);
  if (!entry || entry.packed.data.length !== size) {
    entry = { packed: whole(provider().allocate(size)), parts, seen: changes, version: 1 };
    packedWeights.set(leading, entry);
  }
  const same = entry.parts.length === parts.length && entry.parts.every((part, i) => part === parts[i]);
  if (!same || entry.seen !== changes) {
    entry.parts = parts;
    entry.seen = changes;
    entry.version = (entry.version % 0xffff_ffff) + 1;
  }
  return entry;
}
