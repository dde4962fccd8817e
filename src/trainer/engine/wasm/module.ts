// Finding and compiling the WASM module. What cannot be used is told in a sentence: a missing file, a damaged one, a
// host without SIMD or shared memory.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import type { KernelName } from '../calls.ts';
import { engineFile } from '../files.ts';

/** Best first. */
export const INSTRUCTION_SETS = ['relaxed-simd', 'simd128'] as const;
export type WasmInstructionSet = (typeof INSTRUCTION_SETS)[number];

export interface WasmExports extends Record<`unroll_${KernelName}`, (call: number) => number> {
  unroll_threads_start(count: number): void;
  unroll_threads_stop(): void;
  /** since the modules of 28 November 2026 */
  unroll_threads_alone?(): number;
  __heap_base: WebAssembly.Global;
}

export interface LoadedModule {
  module: WebAssembly.Module;
  instructionSet: WasmInstructionSet;
  /** script of the pool's threads */
  worker: string;
}

/** The best module that this host can run, or why there is none. */
export function loadModule(
  sets: readonly WasmInstructionSet[] = INSTRUCTION_SETS,
  folder = engineFile('wasm'),
): LoadedModule | string {
  if (typeof WebAssembly === 'undefined' || typeof SharedArrayBuffer === 'undefined')
    return 'The WASM engine needs WebAssembly and shared memory, which this host does not have';
  for (const instructionSet of sets) {
    const file = path.join(folder, `${instructionSet}.wasm`);
    let content: Buffer<ArrayBuffer>;
    try {
      content = readFileSync(file);
    } catch {
      return 'The WASM engine is not in this build of Unroll';
    }
    if (!isWhole(content)) return `The WASM engine is damaged (${file}); install or build Unroll again`;
    if (instructionSet === 'relaxed-simd') allowRelaxedSimd();
    if (WebAssembly.validate(content))
      return {
        module: new WebAssembly.Module(content),
        instructionSet,
        worker: path.join(folder, 'worker.mjs'),
      };
  }
  return 'The WASM engine needs SIMD and threads in WebAssembly, which this host does not have';
}

/** Node 20's V8, 11.3, has relaxed SIMD complete and behind a flag; from 11.4 on it is on. */
function allowRelaxedSimd(): void {
  if (process.versions.v8.startsWith('11.3.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

const SECTION = 'unroll.digest';
const DIGEST = 32;

/** A changed byte may well be valid code, so the content is compared with the digest in its last section. */
function isWhole(content: Buffer): boolean {
  const end = content.length - 3 - SECTION.length - DIGEST;
  if (end <= 0 || content.toString('latin1', end + 3, end + 3 + SECTION.length) !== SECTION) return false;
  const digest = createHash('sha256').update(content.subarray(0, end)).digest();
  return digest.equals(content.subarray(end + 3 + SECTION.length));
}
