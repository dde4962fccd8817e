// The tasks an experiment can name: one line a kind. The compiler then asks every room for what it must know of it.
import * as z from 'zod';
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
import type { Metric, TaskKind, TryForm } from './kind.ts';
import { modularArithmetic } from './modular-arithmetic.ts';
import { morse } from './morse.ts';
import { parity } from './parity.ts';
import { reber } from './reber.ts';
import { selectiveCopy } from './selective-copy.ts';
import { seq2seq } from './seq2seq.ts';
import { table } from './table.ts';
import { tag } from './tag.ts';
import { temporalOrder } from './temporal-order.ts';
import { wordLm } from './word-lm.ts';

export const TASK_KINDS = {
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
} as const;

export type TaskName = keyof typeof TASK_KINDS;
type SchemaOf<T extends TaskName> = (typeof TASK_KINDS)[T]['schema'];
export type DataOf<T extends TaskName> = z.output<SchemaOf<T>>;
export type Data = { [T in TaskName]: DataOf<T> }[TaskName];

export const TASK_NAMES = Object.keys(TASK_KINDS) as TaskName[];

type AnySchema = SchemaOf<TaskName>;
export const dataSchema = z.discriminatedUnion(
  'task',
  TASK_NAMES.map(name => TASK_KINDS[name].schema) as unknown as [AnySchema, ...AnySchema[]],
);

/** What any room may ask of this task. */
export function taskOf(data: { task: TaskName }): TaskKind {
  return TASK_KINDS[data.task] as unknown as TaskKind;
}

/** The kind of that name; null for one that this version does not know. */
export function taskNamed(name: string): TaskKind | null {
  return Object.hasOwn(TASK_KINDS, name) ? taskOf({ task: name as TaskName }) : null;
}

/** Where the loss of these data stands, and what it compares. */
export function lossOf(data: Data): TaskKind['loss'] {
  const kind = taskOf(data);
  return kind.lossOf?.(data) ?? kind.loss;
}

/** How one input is given to a model of these data; null: nothing is. */
export function triesOf(data: Data): TryForm | null {
  return taskOf(data).tries?.(data) ?? null;
}

/** The scalars that these data are scored by. */
export function metricsOf(data: Data): readonly Metric[] {
  const kind = taskOf(data);
  return kind.metricsOf?.(data) ?? kind.metrics;
}
