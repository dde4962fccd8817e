// ‖∂L_T/∂(output at t)‖ of the LAST step's loss alone, which a loss at every step would hide behind its local terms: a
// backward pass of its own on the first few sequences of the batch. Where the only loss is at the last step, the training
// gradient is the same thing.
import { SERIES } from '../../runs/series-names.ts';
import type { Batch } from '../layers/batch.ts';
import type { Model } from '../layers/model.ts';
import { firstRows, type State } from '../layers/state.ts';
import type { Task } from '../tasks/task.ts';
import { maxTokensOf } from '../training/accumulation.ts';
import { computeGradients } from '../training/gradients.ts';
import { PROBE_SEQUENCES, probedSequences } from '../training/intervals.ts';
import { ofTraining } from './gradient-flow-full.ts';
import type { Probe } from './probe.ts';
import { timeMapSidecar } from './time-map.ts';
import { TimeRows } from './time-rows.ts';

export const reach: Probe = {
  name: SERIES.gradientFlow,
  open({ experiment, model, task, intervals }) {
    const { levels } = model;
    const { seqLen } = task.facts;
    const every = intervals.reach;
    if (levels.length === 0 || every === 0) return null;
    if (task.outputs === 'last-step') return ofTraining(this.name, levels, seqLen, every);
    const rows = new TimeRows(levels.length, seqLen);
    const { window } = experiment.training.bptt;
    return {
      sidecars: [timeMapSidecar(this.name, levels, seqLen)],
      every,
      begin: batch => rows.begin(batch.seqLen),
      before: (batch, states) => {
        const count = probedSequences(batch, maxTokensOf(experiment, task));
        probeReach(model, task, batch, states, window ?? batch.seqLen, rows, count);
      },
      rows: () => new Map([[this.name, rows.values]]),
    };
  },
};

/** `window`: of truncated BPTT; sequences of unequal lengths are not cut. */
export function probeReach(
  model: Model,
  task: Task,
  batch: Batch,
  state: State | null,
  window: number,
  rows: TimeRows,
  count = Math.min(PROBE_SEQUENCES, batch.batch),
): void {
  const { gradients } = computeGradients(model, task, lastStepOf(batch, count), {
    window: batch.lengths ? batch.seqLen : window,
    l2: 0,
    training: false,
    step: 0,
    state: state && firstRows(state, count, batch.batch),
    outputs: 'last-step',
    watch: { gradient: (level, from, norms) => rows.put(norms, level, 1, from) },
  });
  for (const gradient of gradients.values()) gradient.dispose();
}

/** The first `count` sequences, with the targets of the last step of each. */
export function lastStepOf(batch: Batch, count: number): Batch {
  const { seqLen, targets } = batch;
  const input = firstSequences(batch, batch.batch, count);
  const lengths = batch.lengths?.slice(0, count) ?? null;
  const perTarget = targets.length / seqLen / batch.batch;
  const last = targets.slice(0, count * perTarget);
  for (let row = 0; row < count; row++) {
    const at = ((lengths ? Math.max(1, lengths[row]!) : seqLen) - 1) * batch.batch + row;
    last.set(targets.subarray(at * perTarget, (at + 1) * perTarget), row * perTarget);
  }
  const source = batch.source && {
    ...batch.source,
    input: firstSequences(batch.source, batch.batch, count),
    lengths: batch.source.lengths?.slice(0, count) ?? null,
  };
  return { ...batch, batch: count, input, targets: last, lengths, asked: undefined, source };
}

/** (seqLen, count, …) of (seqLen, batch, …). */
function firstSequences({ input, seqLen }: Pick<Batch, 'input' | 'seqLen'>, batch: number, count: number) {
  const perToken = input.length / seqLen / batch;
  const size = seqLen * count * perToken;
  const made = input instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  for (let t = 0; t < seqLen; t++) {
    const from = t * batch * perToken;
    made.set(input.subarray(from, from + count * perToken), t * count * perToken);
  }
  return made;
}
