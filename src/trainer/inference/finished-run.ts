// A run's model as its checkpoint left it, ready to be used. Nothing in the folder is trusted: sizes are compared
// with the weights that are really there before anything is allocated.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { placeLayers } from '../../experiment/models.ts';
import { countModel } from '../../experiment/parameters.ts';
import { bestCheckpoint, type Checkpoint, damageOf, latestCheckpoint } from '../../runs/checkpoints.ts';
import { BadRunError } from '../../runs/errors.ts';
import type { RunFile } from '../../runs/format.ts';
import { readSmall } from '../../runs/json.ts';
import { decodeSafetensors, type NamedTensor } from '../../runs/safetensors.ts';
import { whyNotRead } from '../../runs/system-errors.ts';
import { checkRun } from '../../runs/validate.ts';
import { startEngine } from '../engine/start.ts';
import { buildModel } from '../layers/build.ts';
import type { Model, ModelSizes } from '../layers/model.ts';
import { writeWeights } from '../layers/weights.ts';
import { artifactIfThere, readArtifact } from '../tasks/artifact.ts';
import { sizesOf, type TaskArtifact } from '../tasks/index.ts';
import { mendArtifact } from '../training/artifact-of-run.ts';
import { CHECKPOINT } from '../training/checkpoint.ts';

const MAX_RUN_BYTES = 16e6;
const MAX_WEIGHT_BYTES = 4e9;

/** "best": by validation loss, or the last where none was marked. */
export type WhichCheckpoint = 'best' | 'last';

export interface FinishedRun {
  folder: string;
  run: RunFile;
  artifact: TaskArtifact;
  sizes: ModelSizes;
  /** training steps the weights have had, and whether they are those of the best validation */
  step: number;
  best: boolean;
  weights: Map<string, NamedTensor>;
}

/** The same, after a task.json that was lost is made again of the run's own data. @throws BadRunError */
export async function useFinishedRun(folder: string, which?: WhichCheckpoint): Promise<FinishedRun> {
  const run = readRun(folder);
  let artifact = artifactIfThere(folder);
  if (!artifact) {
    await mendArtifact(folder, run);
    artifact = readArtifact(folder);
  }
  return opened(folder, run, artifact, which);
}

/** @throws BadRunError */
export function openFinishedRun(folder: string, which?: WhichCheckpoint): FinishedRun {
  return opened(folder, readRun(folder), readArtifact(folder), which);
}

function opened(
  folder: string,
  run: RunFile,
  artifact: TaskArtifact,
  which: WhichCheckpoint = 'best',
): FinishedRun {
  if (artifact.task !== run.experiment.data.task)
    throw new BadRunError(
      `The run ${folder} does not hold together: its experiment is "${run.experiment.data.task}", its task.json "${artifact.task}".`,
    );
  const marked = bestCheckpoint(folder);
  const checkpoint = which === 'best' ? (marked ?? latestCheckpoint(folder)) : latestCheckpoint(folder);
  const damage = checkpoint && damageOf(checkpoint, [CHECKPOINT.weights]);
  if (damage) {
    const other = which === 'best' ? latestCheckpoint(folder) : marked;
    const isOther = other && other.step !== checkpoint.step && damageOf(other, [CHECKPOINT.weights]) === null;
    const way = isOther
      ? `Use --checkpoint ${which === 'best' ? 'last' : 'best'}.`
      : 'There is no other one to use.';
    throw new BadRunError(`The checkpoint ${checkpoint.folder} is damaged: ${damage}. ${way}`);
  }
  if (!checkpoint)
    throw new BadRunError(`The run ${folder} has no checkpoint yet: there are no weights to use.`);
  const weights = readWeightsFile(checkpoint);
  // version 0.1.0 writes no sizes
  const rebuilt = sizesOf(artifact, run.experiment);
  const sizes = rebuilt && (run.task.sizes ?? rebuilt);
  if (!sizes)
    throw new BadRunError(
      `The run ${folder} does not hold together: task.json has other columns than the experiment.`,
    );
  checkSize(folder, run, sizes, weights);
  return {
    folder,
    run,
    artifact,
    sizes,
    weights,
    step: checkpoint.step,
    best: marked?.step === checkpoint.step,
  };
}

/** The caller disposes of it. @throws BadRunError, EngineUnavailableError */
export async function loadModel({ folder, run, sizes, weights }: FinishedRun): Promise<Model> {
  await startEngine('auto', null);
  let model: Model | null = null;
  try {
    model = buildModel(run.experiment, sizes, run.experiment.training.seed);
    writeWeights(model, weights);
    return model;
  } catch (cause) {
    model?.dispose();
    throw new BadRunError(
      `The checkpoint of ${folder} does not fit its experiment: ${(cause as Error).message}`,
    );
  }
}

function readRun(folder: string): RunFile {
  const fail = (why: string) => new BadRunError(`The run ${folder} cannot be used: ${why}.`);
  let text: string | null;
  try {
    text = readSmall(join(folder, 'run.json'), MAX_RUN_BYTES);
  } catch (cause) {
    throw fail(`run.json: ${whyNotRead(cause)}`);
  }
  if (text === null) throw fail('it has no run.json, so it has not begun to train');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw fail('run.json is not JSON');
  }
  const checked = checkRun(json);
  if (!checked.ok) throw fail(`run.json: ${checked.why}`);
  return checked.value;
}

function readWeightsFile({ folder }: Checkpoint): Map<string, NamedTensor> {
  const path = join(folder, CHECKPOINT.weights);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new BadRunError(`The checkpoint ${folder} has no ${CHECKPOINT.weights}.`);
  if (stat.size > MAX_WEIGHT_BYTES)
    throw new BadRunError(
      `The weights in ${folder} take ${Math.round(stat.size / 1e9)} GB, too much to load.`,
    );
  return decodeSafetensors(readFileSync(path));
}

function checkSize(folder: string, run: RunFile, sizes: ModelSizes, weights: Map<string, NamedTensor>): void {
  const beside = placeLayers(run.experiment, sizes).map(
    ({ kind, layer, at }) => kind.statistics?.(layer, at) ?? 0,
  );
  const wanted = beside.reduce((sum, size) => sum + size, countModel(run.experiment, sizes).total);
  let found = 0;
  for (const { data } of weights.values()) found += data.length;
  if (wanted !== found)
    throw new BadRunError(
      `The checkpoint of ${folder} holds ${found.toLocaleString('en-US')} weights, but its experiment has ${wanted.toLocaleString('en-US')}.`,
    );
}
