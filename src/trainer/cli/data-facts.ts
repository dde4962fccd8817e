// What the data of an experiment holds: the model's sizes and notes for people. Reads the data file, trains nothing.
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import type { ModelSizes } from '../../experiment/sizes.ts';
import { CommandError } from './exit.ts';
import { dataFault, type Place } from './workspace.ts';

export interface DataFacts {
  sizes: ModelSizes;
  /** steps of a pass that batches are cut at; left out: the experiment's own */
  maxTokens?: number;
  notes: string[];
  /** what the data has that its owner should know; not in `notes` */
  warnings: readonly string[];
}

export async function describeData(experiment: Experiment, place: Place): Promise<DataFacts> {
  const { data } = experiment;
  const fault = dataFault(experiment, place);
  if (fault) throw new CommandError(fault);
  const sizes = knownSizes(experiment);
  if (sizes && !('path' in data)) return { sizes, notes: [], warnings: [] };
  const [{ openTask }, { maxTokensOf }] = await Promise.all([
    import('../tasks/index.ts'),
    import('../training/accumulation.ts'),
  ]);
  const task = await openTask(experiment, place);
  const warnings = task.warnings ?? [];
  return {
    sizes: task.sizes,
    maxTokens: maxTokensOf(experiment, task),
    notes: task.facts.notes.filter(note => !warnings.includes(note)),
    warnings,
  };
}
