// Run folders in any state, made without training: what lists, trees and their commands are tested with.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { createRun } from '../../../src/runs/create.ts';
import type { DefinitionSource, GroupMembership, RunRequest } from '../../../src/runs/format.ts';
import type { LifeState } from '../../../src/runs/life.ts';
import { newRunId } from '../../../src/runs/paths.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { endless } from '../../e2e/runs.ts';

export interface MadeRun {
  name: string;
  state: LifeState;
  /** tells the order of the list; ids are made of whole seconds */
  minutesAgo?: number;
  step?: number;
  valLoss?: number;
  message?: string;
  group?: GroupMembership;
  definition?: DefinitionSource;
  /** what the paths of its data are relative to */
  base?: string;
}

const living: readonly LifeState[] = ['starting', 'training', 'paused'];

/** A living one is held by this process, which is its writer from now on; `end` lets go of it. */
export function makeRun(workspace: string, made: MadeRun): { folder: string; end: () => void } {
  const { state, step = 40 } = made;
  const folder = request(workspace, made);
  if (state === 'queued') return { folder, end: () => {} };
  const writer = RunWriter.open(folder);
  writer.event({ kind: 'started', step: 0, time: 0 });
  const isLost = state === 'crashed' || state === 'silent';
  writer.status({
    state: isLost ? 'training' : state,
    step,
    steps: state === 'finished' ? step : 1000,
    last: made.valLoss === undefined ? {} : { valLoss: made.valLoss },
    message: made.message ?? null,
  });
  if (living.includes(state)) return { folder, end: () => writer.close() };
  writer.close();
  const lost = {
    host: state === 'silent' ? 'another-host' : '',
    pid: 999_999_999,
    processStart: '',
    bootId: 'other',
  };
  if (isLost) writeFileSync(path.join(folder, 'writer.json'), JSON.stringify(lost));
  return { folder, end: () => {} };
}

function request(
  workspace: string,
  { name, minutesAgo = 0, group, definition, base = workspace }: MadeRun,
): string {
  const made = createRun(
    { workspace },
    {
      name,
      experiment: parseExperiment(JSON.stringify(endless)).experiment!,
      definition: definition ?? null,
      group: group ?? null,
      engine: 'auto',
      threads: null,
      base,
      workspace,
      allowedPaths: [],
    },
  );
  const then = new Date(Date.now() - minutesAgo * 60_000);
  const id = newRunId(name, then);
  const file = path.join(made, 'request.json');
  const asked = JSON.parse(readFileSync(file, 'utf8')) as RunRequest;
  writeFileSync(file, JSON.stringify({ ...asked, id, createdAt: then.toISOString() }));
  const folder = path.join(path.dirname(made), id);
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  return folder;
}
