// What is measured inside the recurrent layers, as rows of the run's series. Nothing here touches training.
import type { SeriesSidecar } from '../../runs/format.ts';
import type { LayerState, Model, RecurrentInfo, RecurrentReport } from '../layers/model.ts';
import type { Batch, Task } from '../tasks/task.ts';
import { PROBE_SEQUENCES } from '../training/intervals.ts';
import { computeGradients } from '../training/step.ts';

/** Gathers the reports of one backward pass into rows [layer][t] and [layer · gate][t]. */
export class RecurrentRows {
  readonly flow: Float32Array;
  readonly gates: Float32Array;
  readonly saturation: Float32Array;
  readonly seqLen: number;
  /** of each layer: which of the rows of gates is its first, and how many it has */
  private readonly places: readonly { first: number; count: number }[];

  constructor(layers: readonly RecurrentInfo[], seqLen: number) {
    this.seqLen = seqLen;
    let gates = 0;
    this.places = layers.map(layer => {
      const first = gates;
      gates += layer.gates.length;
      return { first, count: layer.gates.length };
    });
    this.flow = new Float32Array(layers.length * seqLen);
    this.gates = new Float32Array(gates * seqLen);
    this.saturation = new Float32Array(gates * seqLen);
  }

  clear(): void {
    this.flow.fill(0);
    this.gates.fill(0);
    this.saturation.fill(0);
  }

  /** `from`: the time step that the report's first entry stands for */
  add(index: number, from: number, { hiddenGradNorm, gateMean, gateSaturation }: RecurrentReport): void {
    const { first, count } = this.places[index]!;
    const steps = hiddenGradNorm.length;
    this.put(this.flow, hiddenGradNorm, index, 1, from, steps);
    if (gateMean) this.put(this.gates, gateMean, first, count, from, steps);
    if (gateSaturation) this.put(this.saturation, gateSaturation, first, count, from, steps);
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

export function flowSidecar(name: string, layers: readonly RecurrentInfo[], seqLen: number): SeriesSidecar {
  return {
    name,
    width: layers.length * seqLen,
    axes: [
      { name: 'layer', size: layers.length, labels: layers.map(layer => layer.name) },
      { name: 't', size: seqLen },
    ],
    layers: layers.map(({ name: layer, cell, units }) => ({ name: layer, cell, units })),
    unit: 'mean over the batch of the Euclidean norm of the gradient with respect to h_t',
  };
}

/** null for a model without gates */
export function gatesSidecar(
  name: string,
  layers: readonly RecurrentInfo[],
  seqLen: number,
): SeriesSidecar | null {
  const labels = layers.flatMap(layer => layer.gates.map(gate => `${layer.name} ${gate}`));
  if (labels.length === 0) return null;
  return {
    name,
    width: labels.length * seqLen,
    axes: [
      { name: 'gate', size: labels.length, labels },
      { name: 't', size: seqLen },
    ],
    layers: layers.map(({ name: layer, cell, units }) => ({ name: layer, cell, units })),
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
): RecurrentRows {
  const count = Math.min(PROBE_SEQUENCES, batch.batch);
  const rows = new RecurrentRows(model.recurrent, batch.seqLen);
  const { gradients } = computeGradients(model, task, lastStepOf(batch, count), {
    window,
    l2: 0,
    training: false,
    step: 0,
    state: state?.map(layer => firstRows(layer, count, batch.batch)) ?? null,
    outputs: 'last-step',
    onRecurrent: (layer, from, report) => rows.add(layer, from, report),
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
