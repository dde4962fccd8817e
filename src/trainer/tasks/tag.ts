// Tagging: a class for each token of a sentence. Loss: cross-entropy in nats a token or, of a model that ends in a CRF, -log p
// of a sentence's tags over its tokens. Answers: the largest logit, or Viterbi's path. Baseline: the shares of the tags in
// the training part.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { count, plural } from '../../experiment/words.ts';
import { BadRows } from '../data/bad-rows.ts';
import type { Sentence } from '../data/conll.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import { readSentences } from '../data/sentences.ts';
import { chainLoss, likeliestClasses } from '../engine/chain.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import type { Batch } from '../layers/batch.ts';
import { chainIn } from '../layers/crf.ts';
import type { Model } from '../layers/model.ts';
import { areEntityTags, countEntities, entityFigures } from './entities.ts';
import { labelCounts } from './label-counts.ts';
import { lengthsNote } from './labelled.ts';
import type { TaskModule } from './module.ts';
import { repeatedNote, sequenceBatches, threeParts } from './sequence-batches.ts';
import type { Score, Task } from './task.ts';
import { answersOf, best } from './values.ts';
import { featuresWith, idsEach, wordFeatures } from './word-features.ts';

type TagData = DataOf<'tag'>;

const SHOWN_SENTENCES = 8;
const SHOWN_TOKENS = 60;
/** of the counts by tag, which a person reads */
const COUNTED_TAGS = 24;
const COUNTED_BATCHES = 8;

interface Encoded {
  /** (tokens, ids of each) */
  ids: Int32Array;
  /** -1 where the tag is none of training's file */
  tags: Int32Array;
  /** 1 where the word was not seen in training often enough to have a vector */
  unknown: Uint8Array;
  tokens: number;
}

/** A batch that remembers which of its words are unknown: (T, B). */
interface TagBatch extends Batch {
  unknown: Uint8Array;
}

