// Our tfjs backend: tensors are plain typed arrays (tfjs-backend-cpu's storage), and the kernels that matter run
// on the active provider.
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  copyRegisteredKernels,
  findBackend,
  getKernel,
  registerBackend,
  registerGradient,
  registerKernel,
  setBackend,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { activationKernel } from './kernels/activation.ts';
import { addKernel } from './kernels/add.ts';
import { attentionKernel } from './kernels/attention.ts';
import { convolutionKernel } from './kernels/convolution.ts';
import { denseKernel } from './kernels/dense.ts';
import { embeddingKernel } from './kernels/embedding.ts';
import { joinKernel } from './kernels/join.ts';
import type { EngineKernel } from './kernels/kernel.ts';
import { layerNormKernel } from './kernels/layer-norm.ts';
import { matMulKernels } from './kernels/mat-mul.ts';
import { recurrentKernel } from './kernels/recurrent.ts';
import { softmaxCrossEntropyKernel } from './kernels/softmax-cross-entropy.ts';
import type { Provider } from './provider.ts';
import { BACKEND, useProvider } from './storage.ts';
import { registerTfjsGradients } from './tfjs-gradients.ts';

const kernels: readonly EngineKernel[] = [
  recurrentKernel,
  denseKernel,
  embeddingKernel,
  softmaxCrossEntropyKernel,
  joinKernel,
  addKernel,
  activationKernel,
  layerNormKernel,
  attentionKernel,
  convolutionKernel,
  ...matMulKernels,
];

class UnrollBackend extends MathBackendCPU {
  constructor() {
    super();
    // keeps the parent from advertising another engine on first use
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }
}

/** Makes our backend the current one, computing on `provider`. May be called again to change the provider. */
export async function startBackend(provider: Provider): Promise<void> {
  useProvider(provider);
  if (!findBackend(BACKEND)) register();
  await setBackend(BACKEND);
}

function register(): void {
  registerBackend(BACKEND, () => new UnrollBackend());
  copyRegisteredKernels('cpu', BACKEND);
  registerTfjsGradients();
  for (const { name, run, gradient } of kernels) {
    if (getKernel(name, BACKEND)) unregisterKernel(name, BACKEND);
    registerKernel({ kernelName: name, backendName: BACKEND, kernelFunc: run });
    if (gradient) registerGradient({ kernelName: name, gradFunc: gradient });
  }
}
