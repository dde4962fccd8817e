// A tfjs kernel of ours: its function, and its gradient as thunks that compute only what is asked for.

import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type {
  GradFunc,
  KernelFunc,
  NamedAttrMap,
  NamedTensorMap,
  Tensor,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { engine, getBackend, getKernel } from '@tensorflow/tfjs-core';

export interface EngineKernel {
  name: string;
  run: KernelFunc;
  gradient?: GradFunc;
}

/**
 * Runs a kernel. `context` travels as its attributes: kernel and gradient receive this very object, so that the
 * forward pass can leave in it what the backward pass needs.
 */
export function runKernel<T extends Tensor>(name: string, inputs: NamedTensorMap, context: object): T {
  return engine().runKernel(name, inputs, context as NamedAttrMap) as T;
}

/** Of a kernel with several outputs. */
export function runKernels(name: string, inputs: NamedTensorMap, context: object): Tensor[] {
  return engine().runKernel(name, inputs, context as NamedAttrMap) as Tensor[];
}

/** Whether the backend that tensors live on has this kernel. */
export function hasKernel(name: string): boolean {
  return getKernel(name, getBackend()) !== undefined;
}

export function output(backend: object, shape: number[], values: Float32Array): TensorInfo {
  return (backend as MathBackendCPU).makeTensorInfo(shape, 'float32', values);
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** For gradients that are computed together, at the first thunk that is asked. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
