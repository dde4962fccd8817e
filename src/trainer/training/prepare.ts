// From a queued run to one that can train: data read, memory predicted, run.json written.
import { readFileSync } from 'node:fs';
import { cpus, hostname } from 'node:os';
import { join } from 'node:path';
import { version_core } from '@tensorflow/tfjs-core';
import { checkAugmented, checkMemory } from '../../experiment/check.ts';
import { countModel } from '../../experiment/parameters.ts';
import { machineMemory } from '../../experiment/resources.ts';
import { metricsOf } from '../../experiment/tasks/index.ts';
import { checkpointsOf, damageOf, setAside } from '../../runs/checkpoints.ts';
import { BadRunError } from '../../runs/errors.ts';
import type { RunFile } from '../../runs/format.ts';
import type { Checkpoint, RunWriter } from '../../runs/writer.ts';
import type { Task } from '../tasks/task.ts';
import { unrollVersion } from '../version.ts';
import { maxTokensOf } from './accumulation.ts';
import { writeArtifact } from './artifact-of-run.ts';
import { readCheckpoint } from './checkpoint.ts';
import { type DataChoice, openRunData, type RunData } from './run-data.ts';
import { Trainer } from './trainer.ts';

/** What is asked cannot be done as it stands: wrong input, not a fault of training. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** @throws DataError, DataChangedError, InputError before anything large is allocated, ModelError */
export async function prepareTask(writer: RunWriter, choice: DataChoice): Promise<RunData> {
  const { folder, request, run } = writer;
  const { experiment } = request;
  const opened = await openRunData(folder, request, run, choice);
  const { task } = opened;
  const { source, input } = task.sizes;
  const [fault] = [
    ...checkAugmented(experiment, source ?? input),
    ...checkMemory(experiment, task.sizes, machineMemory(), maxTokensOf(experiment, task)),
  ];
  if (fault) throw new InputError(fault.message);
  return opened;
}

export interface PreparedTrainer {
  trainer: Trainer;
  ownSeconds: number;
  /** checkpoints that are damaged, and where the run goes on instead */
  notes: string[];
}

/** A trainer where the run left off, or at step 0. @throws BadRunError where no checkpoint is sound */
export function makeTrainer(writer: RunWriter, task: Task): PreparedTrainer {
  const trainer = new Trainer(writer.request.experiment, task);
  const damaged: { checkpoint: Checkpoint; why: string }[] = [];
  try {
    for (const checkpoint of checkpointsOf(writer.folder)) {
      const { step, folder } = checkpoint;
      const damage = damageOf(checkpoint);
      if (damage !== null) {
        damaged.push({ checkpoint, why: `The checkpoint of step ${step} is damaged: ${damage}` });
        continue;
      }
      const loaded = readCheckpoint(folder);
      trainer.restore(loaded);
      for (const { checkpoint: bad } of damaged) setAside(bad);
      if (loaded.progress.best.bestStep === step) markBest(writer, checkpoint);
      const notes = damaged.map(({ why }) => `${why}. Going on from step ${step}.`);
      return { trainer, ownSeconds: loaded.progress.ownSeconds, notes };
    }
    if (damaged[0]) throw new BadRunError(`${damaged[0].why}, and there is no other one.`);
    return { trainer, ownSeconds: 0, notes: [] };
  } catch (cause) {
    trainer.dispose();
    throw cause;
  }
}

/** A crash may fall between a checkpoint and its mark as the best. */
function markBest(writer: RunWriter, { step, folder, files }: Checkpoint): void {
  if (step === 0 || writer.bestCheckpoint()?.step === step) return;
  const contents = files.map((name): [string, Uint8Array] => [name, readFileSync(join(folder, name))]);
  writer.checkpoint(step, new Map(contents), { best: true });
}

export function describeRun(
  writer: RunWriter,
  { task, files }: RunData,
  engineUsed: RunFile['engineUsed'],
): void {
  const { request, folder } = writer;
  const [processor] = cpus();
  writer.writeRun({
    ...request,
    versions: { unroll: unrollVersion(), node: process.versions.node, tfjs: version_core },
    engineUsed,
    machine: {
      host: hostname(),
      platform: process.platform,
      arch: process.arch,
      cpu: processor?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryBytes: machineMemory(),
    },
    parameters: countModel(request.experiment, task.sizes),
    task: { ...task.facts, sizes: task.sizes, metrics: [...metricsOf(request.experiment.data)] },
    data: files,
  });
  writeArtifact(folder, task);
}
