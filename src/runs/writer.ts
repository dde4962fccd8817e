// Writes a run folder so that a crash at any instant loses nothing that was complete: append-only lines and
// rows, files replaced whole, checkpoints renamed into place. docs/architecture.md has the rules.
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppendFile, cutRows, isRows, lengthOfWholeLines } from './append-file.ts';
import {
  bestCheckpoint,
  type Checkpoint,
  latestCheckpoint,
  tidyCheckpoints,
  writeCheckpoint,
} from './checkpoints.ts';
import { consumeControl } from './control.ts';
import { BadRunError, RunFolderGoneError, understood } from './errors.ts';
import type { ControlRequest, RunEvent, RunFile, RunRequest, RunStatus, SeriesSidecar } from './format.ts';
import { jsonText, readSmall, renameWithRetry, replaceFile } from './json.ts';
import { acquireWriter, releaseWriter } from './lock.ts';
import { FILES, FOLDERS, makeFolder, namesIn } from './paths.ts';
import { whyNotRead } from './system-errors.ts';
import { checkRequest, checkRun, checkSidecar, checkStatus } from './validate.ts';

const MAX_JSON_BYTES = 16e6;
const CONTROL_MILLISECONDS = 100;
/** Rows come with every step, and events beside them look each time whether the run is still there. */
const SERIES_LOOK_MILLISECONDS = 100;
/** of processes that want to write this run too, and are about to be refused */
const RIVALS = /^(writer\.json|\.claim-)/;

export { bestCheckpoint, type Checkpoint, latestCheckpoint } from './checkpoints.ts';

export interface SeriesRowAt {
  step: number;
  values: Float32Array;
}

export interface SeriesWriter {
  /** @throws DiskFullError */
  row(step: number, values: Float32Array): void;
  /** All or none. @throws DiskFullError */
  rows(rows: readonly SeriesRowAt[]): void;
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
  private readonly lock: string;

  private constructor(folder: string, request: RunRequest, run: RunFile | null, lock: string) {
    this.lock = lock;
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
    refuseLinks(folder);
    const lock = acquireWriter(folder, options.force);
    try {
      return new RunWriter(folder, request, run, lock);
    } catch (cause) {
      releaseWriter(folder, lock);
      throw cause;
    }
  }

  get lastStatus(): RunStatus {
    return this.current;
  }

  /** Once. */
  writeRun(run: RunFile): void {
    if (this.run) throw new Error(`run.json of ${this.folder} stands already`);
    this.guard(() => replaceFile(join(this.folder, FILES.run), `${jsonText(run, 2)}\n`, true));
    this.run = run;
    rmSync(join(this.folder, FILES.request), { force: true });
  }

  /** All or none. @throws DiskFullError, RunFolderGoneError */
  event(...events: readonly RunEvent[]): void {
    this.events.append(Buffer.from(events.map(event => `${jsonText(event)}\n`).join('')));
  }

  series(name: string, sidecar: SeriesSidecar): SeriesWriter {
    const folder = join(this.folder, FOLDERS.series);
    this.guard(() => makeFolder(folder));
    const described = join(folder, `${name}.json`);
    const known = readChecked(folder, `${name}.json`, checkSidecar);
    if (known?.width !== sidecar.width) {
      setRowsAside(
        join(folder, `${name}.f32`),
        known === null ? 4 + sidecar.width * 4 : null,
        this.current.step,
      );
      this.guard(() => replaceFile(described, `${jsonText(sidecar, 2)}\n`));
    }
    const rowBytes = 4 + sidecar.width * 4;
    this.seriesFiles.get(name)?.close();
    const file = new AppendFile(
      this.folder,
      join(folder, `${name}.f32`),
      (_, size) => size - (size % rowBytes),
      SERIES_LOOK_MILLISECONDS,
    );
    this.seriesFiles.set(name, file);
    const rowNumbers = 1 + sidecar.width;
    let values = new Float32Array(0); // used again: rows come often, and fresh pages cost more than what stands in them
    let steps = new Uint32Array(0);
    const write = (rows: readonly SeriesRowAt[]) => {
      if (values.length < rows.length * rowNumbers) {
        values = new Float32Array(rows.length * rowNumbers);
        steps = new Uint32Array(values.buffer);
      }
      // little-endian, as every machine that VS Code runs on
      rows.forEach((row, index) => {
        if (row.values.length !== sidecar.width)
          throw new Error(`series ${name}: a row has ${row.values.length} values, not ${sidecar.width}`);
        steps[index * rowNumbers] = row.step;
        values.set(row.values, index * rowNumbers + 1);
      });
      file.append(new Uint8Array(values.buffer, 0, rows.length * rowBytes));
    };
    return { rows: write, row: (step, values) => write([{ step, values }]) };
  }

  /** Replaces status.json; a reader that blocks it is outwaited, and then only warned of. @throws RunFolderGoneError */
  status(patch: Partial<Omit<RunStatus, 'heartbeat'>>): void {
    this.current = { ...this.current, ...patch, heartbeat: this.current.heartbeat + 1 };
    try {
      replaceFile(join(this.folder, FILES.status), jsonText(this.current));
      this.warned = false;
    } catch (cause) {
      if (!existsSync(this.folder)) throw new RunFolderGoneError(this.folder);
      if (!this.warned)
        this.onWarning(`status.json of ${this.folder} could not be replaced: ${whyNotRead(cause)}.`);
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
    this.guard(() => writeCheckpoint(this.folder, step, files, options));
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
    if (existsSync(this.folder)) releaseWriter(this.folder, this.lock);
  }

  private guard(write: () => void): void {
    try {
      write();
    } catch (cause) {
      throw understood(cause, this.folder);
    }
  }
}

/** Rows of another width are kept under another name; `rowBytes`: a width that they may have, their sidecar being lost. */
function setRowsAside(path: string, rowBytes: number | null, step: number): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isFile() && (stat.size === 0 || (rowBytes !== null && isRows(path, rowBytes)))) return;
  const aside = `${path}.before-${step}`;
  rmSync(aside, { recursive: true, force: true });
  renameWithRetry(path, aside);
}

/** Removes what a crashed writer left half-made, and requests that were meant for it. */
function tidy(folder: string): void {
  tidyCheckpoints(folder);
  for (const place of [folder, join(folder, FOLDERS.series)])
    for (const name of namesIn(place))
      if (name.endsWith('.tmp') && !RIVALS.test(name)) rmSync(join(place, name), { force: true });
  const control = join(folder, FOLDERS.control);
  mkdirSync(control, { recursive: true });
  for (const name of readdirSync(control)) rmSync(join(control, name), { recursive: true, force: true });
  writeFileSync(join(folder, FILES.events), '', { flag: 'a' });
}

/** A run folder that came with a repository must not lead writes out of itself. */
function refuseLinks(folder: string): void {
  const series = join(folder, FOLDERS.series);
  const names = [
    FILES.events,
    ...Object.values(FOLDERS),
    ...namesIn(series).map(name => join(FOLDERS.series, name)),
  ];
  for (const name of names)
    if (lstatSync(join(folder, name), { throwIfNoEntry: false })?.isSymbolicLink())
      throw new BadRunError(
        `${join(folder, name)} is a link, which no run folder holds: nothing was written.`,
      );
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
    const checked = check(JSON.parse(readSmall(join(folder, name), MAX_JSON_BYTES) ?? 'null'));
    return checked.ok ? checked.value : null;
  } catch {
    return null;
  }
}
