// The tasks' rooms, asked for by the compiler.
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import type { ModelSizes } from '../../experiment/sizes.ts';
import { TASK_NAMES, type TaskName } from '../../experiment/tasks/index.ts';
import type { DataPlace } from '../data/locate.ts';
import { adding } from './adding.ts';
import { anbn, anbncn } from './anbn.ts';
import { associativeRecall } from './associative-recall.ts';
import { byteLm } from './byte-lm.ts';
import { charLm } from './char-lm.ts';
import { classify } from './classify.ts';
import { copyMemory } from './copy-memory.ts';
import { ctc } from './ctc.ts';
import { dyck } from './dyck.ts';
import { forecast } from './forecast.ts';
import { addition, copy, reverse, sort } from './generated-pairs.ts';
import { induction } from './induction.ts';
import type { Codec } from './language.ts';
import { modularArithmetic } from './modular-arithmetic.ts';
import type { TaskModule } from './module.ts';
import { morse } from './morse.ts';
import { parity } from './parity.ts';
import { reber } from './reber.ts';
import { selectiveCopy } from './selective-copy.ts';
import { seq2seq } from './seq2seq.ts';
import { languageSteps, type Stepping } from './stepping.ts';
import { table } from './table.ts';
import { tag } from './tag.ts';
import type { Task } from './task.ts';
import { temporalOrder } from './temporal-order.ts';
import { wordLm } from './word-lm.ts';

const TASKS = {
  'char-lm': charLm,
  'word-lm': wordLm,
  'byte-lm': byteLm,
  forecast,
  classify,
  table,
  seq2seq,
  ctc,
  copy,
  reverse,
  sort,
  addition,
  tag,
  adding,
  'temporal-order': temporalOrder,
  'copy-memory': copyMemory,
  'selective-copy': selectiveCopy,
  'associative-recall': associativeRecall,
  induction,
  parity,
  'modular-arithmetic': modularArithmetic,
  reber,
  anbn,
  anbncn,
  dyck,
  morse,
} satisfies { [T in TaskName]: TaskModule<T, z.ZodObject> };

type ArtifactSchema<T extends TaskName> = (typeof TASKS)[T]['artifact'];
export type ArtifactOf<T extends TaskName> = z.output<ArtifactSchema<T>>;
export type TaskArtifact = { [T in TaskName]: ArtifactOf<T> }[TaskName];

type AnySchema = ArtifactSchema<TaskName>;
export const artifactSchema = z.discriminatedUnion(
  'task',
  TASK_NAMES.map(name => TASKS[name].artifact) as unknown as [AnySchema, ...AnySchema[]],
);

function moduleOf(name: TaskName): TaskModule<TaskName> {
  return TASKS[name] as unknown as TaskModule<TaskName>;
}

/** Reads the data, if the task has any; `known`: task.json of a run that goes on. @throws DataError */
export async function openTask(
  experiment: Experiment,
  place: DataPlace,
  known: TaskArtifact | null = null,
): Promise<Task> {
  const { data } = experiment;
  // what an update sees is one batch: the trainer cuts it
  const { training } = experiment;
  const batchSize = training.batchSize * training.accumulate;
  const whole = { ...experiment, training: { ...training, batchSize } };
  return moduleOf(data.task).open(whole, data, place, known?.task === data.task ? known : null);
}

/** null: artifact and experiment do not fit. */
export function sizesOf(artifact: TaskArtifact, experiment: Experiment): ModelSizes | null {
  return moduleOf(artifact.task).sizes(artifact, experiment);
}

/** What does not hold together in an artifact, as the end of a sentence; null: nothing. */
export function faultOf(artifact: TaskArtifact): string | null {
  return moduleOf(artifact.task).fault?.(artifact) ?? null;
}

/** How a trained model is read step by step; a string: why it is not, as the end of a sentence. */
export function steppingOf(artifact: TaskArtifact): Stepping | string {
  const { codec, stepping } = moduleOf(artifact.task);
  return (
    stepping?.(artifact) ??
    (codec ? languageSteps(codec(artifact)) : `runs of "${artifact.task}" read no single steps`)
  );
}

/** How the text of a trained model is written; null: it writes none. */
export function codecOf(artifact: TaskArtifact): Codec | null {
  return moduleOf(artifact.task).codec?.(artifact) ?? null;
}
