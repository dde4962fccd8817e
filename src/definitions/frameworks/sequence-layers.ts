// Sequence layers that have no recurrence to be trained here from code: attention, Transformers, convolutions, CTC and
// the packages of newer recurrences. They are found, named and counted. Each count follows its author's own module.
import type { Framework } from '../definition.ts';

export interface SequenceLayer {
  framework: Framework;
  /** names of arguments that are given by place, in the author's order; the others' stand with their rules */
  positional: readonly string[];
  /** the argument that is the width of what it gives; null where no argument is */
  width: string | null;
  /** null where the code does not tell */
  parameters?(argued: Sizes, inner: number | null): number | null;
  /** the argument that holds a layer of this kind, repeated `num_layers` times */
  inner?: string;
}

/** Reads sizes with the module's defaults; throws Open where one is not known. */
export interface Sizes {
  size(name: string, otherwise?: number): number;
  flag(name: string, otherwise: boolean): boolean;
  isGiven(name: string): boolean;
}

/** A size that the text does not tell. */
export class Open extends Error {}

/** Four projections of the model's width; keys and values may have widths of their own. */
function attention(E: number, bias: boolean, K = E, V = E): number {
  return 2 * E * E + K * E + V * E + (bias ? 4 * E : 0);
}

function feedForward(E: number, F: number, bias: boolean): number {
  return 2 * E * F + (bias ? E + F : 0);
}

function norms(E: number, count: number, bias: boolean): number {
  return count * E * (bias ? 2 : 1);
}

const block = (attentions: 1 | 2) => (E: number, F: number, bias: boolean) =>
  attentions * attention(E, bias) + feedForward(E, F, bias) + norms(E, attentions + 1, bias);
const encoderBlock = block(1);
const decoderBlock = block(2);

const BLOCK = [
  'd_model',
  'nhead',
  'dim_feedforward',
  'dropout',
  'activation',
  'layer_norm_eps',
  'batch_first',
  'norm_first',
  'bias',
];
const CONVOLUTION = [
  'in_channels',
  'out_channels',
  'kernel_size',
  'stride',
  'padding',
  'dilation',
  'groups',
  'bias',
];

const torch = (rest: Omit<SequenceLayer, 'framework'>): SequenceLayer => ({
  framework: 'torch',
  ...rest,
});

const repeated = (inner: string): SequenceLayer =>
  torch({
    positional: [inner, 'num_layers', 'norm'],
    width: null,
    inner,
    parameters(argued, each) {
      // a norm is a module of its own, of a width that its own call tells
      if (each === null || argued.isGiven('norm')) return null;
      return argued.size('num_layers') * each;
    },
  });

/** Gu and Dao 2023, `mamba_ssm.Mamba`. */
const mamba = torch({
  positional: ['d_model', 'd_state', 'd_conv', 'expand', 'dt_rank'],
  width: 'd_model',
  parameters(argued) {
    const D = argued.size('d_model');
    const N = argued.size('d_state', 16);
    const inner = Math.floor(argued.size('expand', 2) * D);
    const rank = argued.isGiven('dt_rank') ? argued.size('dt_rank') : Math.ceil(D / 16);
    const convolution = inner * (argued.size('d_conv', 4) + (argued.flag('conv_bias', true) ? 1 : 0));
    const bias = argued.flag('bias', false) ? 2 * inner + D : 0;
    const selection = inner * (rank + 2 * N) + rank * inner + inner;
    return 3 * D * inner + bias + convolution + selection + inner * N + inner;
  },
});

/** Dao and Gu 2024, `mamba_ssm.Mamba2`. */
const mamba2 = torch({
  positional: ['d_model', 'd_state', 'd_conv', 'conv_init', 'expand', 'headdim', 'd_ssm', 'ngroups'],
  width: 'd_model',
  parameters(argued) {
    if (argued.isGiven('d_ssm')) return null;
    const D = argued.size('d_model');
    const inner = Math.floor(argued.size('expand', 2) * D);
    const groups = argued.size('ngroups', 1) * argued.size('d_state', 128);
    const heads = inner / argued.size('headdim', 64);
    const mixed = inner + 2 * groups;
    const bias = argued.flag('bias', false) ? 2 * inner + 2 * groups + heads + D : 0;
    const convolution = mixed * (argued.size('d_conv', 4) + (argued.flag('conv_bias', true) ? 1 : 0));
    const perHead = heads + (argued.flag('D_has_hdim', false) ? inner : heads) + heads;
    const norm = argued.flag('rmsnorm', true) ? inner : 0;
    return D * (2 * inner + 2 * groups + heads) + inner * D + bias + convolution + perHead + norm;
  },
});

