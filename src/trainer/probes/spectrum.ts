// What recurrent matrices do to lengths: spectral radius, largest singular value and condition number of each, by training
// step. Above 1 a state may grow from step to step, below 1 it is forgotten (Pascanu et al. 2013,
// https://arxiv.org/abs/1211.5063, section 2.1).
import { multiplyAdds } from '../../experiment/resources.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { SERIES } from '../../runs/series-names.ts';
import type { ModelSizes } from '../layers/model.ts';
import type { StateMap } from '../layers/state-maps.ts';
import type { Probe } from './probe.ts';

export const FIGURES = ['radius', 'sigma', 'condition'] as const;
/**
 * Measured on the native engine, AVX-512 with 2 threads, 32 to 512 rows: a matrix of n rows takes as long as
 * 1800 n² (n + 110) multiply-adds of a training step. Short rows cost more, since their loops are hardly begun.
 */
const COST = 1800;
const SHORT = 110;
const SHARE = 0.005;
/** Rows that a short run has of small matrices all the same: of 32 rows one takes 1 ms. */
const FEWEST = 10;
const SMALL = 32 ** 3;
export const spectrum: Probe = {
  name: SERIES.spectrum,
  open({ experiment, model: { maps }, task }) {
    const every = spectrumEvery(experiment, maps, task.sizes);
    if (maps.length === 0 || every === 0) return null;
    const values = new Float32Array(maps.length * FIGURES.length);
    return {
      sidecars: [
        {
          name: SERIES.spectrum,
          view: 'spectrum',
          width: values.length,
          axes: [
            { name: 'map', size: maps.length, labels: maps.map(({ name }) => name) },
            { name: 'figure', size: FIGURES.length, labels: [...FIGURES] },
          ],
          layers: [],
          unit: 'spectral radius, largest singular value, and largest by smallest singular value',
        },
      ],
      every,
      before() {
        maps.forEach((map, index) => {
          const { radius, sigma, condition } = map.spectrum();
          values.set([radius, sigma, condition], index * FIGURES.length);
        });
      },
      rows: () => new Map([[SERIES.spectrum, values]]),
    };
  },
};

/** Steps from one row to the next; 0: never. */
export function spectrumEvery(
  experiment: Experiment,
  maps: readonly Pick<StateMap, 'size'>[],
  sizes: ModelSizes,
): number {
  const { probes, training } = experiment;
  if (probes.spectrum === false) return 0;
  if (probes.spectrum.every) return probes.spectrum.every;
  const cubes = maps.reduce((sum, { size }) => sum + size ** 3, 0);
  const { step } = multiplyAdds(experiment, sizes);
  const cost = maps.reduce((sum, { size }) => sum + COST * size ** 2 * (size + SHORT), 0);
  const affordable = Math.max(1, Math.ceil(cost / (SHARE * step)));
  const wanted = cubes <= SMALL ? Math.min(affordable, Math.ceil(training.steps / FEWEST)) : affordable;
  return Math.max(wanted, Math.ceil(training.steps / 200));
}
