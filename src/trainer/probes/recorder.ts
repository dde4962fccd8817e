// Which step is looked into, the rows that come of it, and what the diagnosis is told. Reads from training, gives nothing back.
import type { SeriesSidecar } from '../../runs/format.ts';
import { SERIES } from '../../runs/format.ts';
import type { Model } from '../layers/model.ts';
import type { Task } from '../tasks/task.ts';
import type { Intervals } from '../training/intervals.ts';
import type { Look } from '../training/trainer.ts';
import { DeadUnits, deadUnitsSidecar } from './dead-units.ts';
import { flowSidecar, gatesSidecar, LevelRows, probeReach } from './flow.ts';
import { deadOf, flowOf, gatesOf, type Observed } from './observation.ts';

export interface SeriesRow {
  name: string;
  values: Float32Array;
}

/** The series this run will have. */
export function sidecarsOf(
  model: Model,
  rectified: readonly string[],
  task: Task,
  intervals: Intervals,
): SeriesSidecar[] {
  const { seqLen } = task.facts;
  const sidecars: (SeriesSidecar | null)[] = [];
  if (intervals.gates > 0 && rectified.length > 0)
    sidecars.push(deadUnitsSidecar(SERIES.deadUnits, rectified));
  const flows = model.levels.length > 0;
  if (flows && intervals.fullFlow > 0)
    sidecars.push(flowSidecar(SERIES.gradientFlowFull, model.levels, seqLen));
  if (flows && intervals.reach > 0) sidecars.push(flowSidecar(SERIES.gradientFlow, model.levels, seqLen));
  if (flows && intervals.gates > 0)
    for (const name of [SERIES.gates, SERIES.saturation])
      sidecars.push(gatesSidecar(name, model.levels, seqLen));
  return sidecars.filter(sidecar => sidecar !== null);
}

/** Which step is looked into. Records are used again when they have been told: fresh ones cost more than a small step's probes. */
export class Recorder {
  private readonly model: Model;
  private readonly task: Task;
  private readonly rectified: readonly string[];
  private readonly intervals: Intervals;
  private readonly window: number;
  private readonly told: StepRecord[] = [];

  /** `window`: of truncated BPTT */
  constructor(model: Model, task: Task, rectified: readonly string[], intervals: Intervals, window: number) {
    this.model = model;
    this.task = task;
    this.rectified = rectified;
    this.intervals = intervals;
    this.window = window;
  }

  /** `asked`: all is looked at, due or not; null: nothing is */
  record(step: number, asked: boolean): StepRecord | null {
    const { intervals } = this;
    const due = (every: number) => every > 0 && (asked || (step - 1) % every === 0);
    const full = due(intervals.fullFlow);
    const reach = due(intervals.reach);
    const gates = due(intervals.gates);
    if (!(full || reach || gates)) return null;
    const record = this.told.pop() ?? new StepRecord(this.model, this.task, this.rectified, this.window);
    record.begin(full, reach, gates);
    return record;
  }

  /** Nobody will look at it again. */
  giveBack(record: StepRecord): void {
    this.told.push(record);
  }
}

/** What one step is looked at for, and what was seen. */
export class StepRecord {
  readonly look: Look = {};
  private readonly model: Model;
  private readonly rectified: readonly string[];
  private readonly seen: LevelRows | null;
  private readonly gatesSeen: Observed['gates'];
  private readonly before: Look['before'];
  /** with one loss, at the last step, the training gradient is the reach */
  private readonly byProduct: boolean;
  private readonly flowRow: SeriesRow | null;
  private readonly gateRows: readonly SeriesRow[];
  private units: DeadUnits | null = null;
  private probed: LevelRows | null = null;
  private full = false;
  private reach = false;
  private gates = false;

  constructor(model: Model, task: Task, rectified: readonly string[], window: number) {
    const { levels } = model;
    const { seqLen } = task.facts;
    this.model = model;
    this.rectified = rectified;
    this.byProduct = task.outputs === 'last-step';
    const seen = levels.length > 0 ? new LevelRows(levels, seqLen) : null;
    this.seen = seen;
    this.gatesSeen = seen && seen.gateMeans.length > 0 ? gatesOf(levels, seen) : undefined;
    this.flowRow = seen && { name: SERIES.gradientFlowFull, values: seen.flow };
    this.gateRows = this.gatesSeen
      ? [
          { name: SERIES.gates, values: seen!.gateMeans },
          { name: SERIES.saturation, values: seen!.saturation },
        ]
      : [];
    this.before = (batch, state) => {
      this.probed = probeReach(model, task, batch, state, window);
    };
  }

  begin(full: boolean, reach: boolean, gates: boolean): void {
    const { seen, look, byProduct, rectified } = this;
    this.full = full;
    this.reach = reach;
    this.gates = gates;
    const units = gates && rectified.length > 0 ? new DeadUnits(rectified) : null;
    this.units = units;
    seen?.clear();
    this.probed = byProduct ? seen : null;
    const backward = full || (reach && byProduct);
    look.watch = {
      ...(units && { output: (name, _from, output) => units.look(name, output) }),
      ...(seen && backward && { gradient: (level, from, norms) => seen.gradient(level, from, norms) }),
      ...(seen && gates && { gates: (level, from, ...values) => seen.gates(level, from, ...values) }),
    };
    look.before = reach && seen && !byProduct ? this.before : undefined;
  }

  /** After the step: the rows of the series that are due, and the same for the diagnosis. */
  tell(): { rows: readonly SeriesRow[]; observed: Observed } {
    const { model, rectified, flowRow, probed } = this;
    const rows: SeriesRow[] = [];
    const observed: Observed = { flow: undefined, gates: undefined, dead: undefined };
    if (this.units) {
      const values = this.units.shares;
      rows.push({ name: SERIES.deadUnits, values });
      observed.dead = deadOf(rectified, values);
    }
    if (this.full && flowRow) rows.push(flowRow);
    if (this.reach && probed) {
      rows.push({ name: SERIES.gradientFlow, values: probed.flow });
      observed.flow = flowOf(model.levels, probed);
    }
    if (this.gates && this.gatesSeen) {
      rows.push(...this.gateRows);
      observed.gates = this.gatesSeen;
    }
    return { rows, observed };
  }
}
