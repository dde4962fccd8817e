// What the data of an experiment holds: the model's sizes and notes for people. Reads the data file, trains nothing.
import { knownSizes, type ModelSizes } from '../../experiment/parameters.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { CommandError } from './exit.ts';
import { dataFault, type Place } from './workspace.ts';

export interface DataFacts {
  sizes: ModelSizes;
  notes: string[];
}

export async function describeData(experiment: Experiment, place: Place): Promise<DataFacts> {
  const { data } = experiment;
  const fault = 'path' in data ? dataFault(data.path, place) : null;
  if (fault) throw new CommandError(fault);
  const sizes = knownSizes(experiment);
  if (sizes && !('path' in data)) return { sizes, notes: [] };
  const { openTask } = await import('../tasks/open.ts');
  const task = await openTask(experiment, place);
  return { sizes: task.sizes, notes: task.facts.notes };
}
