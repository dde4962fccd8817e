// A run's row of figures for a comparison, from its reader.
import type { Experiment } from '../experiment/schema.ts';
import type { ComparedRun } from './comparison.ts';
import { seedlessKey } from './differences.ts';
import type { TaskFacts } from './format.ts';
import { metricsOf } from './metrics.ts';
import type { RunReader } from './reader.ts';
import { seenUnitOf } from './seen-unit.ts';

interface Values {
  at(row: number): number;
}

/** What of a reader's column is needed. */
interface Column {
  readonly length: number;
  readonly steps: Values;
  readonly seconds: Values;
  readonly mean: Values;
  readonly max: Values;
}

interface Source extends Pick<RunReader, 'request' | 'run' | 'status'> {
  readonly scalars: ReadonlyMap<string, Column>;
}

/** The least or greatest value of a growing column and where it stands, at the cost of what is new. */
class Extreme {
  value: number | null = null;
  step: number | null = null;
  private readonly isBetter: (value: number, than: number) => boolean;
  private column: Column | undefined;
  private consumed = 0;
  private lastStep = Number.NaN;

  constructor(isBetter: (value: number, than: number) => boolean) {
    this.isBetter = isBetter;
  }

  follow(column: Column | undefined, valueAt: (column: Column, row: number) => number): this {
    const wentBack = this.consumed > 0 && column?.steps.at(this.consumed - 1) !== this.lastStep;
    if (column !== this.column || wentBack) {
      [this.value, this.step, this.consumed] = [null, null, 0];
      this.column = column;
    }
    if (!column) return this;
    for (; this.consumed < column.length; this.consumed++) {
      const value = valueAt(column, this.consumed);
      if (!Number.isFinite(value) || (this.value !== null && !this.isBetter(value, this.value))) continue;
      [this.value, this.step] = [value, column.steps.at(this.consumed)];
    }
    if (this.consumed > 0) this.lastStep = column.steps.at(this.consumed - 1);
    return this;
  }
}

/** Losses are alike where task, unit and file are. */
function unitOf({ data }: Experiment, { name, lossUnit }: TaskFacts): string {
  return JSON.stringify([name, lossUnit, 'path' in data ? data.path : null]);
}

/** Of one run, kept up to date. */
export class ComparedFigures {
  private readonly least = new Extreme((value, than) => value < than);
  private readonly most = new Extreme((value, than) => value > than);

  /** `reach`: steps back that the gradient reaches. null for a run whose request cannot be read. */
  of(
    reader: Source,
    { id, label, state, reach }: Pick<ComparedRun, 'id' | 'label' | 'state' | 'reach'>,
  ): ComparedRun | null {
    const { request, status } = reader;
    if (!request) return null;
    const { experiment } = request;
    const last = (name: string) => {
      const column = reader.scalars.get(name);
      return column && column.length > 0 ? column.mean.at(column.length - 1) : null;
    };
    const clock = reader.scalars.get('trainLoss');
    const seconds = clock && clock.length > 0 ? clock.seconds.at(clock.length - 1) : null;
    const step = status?.step ?? 0;
    const [metric = null] = metricsOf(reader.run ?? request);
    const best = this.least.follow(reader.scalars.get('valLoss'), (column, row) => column.mean.at(row));
    const memory = this.most.follow(reader.scalars.get('memoryBytes'), (column, row) => column.max.at(row));
    return {
      id,
      label,
      state,
      reach,
      key: seedlessKey(experiment),
      seed: experiment.training.seed,
      unit: reader.run ? unitOf(experiment, reader.run.task) : null,
      seen: seenUnitOf(experiment, reader.run?.task ?? null),
      final: last('valLoss') ?? last('trainLoss'),
      best: best.value,
      bestStep: best.step,
      test: last('testLoss'),
      metric: metric ? last(metric.name) : null,
      metricOf: metric,
      parameters: reader.run?.parameters.total ?? null,
      secondsPerStep: seconds !== null && step > 0 ? seconds / step : null,
      tokensPerSecond: last('tokensPerSecond'),
      memoryBytes: memory.value,
    };
  }
}
