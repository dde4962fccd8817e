// Try It: what a trained run says of one input, with its probabilities, its alignment and its states step by step.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { TaskName } from '../../../experiment/tasks/index.ts';
import type { Tried } from '../../../runs/tried.ts';
import type { ArtifactOf } from '../../tasks/index.ts';
import { InputError } from '../../training/prepare.ts';
import { dataFileOf } from '../../training/run-data.ts';
import { loadModel, useFinishedRun, type WhichCheckpoint } from '../finished-run.ts';
import { tryClasses } from './classify.ts';
import { tryUnaligned } from './ctc.ts';
import { tryForecast } from './forecast.ts';
import { tryText } from './language.ts';
import { trySequences } from './seq2seq.ts';
import { tryTable } from './table.ts';
import { tryTags } from './tag.ts';
import type { Given, Tryer } from './tryer.ts';

/** Of the tasks whose kind says how one input is given (`tries`). */
const TRYERS: { [T in TaskName]?: Tryer<ArtifactOf<T>> } = {
  'char-lm': tryText,
  'word-lm': tryText,
  'byte-lm': tryText,
  forecast: tryForecast,
  classify: tryClasses,
  table: tryTable,
  seq2seq: trySequences,
  ctc: tryUnaligned,
  copy: trySequences,
  reverse: trySequences,
  sort: trySequences,
  addition: trySequences,
  tag: tryTags,
};

export function isTried(task: TaskName): boolean {
  return TRYERS[task] !== undefined;
}

export const givenSchema = z.strictObject({
  text: z.string().max(100_000).optional(),
  row: z.int().min(1).optional(),
  sound: z.string().max(10_000).optional(),
  length: z.int().min(1).max(1000).optional(),
  beams: z.int().min(1).max(100).optional(),
  temperature: z.number().min(0).max(100).optional(),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
});

/** @throws BadRunError for the run, InputError and DataError for what is given, each one sentence */
export async function tryRun(folder: string, given: Given, checkpoint?: WhichCheckpoint): Promise<Tried> {
  const run = await useFinishedRun(folder, checkpoint);
  const { artifact, step, best } = run;
  const tryer = TRYERS[artifact.task] as Tryer<unknown> | undefined;
  if (!tryer)
    throw new InputError(`Runs of "${artifact.task}" draw their own data; nothing is given to them by hand.`);
  const model = await loadModel(run);
  let temporary: string | null = null;
  try {
    const said = await tryer(model, artifact, given, {
      run,
      dataFile: () => dataFileOf(folder, run.run),
      write(name, text) {
        temporary ??= mkdtempSync(join(tmpdir(), 'unroll-try-'));
        const path = join(temporary, name);
        writeFileSync(path, text, { mode: 0o600 });
        return path;
      },
    });
    return { ...said, step, best };
  } finally {
    model.dispose();
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  }
}
