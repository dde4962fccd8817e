// The tasks an experiment can name: one line a kind. The compiler then asks every room for what it must know of it.
import * as z from 'zod';
import { adding } from './adding.ts';
import { charLm } from './char-lm.ts';
import { classify } from './classify.ts';
import { copyMemory } from './copy-memory.ts';
import { forecast } from './forecast.ts';
import type { TaskKind } from './kind.ts';
import { seq2seq } from './seq2seq.ts';
import { temporalOrder } from './temporal-order.ts';

export const TASK_KINDS = {
  'char-lm': charLm,
  forecast,
  classify,
  seq2seq,
  adding,
  'temporal-order': temporalOrder,
  'copy-memory': copyMemory,
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
