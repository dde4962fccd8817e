// Loading tfjs-node into this process: mended for current Node, quiet, and with a storage that our kernels can read.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type util from 'node:util';
import { env, findBackend, type TensorInfo } from '@tensorflow/tfjs-core';
import { type NodeBackend, TENSORFLOW } from './node-backend.ts';

/** Loads the package once; @throws Error with the reason in a sentence */
export function loadTfjsNode(folder: string, threads: number | null): NodeBackend {
  const loaded = findBackend(TENSORFLOW) as NodeBackend | null;
  if (loaded) return loaded;
  setEnvironment(threads);
  putBackRemovedUtilities();
  requireQuietly(folder);
  const backend = findBackend(TENSORFLOW) as NodeBackend | null;
  if (!backend) throw new Error('it registered no backend with this version of tfjs');
  openStorage(backend);
  return backend;
}

/** TensorFlow reads these once, when it starts. */
function setEnvironment(threads: number | null): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (threads === null) return;
  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  process.env.OMP_NUM_THREADS = String(threads);
}

/** Node 23 took them away, and tfjs-node 4.22, the last release, calls them. */
function putBackRemovedUtilities(): void {
  const old = createRequire(import.meta.url)('node:util') as typeof util & Record<string, unknown>;
  old.isNullOrUndefined ??= ((value: unknown) => value === null || value === undefined) as never;
  old.isArray ??= Array.isArray as never;
}

/** It brings a tfjs of its own, which shares our registries and would warn about each kernel that is there twice. */
function requireQuietly(folder: string): void {
  const before = env().getBool('PROD');
  env().set('PROD', true);
  try {
    createRequire(join(folder, 'package.json'))(folder);
  } finally {
    env().set('PROD', before);
  }
}

/**
 * Lets the backend answer as tfjs-backend-cpu does, so that optimizers, clipping and those of our kernels that
 * TensorFlow has no operation for work on it: `data.get` brings a tensor into JavaScript's memory, where it stays,
 * live, until TensorFlow's next operation on it.
 */
function openStorage(backend: NodeBackend): void {
  Object.assign(backend, {
    data: { get: (dataId: object) => broughtHome(backend, dataId) },
    makeTensorInfo: (shape: number[], dtype: 'float32', values: Float32Array): TensorInfo => ({
      dataId: backend.write(values, shape, dtype),
      shape,
      dtype,
    }),
  });
}

function broughtHome({ binding, tensorMap }: NodeBackend, dataId: object) {
  const data = tensorMap.get(dataId);
  if (data.values === null) {
    data.values = binding.tensorDataSync(data.id);
    binding.deleteTensor(data.id);
    data.id = -1;
  }
  return data;
}
