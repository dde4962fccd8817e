// The files of a run folder, as schemas: what is read is checked by them, and the types are inferred from them.
// docs/architecture.md tells who writes what and when. Names that may grow (views, families, units, metrics, findings)
// are open strings, so that an older reader keeps what a newer writer has said.
import * as z from 'zod';
import { experimentSchema } from '../experiment/schema.ts';
import { dataFileSchema } from './data-file.ts';
import { levelOfOld, OLD_SAMPLE_TYPES, sampleOfOld, viewOfOld } from './format-old.ts';
import { weightsOriginSchema } from './weights-origin.ts';

export type { LayerCount } from '../experiment/parameters.ts';

const text = z.string().max(10_000);
const longText = z.string().max(4_000_000);
const sampleText = z.string().max(400_000);
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const wholeCount = z.int().min(0);

/** NaN and the infinities stand in JSON as strings. */
const jsonNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
export type JsonNumber = z.infer<typeof jsonNumber>;

/** The same, read as a number: what was measured may have been NaN or infinite. */
const measured = jsonNumber.transform(Number);

const engineName = z.enum(['auto', 'native', 'wasm', 'reference', 'tfjs-node']);
export type EngineName = z.infer<typeof engineName>;

const definition = z.object({
  /** path relative to the workspace folder, with forward slashes; null for an untitled document */
  path: text.nullable(),
  /** 1-based line of the model, 0 if unknown */
  line: wholeCount,
  language: z.enum(['rnn-json', 'python', 'javascript', 'typescript', 'tsx']),
  /** which of several models in the file; left out where the file is one experiment */
  model: text.optional(),
  text: longText,
});
/** Where the experiment came from; `text` is the definition as it stood at the start. */
export type DefinitionSource = z.infer<typeof definition>;

const group = z.object({
  /** shared by all members of one comparison */
  id: text,
  /** place among the members, from 0 */
  index: wholeCount,
  size: wholeCount.max(10_000),
  /** what sets this member apart, e.g. "GRU", "lr 0.003", "seed 2" */
  label: text,
});
export type GroupMembership = z.infer<typeof group>;

export const requestSchema = z.object({
  format: z.literal(1),
  id: text,
  name: text,
  createdAt: text,
  experiment: experimentSchema,
  definition: definition.nullable(),
  group: group.nullable(),
  engine: engineName,
  /** null: physical cores */
  threads: wholeCount.nullable(),
  /** absolute folder that data paths are relative to, the workspace root, and further folders data may come from */
  base: text,
  workspace: text,
  allowedPaths: z.array(text).max(1000),
  /** left out: the weights are drawn */
  weightsFrom: weightsOriginSchema.optional(),
});
/** `request.json`: what was asked. The worker turns it into run.json when it starts; until then the run is queued. */
export type RunRequest = z.infer<typeof requestSchema>;

const metric = z.object({
  /** of its scalar */
  name: text,
  label: text,
  /** "%" of a share from 0 to 1, "nats/char" …; empty for a plain number */
  unit: text,
  better: z.enum(['lower', 'higher']),
});
/** A scalar that a task records beside its loss. */
export type Metric = z.infer<typeof metric>;

const inputSize = z.union([
  z.object({ kind: z.literal('tokens'), vocabulary: wholeCount, each: wholeCount.optional() }),
  z.object({ kind: z.literal('vectors'), features: wholeCount }),
]);

const task = z.object({
  name: text,
  /** 'nats/char', 'mse' … */
  lossUnit: text,
  /** the loss of knowing nothing, and what that is, e.g. 1/6 "always predict 1" */
  baseline: z.object({ loss: measured, name: text }).nullable(),
  /** steps of a training sequence */
  seqLen: wholeCount,
  batchSize: wholeCount,
  /** tokens or time steps per training step */
  tokensPerStep: count,
  /** a sentence or two about the data: size, vocabulary, rare characters, missing values */
  notes: z.array(text).max(100),
  /** the first is the one that lists and lenses show beside the loss; version 0.1.0 names none */
  metrics: z.array(metric).max(100).optional(),
  /** what the task asks of the model; version 0.1.0 leaves it to the reader */
  sizes: z
    .object({
      input: inputSize,
      outputs: wholeCount,
      source: inputSize.optional(),
      steps: wholeCount.optional(),
    })
    .optional(),
});
/** What the readers must know of the task to label what they draw. */
export type TaskFacts = z.infer<typeof task>;

export const runSchema = requestSchema.extend({
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
  task,
  /** what the run learned from; version 0.1.0 says nothing of it */
  data: z.array(dataFileSchema).max(1000).optional(),
});
/** `run.json`: written once, when the worker starts. */
export type RunFile = z.infer<typeof runSchema>;

