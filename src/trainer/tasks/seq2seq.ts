// Sequence to sequence: the decoder reads the start symbol and the target, and says the target and the end symbol. Loss:
// cross-entropy in nats of every symbol of the target, the true one before it given (teacher forcing). Free-running: the
// decoder reads what it said itself, the most likely symbol at each step. Baseline: the shares of the symbols in the
// training part.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { tidy } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { count, plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import { UNKNOWN } from '../data/text.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { sourceOf } from '../layers/batch.ts';
import { type Ends, greedy } from '../layers/decode.ts';
import { encodedOf } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import { randomStream } from '../random.ts';
import { batchesOfEpoch, paddingOf, shuffled } from './buckets.ts';
import { editDistance } from './edit-distance.ts';
import { forcingAt, sampledInputs } from './forcing.ts';
import { lengthsNote } from './labelled.ts';
import type { TaskModule } from './module.ts';
import { type Pair, readPairs } from './pairs.ts';
import type { Batch, Score, Task } from './task.ts';
import { encoder, type Units, vocabularyOf } from './units.ts';

type PairsData = DataOf<'seq2seq'>;

const SHOWN_ROWS = 8;
const SHOWN_CHARACTERS = 80;
/** Symbols of a target that are no units: its start and its end. */
export const START = '<start>';
export const END = '<end>';
/** A target that does not end is cut at so many times the longest one of training. */
const MOST_TIMES = 1.5;

interface EncodedPair {
  source: Int32Array;
  /** without start and end */
  target: Int32Array;
}

export async function seq2seqTask(experiment: Experiment, data: PairsData, path: string): Promise<Task> {
  const { pairs, notes } = await readPairs(path, data);
  const { batchSize, seed, validation, teacherForcing } = experiment.training;
  if (pairs.length === 0) throw new DataError(`${data.path} holds no pair to learn from.`);
  const [train, valid, test] = partsOf(pairs.length, data, seed);
  const artifact = fitted(
    train.map(place => pairs[place]!),
    pairs,
    data,
  );
  const encode = encodeWith(artifact);
  const encoded = pairs.map(encode);
  const size = Math.min(batchSize, train.length);
  const perEpoch = Math.floor(train.length / size);
  const steps = artifact.maxTarget + 1;
  const lengthsOf = (places: readonly number[], of: keyof EncodedPair) =>
    places.map(place => encoded[place]![of].length);
  const [sourceLengths, targetLengths] = [lengthsOf(train, 'source'), lengthsOf(train, 'target')];
  // pairs of like sources first, and among them of like targets
  const orderOf = (places: readonly number[]) =>
    places.map(place => encoded[place]!.source.length * steps + encoded[place]!.target.length);
  const order = orderOf(train);
  const bucketed = data.batching === 'buckets';
  const cut = (places: readonly number[]) =>
    batchOf(
      places.map(place => encoded[place]!),
      artifact,
    );
  let drawn: { epoch: number; batches: number[][] } | null = null;
  const batchesIn = (epoch: number) => {
    if (drawn?.epoch !== epoch)
      drawn = { epoch, batches: batchesOfEpoch(order, size, seed, epoch, bucketed) };
    return drawn.batches;
  };
  /** Evenly spread over the lengths where there are too many. */
  const held = function* (places: readonly number[], most: number) {
    const keys = orderOf(places);
    const sorted = places.map((_, index) => index).sort((a, b) => keys[b]! - keys[a]!);
    const batches = Math.ceil(sorted.length / size);
    const every = Math.max(1, batches / most);
    for (let at = 0; at < batches; at += every) {
      const from = Math.floor(at) * size;
      yield cut(sorted.slice(from, from + size).map(index => places[index]!));
    }
  };
  const shown = (valid.length > 0 ? valid : train).slice(0, SHOWN_ROWS);
  const ends = endsOf(artifact);

  return {
    facts: {
      name: 'seq2seq',
      lossUnit: 'nats',
      baseline: {
        loss: baselineLoss(
          train.map(place => encoded[place]!),
          (valid.length > 0 ? valid : train).map(place => encoded[place]!),
          artifact,
        ),
        name: 'the shares of the symbols',
      },
      seqLen: steps,
      batchSize: size,
      tokensPerStep: Math.round((size * targetLengths.reduce((sum, own) => sum + own + 1, 0)) / train.length),
      notes: [
        ...describe(pairs, artifact),
        ...paddingNote(batchesIn(0), sourceLengths, targetLengths),
        ...repeatedNote(pairs, train, [...valid, ...test]),
        ...notes,
      ],
    },
    sizes: sizesFor(artifact),
    outputs: 'every-step',
    stream: false,
    trainingBatch(step) {
      const places = batchesIn(Math.floor((step - 1) / perEpoch))[(step - 1) % perEpoch]!;
      return cut(places.map(place => train[place]!));
    },
    ...(teacherForcing && {
      sampledBatch: (model, batch, step) =>
        sampledInputs(model, batch, forcingAt(teacherForcing, step, experiment.training.steps), {
          seed,
          step,
        }),
    }),
    epochOf: step => Math.floor((step - 1) / perEpoch),
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => held(valid, validation.maxBatches),
    test: () => held(test, Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights, smoothing) =>
      softmaxCrossEntropy(outputs, targets as Int32Array, weights, smoothing),
    score: scoreForced,
    run: (model, batch, score) => scoreFree(model, batch, score, artifact),
    metrics: figuresOf,
    *sample(model) {
      yield;
      const answers = decoded(model, cut(shown), ends);
      const text = textWith(artifact);
      const rows = shown.map((place, row) => ({
        input: short(pairs[place]!.texts.source),
        truth: short(pairs[place]!.texts.target),
        prediction: short(text(answers[row]!)),
      }));
      return { type: 'pairs', rows };
    },
    artifact: () => artifact,
  };
}

