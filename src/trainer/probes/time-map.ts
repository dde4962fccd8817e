// The gradient by level and time step, as the series of a heatmap.
import type { SeriesSidecar } from '../../runs/format.ts';
import type { LevelInfo } from '../layers/watch.ts';
import { shownLevel } from './time-rows.ts';

export function timeMapSidecar(name: string, levels: readonly LevelInfo[], seqLen: number): SeriesSidecar {
  return {
    name,
    view: 'time-map',
    width: levels.length * seqLen,
    axes: [
      { name: 'layer', size: levels.length, labels: levels.map(level => level.name) },
      { name: 't', size: seqLen },
    ],
    layers: levels.map(shownLevel),
    unit: 'mean over the batch of the Euclidean norm of the gradient with respect to the output at t (h_t)',
  };
}