export async function tagTask(
  experiment: Experiment,
  data: TagData,
  path: string,
  known: TagArtifact | null,
): Promise<Task> {
  const { maxLength = Number.POSITIVE_INFINITY } = data;
  const bad = new BadRows(data.onError);
  const read = await readSentences(path, data, bad);
  const sentences = read.sentences.filter(({ words }) => words.length <= maxLength);
  const { batchSize, seed, validation } = experiment.training;
  if (sentences.length === 0) throw new DataError(`${data.path} holds no sentence to learn from.`);
  const [train, valid, test] = threeParts([...sentences.keys()], data.split, data.shuffle, seed);
  if (train.length === 0) throw new DataError(`The training part of ${data.path} is empty.`);
  const artifact =
    known ??
    fitted(
      sentences,
      train.flatMap(place => sentences[place]!.words),
      data,
    );
  const { tags } = artifact;
  requireLearned(sentences, tags, data.path);
  const encode = encodeWith(artifact);
  const encoded = sentences.map(encode);
  const trainLengths = train.map(place => encoded[place]!.tokens);
  const batches = sequenceBatches(train, place => encoded[place]!.tokens, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
  });
  const { size } = batches;
  const cut = (places: readonly number[]) => batchOf(places.map(place => encoded[place]!));
  const held = function* (places: readonly number[], most: number) {
    for (const batch of batches.held(places, most)) yield cut(batch);
  };
  const validPlaces = valid.length > 0 ? valid : train;
  const hasEntities = areEntityTags(tags);

  return {
    facts: {
      name: 'tag',
      lossUnit: 'nats',
      baseline: {
        loss: baselineLoss(
          train.map(place => encoded[place]!),
          validPlaces.map(place => encoded[place]!),
          tags.length,
        ),
        name: 'tag frequencies alone',
      },
      seqLen: artifact.maxLength,
      batchSize: size,
      tokensPerStep: Math.round((size * trainLengths.reduce((sum, own) => sum + own, 0)) / train.length),
      notes: [
        ...describe(
          sentences,
          tags,
          artifact,
          valid.map(place => encoded[place]!),
        ),
        ...batches.notes(),
        ...repeatedNote(
          sentences.map(({ words }) => words.join(' ')),
          train,
          [...valid, ...test],
          'sentence',
        ),
        ...leftOutNote(read.sentences.length - sentences.length, maxLength),
        ...read.notes,
      ],
    },
    read: {
      rows: read.sentences.length,
      ...labelCounts(read.sentences.flatMap(({ tags }) => tags)),
      ...bad.read(),
    },
    sizes: sizesFor(artifact),
    outputs: 'every-step',
    stream: false,
    trainingBatch: step => cut(batches.places(step)),
    epochOf: batches.epochOf,
    maxTokens: batches.maxTokens,
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => held(valid, validation.maxBatches),
    test: () => held(test, Number.POSITIVE_INFINITY),
    all: () => held([...sentences.keys()], Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights) => softmaxCrossEntropy(outputs, targets as Int32Array, weights),
    score: (outputs, batch, score, model) =>
      scoreTags(outputs, batch as TagBatch, score, { model, tags, hasEntities }),
    metrics: figuresOf,
    *sample(model) {
      yield;
      const places = validPlaces.slice(0, SHOWN_SENTENCES);
      const answers = tagsOf(model, cut(places), artifact);
      const rows = places.map((place, row) =>
        sentences[place]!.words.slice(0, SHOWN_TOKENS).map((token, t) => ({
          token,
          truth: sentences[place]!.tags[t]!,
          prediction: answers[row]![t]!,
        })),
      );
      if (tags.length > COUNTED_TAGS) return { type: 'tagged', rows, confusion: null };
      const counts = tags.map(() => tags.map(() => 0));
      const placeOf = new Map(tags.map((tag, index) => [tag, index]));
      for (const batch of held(validPlaces, COUNTED_BATCHES)) {
        yield;
        tagsOf(model, batch, artifact).forEach((said, row) => {
          said.forEach((tag, t) => {
            counts[batch.targets[t * batch.batch + row]!]![placeOf.get(tag)!]!++;
          });
        });
      }
      return { type: 'tagged', rows, confusion: { classes: tags, counts } };
    },
    artifact: () => artifact,
  };
}

/** `words`: of the training part. @throws DataError where there is one tag only */
function fitted(sentences: readonly Sentence[], words: readonly string[], data: TagData): TagArtifact {
  const tags = [...new Set(sentences.flatMap(sentence => sentence.tags))].sort();
  if (tags.length < 2)
    throw new DataError(
      `All tokens of ${data.path} have the tag "${tags[0]}": there is nothing to tell apart.`,
    );
  return {
    task: 'tag',
    tags,
    column: data.tags,
    words: data.words ?? null,
    maxLength: Math.max(...sentences.map(own => own.words.length)),
    ...wordFeatures(words, data),
  };
}

/** Other data may have tags that the model cannot say. @throws DataError with the first of them */
function requireLearned(sentences: readonly Sentence[], tags: readonly string[], path: string): void {
  const learned = new Set(tags);
  for (const { tags: own, words, line } of sentences) {
    const at = own.findIndex(tag => !learned.has(tag));
    if (at >= 0)
      throw new DataError(
        `${path}, sentence at line ${line}: the tag "${own[at]!.slice(0, 40)}" of "${words[at]!.slice(0, 40)}" is none of the ${count(tags.length)} that this run learned.`,
      );
  }
}

export function encodeWith(artifact: TagArtifact): (sentence: Pick<Sentence, 'words' | 'tags'>) => Encoded {
  const featuresOf = featuresWith(artifact);
  const idOf = new Map(artifact.tags.map((tag, id) => [tag, id]));
  return ({ words, tags }) => {
    const read = words.map(featuresOf);
    return {
      ids: Int32Array.from(read.flatMap(({ ids }) => ids)),
      tags: Int32Array.from(tags, tag => idOf.get(tag) ?? -1),
      unknown: Uint8Array.from(read, ({ isKnown }) => (isKnown ? 0 : 1)),
      tokens: words.length,
    };
  };
}

