// Who takes part: our engines, and those they are measured against; each starts, or says why it cannot.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Participant, type Start } from './participant.ts';
import { findPython, JAX, KERAS, PYTORCH } from './python.ts';
import { findTfjs } from './tfjs.ts';

const root = resolve(import.meta.dirname, '..');
export const UNROLL = join(root, 'dist/engine/unroll.mjs');

export interface Ours {
  /** `provider` of the rows of results */
  name: string;
  engine: string;
  threads: number;
  isa?: string;
  /** whom its ratios are of */
  peer: PeerName;
}

export type PeerName = 'pytorch' | 'pytorch-avx2';

/** `native` and `wasm` are what people get here; the others are measured under names of their own. */
export function oursOf(threads: number): Ours[] {
  return [
    { name: 'native', engine: 'native', threads, peer: 'pytorch' },
    { name: 'native-avx2', engine: 'native', threads, isa: 'avx2', peer: 'pytorch-avx2' },
    { name: 'wasm', engine: 'wasm', threads, peer: 'pytorch' },
    { name: 'wasm-1-thread', engine: 'wasm', threads: 1, peer: 'pytorch' },
    { name: 'reference', engine: 'reference', threads: 1, peer: 'pytorch' },
    { name: 'tfjs-node', engine: 'tfjs-node', threads, peer: 'pytorch' },
  ];
}

/** The command itself, started as anybody starts it. */
export function startOurs({ name, engine, threads, isa }: Ours): Participant {
  return new Participant({
    name,
    command: process.execPath,
    args: [UNROLL, 'bench', '--engine', engine, '--threads', `${threads}`, '--serve'],
    env: isa ? { UNROLL_ISA: isa } : {},
  });
}

/** The engine's kernels called bare, in the order of the trainer's step. */
export function startBare({ name, engine, threads, isa }: Ours): Participant {
  return new Participant({
    name: `${name}-bare`,
    command: process.execPath,
    args: ['--import', 'tsx', join(import.meta.dirname, 'bare.ts'), engine, `${threads}`],
    env: isa ? { UNROLL_ISA: isa } : {},
  });
}

/** `as`: its name among those that take part, where one takes part more than once */
export function startPytorch(name: PeerName, threads: number, as: string = name): Participant | string {
  const found = findPython(PYTORCH);
  if (typeof found === 'string') return found;
  const start: Start = {
    name: as,
    command: found.python,
    args: [join(import.meta.dirname, 'peers/pytorch_peer.py'), '--threads', `${threads}`],
    env: name === 'pytorch-avx2' ? { ONEDNN_MAX_CPU_ISA: 'AVX2', ATEN_CPU_CAPABILITY: 'avx2' } : {},
  };
  return new Participant(start);
}

export function startJax(threads: number): Participant | string {
  const found = findPython(JAX);
  if (typeof found === 'string') return found;
  return new Participant({
    name: 'jax',
    command: found.python,
    args: [join(import.meta.dirname, 'peers/jax_peer.py'), '--threads', `${threads}`],
  });
}

export function startKeras(threads: number): Participant | string {
  const found = findPython(KERAS);
  if (typeof found === 'string') return found;
  return new Participant({
    name: 'keras',
    command: found.python,
    args: [join(import.meta.dirname, 'peers/keras_peer.py'), '--threads', `${threads}`],
    env: { TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' },
  });
}

export function startTfjs(backend: 'cpu' | 'wasm'): Participant | string {
  const found = findTfjs();
  if (typeof found === 'string') return found;
  return new Participant({
    name: `tfjs-${backend}`,
    command: process.execPath,
    args: [join(import.meta.dirname, 'peers/tfjs-peer.mjs'), found.folder, backend],
  });
}

export function isBuilt(): boolean {
  return existsSync(UNROLL);
}