/** Feng et al. 2024, the package `minGRU-pytorch`. */
const minimal = torch({
  positional: ['dim', 'expansion_factor', 'proj_out'],
  width: 'dim',
  parameters(argued) {
    const D = argued.size('dim');
    const factor = argued.size('expansion_factor', 1);
    const inner = Math.floor(D * factor);
    const isProjected = argued.flag('proj_out', factor !== 1);
    return 2 * D * inner + (isProjected ? inner * D : 0);
  },
});

const convLstm = (framework: Framework): SequenceLayer => ({
  framework,
  positional: [],
  width: 'filters',
});

const named = (): SequenceLayer => torch({ positional: [], width: null });

/** By the constructor's own name. */
export const SEQUENCE_LAYERS: Readonly<Record<string, SequenceLayer>> = {
  MultiheadAttention: torch({
    positional: [
      'embed_dim',
      'num_heads',
      'dropout',
      'bias',
      'add_bias_kv',
      'add_zero_attn',
      'kdim',
      'vdim',
      'batch_first',
    ],
    width: 'embed_dim',
    parameters(argued) {
      const E = argued.size('embed_dim');
      const own = (name: string) => (argued.isGiven(name) ? argued.size(name) : E);
      const extra = argued.flag('add_bias_kv', false) ? 2 * E : 0;
      return attention(E, argued.flag('bias', true), own('kdim'), own('vdim')) + extra;
    },
  }),
  TransformerEncoderLayer: torch({
    positional: BLOCK,
    width: 'd_model',
    parameters: argued =>
      encoderBlock(argued.size('d_model'), argued.size('dim_feedforward', 2048), argued.flag('bias', true)),
  }),
  TransformerDecoderLayer: torch({
    positional: BLOCK,
    width: 'd_model',
    parameters: argued =>
      decoderBlock(argued.size('d_model'), argued.size('dim_feedforward', 2048), argued.flag('bias', true)),
  }),
  TransformerEncoder: repeated('encoder_layer'),
  TransformerDecoder: repeated('decoder_layer'),
  Transformer: torch({
    positional: [
      'd_model',
      'nhead',
      'num_encoder_layers',
      'num_decoder_layers',
      'dim_feedforward',
      'dropout',
      'activation',
    ],
    width: 'd_model',
    parameters(argued) {
      if (argued.isGiven('custom_encoder') || argued.isGiven('custom_decoder')) return null;
      const E = argued.size('d_model', 512);
      const F = argued.size('dim_feedforward', 2048);
      const bias = argued.flag('bias', true);
      const encoder = argued.size('num_encoder_layers', 6) * encoderBlock(E, F, bias);
      const decoder = argued.size('num_decoder_layers', 6) * decoderBlock(E, F, bias);
      // each stack ends with a norm
      return encoder + decoder + norms(E, 2, bias);
    },
  }),
  Conv1d: torch({
    positional: CONVOLUTION,
    width: 'out_channels',
    parameters(argued) {
      const [inputs, outputs] = [argued.size('in_channels'), argued.size('out_channels')];
      const bias = argued.flag('bias', true) ? outputs : 0;
      return (inputs / argued.size('groups', 1)) * outputs * argued.size('kernel_size') + bias;
    },
  }),
  CTCLoss: torch({ positional: ['blank', 'reduction'], width: null, parameters: () => 0 }),
  Mamba: mamba,
  Mamba2: mamba2,
  minGRU: minimal,
  xLSTMBlockStack: named(),
  xLSTMLMModel: named(),
  mLSTMLayer: named(),
  sLSTMLayer: named(),
  mLSTMBlock: named(),
  sLSTMBlock: named(),
  ConvLSTM1D: convLstm('keras'),
  ConvLSTM2D: convLstm('keras'),
  ConvLSTM3D: convLstm('keras'),
  convLstm2d: convLstm('tfjs'),
};

/** Modules of the packages whose layers these are, beside torch.nn, keras.layers and tf.layers. */
const PACKAGES = /^(?:mamba_ssm|xlstm|minGRU_pytorch|mingru_pytorch|mambapy)(?:\.\w+)*\.(\w+)$/;

/** Of a package of its own: the layer's name. */
export function packagedLayer(qualified: string): string | null {
  const name = PACKAGES.exec(qualified)?.[1];
  return name && SEQUENCE_LAYERS[name]?.framework === 'torch' ? name : null;
}
