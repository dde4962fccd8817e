// Writes a run folder so that a crash at any instant loses nothing that was complete: append-only lines and
// rows, files replaced whole, checkpoints renamed into place. docs/architecture.md has the rules.
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { consumeControl } from './control.ts';
import { BadRunError, DiskFullError, RunFolderGoneError } from './errors.ts';
import type { ControlRequest, RunEvent, RunFile, RunRequest, RunStatus, SeriesSidecar } from './format.ts';
import { renameWithRetry, replaceFile, toJsonNumber, writeAll } from './json.ts';
import { acquireWriter, releaseWriter } from './lock.ts';
import { FILES, FOLDERS } from './paths.ts';
import { checkRequest, checkRun, checkSidecar, checkStatus } from './validate.ts';

const CONTROL_MILLISECONDS = 100;
const TEMPORARY = '.tmp-';
const BEST = 'best.json';

export interface SeriesWriter {
  /** @throws DiskFullError */
  row(step: number, values: Float32Array): void;
}

export interface Checkpoint {
  step: number;
  folder: string;
  files: string[];
}

export class RunWriter {
  readonly folder: string;
  readonly request: RunRequest;
  run: RunFile | null;
  /** said once when the status could not be replaced for 2 s */
  onWarning: (message: string) => void = message => console.error(message);
  private readonly events: AppendFile;
  private readonly seriesFiles = new Map<string, AppendFile>();
  private current: RunStatus;
  private controlAt = 0;
  private warned = false;

  private constructor(folder: string, request: RunRequest, run: RunFile | null) {
    this.folder = folder;
    this.request = request;
    this.run = run;
    tidy(folder);
    this.events = new AppendFile(folder, join(folder, FILES.events), lengthOfWholeLines);
    this.current = readStatus(folder, request);
  }

  /**
   * Becomes the one writer of a run, and mends what a crashed one left.
   * @throws RunBusyError, BadRunError
   */
  static open(folder: string, options: { force?: boolean } = {}): RunWriter {
    const run = readChecked(folder, FILES.run, checkRun);
    const request = run ?? readChecked(folder, FILES.request, checkRequest);
    if (!request)
      throw new BadRunError(`${folder} is not a run folder: it holds neither run.json nor request.json.`);
    acquireWriter(folder, options.force);
    try {
      return new RunWriter(folder, request, run);
    } catch (cause) {
      releaseWriter(folder);
      throw cause;
    }
  }

  get lastStatus(): RunStatus {
    return this.current;
  }

  /** Once. */
  writeRun(run: RunFile): void {
    if (this.run) throw new Error(`run.json of ${this.folder} stands already`);
    this.guard(() => replaceFile(join(this.folder, FILES.run), `${JSON.stringify(run, null, 2)}\n`, true));
    this.run = run;
    rmSync(join(this.folder, FILES.request), { force: true });
  }

  /** @throws DiskFullError, RunFolderGoneError */
  event(event: RunEvent): void {
    this.events.append(Buffer.from(`${JSON.stringify(event, nonFinite)}\n`));
  }

  series(name: string, sidecar: SeriesSidecar): SeriesWriter {
    const folder = join(this.folder, FOLDERS.series);
    this.guard(() => mkdirSync(folder, { recursive: true }));
    const described = join(folder, `${name}.json`);
    const known = existsSync(described) ? checkSidecar(JSON.parse(readFileSync(described, 'utf8'))) : null;
    if (!known?.ok || known.value.width !== sidecar.width) {
      rmSync(join(folder, `${name}.f32`), { force: true });
      this.guard(() => replaceFile(described, `${JSON.stringify(sidecar, null, 2)}\n`));
    }
    const rowBytes = 4 + sidecar.width * 4;
    this.seriesFiles.get(name)?.close();
    const file = new AppendFile(
      this.folder,
      join(folder, `${name}.f32`),
      (_, size) => size - (size % rowBytes),
    );
    this.seriesFiles.set(name, file);
    return {
      row: (step, values) => {
        if (values.length !== sidecar.width)
          throw new Error(`series ${name}: a row has ${values.length} values, not ${sidecar.width}`);
        const row = Buffer.alloc(rowBytes);
        row.writeUInt32LE(step, 0);
        values.forEach((value, index) => {
          row.writeFloatLE(value, 4 + index * 4);
        });
        file.append(row);
      },
    };
  }

