// The reference provider: plain TypeScript, one thread, the oracle of every other provider's tests.
import type { Provider, RecurrentCell } from '../provider.ts';
import { recurrentBackward } from './backward.ts';
import { referenceCells } from './cells.ts';
import { denseCrossEntropy } from './dense-cross-entropy.ts';
import { embedding, embeddingBackward } from './embedding.ts';
import { recurrentForward } from './forward.ts';
import { columnSums, gemm } from './gemm.ts';
import { recurrentMemory } from './memory.ts';
import { adamStep, rmspropStep, scale, sgdStep, sumOfSquares } from './optimizers.ts';
import { referenceOperations } from './sequence-operations.ts';
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
  denseCrossEntropy,
  embedding,
  embeddingBackward,
  sumOfSquares,
  scale,
  adamStep,
  sgdStep,
  rmspropStep,
  ...referenceOperations,
  close() {},
};
