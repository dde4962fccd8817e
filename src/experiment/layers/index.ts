// The layers an experiment can name: one line a kind. The compiler then asks every room for what it must know of it.
import * as z from 'zod';
import { adaptiveSoftmax } from './adaptive-softmax.ts';
import { attention } from './attention.ts';
import { batchNorm } from './batch-norm.ts';
import { clockwork } from './clockwork.ts';
import { conv1d } from './conv1d.ts';
import { crf } from './crf.ts';
import { deltanet } from './deltanet.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { echoState } from './echo-state.ts';
import { embedding } from './embedding.ts';
import { gatedDeltanet } from './gated-deltanet.ts';
import { gla } from './gla.ts';
import { gru } from './gru.ts';
import { hierarchical } from './hierarchical.ts';
import { highway } from './highway.ts';
import { indRnn } from './ind-rnn.ts';
import type { LayerKind } from './kind.ts';
import { layerNorm } from './layer-norm.ts';
import { linearAttention } from './linear-attention.ts';
import { lru } from './lru.ts';
import { lstm } from './lstm.ts';
import { mLstm } from './m-lstm.ts';
import { mamba } from './mamba.ts';
import { mamba2 } from './mamba2.ts';
import { minGru } from './min-gru.ts';
import { minLstm } from './min-lstm.ts';
import { orthogonalRnn } from './orthogonal-rnn.ts';
import { pool } from './pool.ts';
import { retnet } from './retnet.ts';
import { rgLru } from './rg-lru.ts';
import { rmsNorm } from './rms-norm.ts';
import { rnn } from './rnn.ts';
import { rwkv } from './rwkv.ts';
import { sLstm } from './s-lstm.ts';
import { s4d } from './s4d.ts';
import { s5 } from './s5.ts';
import { sru } from './sru.ts';
import { tcn } from './tcn.ts';
import { transformer } from './transformer.ts';
import { transformerXl } from './transformer-xl.ts';
import { wavenet } from './wavenet.ts';

export const LAYER_KINDS = {
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
  crf,
} as const;

export type LayerType = keyof typeof LAYER_KINDS;
type SchemaOf<T extends LayerType> = (typeof LAYER_KINDS)[T]['schema'];
export type LayerOf<T extends LayerType> = z.output<SchemaOf<T>>;
export type Layer = { [T in LayerType]: LayerOf<T> }[LayerType];
export type LayerInput = { [T in LayerType]: z.input<SchemaOf<T>> }[LayerType];

export const LAYER_TYPES = Object.keys(LAYER_KINDS) as LayerType[];

type AnySchema = SchemaOf<LayerType>;
export const layerSchema = z.discriminatedUnion(
  'type',
  LAYER_TYPES.map(type => LAYER_KINDS[type].schema) as unknown as [AnySchema, ...AnySchema[]],
);

/** What any room may ask of this layer. */
export function kindOf(layer: { type: LayerType }): LayerKind {
  return LAYER_KINDS[layer.type] as unknown as LayerKind;
}

/** The kind of that name; null for one that this version does not know. */
export function kindNamed(type: string): LayerKind | null {
  return Object.hasOwn(LAYER_KINDS, type) ? kindOf({ type: type as LayerType }) : null;
}

/** The layers that a comparison may put in each other's place: those that read across steps and need no encoder. */
export const CELL_TYPES = LAYER_TYPES.filter(type => {
  const { family, needsEncoder } = kindOf({ type });
  return family !== 'plain' && !needsEncoder;
});

/** Whether a comparison of cells may put another one in its place. */
export function isCell({ type }: { type: LayerType }): boolean {
  return CELL_TYPES.includes(type);
}

/** The cells of every table of counts. */
export const CLASSIC_CELLS = CELL_TYPES.filter(type => kindOf({ type }).classic);
