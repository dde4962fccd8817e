// Reads a run folder as it grows. Everything in it is untrusted: what does not hold together is left out and
// said in `problems`; nothing here throws for what a folder holds.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ScalarColumn, ScalarTable, type ScalarValues } from './columns.ts';
import { EventTail } from './events.ts';
import type { Finding, RunEvent, RunFile, RunRequest, RunStatus, Sample } from './format.ts';
import { fromJsonNumber, NotSmallError, readSmall, statIfThere } from './json.ts';
import { FILES, FOLDERS, namesIn } from './paths.ts';
import { type SeriesRows, SeriesTail } from './series.ts';
import { whyOf } from './system-errors.ts';
import { type Checked, checkRequest, checkRun, checkStatus } from './validate.ts';

const MAX_JSON_BYTES = 16e6;
const MAX_PROBLEMS = 20;
const MAX_SAMPLES = 200;
const MAX_FINDINGS = 200;
const MAX_CHECKPOINTS = 10_000;
const MAX_SERIES = 32;
/** The coarsest clock of a file system that tells when a folder has changed. */
const COARSE_MILLISECONDS = 2000;

export type EndedEvent = Extract<RunEvent, { kind: 'ended' }>;

export class RunReader {
  readonly folder: string;
  /** what was asked; run.json once the worker has written it */
  request: RunRequest | null = null;
  run: RunFile | null = null;
  status: RunStatus | null = null;
  samples: { step: number; sample: Sample }[] = [];
  findings: (Finding & { step: number })[] = [];
  checkpoints: { step: number; best: boolean }[] = [];
  ended: EndedEvent | null = null;
  /** the folder was deleted */
  gone = false;
  readonly problems: string[] = [];
  private readonly table = new ScalarTable();
  private readonly events: EventTail;
  private readonly tails = new Map<string, SeriesTail>();
  private statusStamp = '';
  /** `status` is made from the events */
  private isRebuilt = false;
  /** when the folder of series had changed as it was listed last */
  private listedAt: number | null = null;

  constructor(folder: string) {
    this.folder = folder;
    this.events = new EventTail(join(folder, FILES.events), {
      event: event => this.take(event),
      restart: () => this.forget(),
      problem: why => this.note(why),
    });
  }

  get scalars(): ReadonlyMap<string, ScalarColumn> {
    return this.table.columns;
  }

  /** There is more to read than one poll takes: poll again soon. */
  get behind(): boolean {
    if (this.gone) return false;
    return this.events.behind || [...this.tails.values()].some(({ behind }) => behind);
  }

  get series(): Map<string, SeriesRows> {
    const found = new Map<string, SeriesRows>();
    for (const [name, tail] of this.tails)
      if (tail.data && tail.data.rows.length > 0) found.set(name, tail.data);
    return found;
  }

  /**
   * Reads what is new, of the events at most so many bytes (3 MB take about 30 ms), and where its process has other
   * work not much longer than so many milliseconds; `behind` tells that there is more. @returns whether anything changed
   */
  poll(mostBytes = 3e6, milliseconds = Number.POSITIVE_INFINITY): boolean {
    const until = performance.now() + milliseconds;
    if (!existsSync(this.folder)) {
      const changed = !this.gone;
      this.gone = true;
      return changed;
    }
    let changed = this.gone;
    this.gone = false;
    changed = this.readOnce() || changed;
    changed = this.readStatus() || changed;
    changed = this.events.poll(mostBytes, until) || changed;
    changed = this.rebuildStatus() || changed;
    this.listSeries();
    for (const tail of this.tails.values()) {
      const before = tail.problem;
      changed = tail.poll(until) || changed;
      if (tail.problem && !before) this.note(tail.problem);
    }
    return changed;
  }

  /** Every series that is there, also one that this version does not draw. */
  private listSeries(): void {
    const folder = join(this.folder, FOLDERS.series);
    const changedAt = statIfThere(folder)?.mtimeMs ?? null;
    if (changedAt === null || changedAt === this.listedAt) return;
    // a file may still come in the same tick of a coarse clock
    this.listedAt = Date.now() - changedAt > COARSE_MILLISECONDS ? changedAt : null;
    for (const file of namesIn(folder)) {
      const name = /^(.{1,200})\.json$/.exec(file)?.[1];
      if (name && !this.tails.has(name) && this.tails.size < MAX_SERIES)
        this.tails.set(name, new SeriesTail(this.folder, name));
    }
  }

