// What a model writes for a few sources, with the share of each source unit in each unit it wrote where it attends to
// them; and over more pairs how often it is right by the length of the source, and wrong by the place in the target.
import { tidy } from '@tensorflow/tfjs-core';
import type { Sample } from '../../runs/format.ts';
import { inputOf } from '../layers/batch.ts';
import { encodedOf } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import { batchOf, decoded, endsOf, type Ids, type PairArtifact, textWith } from './pair-batches.ts';
import type { Batch } from './task.ts';

type Decoded = Extract<Sample, { type: 'decoded' }>;
type Alignment = NonNullable<Decoded['rows'][number]['attention']>;

const SHOWN_CHARACTERS = 80;
/** A larger picture would not be read. */
const MAX_ALIGNED = 64;
/** Batches over which lengths and places are counted. */
const COUNTED_BATCHES = 4;

export interface ShownPair {
  source: Ids;
  target: Ids;
  texts: { source: string; target: string };
}

export function* pairSample(
  model: Model,
  artifact: PairArtifact,
  shown: readonly ShownPair[],
  held: Iterable<Batch>,
): Generator<undefined, Sample> {
  yield;
  const batch = batchOf(shown, artifact);
  const answers = decoded(model, batch, endsOf(artifact));
  const alignments = alignmentsOf(
    model,
    shown.map(({ source }, row) => ({ source, target: Int32Array.from(answers[row]!) })),
    artifact,
  );
  const text = textWith(artifact);
  const rows = shown.map(({ texts }, row) => ({
    source: short(texts.source),
    truth: short(texts.target),
    prediction: short(text(answers[row]!)),
    ...(alignments[row] && { attention: alignments[row] }),
  }));
  const [byLength, byPosition] = [new Map<number, [number, number]>(), new Map<number, [number, number]>()];
  let batches = 0;
  for (const each of held) {
    if (batches++ === COUNTED_BATCHES) break;
    yield;
    count(model, artifact, each, byLength, byPosition);
  }
  const sorted = (counts: Map<number, [number, number]>) => [...counts].sort(([a], [b]) => a - b);
  return {
    type: 'decoded',
    rows,
    byLength: sorted(byLength).map(([length, [all, right]]) => ({ length, sequences: all, right })),
    byPosition: sorted(byPosition).map(([position, [all, wrong]]) => ({ position, symbols: all, wrong })),
  };
}

/** Adds [all, right] by steps of the source, and [all, wrong] by place in the target, counted from 1, the end among them. */
function count(
  model: Model,
  artifact: PairArtifact,
  batch: Batch,
  byLength: Map<number, [number, number]>,
  byPosition: Map<number, [number, number]>,
): void {
  const ends = endsOf(artifact);
  const add = (counts: Map<number, [number, number]>, key: number, hit: boolean) => {
    const [all, hits] = counts.get(key) ?? [0, 0];
    counts.set(key, [all + 1, hits + (hit ? 1 : 0)]);
  };
  decoded(model, batch, ends).forEach((answer, row) => {
    const said = [...answer, ends.end];
    const steps = batch.lengths![row]!;
    let wrong = 0;
    for (let t = 0; t < steps; t++) {
      const isWrong = said[t] !== batch.targets[t * batch.batch + row];
      if (isWrong) wrong++;
      add(byPosition, t + 1, isWrong);
    }
    add(byLength, batch.source!.lengths![row]!, wrong === 0 && said.length === steps);
  });
}

/** Of the first layer that attends to the source; null where none does, or where the picture is too large. */
export function alignmentsOf(
  model: Model,
  pairs: readonly { source: Ids; target: Ids }[],
  artifact: PairArtifact,
): (Alignment | null)[] {
  // a target that was cut at the last position is not read to its end
  const most = model.lastPosition ?? Number.POSITIVE_INFINITY;
  const stepsOf = (target: Ids) => Math.min(target.length + 1, most);
  // of one that is not drawn, the shares of all steps would take as much memory as a step of training
  const drawn = pairs.filter(({ source, target }) => Math.max(source.length, stepsOf(target)) <= MAX_ALIGNED);
  if (drawn.length === 0) return pairs.map(() => null);
  const batch = batchOf(
    drawn.map(({ source, target }) => ({ source, target: target.subarray(0, stepsOf(target) - 1) })),
    artifact,
  );
  const told: Float32Array[] = [];
  tidy(() => {
    const options = { training: false, step: 0 };
    model.forward(inputOf(batch), {
      ...options,
      lengths: batch.lengths,
      state: null,
      encoded: encodedOf(model, batch, options),
      outputs: 'every-step',
      watch: { attention: (_, __, weights) => told.push(Float32Array.from(weights)) },
    });
  });
  const [weights] = told;
  if (!weights) return pairs.map(() => null);
  const [T, S] = [batch.seqLen, batch.source!.seqLen];
  return pairs.map(pair => {
    const row = drawn.indexOf(pair);
    if (row < 0) return null;
    const { source, target } = pair;
    const steps = stepsOf(target);
    const ofStep = (t: number) => {
      const from = (row * T + t) * S;
      return Array.from(weights.subarray(from, from + source.length), weight => Number(weight.toFixed(4)));
    };
    return {
      source: Array.from(source, id => artifact.sourceSymbols[id]!),
      target: [...target, endsOf(artifact).end].slice(0, steps).map(id => artifact.targetSymbols[id]!),
      weights: Array.from({ length: steps }, (_, t) => ofStep(t)),
    };
  });
}

function short(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}