/** Time-major, each filled with zeros behind its end. */
export function batchOf(sentences: readonly Encoded[]): TagBatch {
  const lengths = Int32Array.from(sentences, ({ tokens }) => tokens);
  const [seqLen, batch] = [lengths.reduce((most, own) => Math.max(most, own), 1), sentences.length];
  const each = sentences[0]!.ids.length / sentences[0]!.tokens;
  const input = new Int32Array(seqLen * batch * each);
  const [targets, unknown] = [new Int32Array(seqLen * batch), new Uint8Array(seqLen * batch)];
  sentences.forEach((own, row) => {
    for (let t = 0; t < own.tokens; t++) {
      const at = t * batch + row;
      input.set(own.ids.subarray(t * each, (t + 1) * each), at * each);
      targets[at] = own.tags[t] ?? 0;
      unknown[at] = own.unknown[t]!;
    }
  });
  return { seqLen, batch, input, targets, lengths, unknown, continues: false };
}

/** The tags of each sentence of a batch. */
export function tagsOf(model: Model, batch: Batch, { tags }: Pick<TagArtifact, 'tags'>): string[][] {
  const logits = answersOf(model, batch, 'every-step');
  return classesOf(logits, batch, tags.length, model).map(classes => classes.map(id => tags[id]!));
}

function classesOf(
  logits: ArrayLike<number>,
  { batch, seqLen, lengths }: Batch,
  classes: number,
  model: Pick<Model, 'variables'> | undefined,
): number[][] {
  const chain = model && chainIn(model);
  if (chain) return likeliestClasses({ ...chain, seqLen, batch, classes, logits, lengths });
  return Array.from({ length: batch }, (_, row) =>
    Array.from({ length: lengths?.[row] ?? seqLen }, (_, t) => best(logits, t * batch + row, classes)),
  );
}

