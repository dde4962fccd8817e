// A language model over one long text: at every step, predict the next symbol. Loss: cross-entropy in nats a symbol.
// What a symbol is, characters, words or bytes, stands with each task.
import { tidy } from '@tensorflow/tfjs-core';
import type { Experiment } from '../../experiment/schema.ts';
import { plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import { type SymbolIds, splitIds } from '../data/symbol-ids.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { randomStream } from '../random.ts';
import { generate } from './generate.ts';
import type { Artifact, Task } from './task.ts';
import { type TextStream, textStream } from './text-stream.ts';

/** How a trained model's ids become text and back. */
export interface Codec {
  /** ids of a prompt, and what of it the model does not know */
  encode(text: string): { ids: number[]; strangers: string[] };
  /** where nothing else is to begin with */
  start: string;
  /** the text of ids that come one after another, each as soon as it is certain */
  writer(): { add(id: number): string; end(): string };
  /** what a symbol is called */
  unit: 'character' | 'word' | 'byte';
  /** number of them */
  symbols: number;
  /** ids that are never written */
  unwritten?: readonly number[];
}

export interface Language {
  name: 'char-lm' | 'word-lm' | 'byte-lm';
  /** of the data, for messages */
  path: string;
  split: readonly [number, number, number];
  ids: SymbolIds;
  codec: Codec;
  baseline: { loss: number; name: string };
  notes: string[];
  read: Readonly<Record<string, number>>;
  lossUnit: string;
  metrics(loss: number): Record<string, number>;
  artifact(): Artifact;
}

/** @throws DataError where the training part is too short */
export function languageTask(experiment: Experiment, language: Language): Task {
  const { batchSize, seqLen, seed, validation, sample } = experiment.training;
  const { ids, codec, path } = language;
  const { symbols } = codec;
  const [trainIds, validIds, testIds] = splitIds(ids, language.split);
  const train = trainIds.length > batchSize * seqLen ? textStream(trainIds, batchSize, seqLen) : null;
  if (!train)
    throw new DataError(
      `The training part of ${path} has ${plural(trainIds.length, codec.unit)}; ${plural(batchSize, 'sequence')} of ${seqLen} need at least ${(batchSize * seqLen + 1).toLocaleString('en-US')}. Use a smaller batchSize or seqLen.`,
    );
  const valid = textStream(validIds, batchSize, seqLen);
  const test = textStream(testIds, batchSize, seqLen);
  return {
    facts: {
      name: language.name,
      lossUnit: language.lossUnit,
      baseline: language.baseline,
      seqLen,
      batchSize,
      tokensPerStep: batchSize * seqLen,
      notes: language.notes,
    },
    read: language.read,
    sizes: { input: { kind: 'tokens', vocabulary: symbols }, outputs: symbols },
    outputs: 'every-step',
    stream: true,
    trainingBatch: step => train.window((step - 1) % train.windows),
    epochOf: step => Math.floor((step - 1) / train.windows),
    validationBatches: Math.min(validation.maxBatches, valid?.windows ?? 0),
    validation: () => windowsOf(valid, validation.maxBatches),
    test: () => windowsOf(test, Number.POSITIVE_INFINITY),
    all: () => windowsOf(textStream(ids, batchSize, seqLen), Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights, smoothing) =>
      softmaxCrossEntropy(outputs, targets as Int32Array, weights, smoothing),
    score(outputs, batch, score) {
      const count = batch.targets.length;
      const loss = tidy(() => softmaxCrossEntropy(outputs, batch.targets as Int32Array, null).dataSync()[0]!);
      score.lossSum += loss * count;
      score.count += count;
    },
    metrics: score => language.metrics(score.lossSum / score.count),
    *sample(model, step) {
      const held = validIds.length > 0 ? validIds : trainIds;
      const known = codec.encode(sample.prompt ?? promptFrom(held, codec)).ids;
      const start = known.length > 0 ? known : [0];
      const written = yield* generate(model, start, {
        ...sample,
        without: codec.unwritten,
        random: randomStream(seed, 'sample', step),
      });
      const writer = codec.writer();
      const textOf = (part: readonly number[]) => part.map(id => writer.add(id)).join('');
      const prompt = textOf(start);
      return { type: 'text', prompt, text: textOf(written) + writer.end(), temperature: sample.temperature };
    },
    artifact: language.artifact,
  };
}

function* windowsOf(stream: TextStream | null, most: number) {
  if (stream) for (let index = 0; index < Math.min(stream.windows, most); index++) yield stream.window(index);
}

/** Nats a symbol of a model that knows the shares of the symbols alone, on the symbols they were counted in. */
export function entropyOf(counts: ArrayLike<number>, total: number): number {
  let sum = 0;
  for (let id = 0; id < counts.length; id++)
    if (counts[id]! > 0) sum -= counts[id]! * Math.log(counts[id]! / total);
  return sum / total;
}

/** The same on other symbols, each counted once more than it was seen. */
export function crossEntropyOf(counts: ArrayLike<number>, others: ArrayLike<number>): number {
  let [total, sum, all] = [0, 0, 0];
  for (let id = 0; id < counts.length; id++) total += counts[id]! + 1;
  for (let id = 0; id < counts.length; id++) {
    sum -= others[id]! * Math.log((counts[id]! + 1) / total);
    all += others[id]!;
  }
  return sum / all;
}

/** The first words of the part: a start that the model has not seen. */
function promptFrom(ids: SymbolIds, codec: Codec): string {
  const writer = codec.writer();
  const text = Array.from(ids.slice(0, Math.min(400, ids.length)), id => writer.add(id)).join('');
  const begin = text.search(/\S/);
  const words = /\S+\s+\S*[\p{L}\p{N}]/u.exec(text.slice(Math.max(0, begin)));
  return (words?.[0] ?? text.slice(0, 8)).slice(0, 24);
}

export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)} …` : text;
}