const fix = z.object({
  title: text,
  /** assignments by path into the experiment, e.g. [["training","clipNorm"], 1]; value undefined removes */
  edits: z
    .array(z.object({ path: z.array(z.union([text, wholeCount])).max(20), value: z.unknown().optional() }))
    .max(100),
});
export type Fix = z.infer<typeof fix>;

const finding = z.object({
  /** 'vanishing', 'exploding' …: docs/findings.md */
  id: text,
  severity: z.enum(['info', 'warning', 'error']),
  /** one sentence with numbers */
  message: text,
  /** which layer, e.g. "layers.1"; null: the whole model */
  layer: text.nullable(),
  evidence: z.record(text, z.union([jsonNumber, text])),
  /** edits of the experiment that may mend it */
  fixes: z.array(fix).max(20),
});
/** What the diagnosis found, with its evidence in numbers. */
export type Finding = z.infer<typeof finding>;

const numbers = z.array(jsonNumber).max(100_000);

const places = {
  index: z.array(measured).max(100_000),
  /** when each was, in milliseconds since 1970; left out where the data do not say */
  dates: numbers.optional(),
};

/** of one column, in its own unit */
const forecast = {
  truth: numbers,
  prediction: numbers,
  persistence: numbers,
  target: text,
  /** whole predictions from some of the origins, of horizons of more than one row */
  paths: z
    .array(z.object({ ...places, prediction: numbers }))
    .max(100)
    .optional(),
  /** root mean squared errors by row ahead */
  steps: z.object({ rmse: numbers, persistence: numbers }).optional(),
  /** the same by origin: the last row that was known */
  origins: z.object({ ...places, rmse: numbers, persistence: numbers }).optional(),
};

/** a stretch of validation data, the last row of each horizon */
const series = {
  ...places,
  ...forecast,
  /** further columns that are predicted together with the first */
  others: z.array(z.object(forecast)).max(1000).optional(),
};

/** NaN where a model had diverged */
const share = measured.refine(value => !(value < 0 || value > 1), 'it is no share');

const pairs = z.array(z.object({ input: text, truth: text, prediction: text })).max(10_000);

/** counts[truth][prediction] */
const confusion = z
  .object({
    classes: z.array(text).max(100),
    counts: z.array(z.array(wholeCount).max(100)).max(100),
  })
  .refine(({ classes: { length }, counts }) => [counts, ...counts].every(row => row.length === length), {
    error: 'the counts are not square',
  });

const classes = {
  rows: z.array(z.object({ input: text, truth: text, prediction: text, probability: share })).max(10_000),
  /** null: there are too many classes to show */
  confusion: confusion.nullable(),
};

/** What a decoder says of a source. */
const decoded = {
  rows: z
    .array(
      z.object({
        source: text,
        truth: text,
        prediction: text,
        /** the steps it says it at, where it reads unaligned labels */
        alignment: text.optional(),
        /** weights[step of the answer][unit of the source]; left out where nothing attends to the source */
        attention: z
          .object({
            source: z.array(text).max(1000),
            target: z.array(text).max(1000),
            weights: z.array(z.array(share).max(1000)).max(1000),
          })
          .refine(
            ({ source, target, weights }) =>
              weights.length === target.length && weights.every(row => row.length === source.length),
            { error: 'the weights are not one for each unit of the answer and of the source' },
          )
          .optional(),
      }),
    )
    .max(10_000),
  /** of more sequences, free-running: how many are right by units of the source */
  byLength: z
    .array(z.object({ length: wholeCount, sequences: wholeCount, right: wholeCount }))
    .max(10_000)
    .optional(),
  /** how many symbols are wrong by their place in the target, from 1, the end among them */
  byPosition: z
    .array(z.object({ position: wholeCount, symbols: wholeCount, wrong: wholeCount }))
    .max(10_000)
    .optional(),
};

/** Sequences of tokens, each with the tag it has and the one it was given. */
const tagged = {
  rows: z.array(z.array(z.object({ token: text, truth: text, prediction: text })).max(10_000)).max(1000),
  confusion: confusion.nullable().optional(),
};

/** Training sequences, and what they were varied to. */
const augmented = z.array(z.object({ before: text, after: text })).max(1000);

const sample = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), prompt: sampleText, text: sampleText, temperature: measured }),
  z.object({ type: z.literal('series'), ...series }),
  z.object({ type: z.literal('pairs'), rows: pairs }),
  z.object({ type: z.literal('classes'), ...classes }),
  z.object({ type: z.literal('decoded'), ...decoded }),
  z.object({ type: z.literal('tagged'), ...tagged }),
  z.object({ type: z.literal('augmented'), rows: augmented }),
]);
/** A way to show what a model says; the task chooses which. */
export type Sample = z.infer<typeof sample>;

