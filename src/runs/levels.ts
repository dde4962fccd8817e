// Which of a model's levels is shown first.
import type { SeriesLevel } from './format.ts';

/**
 * The last recurrent one, whose h_t carries all that comes back through time. Else the first: the output of a layer that
 * keeps no state is read at its own step alone by the layers behind, so that the reach shows only in what it reads.
 */
export function mainLevel(levels: readonly Pick<SeriesLevel, 'family'>[]): number {
  return Math.max(
    0,
    levels.findLastIndex(({ family }) => family === 'recurrent'),
  );
}
