// Finding and loading the native addon. What cannot be loaded is told in a sentence (without its full stop): a missing
// file, a damaged one, one built for another machine.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { KernelName } from '../calls.ts';
import { engineFile } from '../files.ts';

export type NativeArray = Float32Array | Int32Array | null;

/** kernels/native/addon.cpp tells what these do. */
export interface Addon
  extends Record<KernelName, (generation: number, ...operands: NativeArray[]) => number> {
  instructionSets(): string[];
  processorSets(): string[];
  start(
    instructionSet: string,
    threads: number,
    numbers: Float64Array,
  ): { generation: number; threads: number };
  stop(generation: number): void;
  alone(generation: number): number;
  misalignment(buffer: ArrayBuffer): number;
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
export function loadAddon(file = engineFile('unroll.node')): Addon | string {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    return existsSync(`${file}.pending`)
      ? 'The native engine is still being compiled; a later run takes it'
      : 'The native engine is not in this build of Unroll';
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
