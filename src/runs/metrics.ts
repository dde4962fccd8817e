// A task's metrics: which a run records, and how a value of one is said.
import { taskOf } from '../experiment/tasks/index.ts';
import type { Metric, RunRequest } from './format.ts';

/** Of its run.json; what version 0.1.0 does not say, the task's kind does. The first is shown beside the loss. */
export function metricsOf(
  run: Pick<RunRequest, 'experiment'> & { task?: { metrics?: Metric[] | undefined } },
): readonly Metric[] {
  return run.task?.metrics ?? taskOf(run.experiment.data).metrics;
}

/** "97.5 %" of a share, "1.83 bits/char", "6.12". */
export function metricText({ unit }: Pick<Metric, 'unit'>, value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (unit === '%') return `${Number((100 * value).toPrecision(3))} %`;
  const size = Math.abs(value);
  const number =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : Number(value.toPrecision(3));
  return unit === '' ? String(number) : `${number} ${unit}`;
}
