// The files of a run folder, as types. docs/architecture.md tells who writes what and when.
import type { LayerCount } from '../experiment/parameters.ts';
import type { Experiment } from '../experiment/schema.ts';

export type { LayerCount } from '../experiment/parameters.ts';

/** NaN and the infinities stand in JSON as these strings. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export type EngineName = 'auto' | 'native' | 'wasm' | 'reference' | 'tfjs-node';

/** Where the experiment came from; `text` is the definition as it stood at the start. */
export interface DefinitionSource {
  /** path relative to the workspace folder, with forward slashes; null for an untitled document */
  path: string | null;
  /** 1-based line of the model, 0 if unknown */
  line: number;
  language: DefinitionLanguage;
  /** which of several models in the file; left out where the file is one experiment */
  model?: string | undefined;
  text: string;
}

export type DefinitionLanguage = 'rnn-json' | 'python' | 'javascript' | 'typescript' | 'tsx';

export interface GroupMembership {
  /** shared by all members of one comparison */
  id: string;
  /** place among the members, from 0 */
  index: number;
  size: number;
  /** what sets this member apart, e.g. "GRU", "lr 0.003", "seed 2" */
  label: string;
}

/** `request.json`: what was asked. The worker turns it into run.json when it starts; until then the run is queued. */
export interface RunRequest {
  format: 1;
  id: string;
  name: string;
  createdAt: string;
  experiment: Experiment;
  definition: DefinitionSource | null;
  group: GroupMembership | null;
  engine: EngineName;
  /** null: physical cores */
  threads: number | null;
  /** absolute folder that data paths are relative to, the workspace root, and further folders data may come from */
  base: string;
  workspace: string;
  allowedPaths: string[];
}

/** `run.json`: written once, when the worker starts. */
export interface RunFile extends RunRequest {
  versions: { unroll: string; node: string; tfjs: string };
  engineUsed: {
    provider: 'native' | 'wasm' | 'reference' | 'tfjs-node';
    instructionSet: string;
    threads: number;
    why: string;
  };
  machine: { host: string; platform: string; arch: string; cpu: string; cores: number; memoryBytes: number };
  parameters: { total: number; layers: LayerCount[] };
  task: TaskFacts;
}

/** What the readers must know of the task to label what they draw. */
export interface TaskFacts {
  name: Experiment['data']['task'];
  lossUnit: 'nats/char' | 'mse' | 'nats';
  /** the loss of knowing nothing, and what that is, e.g. 1/6 "always predict 1" */
  baseline: { loss: number; name: string } | null;
  /** steps of a training sequence */
  seqLen: number;
  batchSize: number;
  /** tokens or time steps per training step */
  tokensPerStep: number;
  /** a sentence or two about the data: size, vocabulary, rare characters, missing values */
  notes: string[];
}

// ---------------------------------------------------------------- events.jsonl

interface EventBase {
  step: number;
  /** seconds since 1970 */
  time: number;
}

/** A scalar over the steps since the last row. */
export interface ScalarRange {
  mean: JsonNumber;
  min: JsonNumber;
  max: JsonNumber;
}

export type EndReason = 'finished' | 'early-stopped' | 'stopped' | 'diverged' | 'failed';

export type RunEvent = EventBase &
  (
    | { kind: 'started' }
    | {
        kind: 'scalars';
        /** names: trainLoss, valLoss, gradNorm, learningRate, tokensPerSecond, memoryBytes, and the task's own (accuracy, rmse…) */
        values: Record<string, ScalarRange | JsonNumber>;
        /** own training time in seconds since the run began, pauses and other members excluded */
        ownSeconds: number;
        tokens: number;
      }
    | { kind: 'sample'; sample: Sample }
    | { kind: 'finding'; finding: Finding }
    | { kind: 'checkpoint'; best: boolean; valLoss: JsonNumber | null }
    | { kind: 'paused'; why: string }
    | { kind: 'resumed'; fromStep: number }
    | {
        kind: 'ended';
        reason: EndReason;
        message: string;
        trainLoss: JsonNumber | null;
        valLoss: JsonNumber | null;
        seconds: number;
      }
  );

export type Sample =
  | { type: 'text'; prompt: string; text: string; temperature: number }
  | {
      type: 'forecast';
      /** a stretch of validation data in the target's own unit */
      index: number[];
      truth: JsonNumber[];
      prediction: JsonNumber[];
      persistence: JsonNumber[];
      target: string;
    }
  | { type: 'pairs'; rows: { input: string; truth: string; prediction: string }[] };

/** What the diagnosis found, with its evidence in numbers. */
export interface Finding {
  id: 'vanishing' | 'exploding' | 'diverged' | 'overfitting' | 'plateau' | 'dead-units' | 'saturated-gates';
  severity: 'info' | 'warning' | 'error';
  /** one sentence with numbers */
  message: string;
  /** which layer, e.g. "layers.1"; null: the whole model */
  layer: string | null;
  evidence: Record<string, JsonNumber | string>;
  /** edits of the experiment that may mend it */
  fixes: Fix[];
}

export interface Fix {
  title: string;
  /** assignments by path into the experiment, e.g. [["training","clipNorm"], 1]; value undefined removes */
  edits: { path: (string | number)[]; value: unknown }[];
}

// ---------------------------------------------------------------- status, lock, control, series

export type RunState =
  | 'queued'
  | 'starting'
  | 'training'
  | 'paused'
  | 'finished'
  | 'early-stopped'
  | 'stopped'
  | 'diverged'
  | 'failed';

/** `status.json`: what lists and lenses read. */
export interface RunStatus {
  state: RunState;
  /** grows with every write; a reader sees life when it changes */
  heartbeat: number;
  step: number;
  steps: number;
  /** seconds left; null if not known */
  eta: number | null;
  last: Record<string, JsonNumber>;
  /** for failed and diverged: one sentence */
  message: string | null;
}

/** `writer.json`: who writes; created exclusively. */
export interface WriterFile {
  host: string;
  pid: number;
  /** start time of the process, in the system's own unit, so that a reused pid is not taken for it */
  processStart: string;
  bootId: string;
}

export type ControlRequest = 'stop' | 'pause' | 'resume' | 'checkpoint' | 'probe';

/** `series/<name>.json`: beside `<name>.f32`, whose rows are a uint32 step and `width` float32. */
export interface SeriesSidecar {
  name: string;
  width: number;
  /** row = [layer][t] for gradient flow, [layer][gate][t] for gates, outermost first */
  axes: { name: string; size: number; labels?: string[] }[];
  layers: SeriesLevel[];
  unit: string;
}

/** A level of the model: a direction of a recurrent level ("layers.1.0"), or another layer ("layers.1"). */
export interface SeriesLevel {
  name: string;
  /** for hues and markers: 'recurrent', 'attention', 'convolution', 'plain' … */
  family: string;
  /** for people: 'LSTM', 'Transformer' … */
  title: string;
  units: number;
  /** the gate whose value is the share of the state that stays */
  keeps?: string | undefined;
}

export const SERIES = {
  gradientFlow: 'gradient-flow',
  gradientFlowFull: 'gradient-flow-full',
  gates: 'gates',
  saturation: 'saturation',
  deadUnits: 'dead-units',
} as const;