  private readOnce(): boolean {
    if (this.run) return false;
    const run = this.readJson(FILES.run, checkRun);
    if (run) {
      this.run = run;
      this.request = run;
      return true;
    }
    if (this.request) return false;
    this.request = this.readJson(FILES.request, checkRequest);
    return this.request !== null;
  }

  private readStatus(): boolean {
    const stat = statIfThere(join(this.folder, FILES.status));
    if (!stat) return false;
    const stamp = `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (stamp === this.statusStamp) return false;
    this.statusStamp = stamp;
    const status = this.readJson(FILES.status, checkStatus);
    if (status) {
      this.status = status;
      this.isRebuilt = false;
    }
    return status !== null;
  }

  /** From the events, where status.json is lost or cannot be read. @returns whether it has changed */
  private rebuildStatus(): boolean {
    if ((this.status && !this.isRebuilt) || !this.request || this.behind) return false;
    const step = Math.max(
      0,
      this.ended?.step ?? 0,
      this.checkpoints.at(-1)?.step ?? 0,
      ...[...this.scalars.values()].map(({ steps, length }) => (length > 0 ? steps.at(length - 1) : 0)),
    );
    const state = this.ended?.reason ?? (this.run ? 'training' : 'queued');
    if (this.status?.step === step && this.status.state === state) return false;
    this.isRebuilt = true;
    this.status = {
      state,
      heartbeat: 0,
      step,
      steps: this.request.experiment.training.steps,
      eta: null,
      last: {},
      message: state === 'failed' || state === 'diverged' ? (this.ended?.message ?? null) : null,
    };
    return true;
  }

  private readJson<T>(name: string, check: (value: unknown) => Checked<T>): T | null {
    try {
      const text = readSmall(join(this.folder, name), MAX_JSON_BYTES);
      if (text === null) return null;
      const checked = check(JSON.parse(text));
      if (checked.ok) return checked.value;
      this.note(`${name} is left out: ${checked.why}.`);
    } catch (cause) {
      if (cause instanceof NotSmallError) this.note(`${name} is left out: ${cause.message}.`);
      else if (cause instanceof SyntaxError) this.note(`${name} is left out: it is not JSON.`);
      else this.note(`${name} cannot be read: ${whyOf(cause)}.`);
    }
    return null;
  }

  private take(event: RunEvent): void {
    switch (event.kind) {
      case 'scalars':
        this.takeScalars(event);
        break;
      case 'sample':
        this.samples.push({ step: event.step, sample: event.sample });
        if (this.samples.length > MAX_SAMPLES) this.samples.splice(1, 1);
        break;
      case 'finding':
        this.findings.push({ ...event.finding, step: event.step });
        if (this.findings.length > MAX_FINDINGS) this.findings.shift();
        break;
      case 'checkpoint':
        this.checkpoints.push({ step: event.step, best: event.best });
        if (this.checkpoints.length > MAX_CHECKPOINTS) this.checkpoints.shift();
        break;
      case 'resumed':
        this.dropAfter(event.fromStep);
        this.ended = null;
        break;
      case 'ended':
        this.ended = event;
        break;
      case 'started':
        // a second start is one without a checkpoint to go on from
        this.dropAfter(event.step);
        this.ended = null;
        break;
      case 'paused':
        break;
      default:
        event satisfies never;
    }
  }

  private takeScalars({ step, ownSeconds, tokens, values }: Extract<RunEvent, { kind: 'scalars' }>): void {
    const rows = Object.entries(values).map(([name, value]): [string, ScalarValues] => [
      name,
      rangeOf(value),
    ]);
    if (!this.table.push(step, ownSeconds, tokens, rows))
      this.note(`Scalars of step ${step} stand after later ones and are left out.`);
  }

  private dropAfter(step: number): void {
    this.table.dropAfter(step);
    const upTo = (entry: { step: number }) => entry.step <= step;
    this.samples = this.samples.filter(upTo);
    this.findings = this.findings.filter(upTo);
    this.checkpoints = this.checkpoints.filter(upTo);
    for (const tail of this.tails.values()) tail.reset();
  }

  private forget(): void {
    this.dropAfter(-1);
    this.table.clear();
    this.ended = null;
  }

  private note(why: string): void {
    if (this.problems.length < MAX_PROBLEMS && !this.problems.includes(why)) this.problems.push(why);
  }
}

function rangeOf(value: unknown): ScalarValues {
  if (typeof value !== 'object' || value === null) {
    const number = fromJsonNumber(value);
    return { mean: number, min: number, max: number };
  }
  const { mean, min, max } = value as Record<string, unknown>;
  return { mean: fromJsonNumber(mean), min: fromJsonNumber(min), max: fromJsonNumber(max) };
}
