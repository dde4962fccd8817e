// What the gates do at each time step: their mean, and the share of them that is saturated.
import type { SeriesSidecar } from '../../runs/format.ts';
import { SERIES } from '../../runs/series-names.ts';
import type { LevelInfo } from '../layers/watch.ts';
import type { Probe } from './probe.ts';
import { shownLevel, TimeRows } from './time-rows.ts';

export const gates: Probe = {
  name: SERIES.gates,
  open({ model: { levels }, task, intervals }) {
    const { seqLen } = task.facts;
    const every = intervals.gates;
    const count = levels.reduce((sum, level) => sum + level.gates.length, 0);
    if (count === 0 || every === 0) return null;
    const mean = new TimeRows(count, seqLen);
    const saturated = new TimeRows(count, seqLen);
    let next = 0;
    /** by level: which row is its first */
    const first = levels.map(level => {
      const own = next;
      next += level.gates.length;
      return own;
    });
    return {
      sidecars: [
        sidecarOf(
          SERIES.gates,
          'mean over batch and units, from 0 to 1 (g and n: from -1 to 1)',
          levels,
          seqLen,
        ),
        sidecarOf(SERIES.saturation, 'share within 0.1 of the ends of its range', levels, seqLen),
      ],
      every,
      begin(batch) {
        mean.begin(batch.seqLen);
        saturated.begin(batch.seqLen);
      },
      watch: {
        gates(level, from, means, shares) {
          const rows = levels[level]!.gates.length;
          mean.put(means, first[level]!, rows, from);
          saturated.put(shares, first[level]!, rows, from);
        },
      },
      rows: () =>
        new Map(
          mean.isEmpty
            ? []
            : [
                [SERIES.gates, mean.values],
                [SERIES.saturation, saturated.values],
              ],
        ),
    };
  },
};

function sidecarOf(name: string, unit: string, levels: readonly LevelInfo[], seqLen: number): SeriesSidecar {
  const labels = levels.flatMap(level => level.gates.map(gate => `${level.name} ${gate}`));
  return {
    name,
    view: 'gates',
    width: labels.length * seqLen,
    axes: [
      { name: 'gate', size: labels.length, labels },
      { name: 't', size: seqLen },
    ],
    layers: levels.map(shownLevel),
    unit,
  };
}
