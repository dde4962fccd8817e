// How well targets are written: forced, the true symbol before each given, and free-running, the decoder reading what it
// said itself (the most likely symbol). The gap between both losses is the exposure bias (M. Ranzato et al., 2015,
// https://arxiv.org/abs/1511.06732).
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { UNKNOWN } from '../data/text.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import type { Model } from '../layers/model.ts';
import { addBleu, bleuOf } from './bleu.ts';
import { editDistance } from './edit-distance.ts';
import { decoded, endsOf, type PairArtifact } from './pair-batches.ts';
import type { Batch, Score } from './task.ts';

function adderTo(score: Score) {
  return (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
}

export function scoreForced(
  outputs: Tensor3D,
  { targets, batch, lengths, seqLen }: Batch,
  score: Score,
): void {
  const mask = new Float32Array(seqLen * batch);
  const steps = lengths!.reduce((sum, length) => sum + length, 0);
  const logits = outputs.dataSync() as Float32Array;
  const classes = logits.length / (seqLen * batch);
  let right = 0;
  for (let row = 0; row < batch; row++)
    for (let t = 0; t < lengths![row]!; t++) {
      const at = t * batch + row;
      mask[at] = 1;
      let best = 0;
      for (let k = 1; k < classes; k++)
        if (logits[at * classes + k]! > logits[at * classes + best]!) best = k;
      if (best === targets[at]) right++;
    }
  const loss = softmaxCrossEntropy(outputs, targets as Int32Array, mask);
  score.lossSum += loss.dataSync()[0]! * steps;
  score.count += steps;
  adderTo(score)('right', right);
}

/** A symbol that was never seen in training is never right. */
export function scoreFree(model: Model, batch: Batch, score: Score, artifact: PairArtifact): void {
  const add = adderTo(score);
  const ends = endsOf(artifact);
  const unknown = artifact.targetSymbols.indexOf(UNKNOWN);
  const { targets, lengths, seqLen, batch: rows } = batch;
  // the truth against what is said at its place, whatever was said before
  const onLogits = (t: number, logits: Float32Array) => {
    const classes = logits.length / rows;
    for (let row = 0; row < rows; row++)
      if (t < lengths![row]!)
        add(
          'free loss',
          surprise(logits.subarray(row * classes, (row + 1) * classes), targets[t * rows + row]!),
        );
  };
  decoded(model, batch, ends, { least: seqLen, onLogits }).forEach((answer, row) => {
    const truth = Array.from({ length: batch.lengths![row]! - 1 }, (_, t) => {
      const id = batch.targets[t * batch.batch + row]!;
      return id === unknown ? -1 : id;
    });
    const distance = editDistance(answer, truth);
    add('sequences', 1);
    add('right sequences', distance === 0 ? 1 : 0);
    add('edits', distance);
    // by place, the end among them
    const said = [...answer, ends.end];
    add('free tokens', truth.length + 1);
    add('right free tokens', [...truth, ends.end].filter((id, t) => id === said[t]).length);
    add('units', truth.length);
    addBleu(answer, truth, add);
  });
}

export function pairFigures({ sums, count: all, lossSum }: Score): Record<string, number> {
  const share = (part: string, of: string) => (sums[part] ?? 0) / sums[of]!;
  const forced = { accuracy: (sums['right'] ?? 0) / all };
  if (!sums['sequences']) return forced;
  return {
    ...forced,
    sequenceAccuracy: share('right sequences', 'sequences'),
    freeAccuracy: share('right free tokens', 'free tokens'),
    tokenErrorRate: share('edits', 'units'),
    freeLoss: share('free loss', 'free tokens'),
    exposureGap: share('free loss', 'free tokens') - lossSum / all,
    bleu: bleuOf(sums),
  };
}

/** −log p of this class, in nats; plain loops, because `reduce` boxes a number for every class. */
function surprise(logits: Float32Array, id: number): number {
  let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (let k = 0; k < logits.length; k++) most = Math.max(most, logits[k]!);
  for (let k = 0; k < logits.length; k++) sum += Math.exp(logits[k]! - most);
  return most + Math.log(sum) - logits[id]!;
}
