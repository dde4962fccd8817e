// Which of our kernels run as TensorFlow's operations. The others run on it too, as the reference provider's functions
// on arrays that are fetched and brought back; all but those that only join kernels which TensorFlow has.
import {
  type GradConfig,
  getGradient,
  getKernelsForBackend,
  type NamedTensorMap,
  registerGradient,
  registerKernel,
  type Tensor,
  tidy,
  unregisterGradient,
} from '@tensorflow/tfjs-core';
import { DENSE_CROSS_ENTROPY } from '../kernels/dense-cross-entropy.ts';
import { BACKEND, kernelsRegisteredFor } from '../storage.ts';
import { denseOnTensorflow } from './dense.ts';
import { embeddingOnTensorflow } from './embedding.ts';
import { joinOnTensorflow } from './join.ts';
import type { TensorflowKernel } from './kernel.ts';
import { TENSORFLOW } from './node-backend.ts';
import { recurrentOnTensorflow } from './recurrent.ts';
import { softmaxCrossEntropyOnTensorflow } from './softmax-cross-entropy.ts';

export const tensorflowKernels: readonly TensorflowKernel[] = [
  recurrentOnTensorflow,
  denseOnTensorflow,
  embeddingOnTensorflow,
  softmaxCrossEntropyOnTensorflow,
  joinOnTensorflow,
];

const OURS = /^Unroll/;

export function registerTensorflowKernels(): void {
  for (const { name, run } of tensorflowKernels)
    registerKernel({
      kernelName: name,
      backendName: TENSORFLOW,
      kernelFunc: ({ inputs, attrs }) => tidy(() => run(inputs as NamedTensorMap, attrs as object)),
    });
  const made = new Set([...tensorflowKernels.map(({ name }) => name), DENSE_CROSS_ENTROPY]);
  for (const kernel of getKernelsForBackend(BACKEND))
    if (OURS.test(kernel.kernelName) && !made.has(kernel.kernelName))
      registerKernel({ ...kernel, backendName: TENSORFLOW });
  kernelsRegisteredFor(TENSORFLOW);
}

/** tfjs knows a gradient by the name of its kernel alone: those of the other engines wait here. */
let others: GradConfig[] = [];

export function useTensorflowGradients(): void {
  if (others.length > 0) return;
  others = tensorflowKernels.map(({ name }) => getGradient(name)).filter(gradient => gradient !== undefined);
  for (const { name, saved, gradient } of tensorflowKernels)
    replace({
      kernelName: name,
      inputsToSave: [...saved],
      gradFunc: (dy, kept, attrs) => gradient(dy as Tensor & Tensor[], kept, attrs as object),
    });
}

export function useOtherGradients(): void {
  for (const gradient of others) replace(gradient);
  others = [];
}

function replace(gradient: GradConfig): void {
  if (getGradient(gradient.kernelName)) unregisterGradient(gradient.kernelName);
  registerGradient(gradient);
}
