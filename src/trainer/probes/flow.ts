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
  private readonly layers: readonly RecurrentInfo[];
  private readonly seqLen: number;

  constructor(layers: readonly RecurrentInfo[], seqLen: number) {
    this.layers = layers;
    this.seqLen = seqLen;
    const gates = layers.reduce((sum, layer) => sum + layer.gates.length, 0);
    this.flow = new Float32Array(layers.length * seqLen);
    this.gates = new Float32Array(gates * seqLen);
    this.saturation = new Float32Array(gates * seqLen);
  }

  /** `from`: the time step that the report's first entry stands for */
  add(index: number, from: number, report: RecurrentReport): void {
    this.flow.set(report.hiddenGradNorm, index * this.seqLen + from);
    const firstGate = this.layers.slice(0, index).reduce((sum, layer) => sum + layer.gates.length, 0);
    const steps = report.hiddenGradNorm.length;
    this.layers[index]!.gates.forEach((_, gate) => {
      const to = (firstGate + gate) * this.seqLen + from;
      if (report.gateMean) this.gates.set(report.gateMean.subarray(gate * steps, (gate + 1) * steps), to);
      if (report.gateSaturation)
        this.saturation.set(report.gateSaturation.subarray(gate * steps, (gate + 1) * steps), to);
    });
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
