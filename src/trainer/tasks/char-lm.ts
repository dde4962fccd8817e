// Character language model: at every step, predict the next character. Loss: cross-entropy in nats a character.
import { tidy } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import { plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import { readText, UNKNOWN } from '../data/text.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import type { Model } from '../layers/model.ts';
import { stepper } from '../layers/stepper.ts';
import { type RandomStream, randomStream } from '../random.ts';
import type { TaskModule } from './module.ts';
import type { Task } from './task.ts';
import { type TextStream, textStream } from './text-stream.ts';

type CharLmData = Extract<Experiment['data'], { task: 'char-lm' }>;

const RARE_COUNT = 5;

export async function charLmTask(
  experiment: Experiment,
  data: CharLmData,
  { path, bytes }: { path: string; bytes?: number | undefined },
  known: readonly string[] | null,
): Promise<Task> {
  const { batchSize, seqLen, seed, validation, sample } = experiment.training;
  const { ids, vocabulary } = await readText(path, data.path, {
    minCount: data.minCount,
    share: data.split[0],
    bytes,
    known,
  });
  const { symbols, counts } = vocabulary;
  const [trainIds, validIds, testIds] = splitIds(ids, data.split);
  const train = trainIds.length > batchSize * seqLen ? textStream(trainIds, batchSize, seqLen) : null;
  if (!train)
    throw new DataError(
      `The training part of ${data.path} has ${plural(trainIds.length, 'character')}; ${plural(batchSize, 'sequence')} of ${seqLen} need at least ${show(batchSize * seqLen + 1)}. Use a smaller batchSize or seqLen.`,
    );
  const valid = textStream(validIds, batchSize, seqLen);
  const test = textStream(testIds, batchSize, seqLen);
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));

  return {
    facts: {
      name: 'char-lm',
      lossUnit: 'nats/char',
      baseline: {
        loss: crossEntropyOfUnigrams(trainIds, symbols.length),
        name: 'character frequencies alone',
      },
      seqLen,
      batchSize,
      tokensPerStep: batchSize * seqLen,
      notes: describe(data, ids.length, symbols, counts),
    },
    read: { characters: ids.length, symbols: symbols.length },
    sizes: { input: { kind: 'tokens', vocabulary: symbols.length }, outputs: symbols.length },
    outputs: 'every-step',
    stream: true,
    trainingBatch: step => train.window((step - 1) % train.windows),
    epochOf: step => Math.floor((step - 1) / train.windows),
    validationBatches: Math.min(validation.maxBatches, valid?.windows ?? 0),
    validation: () => windowsOf(valid, validation.maxBatches),
    test: () => windowsOf(test, Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights) => softmaxCrossEntropy(outputs, targets as Int32Array, weights),
    score(outputs, batch, score) {
      const count = batch.targets.length;
      const loss = tidy(() => softmaxCrossEntropy(outputs, batch.targets as Int32Array, null).dataSync()[0]!);
      score.lossSum += loss * count;
      score.count += count;
    },
    metrics(score) {
      const loss = score.lossSum / score.count;
      return { bitsPerChar: loss / Math.LN2, perplexity: Math.exp(loss) };
    },
    *sample(model, step) {
      const prompt = [...(sample.prompt ?? promptFrom(validIds.length > 0 ? validIds : trainIds, symbols))];
      const known = prompt.filter(symbol => idOf.has(symbol));
      const start = known.length > 0 ? known : [symbols[0]!];
      const random = randomStream(seed, 'sample', step);
      const made = yield* generate(
        model,
        start.map(symbol => idOf.get(symbol)!),
        {
          length: sample.length,
          temperature: sample.temperature,
          random,
        },
      );
      return {
        type: 'text',
        prompt: start.join(''),
        text: made.map(id => symbols[id]).join(''),
        temperature: sample.temperature,
      };
    },
    artifact: () => ({ task: 'char-lm', symbols }),
  };
}

function* windowsOf(stream: TextStream | null, most: number) {
  if (stream) for (let index = 0; index < Math.min(stream.windows, most); index++) yield stream.window(index);
}

export function splitIds<T extends Uint16Array | Uint32Array>(
  ids: T,
  split: readonly [number, number, number],
): [T, T, T] {
  const first = Math.floor(ids.length * split[0]);
  const second = Math.floor(ids.length * (split[0] + split[1]));
  return [ids.subarray(0, first) as T, ids.subarray(first, second) as T, ids.subarray(second) as T];
}

