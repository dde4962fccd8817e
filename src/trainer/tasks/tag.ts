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
import { type DataPlace, locateData } from '../data/locate.ts';
import { lookalikeNotes } from '../data/lookalikes.ts';
import { readSentences } from '../data/sentences.ts';
import { countedTo, kindFor, Records, Storage, those, wholeNumbers } from '../data/storage.ts';
import { chainLoss, likeliestClasses } from '../engine/chain.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import type { Batch } from '../layers/batch.ts';
import { chainIn } from '../layers/crf.ts';
import type { Model } from '../layers/model.ts';
import { areEntityTags, countEntities, entityFigures } from './entities.ts';
import { caseNote, namedCounts } from './label-counts.ts';
import { lengthsNote } from './labelled.ts';
import type { TaskModule } from './module.ts';
import { repeatedNote, sequenceBatches, threeParts, unseenNote } from './sequence-batches.ts';
import type { Score, Task } from './task.ts';
import { answersOf, best } from './values.ts';
import { featuresWith, idsEach, wordFeatures } from './word-features.ts';

type TagData = DataOf<'tag'>;

const SHOWN_SENTENCES = 8;
const SHOWN_TOKENS = 60;
/** of the counts by tag, which a person reads */
const COUNTED_TAGS = 24;
const COUNTED_BATCHES = 8;

type Ids = Int32Array | Uint16Array | Uint8Array;

