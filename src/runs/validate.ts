// Run folders are untrusted: what is read from them is checked here before anything relies on it.
import * as z from 'zod';
import { experimentSchema } from '../experiment/schema.ts';
import type { RunEvent, RunFile, RunRequest, RunStatus, SeriesSidecar, WriterFile } from './format.ts';

const text = z.string().max(10_000);
const longText = z.string().max(4_000_000);
const sampleText = z.string().max(400_000);
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const wholeCount = z.int().min(0);
const jsonNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);

const request = z.object({
  format: z.literal(1),
  id: text,
  name: text,
  createdAt: text,
  experiment: experimentSchema,
  definition: z
    .object({
      path: text.nullable(),
      line: wholeCount,
      language: z.enum(['rnn-json', 'python', 'javascript', 'typescript', 'tsx']),
      model: text.optional(),
      text: longText,
    })
    .nullable(),
  group: z.object({ id: text, index: wholeCount, size: wholeCount.max(10_000), label: text }).nullable(),
  engine: z.enum(['auto', 'native', 'wasm', 'reference', 'tfjs-node']),
  threads: wholeCount.nullable(),
  base: text,
  workspace: text,
  allowedPaths: z.array(text).max(1000),
});

const run = request.extend({
  versions: z.object({ unroll: text, node: text, tfjs: text }),
  engineUsed: z.object({
    provider: z.enum(['native', 'wasm', 'reference', 'tfjs-node']),
    instructionSet: text,
    threads: wholeCount,
    why: text,
  }),
  machine: z.object({ host: text, platform: text, arch: text, cpu: text, cores: count, memoryBytes: count }),
  parameters: z.object({
    total: count,
    layers: z.array(z.object({ name: text, type: text, count, formula: text })).max(1000),
  }),
  task: z.object({
    name: text,
    lossUnit: text,
    baseline: z.object({ loss: z.number(), name: text }).nullable(),
    seqLen: wholeCount,
    batchSize: wholeCount,
    tokensPerStep: count,
    notes: z.array(text).max(100),
  }),
});

const status = z.object({
  state: z.enum([
    'queued',
    'starting',
    'training',
    'paused',
    'finished',
    'early-stopped',
    'stopped',
    'diverged',
    'failed',
  ]),
  heartbeat: count,
  step: count,
  steps: count,
  eta: z.number().nullable(),
  last: z.record(text, jsonNumber),
  message: text.nullable(),
});

const writer = z.object({ host: text, pid: z.int().min(1), processStart: text, bootId: text });

const fix = z.object({
  title: text,
  edits: z
    .array(z.object({ path: z.array(z.union([text, wholeCount])).max(20), value: z.unknown().optional() }))
    .max(100),
});

const numbers = z.array(jsonNumber).max(100_000);

const sample = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), prompt: sampleText, text: sampleText, temperature: z.number() }),
  z.object({
    type: z.literal('forecast'),
    index: z.array(z.number()).max(100_000),
    truth: numbers,
    prediction: numbers,
    persistence: numbers,
    target: text,
  }),
  z.object({
    type: z.literal('pairs'),
    rows: z.array(z.object({ input: text, truth: text, prediction: text })).max(10_000),
  }),
]);

const base = { step: wholeCount, time: z.number() };
const range = z.object({ mean: jsonNumber, min: jsonNumber, max: jsonNumber });

const event = z.discriminatedUnion('kind', [
  z.object({ ...base, kind: z.literal('started') }),
  z.object({
    ...base,
    kind: z.literal('scalars'),
    values: z.record(text, z.union([range, jsonNumber])),
    ownSeconds: count,
    tokens: count,
  }),
  z.object({ ...base, kind: z.literal('sample'), sample }),
  z.object({
    ...base,
    kind: z.literal('finding'),
    finding: z.object({
      id: z.enum([
        'vanishing',
        'exploding',
        'diverged',
        'overfitting',
        'plateau',
        'dead-units',
        'saturated-gates',
      ]),
      severity: z.enum(['info', 'warning', 'error']),
      message: text,
      layer: text.nullable(),
      evidence: z.record(text, z.union([jsonNumber, text])),
      fixes: z.array(fix).max(20),
    }),
  }),
  z.object({ ...base, kind: z.literal('checkpoint'), best: z.boolean(), valLoss: jsonNumber.nullable() }),
  z.object({ ...base, kind: z.literal('paused'), why: text }),
  z.object({ ...base, kind: z.literal('resumed'), fromStep: wholeCount }),
  z.object({
    ...base,
    kind: z.literal('ended'),
    reason: z.enum(['finished', 'early-stopped', 'stopped', 'diverged', 'failed']),
    message: text,
    trainLoss: jsonNumber.nullable(),
    valLoss: jsonNumber.nullable(),
    seconds: count,
  }),
]);

/** Widest row that is read; wider ones are refused before anything is allocated. */
export const MAX_SERIES_WIDTH = 1_000_000;

const level = z.object({
  name: text,
  family: text,
  title: text,
  units: wholeCount,
  keeps: text.optional(),
});

/** Version 0.1.0 names a recurrent level by its cell alone. */
function levelOfOld(value: unknown): unknown {
  const { cell, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (typeof cell !== 'string' || 'family' in rest) return value;
  const keeps = { lstm: 'f', gru: 'z' }[cell];
  return { ...rest, family: 'recurrent', title: cell.toUpperCase(), ...(keeps && { keeps }) };
}

const sidecar = z
  .object({
    name: text,
    width: z.int().min(1).max(MAX_SERIES_WIDTH),
    axes: z
      .array(z.object({ name: text, size: wholeCount, labels: z.array(text).max(10_000).optional() }))
      .min(1)
      .max(8),
    layers: z.array(z.preprocess(levelOfOld, level)).max(1000),
    unit: text,
  })
  .refine(value => value.axes.reduce((product, axis) => product * axis.size, 1) === value.width, {
    error: 'the axes do not multiply to the width',
  })
  .refine(({ axes }) => axes.every(({ size, labels }) => !labels || labels.length === size), {
    error: 'an axis has more or fewer labels than places',
  })
  .refine(({ axes, layers }) => axes.every(({ name, size }) => name !== 'layer' || size === layers.length), {
    error: 'the axis "layer" does not have as many places as there are layers',
  });

/** The checked value, or a sentence. */
export type Checked<T> = { ok: true; value: T } | { ok: false; why: string };

function checker<T>(schema: z.ZodType): (value: unknown) => Checked<T> {
  return value => {
    const result = schema.safeParse(value);
    if (result.success) return { ok: true, value: result.data as T };
    const issue = result.error.issues[0];
    return { ok: false, why: `${issue?.path.join('.') || 'the value'}: ${issue?.message ?? 'not valid'}` };
  };
}

export const checkRequest = checker<RunRequest>(request);
export const checkRun = checker<RunFile>(run);
export const checkStatus = checker<RunStatus>(status);
export const checkWriter = checker<WriterFile>(writer);
export const checkEvent = checker<RunEvent>(event);
export const checkSidecar = checker<SeriesSidecar>(sidecar);
