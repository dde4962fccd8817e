// Sequence to sequence: the decoder reads the start symbol and the target, and says the target and the end symbol. Loss:
// cross-entropy in nats of every symbol of the target, the true one before it given (teacher forcing). Free-running: the
// decoder reads what it said itself, the most likely symbol at each step. Baseline: the shares of the symbols in the
// training part.
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { paddingOf } from './buckets.ts';
import { forcingAt, sampledInputs } from './forcing.ts';
import { lengthsNote, UNIT_NAMES } from './labelled.ts';
import type { TaskModule } from './module.ts';
import {
  batchOf,
  END,
  type EncodedPair,
  encodeWith,
  endsOf,
  type PairArtifact,
  pairArtifact,
  pairFault,
  START,
  sizesFor,
} from './pair-batches.ts';
import { pairSample } from './pair-sample.ts';
import { pairFigures, scoreForced, scoreFree } from './pair-scores.ts';
import { type Pair, type ReadPairs, readPairs } from './pairs.ts';
import { repeatedNote, sequenceBatches, threeParts } from './sequence-batches.ts';
import type { Task } from './task.ts';
import { vocabularyOf } from './units.ts';

type PairsData = DataOf<'seq2seq'>;

const SHOWN_ROWS = 8;

export async function seq2seqTask(
  experiment: Experiment,
  data: PairsData,
  path: string,
  known: PairArtifact | null,
): Promise<Task> {
  const { pairs, units, notes, bad } = await readPairs(path, data);
  const { batchSize, seed, validation, teacherForcing } = experiment.training;
  if (pairs.length === 0) throw new DataError(`${data.path} holds no pair to learn from.`);
  const [train, valid, test] = threeParts([...pairs.keys()], data.split, data.shuffle, seed);
  if (train.length === 0) throw new DataError(`The training part of ${data.path} is empty.`);
  const artifact =
    known ??
    fitted(
      train.map(place => pairs[place]!),
      pairs,
      units,
      data,
    );
  const encode = encodeWith(artifact);
  const encoded = pairs.map(encode);
  const steps = artifact.maxTarget + 1;
  const lengthsOf = (places: readonly number[], of: keyof EncodedPair) =>
    places.map(place => encoded[place]![of].length);
  const [sourceLengths, targetLengths] = [lengthsOf(train, 'source'), lengthsOf(train, 'target')];
  // pairs of like sources first, and among them of like targets
  const orderOf = (place: number) => encoded[place]!.source.length * steps + encoded[place]!.target.length;
  const batches = sequenceBatches(train, orderOf, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
    stepsOf: place => Math.max(encoded[place]!.source.length, encoded[place]!.target.length + 1),
  });
  const { size } = batches;
  const cut = (places: readonly number[]) =>
    batchOf(
      places.map(place => encoded[place]!),
      artifact,
    );
  const held = function* (places: readonly number[], most: number) {
    for (const batch of batches.held(places, most)) yield cut(batch);
  };
  const shown = (valid.length > 0 ? valid : train).slice(0, SHOWN_ROWS);

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
        name: 'symbol frequencies alone',
      },
      seqLen: steps,
      batchSize: size,
      tokensPerStep: Math.round((size * targetLengths.reduce((sum, own) => sum + own + 1, 0)) / train.length),
      notes: [
        ...describe(pairs, artifact),
        ...paddingNote(batches.indices(0), sourceLengths, targetLengths),
        ...batches.outliers,
        ...repeatedNote(
          pairs.map(({ texts }) => `${texts.source}\t${texts.target}`),
          train,
          [...valid, ...test],
          'pair',
        ),
        ...notes,
      ],
    },
    read: { rows: pairs.length, ...bad.read() },
    sizes: sizesFor(artifact),
    outputs: 'every-step',
    stream: false,
    trainingBatch: step => cut(batches.places(step)),
    ...(teacherForcing && {
      sampledBatch: (model, batch, step) =>
        sampledInputs(model, batch, forcingAt(teacherForcing, step, experiment.training.steps), {
          seed,
          step,
        }),
    }),
    epochOf: batches.epochOf,
    maxTokens: batches.maxTokens,
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => held(valid, validation.maxBatches),
    test: () => held(test, Number.POSITIVE_INFINITY),
    all: () => held([...pairs.keys()], Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights, smoothing) =>
      softmaxCrossEntropy(outputs, targets as Int32Array, weights, smoothing),
    score: scoreForced,
    run: (model, batch, score) => scoreFree(model, batch, score, artifact),
    metrics: pairFigures,
    sample: model =>
      pairSample(
        model,
        artifact,
        shown.map(place => ({ ...encoded[place]!, texts: pairs[place]!.texts })),
        held(valid.length > 0 ? valid : train, validation.maxBatches),
      ),
    artifact: () => artifact,
  };
}

/** Vocabularies come from the training part alone; the longest sequences from all, so that each can be read. */
function fitted(
  train: readonly Pair[],
  all: readonly Pair[],
  { source: units, target: targetUnits }: ReadPairs['units'],
  data: PairsData,
): PairArtifact {
  const { minCount } = data;
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

/** Shares with one more of each symbol, so that none is impossible. */
function baselineLoss(
  train: readonly EncodedPair[],
  valid: readonly EncodedPair[],
  artifact: PairArtifact,
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

function describe(pairs: readonly Pair[], artifact: PairArtifact): string[] {
  const { units, targetUnits, sourceSymbols, targetSymbols } = artifact;
  const lengths = (of: 'source' | 'target') => pairs.map(pair => pair[of].length);
  const notes = [
    `Sources: ${lengthsNote(lengths('source'), UNIT_NAMES[units])}. Targets: ${lengthsNote(lengths('target'), UNIT_NAMES[targetUnits])}.`,
  ];
  if (units !== 'bytes' || targetUnits !== 'bytes')
    notes.push(
      `The training part has ${plural(sourceSymbols.length - 1, 'symbol')} in its sources and ${plural(targetSymbols.length - 3, 'symbol')} in its targets; all others are one unknown symbol.`,
    );
  return notes;
}

function paddingNote(batches: Iterable<readonly number[]>, sources: number[], targets: number[]): string[] {
  const [source, target] = [paddingOf(batches, sources), paddingOf(batches, targets)];
  if (source === 0 && target === 0) return [];
  const share = (value: number) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
  return [`Padding: ${share(source)} of the steps of sources, ${share(target)} of those of targets.`];
}

export const seq2seq: TaskModule<'seq2seq', ReturnType<typeof pairArtifact<'seq2seq'>>> = {
  artifact: pairArtifact('seq2seq'),
  open: (experiment, data, place, known) =>
    seq2seqTask(experiment, data, locateData(data.path, place, true), known),
  sizes: own => sizesFor(own),
  fault: pairFault,
};