const sampleOfAnyVersion = z.preprocess(sampleOfOld, sample);

/** `time`: seconds since 1970 */
const base = { step: wholeCount, time: z.number() };

const range = z.object({ mean: jsonNumber, min: jsonNumber, max: jsonNumber });
/** A scalar over the steps since the last row. */
export type ScalarRange = z.infer<typeof range>;

const endReason = z.enum(['finished', 'early-stopped', 'stopped', 'diverged', 'failed']);
export type EndReason = z.infer<typeof endReason>;

/** One line of `events.jsonl`. */
export const eventSchema = z.discriminatedUnion('kind', [
  z.object({ ...base, kind: z.literal('started') }),
  z.object({
    ...base,
    kind: z.literal('scalars'),
    /** names: trainLoss, valLoss, gradNorm, learningRate, tokensPerSecond, waiting, memoryBytes, timeAlone, and the task's metrics */
    values: z.record(text, z.union([range, jsonNumber])),
    /** own training time in seconds since the run began, pauses and other members excluded */
    ownSeconds: count,
    tokens: count,
  }),
  z.object({ ...base, kind: z.literal('sample'), sample: sampleOfAnyVersion }),
  z.object({ ...base, kind: z.literal('finding'), finding }),
  z.object({ ...base, kind: z.literal('checkpoint'), best: z.boolean(), valLoss: jsonNumber.nullable() }),
  z.object({ ...base, kind: z.literal('paused'), why: text }),
  z.object({ ...base, kind: z.literal('resumed'), fromStep: wholeCount }),
  z.object({
    ...base,
    kind: z.literal('ended'),
    reason: endReason,
    message: text,
    trainLoss: jsonNumber.nullable(),
    valLoss: jsonNumber.nullable(),
    /** the task's metrics at the last validation, by "valAccuracy" …, and those of the test part; null: there are none */
    metrics: z.record(text, jsonNumber).nullable().optional(),
    seconds: count,
  }),
]);
export type RunEvent = z.infer<typeof eventSchema>;
/** Of events and samples that this version knows; others are passed over. */
export const EVENT_KINDS: ReadonlySet<unknown> = new Set(
  eventSchema.options.map(({ shape }) => shape.kind.value),
);
export const SAMPLE_TYPES: ReadonlySet<unknown> = new Set([
  ...OLD_SAMPLE_TYPES,
  ...sample.options.map(({ shape }) => shape.type.value),
]);

const runState = z.enum([
  'queued',
  'starting',
  'training',
  'paused',
  'finished',
  'early-stopped',
  'stopped',
  'diverged',
  'failed',
]);
export type RunState = z.infer<typeof runState>;

export const statusSchema = z.object({
  state: runState,
  /** grows with every write; a reader sees life when it changes */
  heartbeat: count,
  step: count,
  steps: count,
  /** seconds left; null if not known */
  eta: measured.nullable(),
  last: z.record(text, jsonNumber),
  /** for failed and diverged: one sentence */
  message: text.nullable(),
});
/** `status.json`: what lists and lenses read. */
export type RunStatus = z.infer<typeof statusSchema>;

export const writerSchema = z.object({
  host: text,
  pid: z.int().min(1),
  /** start time of the process, in the system's own unit, so that a reused pid is not taken for it */
  processStart: text,
  bootId: text,
});
/** `writer.json`: who writes; created exclusively. */
export type WriterFile = z.infer<typeof writerSchema>;

export type ControlRequest = 'stop' | 'pause' | 'resume' | 'checkpoint' | 'probe';

/** Widest row that is read; wider ones are refused before anything is allocated. */
export const MAX_SERIES_WIDTH = 1_000_000;

const level = z.object({
  name: text,
  /** for hues and markers: 'recurrent', 'attention', 'convolution', 'plain' … */
  family: text,
  /** for people: 'LSTM', 'Transformer' … */
  title: text,
  units: wholeCount,
  /** the gate whose value is the share of the state that stays */
  keeps: text.optional(),
});
/** A level of the model: a direction of a recurrent level ("layers.1.0"), or another layer ("layers.1"). */
export type SeriesLevel = z.infer<typeof level>;

const sidecar = z
  .object({
    name: text,
    /** how it is drawn: 'time-map', 'gates', 'shares' …; a reader that does not know it draws nothing */
    view: text,
    width: z.int().min(1).max(MAX_SERIES_WIDTH),
    /**
     * row = [layer][t] of a time map, [gate][t] of gates, outermost first. An axis "t" is right-aligned: its last place is
     * the last step of each sequence.
     */
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
export const sidecarSchema = z.preprocess(viewOfOld, sidecar);
/** `series/<name>.json`: beside `<name>.f32`, whose rows are a uint32 step and `width` float32. */
export type SeriesSidecar = z.infer<typeof sidecar>;
