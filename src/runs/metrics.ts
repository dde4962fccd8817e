// A task's metrics: which a run records.
import { metricsOf as metricsOfData } from '../experiment/tasks/index.ts';
import type { Metric, RunRequest } from './format.ts';

/** Of its run.json; what version 0.1.0 does not say, the task's kind does. The first is shown beside the loss. */
export function metricsOf(
  run: Pick<RunRequest, 'experiment'> & { task?: { metrics?: Metric[] | undefined } },
): readonly Metric[] {
  return run.task?.metrics ?? metricsOfData(run.experiment.data);
}
