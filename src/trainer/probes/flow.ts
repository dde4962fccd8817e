// What is measured at the levels of a model, as rows of the run's series. Nothing here touches training.
import type { SeriesSidecar } from '../../runs/format.ts';
import type { LayerState, Model } from '../layers/model.ts';
import type { LevelInfo, Watch } from '../layers/watch.ts';
import type { Batch, Task } from '../tasks/task.ts';
import { computeGradients } from '../training/gradients.ts';
import { PROBE_SEQUENCES } from '../training/intervals.ts';

/** Gathers what one backward pass tells into rows [level][t] and [level · gate][t]. */
export class LevelRows implements Watch {
  readonly flow: Float32Array;
  readonly gateMeans: Float32Array;
  readonly saturation: Float32Array;
  readonly seqLen: number;
  /** of each layer: which of the rows of gates is its first, and how many it has */
  private readonly places: readonly { first: number; count: number }[];

  constructor(levels: readonly LevelInfo[], seqLen: number) {
    this.seqLen = seqLen;
    let gates = 0;
    this.places = levels.map(level => {
      const first = gates;
      gates += level.gates.length;
      return { first, count: level.gates.length };
    });
    this.flow = new Float32Array(levels.length * seqLen);
    this.gateMeans = new Float32Array(gates * seqLen);
    this.saturation = new Float32Array(gates * seqLen);
  }

  clear(): void {
    this.flow.fill(0);
    this.gateMeans.fill(0);
    this.saturation.fill(0);
  }

  gradient(level: number, from: number, norms: Float32Array): void {
    this.put(this.flow, norms, level, 1, from, norms.length);
  }

  gates(level: number, from: number, mean: Float32Array, saturated: Float32Array): void {
    const { first, count } = this.places[level]!;
    const steps = mean.length / count;
    this.put(this.gateMeans, mean, first, count, from, steps);
    this.put(this.saturation, saturated, first, count, from, steps);
  }

  /** `count` rows of `steps` numbers, into rows of the whole sequence. */
  private put(
    to: Float32Array,
    rows: Float32Array,
    first: number,
    count: number,
    from: number,
    steps: number,
  ): void {
    const { seqLen } = this;
    if (steps === seqLen) to.set(rows, first * seqLen);
    else
      for (let row = 0; row < count; row++)
        to.set(rows.subarray(row * steps, (row + 1) * steps), (first + row) * seqLen + from);
  }
}

export function flowSidecar(name: string, levels: readonly LevelInfo[], seqLen: number): SeriesSidecar {
  return {
    name,
    width: levels.length * seqLen,
    axes: [
      { name: 'layer', size: levels.length, labels: levels.map(level => level.name) },
      { name: 't', size: seqLen },
    ],
    layers: levels.map(shownLevel),
    unit: 'mean over the batch of the Euclidean norm of the gradient with respect to the output at t (h_t)',
  };
}

function shownLevel({ name, family, title, units, keeps }: LevelInfo): SeriesSidecar['layers'][number] {
  return { name, family, title, units, ...(keeps !== null && { keeps }) };
}

/** null for a model without gates */
export function gatesSidecar(
  name: string,
  levels: readonly LevelInfo[],
  seqLen: number,
): SeriesSidecar | null {
  const labels = levels.flatMap(level => level.gates.map(gate => `${level.name} ${gate}`));
  if (labels.length === 0) return null;
  return {
    name,
    width: labels.length * seqLen,
    axes: [
      { name: 'gate', size: labels.length, labels },
      { name: 't', size: seqLen },
    ],
    layers: levels.map(shownLevel),
    unit: 'mean over batch and units, from 0 to 1 (g and n: from -1 to 1)',
  };
}

/**
 * The gradient of the LAST step's loss alone, on the first few sequences of the batch: what a loss at every step
 * would hide behind its local terms.
 */
export function probeReach(
  model: Model,
  task: Task,
  batch: Batch,
  state: LayerState[] | null,
  window: number,
): LevelRows {
  const count = Math.min(PROBE_SEQUENCES, batch.batch);
  const rows = new LevelRows(model.levels, batch.seqLen);
  const { gradients } = computeGradients(model, task, lastStepOf(batch, count), {
    window,
    l2: 0,
    training: false,
    step: 0,
    state: state?.map(layer => firstRows(layer, count, batch.batch)) ?? null,
    outputs: 'last-step',
    watch: { gradient: (level, from, norms) => rows.gradient(level, from, norms) },
  });
  for (const gradient of gradients.values()) gradient.dispose();
  return rows;
}

/** The first `count` sequences, with the targets of their last step. */
function lastStepOf(batch: Batch, count: number): Batch {
  const perToken = batch.input.length / batch.seqLen / batch.batch;
  const input =
    batch.input instanceof Int32Array
      ? new Int32Array(batch.seqLen * count * perToken)
      : new Float32Array(batch.seqLen * count * perToken);
  for (let t = 0; t < batch.seqLen; t++) {
    const from = t * batch.batch * perToken;
    input.set(batch.input.subarray(from, from + count * perToken), t * count * perToken);
  }
  const last = (batch.seqLen - 1) * batch.batch;
  return {
    ...batch,
    batch: count,
    input,
    targets: batch.targets.slice(last, last + count),
    lengths: batch.lengths?.slice(0, count) ?? null,
  };
}

function firstRows({ h, c }: LayerState, count: number, batch: number): LayerState {
  const cut = (values: Float32Array) => values.slice(0, (values.length / batch) * count);
  return c ? { h: cut(h), c: cut(c) } : { h: cut(h) };
}