  /** Replaces status.json; a reader that blocks it is outwaited, and then only warned of. @throws RunFolderGoneError */
  status(patch: Partial<Omit<RunStatus, 'heartbeat'>>): void {
    this.current = { ...this.current, ...patch, heartbeat: this.current.heartbeat + 1 };
    try {
      replaceFile(join(this.folder, FILES.status), JSON.stringify(this.current, nonFinite));
      this.warned = false;
    } catch (cause) {
      if (!existsSync(this.folder)) throw new RunFolderGoneError(this.folder);
      if (!this.warned)
        this.onWarning(`status.json of ${this.folder} could not be replaced: ${(cause as Error).message}`);
      this.warned = true;
    }
  }

  /** What was asked since the last call; the folder is listed at most every 100 ms. */
  takeControl(): ControlRequest[] {
    const now = performance.now();
    if (now - this.controlAt < CONTROL_MILLISECONDS) return [];
    this.controlAt = now;
    return consumeControl(this.folder);
  }

  /**
   * Writes `checkpoints/<step>/` under a temporary name, synced, then renamed; keeps the best and the last.
   * @throws DiskFullError, RunFolderGoneError
   */
  checkpoint(step: number, files: ReadonlyMap<string, Uint8Array>, options: { best: boolean }): void {
    const parent = join(this.folder, FOLDERS.checkpoints);
    const temporary = join(parent, `${TEMPORARY}${step}`);
    const final = join(parent, String(step));
    try {
      this.guard(() => {
        rmSync(temporary, { recursive: true, force: true });
        mkdirSync(temporary, { recursive: true });
        for (const [name, bytes] of files) writeSynced(join(temporary, name), bytes);
        rmSync(final, { recursive: true, force: true });
        renameWithRetry(temporary, final);
        if (options.best) replaceFile(join(parent, BEST), JSON.stringify({ step }), true);
      });
    } catch (cause) {
      rmSync(temporary, { recursive: true, force: true });
      throw cause;
    }
    const best = this.bestCheckpoint()?.step;
    for (const other of checkpointSteps(parent))
      if (other !== step && other !== best)
        rmSync(join(parent, String(other)), { recursive: true, force: true });
  }

  latestCheckpoint(): Checkpoint | null {
    return latestCheckpoint(this.folder);
  }

  bestCheckpoint(): Checkpoint | null {
    return bestCheckpoint(this.folder);
  }

  /** Drops series rows beyond `step`: a run that goes on from an earlier checkpoint writes them again. */
  truncateAfter(step: number): void {
    const folder = join(this.folder, FOLDERS.series);
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder)) {
      if (!entry.endsWith('.f32')) continue;
      const sidecar = readChecked(folder, entry.replace(/\.f32$/, '.json'), checkSidecar);
      if (sidecar) cutRows(join(folder, entry), 4 + sidecar.width * 4, step);
    }
  }

  close(): void {
    this.events.close();
    for (const file of this.seriesFiles.values()) file.close();
    if (existsSync(this.folder)) releaseWriter(this.folder);
  }

  private guard(write: () => void): void {
    try {
      write();
    } catch (cause) {
      throw understood(cause, this.folder);
    }
  }
}

/** The newest complete checkpoint. */
export function latestCheckpoint(folder: string): Checkpoint | null {
  const parent = join(folder, FOLDERS.checkpoints);
  const step = Math.max(-1, ...checkpointSteps(parent));
  return step < 0 ? null : checkpointAt(parent, step);
}

/** The checkpoint of the best validation loss, if one was marked. */
export function bestCheckpoint(folder: string): Checkpoint | null {
  const parent = join(folder, FOLDERS.checkpoints);
  try {
    const { step } = JSON.parse(readFileSync(join(parent, BEST), 'utf8')) as { step: number };
    return checkpointSteps(parent).includes(step) ? checkpointAt(parent, step) : null;
  } catch {
    return null;
  }
}

