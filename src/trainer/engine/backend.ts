// Our tfjs backend: tensors are plain typed arrays (tfjs-backend-cpu's storage), and the kernels that matter run
// on the active provider.
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  copyRegisteredKernels,
  engine,
  findBackend,
  getKernel,
  registerBackend,
  registerGradient,
  registerKernel,
  setBackend,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { activationKernel } from './kernels/activation.ts';
import { attentionKernel } from './kernels/attention.ts';
import { chainKernel } from './kernels/chain.ts';
import { convolutionKernel } from './kernels/convolution.ts';
import { ctcKernel } from './kernels/ctc.ts';
import { denseKernel } from './kernels/dense.ts';
import { denseCrossEntropyKernel } from './kernels/dense-cross-entropy.ts';
import { dropoutKernel } from './kernels/dropout.ts';
import { elementWiseKernels } from './kernels/element-wise.ts';
import { embeddingKernel } from './kernels/embedding.ts';
import { formulaKernel } from './kernels/formula.ts';
import { gatedScanKernel } from './kernels/gated-scan.ts';
import { joinKernel } from './kernels/join.ts';
import type { EngineKernel } from './kernels/kernel.ts';
import { layerNormKernel } from './kernels/layer-norm.ts';
import { matMulKernels } from './kernels/mat-mul.ts';
import { memoryKernel } from './kernels/memory.ts';
import { recurrentKernel } from './kernels/recurrent.ts';
import { reshapeKernel } from './kernels/reshape.ts';
import { scanKernel, selectiveScanKernel } from './kernels/scan.ts';
import { sliceKernels } from './kernels/slice.ts';
import { softmaxCrossEntropyKernel } from './kernels/softmax-cross-entropy.ts';
import { variantKernel } from './kernels/variant.ts';
import { moveIn, moveOut, WatchedStorage } from './pool.ts';
import type { Provider } from './provider.ts';
import { BACKEND, useProvider } from './storage.ts';
import { registerTfjsGradients } from './tfjs-gradients.ts';

const kernels: readonly EngineKernel[] = [
  reshapeKernel,
  recurrentKernel,
  variantKernel,
  denseKernel,
  embeddingKernel,
  softmaxCrossEntropyKernel,
  denseCrossEntropyKernel,
  joinKernel,
  formulaKernel,
  activationKernel,
  dropoutKernel,
  layerNormKernel,
  attentionKernel,
  convolutionKernel,
  ctcKernel,
  chainKernel,
  scanKernel,
  gatedScanKernel,
  selectiveScanKernel,
  memoryKernel,
  ...sliceKernels,
  ...matMulKernels,
  ...elementWiseKernels,
];

/** What tfjs-backend-cpu keeps for a tensor. */
interface TensorEntry {
  values?: unknown;
  refCount: number;
  complexTensorInfos?: object;
}

/** tfjs-backend-cpu's, except that the storage of tensors is watched and used again (pool.ts). */
class UnrollBackend extends MathBackendCPU {
  private readonly watched = new WatchedStorage<TensorEntry>(this, engine());

  constructor() {
    super();
    this.data = this.watched as unknown as MathBackendCPU['data'];
    // keeps the parent from advertising another engine on first use
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  override write(...[values, shape, dtype]: Parameters<MathBackendCPU['write']>): object {
    moveIn(values);
    return super.write(values, shape, dtype);
  }

  override refCount(dataId: object): number {
    return this.data.has(dataId) ? this.watched.peek(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.watched.peek(dataId).refCount++;
  }

  override decRef(dataId: object): void {
    if (this.data.has(dataId)) this.watched.peek(dataId).refCount--;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const entry = this.watched.peek(dataId);
    if (entry.complexTensorInfos) return super.disposeData(dataId, force);
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    this.data.delete(dataId);
    moveOut(entry.values);
    return true;
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
