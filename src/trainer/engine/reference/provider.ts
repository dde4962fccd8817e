// The reference provider: plain TypeScript, one thread, the oracle of every other provider's tests.
import type { Provider, RecurrentCell } from '../provider.ts';
import { embedding, embeddingBackward } from './embedding.ts';
import { columnSums, gemm } from './gemm.ts';
import { adamStep, rmspropStep, scale, sgdStep, sumOfSquares } from './optimizers.ts';
import { recurrentBackward, recurrentForward, recurrentMemory, referenceCells } from './sequence.ts';
import { softmaxCrossEntropy } from './softmax-cross-entropy.ts';

export const referenceProvider: Provider = {
  name: 'reference',
  instructionSet: 'javascript',
  threads: 1,
  cells: Object.keys(referenceCells) as RecurrentCell[],
  allocate: floats => new Float32Array(floats),
  release() {},
  recurrentMemory,
  recurrentForward,
  recurrentBackward,
  gemm,
  columnSums,
  softmaxCrossEntropy,
  embedding,
  embeddingBackward,
  sumOfSquares,
  scale,
  adamStep,
  sgdStep,
  rmspropStep,
};
