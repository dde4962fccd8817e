// What layers beside the recurrent ones take, in plain TypeScript.
import type { SequenceOperations } from '../provider.ts';
import { attention, attentionBackward } from './attention.ts';
import { convolution, convolutionBackward } from './convolution.ts';
import { ctc } from './ctc.ts';
import { activation, activationBackward, add, copyColumns, dropout } from './element-wise.ts';
import { layerNorm, layerNormBackward } from './layer-norm.ts';
import { matrixMemory, matrixMemoryBackward } from './matrix-memory.ts';
import { scan, scanBackward } from './scan.ts';
import { selectiveScan, selectiveScanBackward } from './selective-scan.ts';

export const referenceOperations: SequenceOperations = {
  copyColumns,
  add,
  activation,
  activationBackward,
  dropout,
  layerNorm,
  layerNormBackward,
  attention,
  attentionBackward,
  convolution,
  convolutionBackward,
  ctc,
  scan,
  scanBackward,
  selectiveScan,
  selectiveScanBackward,
  matrixMemory,
  matrixMemoryBackward,
};
