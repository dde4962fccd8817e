// Finding and loading the native addon. What cannot be loaded is told in a sentence (without its full stop): a missing file, a damaged one, one
// built for another machine.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SequenceKernel } from '../sequence-calls.ts';

export type Operand = Float32Array | Int32Array | null;

export type KernelName =
  | 'recurrent_memory'
  | 'recurrent_forward'
  | 'recurrent_backward'
  | 'gemm_memory'
  | 'gemm'
  | 'column_sums'
  | 'softmax_cross_entropy'
  | 'embedding'
  | 'embedding_backward'
  | 'sum_of_squares'
  | 'scale'
  | 'adam_step'
  | 'sgd_step'
  | 'rmsprop_step'
  | SequenceKernel;

/** kernels/native/addon.cpp tells what these do. */
export interface Addon extends Record<KernelName, (...operands: Operand[]) => number> {
  instructionSets(): string[];
  start(instructionSet: string, threads: number, numbers: Float64Array): number;
  stop(): void;
  misalignment(buffer: ArrayBuffer): number;
}

/** The addon stands beside the engine's bundle, whose parts are a folder deeper; from sources it is the built one. */
function addonFile(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  if (path.basename(here) === 'parts') return path.join(here, '..', 'unroll.node');
  if (path.basename(here) === 'engine' && path.basename(path.dirname(here)) !== 'trainer')
    return path.join(here, 'unroll.node');
  return path.resolve(here, '../../../../dist/engine/unroll.node');
}

const SEAL = Buffer.from('UNROLL01');
const DIGEST = 32;

/** A damaged library can end the process when it is loaded, so it is compared with the digest at its end first. */
function isWhole(content: Buffer): boolean {
  const end = content.length - SEAL.length - DIGEST;
  if (end <= 0 || !content.subarray(end, end + SEAL.length).equals(SEAL)) return false;
  const digest = createHash('sha256').update(content.subarray(0, end)).digest();
  return digest.equals(content.subarray(end + SEAL.length));
}

/** The addon, or why there is none. */
export function loadAddon(file = addonFile()): Addon | string {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    return 'The native engine is not in this build of Unroll';
  }
  if (!isWhole(content)) return `The native engine is damaged (${file}); install or build Unroll again`;
  try {
    const addon = createRequire(import.meta.url)(file) as Addon;
    if (addon.instructionSets().length > 0) return addon;
    return 'The native engine has no code for this processor';
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    return `The native engine in this build of Unroll is not for this machine (${reason})`;
  }
}
