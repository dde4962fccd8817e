// Each layer's form in Keras and TensorFlow.js; a layer that is missing here has none.
import type { LayerType } from '../../../experiment/layers/index.ts';
import { attention } from './attention.ts';
import { conv1d } from './conv1d.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import type { KerasLayer } from './kind.ts';
import { batchNorm, layerNorm, rmsNorm } from './norms.ts';
import { pool } from './pool.ts';
import { gru, lstm, rnn } from './recurrent.ts';

const KERAS_LAYERS: { [T in LayerType]?: KerasLayer<T> } = {
  embedding,
  rnn,
  gru,
  lstm,
  conv1d,
  pool,
  'layer-norm': layerNorm,
  'rms-norm': rmsNorm,
  'batch-norm': batchNorm,
  dropout,
  dense,
  attention,
};

export function kerasOf(type: LayerType): KerasLayer<LayerType> | null {
  return (KERAS_LAYERS[type] as KerasLayer<LayerType> | undefined) ?? null;
}
