// The names of recurrent matrices, as the gradient flow of the run names its layers. Pure.
import type { RunView } from '../protocol/messages.ts';

/** "LSTM 1 f" of "layers.1.0 f", "RNN" of "layers.0.0"; the map's own name where the run names no such level. */
export function matrixTitle(run: Pick<RunView, 'series'>, map: string): string {
  const [level, gate] = map.split(' ');
  for (const { layers, titles } of run.series['time-map']) {
    const at = layers.findIndex(({ name }) => name === level);
    if (at >= 0) return [titles[at], gate].filter(Boolean).join(' ');
  }
  return map;
}

/** Each gate alone where all are of one level, else with its layer. */
export function shortNames(run: Pick<RunView, 'series'>, maps: readonly string[]): string[] {
  const levels = new Set(maps.map(map => map.split(' ')[0]));
  return maps.map(map => (levels.size === 1 && map.split(' ')[1]) || matrixTitle(run, map));
}
