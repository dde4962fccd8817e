// What tasks share whose labels have no places: targets as (seqLen, batch) with -1 behind each sequence's labels, the CTC
// loss over a batch, and its figures. Loss: nats a label. A label that was never seen in training is never right.
import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import { appliedOutputs, ctcLoss, type Labels, type Outputs } from '../engine/losses.ts';
import { ctc } from '../engine/reference/ctc.ts';
import { collapsed, greedyPath, logSharesOf } from './alignments.ts';
import { editDistance } from './edit-distance.ts';
import type { Batch, Score } from './task.ts';

/** Targets that stand for nothing. */
export const NONE = -1;

/** (seqLen, batch); no sequence has more labels than steps */
export function targetsOf(labels: readonly ArrayLike<number>[], seqLen: number): Int32Array {
  const targets = new Int32Array(seqLen * labels.length).fill(NONE);
  labels.forEach((own, row) => {
    for (let i = 0; i < own.length; i++) targets[i * labels.length + row] = own[i]!;
  });
  return targets;
}

/** The labels of sequence `row`. */
export function labelsIn(targets: ArrayLike<number>, batch: number, row: number): number[] {
  const labels: number[] = [];
  for (let at = row; at < targets.length && targets[at] !== NONE; at += batch) labels.push(targets[at]!);
  return labels;
}

function gathered(targets: ArrayLike<number>, batch: number): Labels {
  const each = Array.from({ length: batch }, (_, row) => labelsIn(targets, batch, row));
  const counts = Int32Array.from(each, ({ length }) => length);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const labels = new Int32Array(batch * most);
  each.forEach((own, row) => {
    labels.set(own, row * most);
  });
  return { labels, counts, most };
}

/** Labels of a batch, over which its loss is the mean. */
export function labelCount({ targets, batch }: Batch): number {
  return gathered(targets, batch).counts.reduce((sum, own) => sum + own, 0);
}

/** `weights`: 1 inside each sequence, 0 behind its end; null: all are as long as the batch. */
export function unalignedLoss(
  outputs: Outputs,
  targets: Int32Array | Float32Array,
  weights: Float32Array | null,
): Scalar {
  const applied = appliedOutputs(outputs);
  const batch = applied.shape[1];
  return ctcLoss(applied, gathered(targets, batch), weights && lengthsOf(weights, batch));
}

function lengthsOf(weights: Float32Array, batch: number): Int32Array {
  const lengths = new Int32Array(batch);
  weights.forEach((weight, at) => {
    if (weight !== 0) lengths[at % batch] = lengths[at % batch]! + 1;
  });
  return lengths;
}

/** `unknown`: the label of all that training did not show; null: there is none. */
export function scoreUnaligned(outputs: Tensor3D, batch: Batch, score: Score, unknown: number | null): void {
  const { targets, lengths, batch: size, seqLen } = batch;
  const labels = gathered(targets, size);
  const all = labels.counts.reduce((sum, own) => sum + own, 0) || size;
  score.lossSum += ctcLoss(outputs, labels, lengths).dataSync()[0]! * all;
  score.count += all;
  const logits = outputs.dataSync();
  const classes = outputs.shape[2];
  const add = (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
  for (let row = 0; row < size; row++) {
    const steps = lengths?.[row] ?? seqLen;
    const answer = collapsed(greedyPath(logSharesOf(logits, { steps, batch: size, row, classes })));
    const truth = labelsIn(targets, size, row).map(label => (label === unknown ? NONE : label));
    const distance = editDistance(answer, truth);
    add('edits', distance);
    add('labels', truth.length);
    add('sequences', 1);
    add('right', distance === 0 ? 1 : 0);
  }
}

export function unalignedFigures({ sums }: Score): Record<string, number> {
  return {
    labelErrorRate: sums['edits']! / sums['labels']!,
    sequenceAccuracy: sums['right']! / sums['sequences']!,
  };
}

/** Sequences that the baseline is computed on: enough for its mean. */
const BASELINE_SEQUENCES = 64;

/**
 * Nats a label of outputs that do not look at the input: at every step the shares of the labels in training, and of the
 * blank what they leave of the steps.
 */
export function baselineOf(
  train: Iterable<{ labels: ArrayLike<number>; steps: number }>,
  valid: Iterable<{ labels: ArrayLike<number>; steps: number }>,
  classes: number,
): number {
  const counts = new Float64Array(classes).fill(1);
  let steps = 0;
  for (const own of train) {
    steps += own.steps;
    for (let i = 0; i < own.labels.length; i++) counts[own.labels[i]!]!++;
  }
  const labelled = counts.reduce((sum, own) => sum + own, -1);
  counts[0] = Math.max(1, steps - labelled);
  const row = Float32Array.from(counts, own => Math.log(own));
  let [loss, labels, sequences] = [0, 0, 0];
  for (const own of valid) {
    if (sequences++ === BASELINE_SEQUENCES) break;
    const logits = new Float32Array(own.steps * classes);
    for (let t = 0; t < own.steps; t++) logits.set(row, t * classes);
    const losses = new Float32Array(1);
    ctc({
      seqLen: own.steps,
      batch: 1,
      classes,
      maxLabels: own.labels.length,
      logits: { data: logits, offset: 0 },
      lengths: null,
      labels: { data: Int32Array.from(own.labels), offset: 0 },
      labelLengths: { data: Int32Array.of(own.labels.length), offset: 0 },
      losses: { data: losses, offset: 0 },
      dLogits: null,
      scale: 1,
    });
    loss += losses[0]!;
    labels += own.labels.length;
  }
  return loss / labels;
}
