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
import { engine, getBackend, getGradient, getKernel, zeros } from '@tensorflow/tfjs-core';

type TapeNode = ReturnType<typeof engine>['state']['activeTape'][number];

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
  return run(name, inputs, context) as T;
}

/** Of a kernel with several outputs. */
export function runKernels(name: string, inputs: NamedTensorMap, context: object): Tensor[] {
  return run(name, inputs, context) as Tensor[];
}

/** Kernel and gradient by name, of the backend that was asked last. */
let registered: { backend: string; byName: Map<string, { run: KernelFunc; gradient: GradFunc | null }> } = {
  backend: '',
  byName: new Map(),
};

function registeredKernel(name: string): { run: KernelFunc; gradient: GradFunc | null } | null {
  const backend = getBackend();
  if (registered.backend !== backend) registered = { backend, byName: new Map() };
  const before = registered.byName.get(name);
  if (before) return before;
  const kernel = getKernel(name, backend);
  if (!kernel) return null;
  const config = getGradient(name);
  if (config?.inputsToSave || config?.outputsToSave || config?.saveAllInputs) return null;
  const found = { run: kernel.kernelFunc, gradient: config?.gradFunc ?? null };
  registered.byName.set(name, found);
  return found;
}

/**
 * What engine().runKernel does of a kernel that saves no tensors, while a tape records. Its scopes,
 * settings and closures, which have left the caches after each large kernel, take longer there than a small kernel does.
 */
function run(name: string, inputs: NamedTensorMap, context: object): Tensor | Tensor[] {
  const whole = engine();
  const { state } = whole;
  // a kernel that was called by another one is no part of the tape
  const kernel = state.gradientDepth > 0 && state.kernelDepth === 0 ? registeredKernel(name) : null;
  if (!kernel || state.profiling) return whole.runKernel(name, inputs, context as NamedAttrMap);
  const attrs = context as NamedAttrMap;
  let out: TensorInfo | TensorInfo[];
  state.kernelDepth++;
  try {
    out = kernel.run({ inputs, attrs, backend: whole.backend });
  } finally {
    state.kernelDepth--;
  }
  const outputs = (Array.isArray(out) ? out : [out]).map(info => whole.makeTensorFromTensorInfo(info));
  const node: TapeNode = { id: state.nextTapeNodeId++, kernelName: name, inputs, outputs, saved: [] };
  const { gradient } = kernel;
  if (gradient)
    node.gradient = given => {
      const all = given.map((dy, at) => dy ?? zeros(outputs[at]!.shape, outputs[at]!.dtype));
      return gradient(all.length > 1 ? all : all[0]!, [], attrs) as ReturnType<
        NonNullable<TapeNode['gradient']>
      >;
    };
  state.activeTape.push(node);
  return Array.isArray(out) ? outputs : outputs[0]!;
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
