// Storage of tensors, used again: the arrays of disposed tensors wait here by size class for the next step, since fresh
// pages and the collection of dead arrays cost more than the arithmetic of a small layer.
//
// An array goes back when its last tensor is disposed of, except while someone might still read it:
// - what our kernels have looked at while a tape records stays until `tapeIsDone`, for the backward pass may want it;
// - what anyone else has looked at (stock kernels, dataSync) never comes back: they may keep views of it.
// What never comes back is left to the garbage collector.
import { DataStorage } from '@tensorflow/tfjs-core';
import type { Provider } from './provider.ts';

/** Smaller arrays are not worth the trouble. */
const SMALLEST = 256;
const MOST_WAITING_FLOATS = 2 ** 27;

interface Loan {
  /** what goes back: an array of the size class */
  whole: Float32Array;
  /** the beginning of it, which is lent */
  array: Float32Array;
  tensors: number;
  held: boolean;
  /** waits, and is nobody's */
  idle: boolean;
}

let source: Pick<Provider, 'allocate' | 'release'> | null = null;
let loans = new WeakMap<object, Loan>();
const waiting = new Map<number, Loan[]>();
let waitingFloats = 0;
let holds: { tape: object | null; arrays: Set<Float32Array> } = { tape: null, arrays: new Set() };

/** Forgets all arrays; new ones come from this provider. */
export function startPool(provider: Provider): void {
  source = provider;
  loans = new WeakMap();
  waiting.clear();
  waitingFloats = 0;
  holds = { tape: null, arrays: new Set() };
}

/** Sizes in steps of a quarter of a power of two. */
export function sizeClass(size: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(size)) - 2);
  return Math.ceil(size / step) * step;
}

/** An array for a new tensor of ours; what stands in it means nothing. */
export function newFloats(size: number): Float32Array {
  if (size < SMALLEST || !source) return new Float32Array(size);
  const capacity = sizeClass(size);
  const known = waiting.get(capacity)?.pop();
  if (known) waitingFloats -= capacity;
  // a step asks for the sizes of the step before
  if (known?.array.length === size) {
    known.idle = false;
    return known.array;
  }
  const whole = known?.whole ?? source.allocate(capacity);
  const array = whole.subarray(0, size);
  if (known) loans.delete(known.array);
  loans.set(array, { whole, array, tensors: 0, held: false, idle: false });
  return array;
}

export function newZeros(size: number): Float32Array {
  return newFloats(size).fill(0);
}

/** The backward pass of this tape may read the array. */
export function holdFor(tape: object | null, array: Float32Array): void {
  const loan = loans.get(array);
  if (!loan || loan.idle) return;
  if (holds.tape !== tape) holds = { tape, arrays: new Set() }; // the last one was never done: its arrays stay away
  loan.held = true;
  holds.arrays.add(array);
}

/** All gradients of the last tape have been computed. */
export function tapeIsDone(): void {
  const { arrays } = holds;
  holds = { tape: null, arrays: new Set() };
  for (const array of arrays) {
    const loan = loans.get(array);
    if (!loan || loan.idle) continue;
    loan.held = false;
    if (loan.tensors === 0) giveBack(loan);
  }
}

function giveBack(loan: Loan): void {
  const { whole, array } = loan;
  loan.idle = true;
  if (waitingFloats + whole.length > MOST_WAITING_FLOATS) {
    loans.delete(array);
    source?.release(whole);
    return;
  }
  const sameSize = waiting.get(whole.length);
  if (sameSize) sameSize.push(loan);
  else waiting.set(whole.length, [loan]);
  waitingFloats += whole.length;
}

/** A tensor begins to live in these values. */
export function moveIn(values: unknown): void {
  const loan = loans.get(values as object);
  if (loan && !loan.idle) loan.tensors++;
}

/** A tensor that lived in these values is disposed of. */
export function moveOut(values: unknown): void {
  const loan = loans.get(values as object);
  if (loan && !loan.idle && --loan.tensors === 0 && !loan.held) giveBack(loan);
}

/** For those who may keep it: the array itself or, where the garbage collector has no hand (WASM's heap), a copy. */
function keepable(array: Float32Array): Float32Array {
  if (!loans.has(array)) return array;
  if (array.buffer instanceof ArrayBuffer) {
    loans.delete(array);
    return array;
  }
  const copy = array.slice();
  moveOut(array);
  return copy;
}

interface Entry {
  values?: unknown;
}

/** tfjs's table of values: whoever reads from it may keep what he finds, except by `peek`. */
export class WatchedStorage<T extends Entry> extends DataStorage<T> {
  override get(dataId: object): T {
    const entry = super.get(dataId);
    if (entry?.values instanceof Float32Array) entry.values = keepable(entry.values);
    return entry;
  }

  peek(dataId: object): T {
    return super.get(dataId);
  }
}