function checkpointAt(parent: string, step: number): Checkpoint {
  const folder = join(parent, String(step));
  return { step, folder, files: readdirSync(folder).sort() };
}

function checkpointSteps(parent: string): number[] {
  try {
    return readdirSync(parent)
      .filter(name => /^\d{1,10}$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** A file that only grows; a write that fails half-way is undone. */
class AppendFile {
  private readonly runFolder: string;
  private readonly file: number;
  private size: number;

  /** `wholeLength` says how many of the bytes that are there are complete; the rest is cut off */
  constructor(runFolder: string, path: string, wholeLength: (file: number, size: number) => number) {
    this.runFolder = runFolder;
    this.file = openSync(path, existsSync(path) ? 'r+' : 'w+');
    const { size } = fstatSync(this.file);
    this.size = wholeLength(this.file, size);
    if (this.size < size) ftruncateSync(this.file, this.size);
  }

  append(bytes: Buffer): void {
    if (fstatSync(this.file).nlink === 0) throw new RunFolderGoneError(this.runFolder);
    try {
      for (let done = 0; done < bytes.length; ) done += writeAt(this.file, bytes, done, this.size + done);
      this.size += bytes.length;
    } catch (cause) {
      ftruncateSync(this.file, this.size);
      throw understood(cause, this.runFolder);
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

function writeAt(file: number, bytes: Buffer, from: number, position: number): number {
  return writeSync(file, bytes, from, bytes.length - from, position);
}

function lengthOfWholeLines(file: number, size: number): number {
  const chunk = Buffer.alloc(65_536);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - chunk.length);
    const read = readSync(file, chunk, 0, end - from, from);
    const newline = chunk.subarray(0, read).lastIndexOf(10);
    if (newline >= 0) return from + newline + 1;
    end = from;
  }
  return 0;
}

function cutRows(path: string, rowBytes: number, step: number): void {
  const file = openSync(path, 'r+');
  try {
    const cell = Buffer.alloc(4);
    let rows = Math.floor(fstatSync(file).size / rowBytes);
    while (rows > 0) {
      readSync(file, cell, 0, 4, (rows - 1) * rowBytes);
      if (cell.readUInt32LE(0) <= step) break;
      rows--;
    }
    ftruncateSync(file, rows * rowBytes);
  } finally {
    closeSync(file);
  }
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w');
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what a crashed writer left half-made, and requests that were meant for it. */
function tidy(folder: string): void {
  for (const place of [folder, join(folder, FOLDERS.checkpoints), join(folder, FOLDERS.series)])
    if (existsSync(place))
      for (const name of readdirSync(place))
        if (name.startsWith(TEMPORARY) || name.endsWith('.tmp'))
          rmSync(join(place, name), { recursive: true, force: true });
  const control = join(folder, FOLDERS.control);
  mkdirSync(control, { recursive: true });
  for (const name of readdirSync(control)) rmSync(join(control, name), { recursive: true, force: true });
  writeFileSync(join(folder, FILES.events), '', { flag: 'a' });
}

function readStatus(folder: string, request: RunRequest): RunStatus {
  const steps = request.experiment.training.steps;
  const fresh: RunStatus = {
    state: 'queued',
    heartbeat: 0,
    step: 0,
    steps,
    eta: null,
    last: {},
    message: null,
  };
  return readChecked(folder, FILES.status, checkStatus) ?? fresh;
}

function readChecked<T>(
  folder: string,
  name: string,
  check: (value: unknown) => { ok: true; value: T } | { ok: false },
): T | null {
  try {
    const checked = check(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    return checked.ok ? checked.value : null;
  } catch {
    return null;
  }
}

function understood(cause: unknown, folder: string): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFullError(folder);
  if (!existsSync(folder)) return new RunFolderGoneError(folder);
  return cause;
}

function nonFinite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? toJsonNumber(value) : value;
}