/** Places in training, validation and test. */
function partsOf(
  pairs: number,
  { split, shuffle, path }: PairsData,
  seed: number,
): [number[], number[], number[]] {
  const places = Array.from({ length: pairs }, (_, place) => place);
  const random = randomStream(seed, 'data/split', 0);
  if (shuffle) shuffled(places, below => random.int(below));
  const held = Math.floor(pairs * split[1] + 1e-9);
  const tested = Math.floor(pairs * split[2] + 1e-9);
  const trained = pairs - held - tested;
  if (trained === 0) throw new DataError(`The training part of ${path} is empty.`);
  return [places.slice(0, trained), places.slice(trained, trained + held), places.slice(trained + held)];
}

/** Vocabularies come from the training part alone; the longest sequences from all, so that each can be read. */
function fitted(train: readonly Pair[], all: readonly Pair[], data: PairsData): Seq2seqArtifact {
  const { units, targetUnits = units, minCount } = data;
  const longest = (of: 'source' | 'target') => all.reduce((most, pair) => Math.max(most, pair[of].length), 1);
  return {
    task: 'seq2seq',
    source: data.source,
    target: data.target,
    header: data.header ?? null,
    units,
    targetUnits,
    sourceSymbols: vocabularyOf(
      train.map(({ source }) => source),
      units,
      minCount,
    ),
    targetSymbols: [
      ...vocabularyOf(
        train.map(({ target }) => target),
        targetUnits,
        minCount,
      ),
      START,
      END,
    ],
    maxSource: longest('source'),
    maxTarget: longest('target'),
  };
}

type Texts = Pick<Pair, 'source' | 'target'>;

export function encodeWith(artifact: Seq2seqArtifact): (pair: Texts) => EncodedPair {
  const [ofSource, ofTarget] = [
    encoder(artifact.sourceSymbols),
    encoder(artifact.targetSymbols.slice(0, -2)),
  ];
  return ({ source, target }) => ({ source: ofSource(source).ids, target: ofTarget(target).ids });
}

export function endsOf({ targetSymbols, maxTarget }: Seq2seqArtifact): Ends {
  const { length } = targetSymbols;
  return { start: length - 2, end: length - 1, most: Math.ceil(MOST_TIMES * maxTarget) + 1 };
}

/** Symbols as a text: words with spaces between them. */
export function textWith({
  targetSymbols,
  targetUnits,
}: Seq2seqArtifact): (ids: readonly number[]) => string {
  return ids => {
    const units = ids.map(id => targetSymbols[id]!);
    if (targetUnits === 'bytes') return Buffer.from(units.map(Number)).toString('utf8');
    return units.join(targetUnits === 'words' ? ' ' : '');
  };
}

/** Time-major, each filled with zeros behind its end. */
function padded(sequences: readonly Int32Array[]) {
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const seqLen = lengths.reduce((most, length) => Math.max(most, length), 1);
  const input = new Int32Array(seqLen * sequences.length);
  sequences.forEach((sequence, row) => {
    sequence.forEach((id, t) => {
      input[t * sequences.length + row] = id;
    });
  });
  return { seqLen, input, lengths };
}

export function batchOf(pairs: readonly EncodedPair[], artifact: Seq2seqArtifact): Batch {
  const { start, end } = endsOf(artifact);
  const read = padded(pairs.map(({ target }) => Int32Array.of(start, ...target)));
  const said = padded(pairs.map(({ target }) => Int32Array.of(...target, end)));
  return {
    ...read,
    batch: pairs.length,
    targets: said.input,
    source: padded(pairs.map(({ source }) => source)),
    continues: false,
  };
}

/** The model's own targets for the sources of a batch, without the end. */
export function decoded(model: Model, batch: Batch, ends: Ends): number[][] {
  return tidy(() => {
    const encoded = encodedOf(model, batch, { training: false, step: 0 })!;
    return greedy(model, sourceOf(batch)!.batch, encoded, ends);
  });
}

