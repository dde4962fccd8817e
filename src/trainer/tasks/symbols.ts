// The mechanism of generated tasks over sequences of symbols: a rule draws one sequence with its answers, and batches,
// loss, scores and samples follow. Loss: cross-entropy in nats where an answer is asked for. A step of a language is
// right when each legal next symbol outranks each illegal one (Hochreiter & Schmidhuber 1997, experiment 1).
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { knownSizes } from '../../experiment/models.ts';
import type { DataOf, TaskName } from '../../experiment/tasks/index.ts';
import { taskOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { type RandomStream, randomStream } from '../random.ts';
import { generatedTask, lengthArtifact, type Part } from './generated.ts';
import type { TaskModule } from './module.ts';
import type { Batch, Score } from './task.ts';
import { best } from './values.ts';

/** A step that asks for nothing. */
export const NOTHING = -1;

export interface Drawn {
  input: readonly number[];
  /** the class at each step, or NOTHING; the last step asks */
  targets: readonly number[];
}

export interface Rule {
  /** by id: what is read, and what is said */
  symbols: readonly string[];
  classes: readonly string[];
  draw(random: RandomStream, part: Part): Drawn;
  /** of a language: the classes that may follow each step of these symbols, in rising order */
  legal?(input: readonly number[]): number[][];
  baseline: { loss: number; name: string };
}

type SymbolData = { length: number; testLength?: number | undefined };
type SymbolTask = { [T in TaskName]: DataOf<T> extends SymbolData ? T : never }[TaskName];

const SHOWN_SYMBOLS = 100;

/** The room of a task whose data are such sequences. */
export function symbolTask<T extends SymbolTask>(
  task: T,
  ruleOf: (data: DataOf<T>) => Rule,
): TaskModule<T, ReturnType<typeof lengthArtifact<T>>> {
  return {
    artifact: lengthArtifact(task),
    open(experiment, data) {
      const kind = taskOf(data);
      const rule = ruleOf(data);
      const { length } = data as SymbolData;
      const sizes = knownSizes(experiment)!;
      const at = kind.loss.at === 'sequence' ? 'last-step' : 'every-step';
      return generatedTask(experiment, data as SymbolData, {
        facts: {
          name: task,
          lossUnit: 'nats',
          baseline: rule.baseline,
          seqLen: kind.steps(data, experiment.training),
        },
        sizes,
        outputs: at,
        make: (batch, seed, purpose, index, part) =>
          symbolBatch(rule, at, { batch, seed, purpose, index, part }),
        sequences: part =>
          sequencesOf(rule, kind.steps({ ...data, length: part.length }, experiment.training)),
        loss: (outputs, targets, weights, smoothing) =>
          softmaxCrossEntropy(outputs, targets as Int32Array, weights, smoothing),
        score: (outputs, batch, score) => scoreSymbols(rule, at, outputs, batch, score),
        metrics: ({ sums }) => ({
          accuracy: sums['right']! / sums['asked']!,
          ...(at === 'every-step' && { sequenceAccuracy: sums['right sequences']! / sums['sequences']! }),
        }),
        artifact: () => ({ task, length }),
        describe: (batch, row) => ({
          input: cut(spelled(inputOf(batch, row), rule.symbols)),
          truth: cut(truthOf(rule, at, batch, row)),
        }),
        answer: (outputs, row, batch) => cut(answerOf(rule, at, outputs, batch, row)),
      });
    },
    sizes: (_, experiment) => knownSizes(experiment),
  };
}

function sequencesOf({ legal }: Rule, steps: number): string {
  return `Sequences of ${legal ? 'up to ' : ''}${plural(steps, 'step')}`;
}

export interface Which {
  batch: number;
  seed: number;
  purpose: string;
  index: number;
  part: Part;
}

/** input (T, B); targets and `asked` (T, B), or a target for each sequence */
export function symbolBatch(
  rule: Pick<Rule, 'draw'>,
  at: 'every-step' | 'last-step',
  { batch, seed, purpose, index, part }: Which,
): Batch {
  const random = randomStream(seed, purpose, index);
  const rows = Array.from({ length: batch }, () => rule.draw(random, part));
  const seqLen = rows.reduce((most, { input }) => Math.max(most, input.length), 1);
  const input = new Int32Array(seqLen * batch);
  const targets = new Int32Array(at === 'last-step' ? batch : seqLen * batch);
  const asked = new Float32Array(seqLen * batch);
  rows.forEach((own, row) => {
    own.input.forEach((symbol, t) => {
      input[t * batch + row] = symbol;
    });
    if (at === 'last-step') targets[row] = own.targets.at(-1)!;
    else
      own.targets.forEach((target, t) => {
        if (target === NOTHING) return;
        targets[t * batch + row] = target;
        asked[t * batch + row] = 1;
      });
  });
  const areEqual = rows.every(own => own.input.length === seqLen);
  return {
    seqLen,
    batch,
    input,
    targets,
    lengths: areEqual ? null : Int32Array.from(rows, own => own.input.length),
    ...(at === 'every-step' && asked.includes(0) && { asked }),
    continues: false,
  };
}

function inputOf({ input, batch, seqLen, lengths }: Batch, row: number): number[] {
  return Array.from({ length: lengths?.[row] ?? seqLen }, (_, t) => input[t * batch + row]!);
}

/** Rows of the outputs that answer for this sequence, with the class that is wanted. */
function answersIn(
  { targets, asked, batch, seqLen, lengths }: Batch,
  at: 'every-step' | 'last-step',
  row: number,
): { place: number; t: number; target: number }[] {
  if (at === 'last-step') return [{ place: row, t: seqLen - 1, target: targets[row]! }];
  return Array.from({ length: lengths?.[row] ?? seqLen }, (_, t) => ({
    place: t * batch + row,
    t,
    target: targets[t * batch + row]!,
  })).filter(({ place }) => !asked || asked[place] === 1);
}

function scoreSymbols(
  rule: Rule,
  at: 'every-step' | 'last-step',
  outputs: Tensor3D,
  batch: Batch,
  score: Score,
): void {
  const classes = rule.classes.length;
  const logits = outputs.dataSync() as Float32Array;
  const weights = new Float32Array(logits.length / classes);
  const add = (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
  let asked = 0;
  for (let row = 0; row < batch.batch; row++) {
    const answers = answersIn(batch, at, row);
    const legal = rule.legal?.(inputOf(batch, row));
    const right = answers.filter(({ place, t, target }) =>
      legal ? outranks(logits, place, classes, legal[t]!) : best(logits, place, classes) === target,
    ).length;
    for (const { place } of answers) weights[place] = 1;
    asked += answers.length;
    add('right', right);
    add('asked', answers.length);
    add('sequences', 1);
    add('right sequences', right === answers.length ? 1 : 0);
  }
  const loss = softmaxCrossEntropy(outputs, batch.targets as Int32Array, weights);
  score.lossSum += loss.dataSync()[0]! * asked;
  score.count += asked;
}

/** Whether each of these classes has a greater logit than each other one. */
function outranks(logits: Float32Array, place: number, classes: number, legal: readonly number[]): boolean {
  const own = logits.subarray(place * classes, (place + 1) * classes);
  const least = Math.min(...legal.map(id => own[id]!));
  return own.every((logit, id) => legal.includes(id) || logit < least);
}

function truthOf(rule: Rule, at: 'every-step' | 'last-step', batch: Batch, row: number): string {
  const legal = rule.legal?.(inputOf(batch, row));
  return answersIn(batch, at, row)
    .map(({ t, target }) => (legal ? oneOf(legal[t]!, rule.classes) : rule.classes[target]!))
    .join(gap(rule.classes));
}

/** Of a language as many classes a step as are legal, the likeliest. */
function answerOf(
  rule: Rule,
  at: 'every-step' | 'last-step',
  logits: Float32Array,
  batch: Batch,
  row: number,
): string {
  const classes = rule.classes.length;
  const legal = rule.legal?.(inputOf(batch, row));
  return answersIn(batch, at, row)
    .map(({ place, t }) => {
      const own = logits.subarray(place * classes, (place + 1) * classes);
      const order = Array.from(own.keys()).sort((a, b) => own[b]! - own[a]!);
      return oneOf(order.slice(0, legal ? legal[t]!.length : 1), rule.classes);
    })
    .join(gap(rule.classes));
}

function oneOf(ids: readonly number[], classes: readonly string[]): string {
  const names = [...ids].sort((a, b) => a - b).map(id => classes[id]!);
  return names.length === 1 ? names[0]! : `{${names.join(gap(classes))}}`;
}

function spelled(ids: readonly number[], symbols: readonly string[]): string {
  return ids.map(id => symbols[id]!).join(gap(symbols));
}

/** Names of several characters stand apart. */
function gap(names: readonly string[]): string {
  return names.some(({ length }) => length > 1) ? ' ' : '';
}

function cut(text: string): string {
  return text.length > SHOWN_SYMBOLS ? `${text.slice(0, SHOWN_SYMBOLS)} …` : text;
}

/** "a", "b", … */
export function letters(count: number, from = 'a'): string[] {
  return Array.from({ length: count }, (_, index) => String.fromCharCode(from.charCodeAt(0) + index));
}

/** `count` different numbers below `below`, in an order that is drawn. */
export function distinct(random: RandomStream, count: number, below: number): number[] {
  const chosen = new Map<number, number>();
  return Array.from({ length: count }, (_, index) => {
    const at = index + random.int(below - index);
    const own = chosen.get(at) ?? at;
    chosen.set(at, chosen.get(index) ?? index);
    return own;
  });
}

/** Guessing with no class before the others. */
export function guessing(classes: number, of: string): Rule['baseline'] {
  return { loss: Math.log(classes), name: `guessing one of ${of}` };
}
