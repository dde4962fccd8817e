// The spectra of a run's recurrent matrices over training, thinned to what a chart can show.
import type { SpectrumView } from '../../../protocol/messages.ts';
import { NewestProjection, type RowsSource } from './projection.ts';

const MAX_ROWS = 200;
const FIGURES = 3;

export class SpectrumProjection extends NewestProjection<SpectrumView> {
  protected viewOf(source: RowsSource): SpectrumView | null {
    return spectrumView(source);
  }
}

/** The first and the newest row are always among those that are kept. */
export function spectrumView({ sidecar, steps, rows }: RowsSource): SpectrumView | null {
  const maps = sidecar.axes.find(({ name }) => name === 'map')?.labels ?? [];
  if (rows.length === 0 || maps.length === 0 || sidecar.width !== maps.length * FIGURES) return null;
  const kept = Math.min(rows.length, MAX_ROWS);
  const at = Array.from({ length: kept }, (_, i) =>
    kept === 1 ? 0 : Math.round((i * (rows.length - 1)) / (kept - 1)),
  );
  const figures = new Float32Array(kept * sidecar.width);
  for (const [i, row] of at.entries())
    figures.set(Array.from(rows[row]!).slice(0, sidecar.width), i * sidecar.width);
  return {
    name: sidecar.name,
    maps: [...maps],
    steps: Float64Array.from(at, row => steps[row]!),
    figures,
  };
}