function adderTo(score: Score) {
  return (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
}

function scoreForced(outputs: Tensor3D, { targets, batch, lengths, seqLen }: Batch, score: Score): void {
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
function scoreFree(model: Model, batch: Batch, score: Score, artifact: Seq2seqArtifact): void {
  const add = adderTo(score);
  const ends = endsOf(artifact);
  const unknown = artifact.targetSymbols.indexOf(UNKNOWN);
  decoded(model, batch, ends).forEach((answer, row) => {
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
  });
}

function figuresOf({ sums, count: all }: Score): Record<string, number> {
  const share = (part: string, of: string) => (sums[part] ?? 0) / sums[of]!;
  const forced = { accuracy: (sums['right'] ?? 0) / all };
  if (!sums['sequences']) return forced;
  return {
    ...forced,
    sequenceAccuracy: share('right sequences', 'sequences'),
    freeAccuracy: share('right free tokens', 'free tokens'),
    tokenErrorRate: share('edits', 'units'),
  };
}

/** Shares with one more of each symbol, so that none is impossible. */
function baselineLoss(
  train: readonly EncodedPair[],
  valid: readonly EncodedPair[],
  artifact: Seq2seqArtifact,
): number {
  const { end } = endsOf(artifact);
  const counts = new Float64Array(artifact.targetSymbols.length).fill(1);
  const said = ({ target }: EncodedPair) => [...target, end];
  for (const pair of train) for (const id of said(pair)) counts[id]!++;
  const total = counts.reduce((sum, own) => sum + own, 0);
  let [loss, symbols] = [0, 0];
  for (const pair of valid)
    for (const id of said(pair)) {
      loss -= Math.log(counts[id]! / total);
      symbols++;
    }
  return loss / symbols;
}

function describe(pairs: readonly Pair[], artifact: Seq2seqArtifact): string[] {
  const { units, targetUnits, sourceSymbols, targetSymbols } = artifact;
  const lengths = (of: 'source' | 'target') => pairs.map(pair => pair[of].length);
  const one = (of: Units) => of.slice(0, -1);
  const notes = [
    `Sources: ${lengthsNote(lengths('source'), one(units))}. Targets: ${lengthsNote(lengths('target'), one(targetUnits))}.`,
  ];
  if (units !== 'bytes' || targetUnits !== 'bytes')
    notes.push(
      `The training part has ${plural(sourceSymbols.length - 1, 'symbol')} in its sources and ${plural(targetSymbols.length - 3, 'symbol')} in its targets; all others are one unknown symbol.`,
    );
  return notes;
}

function paddingNote(batches: number[][], sources: number[], targets: number[]): string[] {
  const [source, target] = [paddingOf(batches, sources), paddingOf(batches, targets)];
  if (source === 0 && target === 0) return [];
  const share = (value: number) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
  return [`Padding: ${share(source)} of the steps of sources, ${share(target)} of those of targets.`];
}

function repeatedNote(pairs: readonly Pair[], train: readonly number[], others: readonly number[]): string[] {
  const key = (place: number) => `${pairs[place]!.texts.source}\t${pairs[place]!.texts.target}`;
  const known = new Set(train.map(key));
  const repeated = others.filter(place => known.has(key(place))).length;
  if (repeated === 0) return [];
  return [
    `${plural(repeated, 'pair')} of ${count(others.length)} in validation and test ${repeated === 1 ? 'stands' : 'stand'} in the training part too.`,
  ];
}

function short(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}

const symbol = z.string().max(10_000);
const column = z.union([symbol, z.int().min(0)]);
const units = z.enum(['characters', 'words', 'bytes']);

const artifact = z.object({
  task: z.literal('seq2seq'),
  source: column,
  target: column,
  header: z.boolean().nullable(),
  units,
  targetUnits: units,
  /** units by id; targets end with start and end */
  sourceSymbols: z.array(symbol).min(1).max(10_000_000),
  targetSymbols: z.array(symbol).min(3).max(10_000_000),
  /** steps of the longest sequences, start and end left out */
  maxSource: z.int().min(1).max(10_000_000),
  maxTarget: z.int().min(1).max(10_000_000),
});

export type Seq2seqArtifact = z.output<typeof artifact>;

function sizesFor({ sourceSymbols, targetSymbols, maxSource, maxTarget }: Seq2seqArtifact) {
  return {
    input: { kind: 'tokens', vocabulary: targetSymbols.length } as const,
    source: { kind: 'tokens', vocabulary: sourceSymbols.length } as const,
    outputs: targetSymbols.length,
    steps: Math.max(maxSource, maxTarget + 1),
  };
}

export const seq2seq: TaskModule<'seq2seq', typeof artifact> = {
  artifact,
  open: (experiment, data, place) => seq2seqTask(experiment, data, locateData(data.path, place)),
  sizes: own => sizesFor(own),
  fault({ targetSymbols }) {
    return targetSymbols.at(-2) === START && targetSymbols.at(-1) === END
      ? null
      : 'its target symbols do not end with start and end';
  },
};
