// Tells whether a run trained the model that stands in the editor now. Loaded late: it brings the schema with it.
import { isDeepStrictEqual } from 'node:util';
import { expandComparison } from '../../experiment/compare.ts';
import { valueAt } from '../../experiment/faults.ts';
import { type Experiment, type ExperimentInput, experimentSchema } from '../../experiment/schema.ts';
import type { Fix } from '../../runs/format.ts';

type Model = Experiment['model'];
/** Of a run; what an older one lacks has its default. */
export type Trained = Pick<Experiment, 'model'>;

/** The models that training this experiment would train: one, or those of its comparison. */
export function modelsOf(experiment: Experiment): Model[] {
  return expandComparison(experiment).map(member => member.experiment.model);
}

/** A model in code, with every default filled in; none where it has what Unroll lacks. */
export function modelOfCode(input: ExperimentInput['model']): Model[] {
  const { success, data } = experimentSchema.shape.model.safeParse(input);
  return success ? [data] : [];
}

/** Any of the runs, since a comparison trains variations of one model. */
export function wasTrained(now: readonly Model[], runs: readonly Trained[]): boolean {
  return runs.some(({ model }) => {
    const trained = withDefaults(model);
    return now.some(each => isDeepStrictEqual(each, trained));
  });
}

/** The layer that a finding is about stands unchanged; without an index, the whole model does. */
export function layerStands(now: readonly Model[], trained: Trained, index: number | null): boolean {
  if (index === null) return wasTrained(now, [trained]);
  const layer = withDefaults(trained.model).layers[index];
  return layer !== undefined && now.some(({ layers }) => isDeepStrictEqual(layers[index], layer));
}

/** One of the edits that a finding proposes has been made since. */
export function isMended(now: Experiment, fixes: readonly Fix[]): boolean {
  return fixes.some(({ edits }) =>
    edits.every(({ path, value }) => isDeepStrictEqual(valueAt(now, path), value)),
  );
}

function withDefaults(model: Model): Model {
  const { success, data } = experimentSchema.shape.model.safeParse(model);
  return success ? data : model;
}

/** "layers.1" or "layers.1.0" → 1; null for the whole model. */
export function layerIndexOf(name: string | null): number | null {
  const index = /^layers\.(\d+)/.exec(name ?? '')?.[1];
  return index === undefined ? null : Number(index);
}
