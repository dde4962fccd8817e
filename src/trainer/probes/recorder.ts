// Which step is looked into, and the rows that come of it. Reads from training, gives nothing back.
import type { SeriesSidecar } from '../../runs/format.ts';
import { SERIES } from '../../runs/format.ts';
import type { Model } from '../layers/model.ts';
import type { Task } from '../tasks/task.ts';
import type { Intervals } from '../training/intervals.ts';
import type { Watch } from '../training/trainer.ts';
import { DeadUnits, deadUnitsSidecar } from './dead-units.ts';
import { flowSidecar, gatesSidecar, probeReach, RecurrentRows } from './flow.ts';

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
  const flows = model.recurrent.length > 0;
  if (flows && intervals.fullFlow > 0)
    sidecars.push(flowSidecar(SERIES.gradientFlowFull, model.recurrent, seqLen));
  if (flows && intervals.reach > 0) sidecars.push(flowSidecar(SERIES.gradientFlow, model.recurrent, seqLen));
  if (flows && intervals.gates > 0)
    for (const name of [SERIES.gates, SERIES.saturation])
      sidecars.push(gatesSidecar(name, model.recurrent, seqLen));
  return sidecars.filter(sidecar => sidecar !== null);
}

/** Watches one step if anything is due at it; `rows` then holds what was seen. */
export function watchStep(
  step: number,
  model: Model,
  rectified: readonly string[],
  task: Task,
  intervals: Intervals,
  options: { window: number; asked: boolean },
): { watch: Watch; rows: () => SeriesRow[] } {
  const due = (every: number) => every > 0 && (options.asked || (step - 1) % every === 0);
  const full = due(intervals.fullFlow);
  const reach = due(intervals.reach);
  const gates = due(intervals.gates);
  // with one loss, at the last step, the training gradient is the reach
  const byProduct = task.outputs === 'last-step';
  if (!(full || reach || gates)) return { watch: {}, rows: () => [] };
  const watch: Watch = {};
  const units = gates && rectified.length > 0 ? new DeadUnits(rectified) : null;
  if (units) watch.onLayer = (name, output) => units.look(name, output);
  const dead = () => (units ? [{ name: SERIES.deadUnits, values: units.shares }] : []);
  if (model.recurrent.length === 0) return { watch, rows: dead };

  const seen = new RecurrentRows(model.recurrent, task.facts.seqLen);
  let probed: RecurrentRows | null = byProduct ? seen : null;
  if (full || gates || byProduct) watch.onRecurrent = (layer, from, report) => seen.add(layer, from, report);
  if (reach && !byProduct)
    watch.before = (batch, state) => {
      probed = probeReach(model, task, batch, state, options.window);
    };
  return {
    watch,
    rows() {
      const rows: SeriesRow[] = dead();
      if (full) rows.push({ name: SERIES.gradientFlowFull, values: seen.flow });
      if (reach && probed) rows.push({ name: SERIES.gradientFlow, values: probed.flow });
      if (gates && seen.gates.length > 0) {
        rows.push({ name: SERIES.gates, values: seen.gates });
        rows.push({ name: SERIES.saturation, values: seen.saturation });
      }
      return rows;
    },
  };
}
