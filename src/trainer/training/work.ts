// Trains runs: opens their folders, starts the engine, and lets the members take turns of about 200 ms.
import { plural } from '../../experiment/words.ts';
import { contentionOf } from '../../runs/contention.ts';
import type { EndReason, EngineName, JsonNumber, RunEvent, RunFile, RunStatus } from '../../runs/format.ts';
import { toJsonNumber } from '../../runs/json.ts';
import { RunReader } from '../../runs/reader.ts';
import { isSystemError, whyOf } from '../../runs/system-errors.ts';
import { RunWriter } from '../../runs/writer.ts';
import { startEngine } from '../engine/start.ts';
import { keepArtifact } from './artifact-of-run.ts';
import { Journal, metricsAtEnd } from './journal.ts';
import { Member } from './member.ts';
import { describeRun, InputError, makeTrainer, prepareTask } from './prepare.ts';
import type { DataChoice } from './run-data.ts';

const SLICE_MILLISECONDS = 200;
const IDLE_MILLISECONDS = 100;

export interface WorkOptions extends DataChoice {
  onEvent?(index: number, event: RunEvent): void;
  onStatus?(index: number, status: RunStatus): void;
  /** how a run's data were read, before it trains on them */
  onData?(index: number, notes: readonly string[]): void;
  /** aborted: all runs stop with a checkpoint */
  signal?: AbortSignal;
  /** also where another machine holds a run, or this one cannot give the same bits */
  force?: boolean;
  /** of runs that neither ask for a number nor began with one; left out: the engine's own choice */
  threads?: number;
  /** these are some of more runs: one that cannot be opened is its outcome, and no error */
  isOneOfSeveral?: boolean;
}

export interface RunOutcome {
  folder: string;
  reason: EndReason;
  message: string;
  steps: number;
  trainLoss: JsonNumber | null;
  valLoss: JsonNumber | null;
  /** the task's own, by "valAccuracy" …; null: there are none */
  metrics: Readonly<Record<string, JsonNumber>> | null;
  /** own training time */
  seconds: number;
  engine: string;
  /** a sentence, where other programs held the processors; null: they did not */
  contention: string | null;
  /** it failed for what was asked, before training began */
  wrongInput: boolean;
}

interface Turn {
  folder: string;
  index: number;
  writer: RunWriter;
  journal: Journal;
}

/**
 * Goes on from the last checkpoint where there is one; a run that has ended is left as it is.
 * @throws the error of a single run that cannot be opened; of several, it is that run's outcome
 */
export async function trainRuns(folders: string[], options: WorkOptions = {}): Promise<RunOutcome[]> {
  const outcomes = folders.map(outcomeOfEnded);
  const turns: Turn[] = [];
  for (const [index, folder] of folders.entries()) {
    if (outcomes[index]) continue;
    try {
      turns.push(open(folder, index, options));
    } catch (cause) {
      if (folders.length === 1 && !options.isOneOfSeveral) throw cause;
      outcomes[index] = failure(folder, cause, true);
    }
  }
  try {
    for (const set of byEngine(turns, options))
      for (const [index, outcome] of await trainTogether(set, options)) outcomes[index] = outcome;
  } finally {
    for (const { writer } of turns) writer.close();
  }
  return outcomes.map(outcome => outcome!);
}

function open(folder: string, index: number, options: WorkOptions): Turn {
  const writer = RunWriter.open(folder, { force: options.force });
  const journal = new Journal(writer, {
    onEvent: event => options.onEvent?.(index, event),
    onStatus: status => options.onStatus?.(index, status),
  });
  journal.status({ state: 'starting', message: null });
  return { folder, index, writer, journal };
}

/** One process has one engine: runs that ask for another one come after. */
function byEngine(turns: Turn[], options: WorkOptions): Turn[][] {
  const sets = new Map<string, Turn[]>();
  for (const turn of turns) {
    const { name, threads } = engineFor(turn.writer, options);
    const key = `${name}/${threads}`;
    sets.set(key, [...(sets.get(key) ?? []), turn]);
  }
  return [...sets.values()];
}

function engineFor(
  { run, request }: RunWriter,
  options: WorkOptions,
): { name: EngineName; threads: number | null } {
  return run
    ? { name: run.engineUsed.provider, threads: run.engineUsed.threads }
    : { name: request.engine, threads: request.threads ?? options.threads ?? null };
}

async function trainTogether(turns: Turn[], options: WorkOptions): Promise<[number, RunOutcome][]> {
  const outcomes: [number, RunOutcome][] = [];
  const { name, threads } = engineFor(turns[0]!.writer, options);
  let engine: RunFile['engineUsed'] | Error;
  try {
    engine = await unlessStopped(startEngine(name, threads), options.signal);
  } catch (cause) {
    engine = cause as Error;
  }
  const members: { turn: Turn; member: Member }[] = [];
  for (const turn of turns)
    try {
      if (engine instanceof Error) throw engine;
      members.push({ turn, member: await prepare(turn, engine, options) });
    } catch (cause) {
      outcomes.push([turn.index, endFailed(turn, cause)]);
    }
  await takeTurns(
    members.map(({ member }) => member),
    options.signal,
  );
  for (const { turn, member } of members) {
    outcomes.push([turn.index, outcomeOf(turn, member)]);
    member.dispose();
  }
  return outcomes;
}

