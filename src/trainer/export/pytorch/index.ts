// Each layer's form in PyTorch; null for a layer that has none.
import type { LayerType } from '../../../experiment/layers/index.ts';
import { adaptiveSoftmax } from './adaptive-softmax.ts';
import { attention } from './attention.ts';
import { batchNorm } from './batch-norm.ts';
import { clockwork } from './clockwork.ts';
import { conv1d } from './conv1d.ts';
import { deltanet } from './deltanet.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { echoState } from './echo-state.ts';
import { embedding } from './embedding.ts';
import { gatedDeltanet } from './gated-deltanet.ts';
import { gla } from './gla.ts';
import { hierarchical } from './hierarchical.ts';
import { highway } from './highway.ts';
import { indRnn } from './ind-rnn.ts';
import type { PyTorchLayer } from './kind.ts';
import { layerNorm } from './layer-norm.ts';
import { linearAttention } from './linear-attention.ts';
import { lru } from './lru.ts';
import { mLstm } from './m-lstm.ts';
import { mamba } from './mamba.ts';
import { mamba2 } from './mamba2.ts';
import { minGru } from './min-gru.ts';
import { minLstm } from './min-lstm.ts';
import { orthogonalRnn } from './orthogonal-rnn.ts';
import { pool } from './pool.ts';
import { gru, lstm, rnn } from './recurrent.ts';
import { retnet } from './retnet.ts';
import { rgLru } from './rg-lru.ts';
import { rmsNorm } from './rms-norm.ts';
import { rwkv } from './rwkv.ts';
import { sLstm } from './s-lstm.ts';
import { s4d } from './s4d.ts';
import { s5 } from './s5.ts';
import { sru } from './sru.ts';
import { tcn } from './tcn.ts';
import { transformer } from './transformer.ts';
import { transformerXl } from './transformer-xl.ts';
import { wavenet } from './wavenet.ts';

const PYTORCH_LAYERS: { [T in LayerType]: PyTorchLayer<T> | null } = {
  embedding,
  rnn,
  gru,
  lstm,
  'min-gru': minGru,
  lru,
  'linear-attention': linearAttention,
  retnet,
  gla,
  deltanet,
  'gated-deltanet': gatedDeltanet,
  'min-lstm': minLstm,
  sru,
  s4d,
  s5,
  'rg-lru': rgLru,
  'm-lstm': mLstm,
  mamba2,
  mamba,
  rwkv,
  's-lstm': sLstm,
  'ind-rnn': indRnn,
  'orthogonal-rnn': orthogonalRnn,
  clockwork,
  hierarchical,
  'echo-state': echoState,
  transformer,
  'transformer-xl': transformerXl,
  tcn,
  wavenet,
  conv1d,
  attention,
  pool,
  'layer-norm': layerNorm,
  'rms-norm': rmsNorm,
  'batch-norm': batchNorm,
  highway,
  dropout,
  dense,
  'adaptive-softmax': adaptiveSoftmax,
  crf: null,
};

export function pytorchOf(type: LayerType): PyTorchLayer<LayerType> | null {
  return PYTORCH_LAYERS[type] as PyTorchLayer<LayerType> | null;
}
