// What steps have shown until it is written: the one queue between a step and the files of its run. Reads from training,
// gives nothing back.
import type { SeriesSidecar } from '../../runs/format.ts';
import type { Batch } from '../layers/batch.ts';
import type { State } from '../layers/state.ts';
import { type Watch, watchTogether } from '../layers/watch.ts';
import { PROBES } from '../probes/index.ts';
import type { OpenProbe, ProbedRun } from '../probes/probe.ts';
import type { Look, StepFigures } from './trainer.ts';

/** A step that was trained and is not written yet. */
export interface PendingStep {
  step: number;
  figures: StepFigures;
  /** by the name of the series */
  rows: ReadonlyMap<string, Float32Array>;
  tokens: number;
  /** milliseconds in which steps of this process waited for their batch, and those of the steps */
  waited: number;
  stepped: number;
  ownSeconds: number;
  /** seconds since 1970 */
  time: number;
}

export class Recorder {
  readonly sidecars: readonly SeriesSidecar[];
  private readonly probes: readonly OpenProbe[];
  /** looks by the probes that are due, as bits: fresh closures at every step cost more than small probes */
  private readonly looks = new Map<number, { due: readonly OpenProbe[]; look: Look }>();
  private due: readonly OpenProbe[] = [];
  /** Batched, because bookkeeping can cost as much as a short step (cache misses). */
  private pending: PendingStep[] = [];
  /** arrays of rows that are written, by length: fresh ones cost more than what stands in them */
  private readonly spare = new Map<number, Float32Array[]>();

  constructor(run: ProbedRun) {
    this.probes = PROBES.map(probe => probe.open(run)).filter(probe => probe !== null);
    this.sidecars = this.probes.flatMap(({ sidecars }) => sidecars);
  }

  /** How the next step is looked into. `asked`: all is looked at, due or not */
  look(step: number, asked: boolean): Look | undefined {
    let bits = 0;
    for (let index = 0; index < this.probes.length; index++)
      if (asked || (step - 1) % this.probes[index]!.every === 0) bits |= 1 << index;
    let known = this.looks.get(bits);
    if (!known) {
      const due = this.probes.filter((_, index) => bits & (1 << index));
      known = { due, look: lookOf(due) };
      this.looks.set(bits, known);
    }
    this.due = known.due;
    return known.due.length > 0 ? known.look : undefined;
  }

  /** What the step that was looked into has shown. */
  push(shown: Omit<PendingStep, 'rows'>): void {
    const rows = new Map<string, Float32Array>();
    for (const probe of this.due)
      for (const [name, values] of probe.rows()) rows.set(name, this.copyOf(values));
    this.due = [];
    const { step, figures, tokens, waited, stepped, ownSeconds, time } = shown;
    this.pending.push({ step, figures, rows, tokens, waited, stepped, ownSeconds, time });
  }

  get isEmpty(): boolean {
    return this.pending.length === 0;
  }

  /** Hands out all that is pending, oldest first. */
  take(): readonly PendingStep[] {
    const taken = this.pending;
    this.pending = [];
    return taken;
  }

  /** The rows have been written: their arrays can be used again. */
  giveBack(steps: readonly PendingStep[]): void {
    for (const { rows } of steps)
      for (const values of rows.values()) {
        const same = this.spare.get(values.length);
        if (same) same.push(values);
        else this.spare.set(values.length, [values]);
      }
  }

  private copyOf(values: Float32Array): Float32Array {
    const copy = this.spare.get(values.length)?.pop() ?? new Float32Array(values.length);
    copy.set(values);
    return copy;
  }
}

function lookOf(probes: readonly OpenProbe[]): Look {
  const before = probes.filter(probe => probe.before);
  return {
    begin(batch: Batch) {
      for (const probe of probes) probe.begin?.(batch);
    },
    watch: watchTogether(probes.flatMap(({ watch }): Watch[] => (watch ? [watch] : []))),
    ...(before.length > 0 && {
      before(batch: Batch, states: State | null) {
        for (const probe of before) probe.before?.(batch, states);
      },
    }),
  };
}
