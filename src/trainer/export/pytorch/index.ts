// Each layer's form in PyTorch; null for a layer that has none.
import type { LayerType } from '../../../experiment/layers/index.ts';
import { conv1d } from './conv1d.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import type { PyTorchLayer } from './kind.ts';
import { layerNorm } from './layer-norm.ts';
import { lru } from './lru.ts';
import { minGru } from './min-gru.ts';
import { gru, lstm, rnn } from './recurrent.ts';
import { tcn } from './tcn.ts';
import { transformer } from './transformer.ts';

const PYTORCH_LAYERS: { [T in LayerType]: PyTorchLayer<T> | null } = {
  embedding,
  rnn,
  gru,
  lstm,
  'min-gru': minGru,
  lru,
  'linear-attention': null,
  retnet: null,
  gla: null,
  deltanet: null,
  'gated-deltanet': null,
  'min-lstm': null,
  sru: null,
  s4d: null,
  s5: null,
  'rg-lru': null,
  'm-lstm': null,
  mamba2: null,
  mamba: null,
  rwkv: null,
  's-lstm': null,
  transformer,
  tcn,
  conv1d,
  'layer-norm': layerNorm,
  dropout,
  dense,
};

export function pytorchOf(type: LayerType): PyTorchLayer<LayerType> | null {
  return PYTORCH_LAYERS[type] as PyTorchLayer<LayerType> | null;
}