function crossEntropyOfUnigrams(ids: Uint16Array | Uint32Array, size: number): number {
  const counts = new Float64Array(size);
  for (const id of ids) counts[id]!++;
  let sum = 0;
  for (const count of counts) if (count > 0) sum -= count * Math.log(count / ids.length);
  return sum / ids.length;
}

function describe(data: CharLmData, length: number, symbols: string[], counts: number[]): string[] {
  const visible = symbols.map(nameOf);
  const notes = [
    `${plural(length, 'character')}, ${symbols.length} different: ${cut(visible.join(' '), 300)}`,
  ];
  const rare = symbols
    .map((symbol, id) => ({ symbol, count: counts[id]! }))
    .filter(entry => entry.count < RARE_COUNT && entry.symbol !== UNKNOWN)
    .sort((a, b) => a.count - b.count);
  if (rare.length > 0) {
    const list = rare.slice(0, 20).map(entry => `${nameOf(entry.symbol)} ${entry.count}×`);
    notes.push(
      `${plural(rare.length, 'rare character')}, seen fewer than ${RARE_COUNT} times: ${list.join(', ')}${rare.length > 20 ? ', …' : ''}. "minCount" can gather them in one symbol.`,
    );
  }
  if (data.minCount > 1 && symbols.at(-1) === UNKNOWN)
    notes.push(
      `Characters seen fewer than ${data.minCount} times in the training part are one unknown symbol.`,
    );
  return notes;
}

function nameOf(symbol: string): string {
  const names: Record<string, string> = { '\n': '⏎', '\t': '⇥', ' ': '␣', [UNKNOWN]: 'unknown' };
  const code = symbol.codePointAt(0)!;
  return (
    names[symbol] ??
    (/\p{C}|\p{M}|\p{Z}/u.test(symbol) ? `U+${code.toString(16).toUpperCase().padStart(4, '0')}` : symbol)
  );
}

function show(count: number): string {
  return count.toLocaleString('en-US');
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)} …` : text;
}

/** The first words of the part: a start that the model has not seen. */
function promptFrom(ids: Uint16Array | Uint32Array, symbols: string[]): string {
  const text = Array.from(ids.subarray(0, 400), id => symbols[id]).join('');
  const begin = text.search(/\S/);
  const words = /\S+\s+\S*[\p{L}\p{N}]/u.exec(text.slice(Math.max(0, begin)));
  return (words?.[0] ?? text.slice(0, 8)).slice(0, 24);
}

/**
 * Feeds the prompt, then draws characters one by one from softmax(logits / temperature). A model without states reads
 * all that it sees anew for each of them.
 */
export function* generate(
  model: Model,
  prompt: readonly number[],
  options: { length: number; temperature: number; random: RandomStream },
): Generator<undefined, number[]> {
  const writer = stepper(model, 1);
  let logits: Float32Array = new Float32Array(0);
  for (const id of prompt) logits = writer.step(Int32Array.of(id));
  const made: number[] = [];
  while (made.length < options.length) {
    const id = draw(logits, options.temperature, options.random.uniform());
    made.push(id);
    if (made.length < options.length) logits = writer.step(Int32Array.of(id));
    yield;
  }
  return made;
}

function draw(logits: Float32Array, temperature: number, uniform: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) max = Math.max(max, logit);
  const weights = Float64Array.from(logits, logit => Math.exp((logit - max) / temperature));
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  for (let id = 0; id < weights.length; id++) {
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return weights.length - 1;
}

const artifact = z.object({
  task: z.literal('char-lm'),
  symbols: z
    .array(z.string().refine(symbol => [...symbol].length === 1))
    .min(1)
    .max(0x110000),
});

export const charLm: TaskModule<'char-lm', typeof artifact> = {
  artifact,
  open: (experiment, data, place, known) =>
    charLmTask(
      experiment,
      data,
      { path: locateData(data.path, place), bytes: place.bytes },
      known?.symbols ?? null,
    ),
  sizes: ({ symbols }) => ({
    input: { kind: 'tokens', vocabulary: symbols.length },
    outputs: symbols.length,
  }),
};
