// From an experiment to its task. A new task is its file and a line here (and its fields in the schema).
import type { Experiment } from '../../experiment/schema.ts';
import { type DataPlace, locateData } from '../data/locate.ts';
import { addingTask } from './adding.ts';
import { charLmTask } from './char-lm.ts';
import { forecastTask } from './forecast.ts';
import type { Task } from './task.ts';
import { temporalOrderTask } from './temporal-order.ts';

/** Reads the data, if the task has any. @throws DataError */
export async function openTask(experiment: Experiment, place: DataPlace): Promise<Task> {
  const { data } = experiment;
  switch (data.task) {
    case 'char-lm':
      return charLmTask(experiment, data, locateData(data.path, place));
    case 'forecast':
      return forecastTask(experiment, data, locateData(data.path, place));
    case 'adding':
      return addingTask(experiment, data.length);
    case 'temporal-order':
      return temporalOrderTask(experiment, data.length);
    default:
      return data satisfies never;
  }
}
