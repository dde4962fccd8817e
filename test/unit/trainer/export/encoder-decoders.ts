// Small encoder-decoders whose exports are compared with their runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { type ExportFormat, exportRun } from '../../../../src/trainer/export/export-run.ts';
import { trainNew } from '../training/runs.ts';

export type Layer = ExperimentInput['model']['layers'][number];

export interface Chains {
  encoder: Layer[];
  layers: Layer[];
  convention?: 'keras' | 'tfjs';
}

export const EMBEDDING: Layer = { type: 'embedding', dim: 4 };

export const THROUGH_BRIDGES: Record<string, Chains> = {
  'an LSTM both ways through a bridge, with general attention': {
    encoder: [EMBEDDING, { type: 'lstm', units: 5, bidirectional: true, layers: 2 }],
    layers: [
      EMBEDDING,
      { type: 'lstm', units: 6, layers: 2, bridge: 'dense' },
      { type: 'attention', score: 'general' },
      { type: 'dense', units: 7, activation: 'tanh' },
      { type: 'dense' },
    ],
  },
  'a GRU both ways that hands its state to an LSTM through a bridge, with attention by dot product': {
    encoder: [EMBEDDING, { type: 'gru', units: 3, bidirectional: true, resetAfter: false }],
    layers: [
      EMBEDDING,
      { type: 'lstm', units: 6, bridge: 'dense' },
      { type: 'attention', score: 'dot' },
      { type: 'dense' },
    ],
  },
};

export async function exportedPair(format: ExportFormat, { encoder, layers, convention }: Chains) {
  const { folder } = await trainNew({
    name: 'exported',
    data: { task: 'reverse', length: 7, symbols: 4 },
    model: { encoder, layers, ...(convention ? { convention } : {}) },
    training: {
      batchSize: 8,
      steps: 4,
      optimizer: { type: 'adam', learningRate: 0.05 },
      validation: { every: 4, maxBatches: 1 },
      sample: { every: 100 },
    },
  } as ExperimentInput);
  const out = join(folder, format);
  await exportRun(folder, format, out);
  return { folder, out };
}

export function readJson<T>(out: string, name: string): T {
  return JSON.parse(readFileSync(join(out, name), 'utf8')) as T;
}

/** Within 1e-5, relative to what is larger than 1. */
export function assertClose(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  assert.equal(found.length, wanted.length, what);
  for (let place = 0; place < wanted.length; place++)
    assert.ok(
      Math.abs(found[place]! - wanted[place]!) <= 1e-5 * Math.max(1, Math.abs(wanted[place]!)),
      `${what}: ${found[place]} at ${place}, not ${wanted[place]}`,
    );
}
