// ‖∂L/∂(output at t)‖ of the training loss itself, a by-product of the step's own backward pass.
import { SERIES } from '../../runs/series-names.ts';
import type { OpenProbe, Probe } from './probe.ts';
import { timeMapSidecar } from './time-map.ts';
import { TimeRows } from './time-rows.ts';

export const gradientFlowFull: Probe = {
  name: SERIES.gradientFlowFull,
  open({ model: { levels }, task, intervals }) {
    const every = intervals.fullFlow;
    return levels.length > 0 && every > 0 ? ofTraining(this.name, levels, task.facts.seqLen, every) : null;
  },
};

/** Watches the pass of the step. */
export function ofTraining(
  name: string,
  levels: Parameters<typeof timeMapSidecar>[1],
  seqLen: number,
  every: number,
): OpenProbe {
  const rows = new TimeRows(levels.length, seqLen);
  return {
    sidecars: [timeMapSidecar(name, levels, seqLen)],
    every,
    begin: batch => rows.begin(batch.seqLen),
    watch: { gradient: (level, from, norms) => rows.put(norms, level, 1, from) },
    rows: () => new Map(rows.isEmpty ? [] : [[name, rows.values]]),
  };
}