async function prepare(turn: Turn, engine: RunFile['engineUsed'], options: WorkOptions): Promise<Member> {
  const { writer, journal } = turn;
  // reading a large file takes a while, and nobody shall think that nothing happens
  const alive = setInterval(() => journal.status({}), 150);
  try {
    const { run } = writer;
    if (run && !options.force) requireSameBits(run, engine);
    const data = await unlessStopped(prepareTask(writer, options), options.signal);
    const { task } = data;
    const told = run ? data.notes : [...data.notes, ...task.facts.notes];
    if (told.length > 0) options.onData?.(turn.index, told);
    if (run) keepArtifact(turn.folder, data, options);
    const { trainer, ownSeconds, notes } = makeTrainer(writer, task);
    if (notes.length > 0) options.onData?.(turn.index, notes);
    if (!run) {
      describeRun(writer, data, engine);
      journal.event(0, { kind: 'started' });
    } else {
      writer.truncateAfter(trainer.step);
      journal.event(trainer.step, { kind: 'resumed', fromStep: trainer.step });
    }
    const { findings, scalars } = readAll(turn.folder);
    journal.resumeFrom(scalars);
    const member = new Member(trainer, writer, journal, { ownSeconds, found: findings });
    member.beat(1);
    return member;
  } finally {
    clearInterval(alive);
  }
}

function requireSameBits({ engineUsed }: RunFile, engine: RunFile['engineUsed']): void {
  const same = (['provider', 'instructionSet', 'threads'] as const).every(
    key => engineUsed[key] === engine[key],
  );
  if (same) return;
  const show = ({ provider, instructionSet, threads }: RunFile['engineUsed']) =>
    `${provider} (${instructionSet}, ${plural(threads, 'thread')})`;
  throw new InputError(
    `This run was trained with ${show(engineUsed)}, here there is ${show(engine)}: going on would not give the same bits. Use --force to go on all the same.`,
  );
}

async function takeTurns(members: Member[], signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    if (signal?.aborted) for (const member of members) member.stop();
    const open = members.filter(member => member.end === null);
    if (open.length === 0) return;
    const running = open.filter(member => member.running);
    for (const member of running) {
      if (signal?.aborted) break;
      await member.advance(SLICE_MILLISECONDS, running.length, signal);
      for (const other of open) {
        if (other !== member) other.attend();
        other.beat(running.length);
      }
    }
    if (running.length > 0) continue;
    await idle(signal);
    for (const member of open) {
      member.attend();
      member.beat(1);
    }
  }
}

function idle(signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, IDLE_MILLISECONDS);
    signal?.addEventListener('abort', done);
  });
}

// ---------------------------------------------------------------- outcomes

function outcomeOf({ folder, writer, journal }: Turn, member: Member): RunOutcome {
  const json = (value: number | null) => (value === null ? null : toJsonNumber(value));
  const { losses } = member;
  const { trainLoss, valLoss } = losses;
  return {
    folder,
    ...member.end!,
    steps: member.steps,
    trainLoss: json(trainLoss),
    valLoss: json(valLoss),
    metrics: metricsAtEnd(losses),
    seconds: member.ownSeconds,
    engine: writer.run?.engineUsed.provider ?? 'auto',
    contention: contentionOf(journal.last['timeAlone'], writer.run?.engineUsed.threads ?? 1),
    wrongInput: false,
  };
}

/** A stop that came while a run was prepared. */
class StoppedError extends Error {}

/** The same, or a rejection as soon as a stop is asked for; what was begun is left to itself. */
function unlessStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new StoppedError('Stopped before training began.'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A run that could not begin says so in its folder. */
function endFailed({ folder, journal, writer }: Turn, cause: unknown): RunOutcome {
  const reason: EndReason = cause instanceof StoppedError ? 'stopped' : 'failed';
  const outcome = { ...failure(folder, cause, reason === 'failed'), reason };
  const { step } = writer.lastStatus;
  try {
    journal.ended(step, { reason, message: outcome.message, ...NOTHING, tested: null }, 0);
    journal.status({ state: reason, eta: null, message: reason === 'failed' ? outcome.message : null });
  } catch {
    // the folder is gone or the disk is full: the outcome says enough
  }
  return { ...outcome, steps: step };
}

const NOTHING = { trainLoss: null, valLoss: null, metrics: null };

function failure(folder: string, cause: unknown, wrongInput: boolean): RunOutcome {
  const message = isSystemError(cause)
    ? `${cause.path ?? 'A file'} cannot be used: ${whyOf(cause)}.`
    : ((cause as Error).message ?? String(cause));
  return {
    folder,
    reason: 'failed',
    message,
    steps: 0,
    ...NOTHING,
    seconds: 0,
    engine: 'auto',
    contention: null,
    wrongInput,
  };
}

function readAll(folder: string): RunReader {
  const reader = new RunReader(folder);
  while (reader.poll() || reader.behind);
  return reader;
}

/** null for a run that can go on: queued, stopped, crashed or failed */
function outcomeOfEnded(folder: string): RunOutcome | null {
  const { ended, status, run } = readAll(folder);
  if (!ended || !['finished', 'early-stopped', 'diverged'].includes(ended.reason)) return null;
  const { reason, message, trainLoss, valLoss, metrics = null, seconds } = ended;
  return {
    folder,
    reason,
    message,
    steps: status?.step ?? ended.step,
    trainLoss,
    valLoss,
    metrics,
    seconds,
    engine: run?.engineUsed.provider ?? 'auto',
    contention: contentionOf(status?.last['timeAlone'], run?.engineUsed.threads ?? 1),
    wrongInput: false,
  };
}