interface Encoded {
  /** (tokens, ids of each) */
  ids: Ids;
  /** -1 where the tag is none of training's file */
  tags: Ids;
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
  place: DataPlace,
  known: TagArtifact | null,
): Promise<Task> {
  const { maxLength = Number.POSITIVE_INFINITY } = data;
  const { storage = new Storage() } = place;
  const bad = new BadRows(data.onError);
  const { sentences, notes } = await readSentences(path, data, { bad, part: place.part, storage });
  const tokens = wholeNumbers(sentences.length, place => sentences.tokens.get(place));
  const kept = countedTo(tokens.length).filter(own => tokens[own]! <= maxLength);
  const { batchSize, seed, validation } = experiment.training;
  if (kept.length === 0) throw new DataError(`${data.path} holds no sentence to learn from.`);
  const [train, valid, test] = threeParts(kept.slice(), data.split, data.shuffle, seed);
  if (train.length === 0) throw new DataError(`The training part of ${data.path} is empty.`);
  const counts = countTags(those(sentences, kept, storage));
  const longest = kept.reduce((most, own) => Math.max(most, tokens[own]!), 0);
  const artifact =
    known ?? fitted([...counts.keys()].sort(), () => those(sentences, train, storage), longest, data);
  const { tags } = artifact;
  if (known) requireLearned(those(sentences, kept, storage), tags, data.path);
  const encode = encodeWith(artifact);
  const encoded = {
    ids: new Records(kindFor(artifact.symbols.length), storage),
    tags: new Records(kindFor(tags.length), storage),
    unknown: new Records(Uint8Array, storage),
  };
  for (const sentence of sentences) {
    const isKept = sentence.words.length <= maxLength;
    const own = isKept ? encode(sentence) : { ids: [], tags: [], unknown: [] };
    encoded.ids.add(own.ids);
    encoded.tags.add(own.tags);
    encoded.unknown.add(own.unknown);
  }
  const encodedAt = (at: number): Encoded => ({
    ids: encoded.ids.at(at),
    tags: encoded.tags.at(at),
    unknown: encoded.unknown.at(at),
    tokens: tokens[at]!,
  });
  const trainTokens = train.reduce((sum, at) => sum + tokens[at]!, 0);
  const batches = sequenceBatches(train, at => tokens[at]!, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
  });
  const { size } = batches;
  const cut = (places: readonly number[]) => batchOf(places.map(encodedAt));
  const held = function* (places: ArrayLike<number>, most: number) {
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
          those(encoded.tags, train, storage),
          those(encoded.tags, validPlaces, storage),
          tags.length,
        ),
        name: 'tag frequencies alone',
      },
      seqLen: artifact.maxLength,
      batchSize: size,
      tokensPerStep: Math.round((size * trainTokens) / train.length),
      notes: [
        ...describe(
          kept.map(at => tokens[at]!),
          counts,
          artifact,
        ),
        ...headerNote(sentences.at(kept[0]!), counts),
        ...strangeNote(those(encoded.unknown, valid, storage)),
        ...(storage.isWhole
          ? unseenNote(
              train,
              [...valid, ...test],
              {
                labels: at => Array.from(encoded.tags.at(at), id => tags[id]!),
                line: at => sentences.at(at).line,
              },
              { path: data.path, one: 'tag', many: 'tags' },
            )
          : []),
        ...batches.notes(),
        // keys of all sentences do not fit where the sentences do not
        ...(storage.isWhole
          ? repeatedNote(
              Array.from(sentences, ({ words }) => words.join(' ')),
              train,
              [...valid, ...test],
              'sentence',
            )
          : []),
        ...leftOutNote(sentences.length - kept.length, maxLength),
        ...notes,
      ],
    },
    read: {
      rows: sentences.length,
      ...namedCounts(kept.length < sentences.length ? countTags(sentences) : counts),
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
    all: () => held(kept, Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights) => softmaxCrossEntropy(outputs, targets as Int32Array, weights),
    score: (outputs, batch, score, model) =>
      scoreTags(outputs, batch as TagBatch, score, { model, tags, hasEntities }),
    metrics: figuresOf,
    *sample(model) {
      yield;
      const places = Array.from(validPlaces.slice(0, SHOWN_SENTENCES));
      const answers = tagsOf(model, cut(places), artifact);
      const rows = places.map((at, row) => {
        const sentence = sentences.at(at);
        return sentence.words.slice(0, SHOWN_TOKENS).map((token, t) => ({
          token,
          truth: sentence.tags[t]!,
          prediction: answers[row]![t]!,
        }));
      });
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

/** `tags`: of all of the file, in order. @throws DataError where there is one tag only */
function fitted(
  tags: string[],
  train: () => Iterable<Sentence>,
  maxLength: number,
  data: TagData,
): TagArtifact {
  if (tags.length < 2)
    throw new DataError(
      `All tokens of ${data.path} have the tag "${tags[0]}": there is nothing to tell apart.`,
    );
  const words = function* () {
    for (const sentence of train()) yield* sentence.words;
  };
  return {
    task: 'tag',
    tags,
    column: data.tags,
    words: data.words ?? null,
    maxLength,
    ...wordFeatures(words(), data),
  };
}

function countTags(sentences: Iterable<Sentence>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { tags } of sentences) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return counts;
}

/** Other data may have tags that the model cannot say. @throws DataError with the first of them */
function requireLearned(sentences: Iterable<Sentence>, tags: readonly string[], path: string): void {
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
function baselineLoss(train: Iterable<Ids>, valid: Iterable<Ids>, classes: number): number {
  const counts = new Float64Array(classes).fill(1);
  for (const tags of train) for (const tag of tags) counts[tag]!++;
  const total = counts.reduce((sum, own) => sum + own, 0);
  let [loss, tokens] = [0, 0];
  for (const tags of valid)
    for (const tag of tags) {
      loss -= Math.log(counts[tag]! / total);
      tokens++;
    }
  return loss / tokens;
}

function describe(
  lengths: Int32Array,
  counts: ReadonlyMap<string, number>,
  { tags, symbols, characters }: TagArtifact,
): string[] {
  const tokens = lengths.reduce((sum, own) => sum + own, 0);
  const shown = tags
    .map((tag): [string, number] => [tag, counts.get(tag) ?? 0])
    .sort(([, a], [, b]) => b - a)
    .slice(0, 20)
    .map(([tag, own]) => `${tag} ${((100 * own) / tokens).toFixed(1)} %`);
  const words = symbols.filter(symbol => symbol.startsWith('word:')).length - 1;
  return [
    `${lengthsNote(lengths, 'token')}, ${plural(tags.length, 'tag')}: ${shown.join(', ')}${tags.length > 20 ? ', …' : ''}.`,
    ...caseNote(tags, 'tags'),
    ...lookalikeNotes(tags, 'tags'),
    ...lookalikeNotes(symbols, 'symbols'),
    `${plural(words, 'word')} of the training part ${words === 1 ? 'has a vector' : 'have vectors'} of their own${characters > 0 ? `; ${plural(symbols.length - words, 'beginning, end or shape', 'beginnings, ends and shapes')} of words too` : ''}.`,
  ];
}

/** A first sentence of one token whose tag no other token has may name the columns. */
function headerNote({ words, tags, line }: Sentence, counts: ReadonlyMap<string, number>): string[] {
  if (words.length !== 1 || counts.get(tags[0]!) !== 1 || counts.size < 3) return [];
  return [
    `Line ${line} is the only one of tag "${tags[0]!.slice(0, 40)}", and a sentence of one token ("${words[0]!.slice(0, 40)}"): take it out if it names the columns.`,
  ];
}

/** `valid`: of each token whether its word is unknown. */
function strangeNote(valid: Iterable<Uint8Array>): string[] {
  let [held, strange] = [0, 0];
  for (const unknown of valid) {
    held += unknown.length;
    for (const flag of unknown) strange += flag;
  }
  return held > 0
    ? [`Unknown words: ${((100 * strange) / held).toFixed(1)} % of the tokens for validation.`]
    : [];
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
  open: (experiment, data, place, known) =>
    tagTask(experiment, data, locateData(data.path, place), place, known),
  sizes: own => sizesFor(own),
};
