// What the end-to-end tests write into a workspace and read from its run folders: files only, as any reader does.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import type { ExperimentInput } from '../../src/experiment/schema.ts';
import type { RunEvent, RunRequest, RunState, RunStatus, WriterFile } from '../../src/runs/format.ts';

/** Waits until `probe` gives something; fails with what was awaited. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  seconds = 240,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await probe();
    if (answer) return answer as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s in vain until ${what}.`);
    await wait(25);
  }
}

/** Trains until it is stopped, fast enough to show points within a second on any machine. */
export const endless: ExperimentInput = {
  data: { task: 'adding', length: 20 },
  model: { layers: [{ type: 'lstm', units: 8 }, { type: 'dense' }] },
  training: {
    batchSize: 4,
    steps: 1_000_000,
    checkpoint: { every: 500 },
    validation: { every: 500, maxBatches: 2 },
  },
  log: { every: 5 },
};

export function writeExperiment(workspace: string, name: string, experiment: unknown): void {
  writeFileSync(path.join(workspace, `${name}.rnn.json`), `${JSON.stringify(experiment, null, 2)}\n`);
}

/** Absolute run folders of a workspace, oldest first. */
export function runFolders(workspace: string): string[] {
  const runs = path.join(workspace, '.unroll', 'runs');
  if (!existsSync(runs)) return [];
  return readdirSync(runs)
    .filter(name => existsSync(path.join(runs, name, 'status.json')))
    .sort()
    .map(name => path.join(runs, name));
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null; // not there yet, or gone
  }
}

/** As it was asked; the worker turns request.json into run.json. */
export function requestOf(run: string): RunRequest {
  const found =
    readJson<RunRequest>(path.join(run, 'run.json')) ?? readJson<RunRequest>(path.join(run, 'request.json'));
  if (!found) throw new Error(`${run} holds neither run.json nor request.json.`);
  return found;
}

export function statusOf(run: string): RunStatus | null {
  return readJson<RunStatus>(path.join(run, 'status.json'));
}

export function stateOf(run: string): RunState | undefined {
  return statusOf(run)?.state;
}

export function stepOf(run: string): number {
  return statusOf(run)?.step ?? 0;
}

export function workerOf(run: string): number | null {
  return readJson<WriterFile>(path.join(run, 'writer.json'))?.pid ?? null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function eventsOf(run: string): RunEvent[] {
  const file = path.join(run, 'events.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line) as RunEvent);
}

/** The first run of a workspace, once it has got as far as `step`. */
export async function runAtStep(workspace: string, step: number, seconds = 240): Promise<string> {
  const run = await until(
    `a run in ${workspace} reaches step ${step}`,
    () => runFolders(workspace).find(each => stepOf(each) >= step),
    seconds,
  );
  yieldToWindows(run);
  return run;
}

/** From here on its worker takes what the windows leave: it would take a processor from them to the test's end. */
export function yieldToWindows(run: string): void {
  const pid = workerOf(run);
  try {
    if (pid) os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // it has ended
  }
}
