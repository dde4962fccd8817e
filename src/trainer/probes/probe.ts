// The interface of a probe: what looks into a step of training and writes a row of its series. A new probe is a file
// with a `Probe` and a line in index.ts; a new way to draw is a view of the dashboard.
import type { Experiment } from '../../experiment/schema.ts';
import type { SeriesSidecar } from '../../runs/format.ts';
import type { Batch } from '../layers/batch.ts';
import type { Model } from '../layers/model.ts';
import type { State } from '../layers/state.ts';
import type { Watch } from '../layers/watch.ts';
import type { Task } from '../tasks/task.ts';
import type { Intervals } from '../training/intervals.ts';

/** The run that is looked into. */
export interface ProbedRun {
  experiment: Experiment;
  model: Model;
  task: Task;
  intervals: Intervals;
}

export interface Probe {
  readonly name: string;
  /** null: this run has nothing that the probe could show, or does not want it */
  open(run: ProbedRun): OpenProbe | null;
}

export interface OpenProbe {
  readonly sidecars: readonly SeriesSidecar[];
  /** steps from one look to the next */
  readonly every: number;
  /** before the pass of a step that is looked into */
  begin?(batch: Batch): void;
  readonly watch?: Watch;
  /** after the pass and before the update; `states`: those the batch started in */
  before?(batch: Batch, states: State | null): void;
  /** By the name of the series. Lent until the next `begin`. */
  rows(): ReadonlyMap<string, Float32Array>;
}
