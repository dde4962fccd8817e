// The interface of a task's room in the trainer: how its data are opened, and what using its trained model takes.
import type * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import type { ModelSizes } from '../../experiment/sizes.ts';
import type { DataOf, TaskName } from '../../experiment/tasks/index.ts';
import type { DataPlace } from '../data/locate.ts';
import type { Codec } from './language.ts';
import type { Stepping } from './stepping.ts';
import type { Task } from './task.ts';

export interface TaskModule<T extends TaskName, A extends z.ZodObject = z.ZodObject> {
  /** of `task.json`, with `task: z.literal(…)`; a run folder is untrusted, so sizes and names are limited */
  readonly artifact: A;
  /**
   * Reads the data, if the task has any. `known`: vocabulary and scaling of a run that goes on, which are never made
   * anew. @throws DataError
   */
  open(
    experiment: Experiment,
    data: DataOf<T>,
    place: DataPlace,
    known: z.output<A> | null,
  ): Promise<Task> | Task;
  /** of a finished run, whose data need not be there; null: artifact and experiment do not fit */
  sizes(artifact: z.output<A>, experiment: Experiment): ModelSizes | null;
  /** what does not hold together in an artifact, as the end of a sentence; null: nothing */
  fault?(artifact: z.output<A>): string | null;
  /** of tasks whose models write on from a prompt */
  codec?(artifact: z.output<A>): Codec;
  /** of tasks whose models may be read step by step; a string: why this one may not, as the end of a sentence */
  stepping?(artifact: z.output<A>): Stepping | string;
}
