// task.json: what using a trained model takes. A run folder is untrusted, so it is checked here.
import { join } from 'node:path';
import * as z from 'zod';
import { BadRunError } from '../../runs/errors.ts';
import { readSmall } from '../../runs/json.ts';
import type { TaskArtifact } from '../tasks/task.ts';

const MAX_BYTES = 64e6;
const name = z.string().max(1000);
const length = z.int().min(1).max(10_000_000);
const scale = z.object({ mean: z.number(), std: z.number().gt(0) });

const numberFormat = z.enum(['1234.5', '1,234.5', '1 234.5', "1'234.5", '1234,5', '1.234,5', '1 234,5']);

const artifact = z.discriminatedUnion('task', [
  z.object({
    task: z.literal('char-lm'),
    symbols: z
      .array(z.string().refine(symbol => [...symbol].length === 1))
      .min(1)
      .max(0x110000),
  }),
  z.object({
    task: z.literal('forecast'),
    target: name,
    features: z.array(name).min(1).max(10_000),
    window: length,
    horizon: length,
    difference: z.int().min(0).max(10_000_000),
    missing: z.enum(['error', 'drop', 'previous', 'mask', 'interpolate']),
    order: z.enum(['file', 'time']).default('file'),
    numbers: numberFormat.nullable().default(null),
    formats: z.record(name, numberFormat).default({}),
    unreadable: z.number().min(0).max(1).default(1),
    time: name.nullable().default(null),
    scaling: z.record(name, scale),
  }),
  z.object({ task: z.literal('adding'), length }),
  z.object({ task: z.literal('temporal-order'), length }),
]);

/** @throws BadRunError */
export function readArtifact(folder: string): TaskArtifact {
  const fail = (why: string) => new BadRunError(`The run ${folder} has no usable task.json: ${why}.`);
  let json: unknown;
  try {
    const text = readSmall(join(folder, 'task.json'), MAX_BYTES);
    if (text === null) throw fail('there is none; it is written when training begins');
    json = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof BadRunError) throw cause;
    throw fail(cause instanceof SyntaxError ? 'it is not JSON' : (cause as Error).message);
  }
  const checked = artifact.safeParse(json);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw fail(`${issue?.path.join('.') || 'it'} is not valid`);
  }
  const { data } = checked;
  if (data.task === 'forecast')
    for (const column of [data.target, ...data.features])
      if (!Object.hasOwn(data.scaling, column)) throw fail(`it has no scaling for a column the model reads`);
  return data;
}
