// A new run that begins with the weights of another: its scaling and vocabulary, and data as they are now.
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bestCheckpoint, latestCheckpoint, writeCheckpoint } from '../../runs/checkpoints.ts';
import { createRun } from '../../runs/create.ts';
import { BadRunError } from '../../runs/errors.ts';
import { RunReader } from '../../runs/reader.ts';
import { decodeSafetensors } from '../../runs/safetensors.ts';
import type { WeightsOrigin } from '../../runs/weights-origin.ts';
import { readArtifact } from '../tasks/artifact.ts';
import { CHECKPOINT, freshCheckpoint } from './checkpoint.ts';
import { printOf, takenByName } from './origin-of-weights.ts';

/** @returns the folder of the new run, beside the other. @throws BadRunError */
export function startFromWeights(folder: string): string {
  const reader = new RunReader(folder);
  while (reader.poll() || reader.behind);
  const { request } = reader;
  const checkpoint = bestCheckpoint(folder) ?? latestCheckpoint(folder);
  if (!request || !checkpoint)
    throw new BadRunError(`The run ${folder} has no checkpoint yet: there are no weights to begin with.`);
  readArtifact(folder);
  const files = freshCheckpoint(checkpoint.folder);
  const { format: _format, id: _id, createdAt: _createdAt, ...asked } = request;
  const weightsFrom = originOf(join(checkpoint.folder, CHECKPOINT.weights), files.get(CHECKPOINT.weights)!);
  const made = createRun({ out: dirname(folder) }, { ...asked, group: null, weightsFrom });
  copyFileSync(join(folder, 'task.json'), join(made, 'task.json'));
  writeCheckpoint(made, 0, files, { best: false });
  return made;
}

function originOf(file: string, bytes: Uint8Array): WeightsOrigin {
  return {
    file,
    ...printOf(bytes),
    taken: takenByName(decodeSafetensors(bytes).keys()),
    left: [],
  };
}
