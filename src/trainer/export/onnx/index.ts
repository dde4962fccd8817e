// Each layer's form in ONNX; a layer that is missing here has none.
import type { LayerType } from '../../../experiment/layers/index.ts';
import { attention } from './attention.ts';
import { conv1d } from './conv1d.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import type { OnnxLayer } from './kind.ts';
import { batchNorm, layerNorm, rmsNorm } from './norms.ts';
import { gru, lstm, rnn } from './recurrent.ts';

const ONNX_LAYERS: { [T in LayerType]?: OnnxLayer<T> } = {
  embedding,
  rnn,
  gru,
  lstm,
  conv1d,
  'layer-norm': layerNorm,
  'rms-norm': rmsNorm,
  'batch-norm': batchNorm,
  dropout,
  dense,
  attention,
};

export function onnxOf(type: LayerType): OnnxLayer<LayerType> | null {
  return (ONNX_LAYERS[type] as OnnxLayer<LayerType> | undefined) ?? null;
}
