// What layers beside the recurrent ones take, in plain TypeScript.
import type { SequenceOperations } from '../provider.ts';
import { attention, attentionBackward } from './attention.ts';
import { channelStates, channelStatesBackward, channelStatesKept } from './channel-states.ts';
import { convolution, convolutionBackward } from './convolution.ts';
import { ctc } from './ctc.ts';
import { activation, activationBackward, add, copyColumns, dropout } from './element-wise.ts';
import { formula } from './formula.ts';
import { layerNorm, layerNormBackward } from './layer-norm.ts';
import { matrixMemory, matrixMemoryBackward } from './matrix-memory.ts';
import { rowNorm, rowNormBackward } from './row-norm.ts';
import { scan, scanBackward } from './scan.ts';
import { selectiveScan, selectiveScanBackward } from './selective-scan.ts';
import { shortConvolution, shortConvolutionBackward } from './short-convolution.ts';

export const referenceOperations: SequenceOperations = {
  copyColumns,
  add,
  formula,
  activation,
  activationBackward,
  dropout,
  layerNorm,
  layerNormBackward,
  rowNorm,
  rowNormBackward,
  shortConvolution,
  shortConvolutionBackward,
  attention,
  attentionBackward,
  convolution,
  convolutionBackward,
  ctc,
  scan,
  scanBackward,
  selectiveScan,
  selectiveScanBackward,
  channelStatesKept,
  channelStates,
  channelStatesBackward,
  matrixMemory,
  matrixMemoryBackward,
};
