// How far back the gradient of a run reaches: the median of its newest probes, at the level that is shown first.
import { mainLevel } from '../runs/levels.ts';
import type { SeriesRows } from '../runs/series.ts';
import { reach } from './reach.ts';

const NEWEST = 10;

/** Steps back; null before the first probe. */
export function runReach(series: Pick<SeriesRows, 'rows' | 'sidecar'> | undefined): number | null {
  const newest = series?.rows.slice(-NEWEST) ?? [];
  if (!series || newest.length === 0) return null;
  const levels = Math.max(1, series.sidecar.layers.length);
  const width = series.sidecar.width / levels;
  const from = mainLevel(series.sidecar.layers) * width;
  const found = newest.map(row => reach(row.slice(from, from + width))).sort((a, b) => a - b);
  return found[found.length >> 1]!;
}
