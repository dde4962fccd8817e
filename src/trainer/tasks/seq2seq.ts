// Sequence to sequence: the decoder reads the start symbol and the target, and says the target and the end symbol. Loss:
// cross-entropy in nats of every symbol of the target, the true one before it given (teacher forcing). Free-running: the
// decoder reads what it said itself, the most likely symbol at each step. Baseline: the shares of the symbols in the
// training part.
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import { type DataPlace, locateData } from '../data/locate.ts';
import { lookalikeNotes } from '../data/lookalikes.ts';
import {
  countedTo,
  kindFor,
  mostOf,
  Records,
  Storage,
  those,
  type Whole,
  wholeNumbers,
} from '../data/storage.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { type Lengths, paddingOf } from './buckets.ts';
import { forcingAt, sampledInputs } from './forcing.ts';
import { lengthsNote, UNIT_NAMES } from './labelled.ts';
import type { TaskModule } from './module.ts';
import {
  batchOf,
  END,
  type EncodedPair,
  encodeWith,
  endsOf,
  type Ids,
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
  place: DataPlace,
  known: PairArtifact | null,
): Promise<Task> {
  const { storage = new Storage() } = place;
  const { pairs, units, notes, bad } = await readPairs(path, { ...data, part: place.part, storage });
  const { batchSize, seed, validation, teacherForcing } = experiment.training;
  if (pairs.length === 0) throw new DataError(`${data.path} holds no pair to learn from.`);
  const [train, valid, test] = threeParts(countedTo(pairs.length), data.split, data.shuffle, seed);
  if (train.length === 0) throw new DataError(`The training part of ${data.path} is empty.`);
  const sources = wholeNumbers(pairs.length, place => pairs.sourceSteps.get(place));
  const targets = wholeNumbers(pairs.length, place => pairs.targetSteps.get(place));
  const artifact =
    known ??
    fitted(() => those(pairs, train, storage), units, data, {
      source: mostOf(sources, 1),
      target: mostOf(targets, 1),
    });
  const encode = encodeWith(artifact);
  const encoded = {
    source: new Records(kindFor(artifact.sourceSymbols.length), storage),
    target: new Records(kindFor(artifact.targetSymbols.length), storage),
  };
  for (const pair of pairs) {
    const { source, target } = encode(pair);
    encoded.source.add(source);
    encoded.target.add(target);
  }
  const encodedAt = (index: number): EncodedPair => ({
    source: encoded.source.at(index),
    target: encoded.target.at(index),
  });
  const steps = artifact.maxTarget + 1;
  // pairs of like sources first, and among them of like targets
  const orderOf = (index: number) => sources[index]! * steps + targets[index]!;
  const batches = sequenceBatches(train, orderOf, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
    stepsOf: index => Math.max(sources[index]!, targets[index]! + 1),
  });
  const { size } = batches;
  const cut = (places: readonly number[]) => batchOf(places.map(encodedAt), artifact);
  const held = function* (places: ArrayLike<number>, most: number) {
    for (const batch of batches.held(places, most)) yield cut(batch);
  };
  const validPlaces = valid.length > 0 ? valid : train;
  const shown = Array.from(validPlaces.slice(0, SHOWN_ROWS));
  const lengthsIn = (lengths: Whole): Lengths => ({
    length: train.length,
    at: index => lengths[train[index]!],
  });
  const targetSum = train.reduce((sum, index) => sum + targets[index]! + 1, 0);

  return {
    facts: {
      name: 'seq2seq',
      lossUnit: 'nats',
      baseline: {
        loss: baselineLoss(
          those(encoded.target, train, storage),
          those(encoded.target, validPlaces, storage),
          artifact,
        ),
        name: 'symbol frequencies alone',
      },
      seqLen: steps,
      batchSize: size,
      tokensPerStep: Math.round((size * targetSum) / train.length),
      notes: [
        ...describe({ sources, targets }, artifact),
        ...paddingNote(batches.indices(0), lengthsIn(sources), lengthsIn(targets)),
        ...lookalikeNotes(artifact.sourceSymbols, 'symbols of sources'),
        ...lookalikeNotes(artifact.targetSymbols, 'symbols of targets'),
        ...batches.outliers,
        // keys of all pairs do not fit where the pairs do not
        ...(storage.isWhole
          ? repeatedNote(
              Array.from(pairs, ({ texts }) => `${texts.source}\t${texts.target}`),
              train,
              [...valid, ...test],
              'pair',
            )
          : []),
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
    all: () => held(countedTo(pairs.length), Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights, smoothing) =>
      softmaxCrossEntropy(outputs, targets as Int32Array, weights, smoothing),
    score: scoreForced,
    run: (model, batch, score) => scoreFree(model, batch, score, artifact),
    metrics: pairFigures,
    sample: model =>
      pairSample(
        model,
        artifact,
        shown.map(index => ({ ...encodedAt(index), texts: pairs.at(index).texts })),
        held(validPlaces, validation.maxBatches),
      ),
    artifact: () => artifact,
  };
}

/** Vocabularies come from the training part alone; the longest sequences from all, so that each can be read. */
function fitted(
  train: () => Iterable<Pair>,
  { source: units, target: targetUnits }: ReadPairs['units'],
  { source, target, header, minCount }: PairsData,
  longest: { source: number; target: number },
): PairArtifact {
  const unitsIn = function* (of: 'source' | 'target') {
    for (const pair of train()) yield pair[of];
  };
  return {
    task: 'seq2seq',
    source,
    target,
    header: header ?? null,
    units,
    targetUnits,
    sourceSymbols: vocabularyOf(unitsIn('source'), units, minCount),
    targetSymbols: [...vocabularyOf(unitsIn('target'), targetUnits, minCount), START, END],
    maxSource: longest.source,
    maxTarget: longest.target,
  };
}

/** Shares with one more of each symbol, so that none is impossible; of targets without their ends. */
function baselineLoss(train: Iterable<Ids>, valid: Iterable<Ids>, artifact: PairArtifact): number {
  const { end } = endsOf(artifact);
  const counts = new Float64Array(artifact.targetSymbols.length).fill(1);
  for (const target of train) {
    for (const id of target) counts[id]!++;
    counts[end]!++;
  }
  const total = counts.reduce((sum, own) => sum + own, 0);
  const costs = counts.map(own => Math.log(own / total));
  let [loss, symbols] = [0, 0];
  for (const target of valid) {
    for (const id of target) loss -= costs[id]!;
    loss -= costs[end]!;
    symbols += target.length + 1;
  }
  return loss / symbols;
}

function describe(lengths: { sources: Whole; targets: Whole }, artifact: PairArtifact): string[] {
  const { units, targetUnits, sourceSymbols, targetSymbols } = artifact;
  const notes = [
    `Sources: ${lengthsNote(lengths.sources, UNIT_NAMES[units])}. Targets: ${lengthsNote(lengths.targets, UNIT_NAMES[targetUnits])}.`,
  ];
  if (units !== 'bytes' || targetUnits !== 'bytes')
    notes.push(
      `The training part has ${plural(sourceSymbols.length - 1, 'symbol')} in its sources and ${plural(targetSymbols.length - 3, 'symbol')} in its targets; all others are one unknown symbol.`,
    );
  return notes;
}

function paddingNote(batches: Iterable<readonly number[]>, sources: Lengths, targets: Lengths): string[] {
  const [source, target] = [paddingOf(batches, sources), paddingOf(batches, targets)];
  if (source === 0 && target === 0) return [];
  const share = (value: number) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
  return [`Padding: ${share(source)} of the steps of sources, ${share(target)} of those of targets.`];
}

export const seq2seq: TaskModule<'seq2seq', ReturnType<typeof pairArtifact<'seq2seq'>>> = {
  artifact: pairArtifact('seq2seq'),
  open: (experiment, data, place, known) =>
    seq2seqTask(experiment, data, locateData(data.path, place, true), place, known),
  sizes: own => sizesFor(own),
  fault: pairFault,
};
