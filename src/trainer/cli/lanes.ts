// Trains members of a comparison side by side: a process for each core, with one thread each, where a member is too
// small to share a step among threads. Measured: six LSTMs of 32 units take as long with two threads as with one.
import { fork } from 'node:child_process';
import os from 'node:os';
import process from 'node:process';
import { fitsOneCore, machineMemory } from '../../experiment/resources.ts';
import type { RunEvent, RunStatus } from '../../runs/format.ts';
import { readSummary, recordedThreads } from '../../runs/list.ts';
import type { RunOutcome, WorkOptions } from '../training/work.ts';
import { EXIT } from './exit.ts';
import { takeInterrupts } from './interrupts.ts';

/** Bytes that a lane may take; more lanes than fit into half of the memory are not started. */
const LANE_BYTES = 200e6;

type Options = Pick<
  WorkOptions,
  'onEvent' | 'onStatus' | 'onData' | 'signal' | 'force' | 'data' | 'changedData'
>;

/** From a lane to the process that started it; `index` counts the lane's own folders. */
type Told =
  | { kind: 'event'; index: number; event: RunEvent }
  | { kind: 'status'; index: number; status: RunStatus }
  | { kind: 'data'; index: number; notes: readonly string[] }
  | { kind: 'outcomes'; outcomes: RunOutcome[] };

/** From the process that started it. */
type Asked = { kind: 'begin'; data: Pick<WorkOptions, 'force' | 'data' | 'changedData'> } | { kind: 'stop' };

/** As `trainRuns`, on several cores where members are small. */
export async function trainOnCores(folders: string[], options: Options): Promise<RunOutcome[]> {
  // the tensors are not loaded here where lanes do all: they would begin a third of a second later
  const trainHere = async (runs: string[], how: Options) =>
    (await import('../training/work.ts')).trainRuns(runs, how);
  const lanes = lanesOf(folders);
  if (lanes.length < 2) return trainHere(folders, options);
  const outcomes: RunOutcome[] = [];
  await Promise.all(
    lanes.map(async lane => {
      const found = await trainInLane(
        lane.map(index => folders[index]!),
        at(lane, options),
      );
      for (const [place, index] of lane.entries()) outcomes[index] = found[place]!;
    }),
  );
  const rest = folders.flatMap((_, index) => (outcomes[index] ? [] : [index]));
  if (rest.length === 0) return outcomes;
  const found = await trainHere(
    rest.map(index => folders[index]!),
    at(rest, options),
  );
  for (const [place, index] of rest.entries()) outcomes[index] = found[place]!;
  return outcomes;
}

function at(indices: readonly number[], { onEvent, onStatus, onData, ...options }: Options): Options {
  return {
    ...options,
    onEvent: (index, event) => onEvent?.(indices[index]!, event),
    onStatus: (index, status) => onStatus?.(indices[index]!, status),
    onData: (index, notes) => onData?.(indices[index]!, notes),
  };
}

/** Indices of the members of each process; none where fewer than two members are small. */
export function lanesOf(folders: readonly string[], cores = os.availableParallelism()): number[][] {
  const small = folders.flatMap((folder, index) => (isSmall(folder) ? [index] : []));
  const most = Math.min(cores, small.length, Math.floor(machineMemory() / 2 / LANE_BYTES));
  if (most < 2) return [];
  return Array.from({ length: most }, (_, lane) => small.filter((_, place) => place % most === lane));
}

/** Who asked for a number of threads, or began with more, keeps it: it decides the bits, and the cores that are used. */
function isSmall(folder: string): boolean {
  const request = readSummary(folder)?.request;
  if (!request || request.group === null || request.threads !== null || request.engine === 'tfjs-node')
    return false;
  return (recordedThreads(folder) ?? 1) === 1 && fitsOneCore(request.experiment);
}

function trainInLane(folders: string[], options: Options): Promise<RunOutcome[]> {
  const { signal, force, data, changedData } = options;
  const child = fork(process.argv[1]!, ['work', ...folders], { serialization: 'advanced' });
  const ask = (asked: Asked) => {
    if (child.connected) child.send(asked);
  };
  const stop = () => ask({ kind: 'stop' });
  signal?.addEventListener('abort', stop);
  ask({ kind: 'begin', data: { force, data, changedData } });
  if (signal?.aborted) stop();
  return new Promise<RunOutcome[]>((resolve, reject) => {
    let outcomes: RunOutcome[] | null = null;
    child.on('message', message => {
      const told = message as Told;
      if (told.kind === 'event') options.onEvent?.(told.index, told.event);
      else if (told.kind === 'status') options.onStatus?.(told.index, told.status);
      else if (told.kind === 'data') options.onData?.(told.index, told.notes);
      else outcomes = told.outcomes;
    });
    child.once('error', reject);
    child.once('close', (code, end) => resolve(outcomes ?? folders.map(folder => lost(folder, code, end))));
  }).finally(() => signal?.removeEventListener('abort', stop));
}

function lost(folder: string, code: number | null, signal: NodeJS.Signals | null): RunOutcome {
  const isStopped = code === EXIT.stopped;
  return {
    folder,
    reason: isStopped ? 'stopped' : 'failed',
    message: isStopped
      ? 'Stopped before training began.'
      : `The process that trained it ended with ${signal ?? `code ${code}`}.`,
    steps: readSummary(folder)?.status.step ?? 0,
    trainLoss: null,
    valLoss: null,
    metrics: null,
    seconds: 0,
    engine: 'auto',
    contention: null,
    wrongInput: false,
  };
}

/** Whether this process is a lane of another one. */
export function isLane(): boolean {
  return process.send !== undefined;
}

/** What a lane does: trains with one thread where none was recorded, tells, and stops with a checkpoint when asked. */
export async function workAsLane(folders: string[]): Promise<void> {
  const controller = new AbortController();
  const asked = new Promise<WorkOptions>(resolve => {
    process.on('message', message => {
      const ask = message as Asked;
      if (ask.kind === 'stop') controller.abort();
      else resolve(ask.data);
    });
  });
  // whoever started it is gone, and nobody would read on
  process.on('disconnect', () => controller.abort());
  takeInterrupts(() => controller.abort(), ['SIGHUP']);
  const tell = (told: Told) => {
    if (process.connected) process.send!(told);
  };
  const { trainRuns } = await import('../training/work.ts');
  const outcomes = await trainRuns(folders, {
    ...(await asked),
    threads: 1,
    isOneOfSeveral: true,
    signal: controller.signal,
    onEvent: (index, event) => tell({ kind: 'event', index, event }),
    onStatus: (index, status) => tell({ kind: 'status', index, status }),
    onData: (index, notes) => tell({ kind: 'data', index, notes }),
  });
  await flushed({ kind: 'outcomes', outcomes });
  process.removeAllListeners('disconnect');
  if (process.connected) process.disconnect();
}

function flushed(told: Told): Promise<void> {
  return new Promise(resolve => {
    if (process.connected) process.send!(told, () => resolve());
    else resolve();
  });
}