function scoreTags(
  outputs: Tensor3D,
  batch: TagBatch,
  score: Score,
  { model, tags, hasEntities }: { model: Model | undefined; tags: readonly string[]; hasEntities: boolean },
): void {
  const { targets, lengths, batch: size, seqLen, unknown } = batch;
  const logits = outputs.dataSync() as Float32Array;
  const classes = outputs.shape[2];
  const steps = lengths!.reduce((sum, own) => sum + own, 0);
  const chain = model && chainIn(model);
  if (chain)
    score.lossSum += chainLoss({ ...chain, seqLen, batch: size, classes, logits, lengths }, targets, null);
  else {
    const mask = Float32Array.from({ length: seqLen * size }, (_, at) =>
      Math.floor(at / size) < lengths![at % size]! ? 1 : 0,
    );
    score.lossSum += softmaxCrossEntropy(outputs, targets as Int32Array, mask).dataSync()[0]! * steps;
  }
  score.count += steps;
  const add = (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
  classesOf(logits, batch, classes, model).forEach((said, row) => {
    const truth = said.map((_, t) => targets[t * size + row]!);
    said.forEach((own, t) => {
      const isRight = own === truth[t] ? 1 : 0;
      add('right', isRight);
      if (unknown[t * size + row]) {
        add('unknown', 1);
        add('unknown right', isRight);
      }
    });
    if (!hasEntities) return;
    const [there, found] = [truth, said].map(ids => ids.map(id => tags[id]!)) as [string[], string[]];
    for (const [name, value] of Object.entries(countEntities(there, found))) add(`entities ${name}`, value);
  });
}

function figuresOf({ sums, count: all }: Score): Record<string, number> {
  const of = (name: string) => sums[name] ?? 0;
  const figures: Record<string, number> = { accuracy: of('right') / all };
  if (of('unknown') > 0) figures['unknownAccuracy'] = of('unknown right') / of('unknown');
  if ('entities there' in sums) {
    const { precision, recall, f1 } = entityFigures({
      there: of('entities there'),
      found: of('entities found'),
      right: of('entities right'),
    });
    Object.assign(figures, { entityF1: f1, entityPrecision: precision, entityRecall: recall });
  }
  return figures;
}

/** Shares with one more of each tag, so that none is impossible. */
function baselineLoss(train: readonly Encoded[], valid: readonly Encoded[], classes: number): number {
  const counts = new Float64Array(classes).fill(1);
  for (const { tags } of train) for (const tag of tags) counts[tag]!++;
  const total = counts.reduce((sum, own) => sum + own, 0);
  let [loss, tokens] = [0, 0];
  for (const { tags } of valid)
    for (const tag of tags) {
      loss -= Math.log(counts[tag]! / total);
      tokens++;
    }
  return loss / tokens;
}

function describe(
  sentences: readonly Sentence[],
  tags: readonly string[],
  { symbols, characters }: TagArtifact,
  valid: readonly Encoded[],
): string[] {
  const counts = new Map(tags.map(tag => [tag, 0]));
  let tokens = 0;
  for (const sentence of sentences)
    for (const tag of sentence.tags) {
      counts.set(tag, counts.get(tag)! + 1);
      tokens++;
    }
  const shown = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 20)
    .map(([tag, own]) => `${tag} ${((100 * own) / tokens).toFixed(1)} %`);
  const words = symbols.filter(symbol => symbol.startsWith('word:')).length - 1;
  const lengths = sentences.map(own => own.words.length);
  const notes = [
    `${lengthsNote(lengths, 'token')}, ${plural(tags.length, 'tag')}: ${shown.join(', ')}${tags.length > 20 ? ', …' : ''}.`,
    `${plural(words, 'word')} of the training part ${words === 1 ? 'has a vector' : 'have vectors'} of their own${characters > 0 ? `; ${plural(symbols.length - words, 'beginning, end or shape', 'beginnings, ends and shapes')} of words too` : ''}.`,
  ];
  const held = valid.reduce((sum, own) => sum + own.tokens, 0);
  const strange = valid.reduce((sum, own) => sum + own.unknown.reduce((all, flag) => all + flag, 0), 0);
  if (held > 0)
    notes.push(`Unknown words: ${((100 * strange) / held).toFixed(1)} % of the tokens for validation.`);
  return notes;
}

function leftOutNote(left: number, most: number): string[] {
  if (left === 0) return [];
  return [
    `${plural(left, 'sentence')} of more than ${count(most)} tokens ${left === 1 ? 'is' : 'are'} left out.`,
  ];
}

const name = z.string().max(10_000);
const column = z.union([name, z.int().min(0)]);

const artifact = z.object({
  task: z.literal('tag'),
  /** by class */
  tags: z.array(name).min(2).max(100_000),
  column,
  /** null: where the format has them */
  words: column.nullable(),
  maxLength: z.int().min(1).max(10_000_000),
  /** by id, as word-features.ts has them */
  symbols: z.array(name).min(1).max(10_000_000),
  characters: z.int().min(0).max(10),
});

export type TagArtifact = z.output<typeof artifact>;

function sizesFor({ symbols, characters, tags, maxLength }: TagArtifact) {
  const each = idsEach(characters);
  const input = { kind: 'tokens', vocabulary: symbols.length, ...(each > 1 && { each }) } as const;
  return { input, outputs: tags.length, steps: maxLength };
}

export const tag: TaskModule<'tag', typeof artifact> = {
  artifact,
  open: (experiment, data, place, known) => tagTask(experiment, data, locateData(data.path, place), known),
  sizes: own => sizesFor(own),
};
