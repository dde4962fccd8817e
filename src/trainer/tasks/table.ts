// A person's own arrays: numbers or classes from named columns, once a sequence or at each step. Numbers are scaled by the
// training part; loss: mean squared error in its standard deviations, or cross-entropy in nats. Baseline: its mean, or the
// shares of its classes.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import type { FilePart } from '../data/readers/reader.ts';
import { countedTo, mostOf, Records, Storage, those, wholeNumbers } from '../data/storage.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import type { Batch } from '../layers/batch.ts';
import { padded } from './classify.ts';
import { lengthsNote } from './labelled.ts';
import type { TaskModule } from './module.ts';
import {
  fewNote,
  numbersKey,
  repeatedNote,
  sequenceBatches,
  threeParts,
  unseenNote,
} from './sequence-batches.ts';
import { type Json, likeliest, numbersInput, type Stepping } from './stepping.ts';
import { type Example, type ExampleList, readExamples } from './table-data.ts';
import type { Score, Task } from './task.ts';
import { answersOf, best, valueLoss } from './values.ts';

type TableData = DataOf<'table'>;

const SHOWN_ROWS = 8;

export async function tableTask(
  experiment: Experiment,
  data: TableData,
  {
    path,
    part,
    storage = new Storage(),
  }: { path: string; part?: FilePart | undefined; storage?: Storage | undefined },
  known: TableArtifact | null,
): Promise<Task> {
  const { examples, inputWidths, targetWidths, bad } = await readExamples(path, data, { part, storage });
  const { batchSize, seed, validation } = experiment.training;
  const [train, valid, test] = threeParts(countedTo(examples.length), data.split, data.shuffle, seed);
  if (train.length === 0) throw new DataError(`The training part of ${data.path} is empty.`);
  const isClasses = data.predict === 'classes';
  const artifact =
    known ??
    fitted(
      () => those(examples, train, storage),
      examples,
      { inputs: inputWidths, targets: targetWidths },
      data,
    );
  const { classes } = artifact;
  const outputs = outputsOf(artifact);
  const encode = inputsWith(artifact);
  const answer = targetsWith(artifact, data.path);
  const width = artifact.inputs.length;
  const encoded = new Records(Float32Array, storage);
  const wanted = new Records(isClasses ? Int32Array : Float32Array, storage);
  for (const example of examples) {
    encoded.add(encode(example));
    wanted.add(answer(example));
  }
  const lengths = wholeNumbers(examples.length, place =>
    Math.min(examples.steps.get(place), artifact.maxLength),
  );
  const lengthOf = (place: number) => lengths[place]!;
  const batches = sequenceBatches(train, lengthOf, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
  });
  const everyStep = data.at === 'step';
  const perAnswer = isClasses ? 1 : outputs;
  const cut = (places: readonly number[]): Batch => {
    const own = padded(
      places.map(place => encoded.at(place)),
      width,
    );
    return {
      ...own,
      targets: targetsOf(
        places.map(place => wanted.at(place)),
        own.seqLen,
        perAnswer,
        everyStep,
      ),
      continues: false,
    };
  };
  const heldOut = function* (places: ArrayLike<number>, most: number) {
    for (const batch of batches.held(places, most)) yield cut(batch);
  };
  const validPlaces = valid.length > 0 ? valid : train;

  return {
    facts: {
      name: 'table',
      lossUnit: isClasses ? 'nats' : 'mse',
      baseline: {
        loss: isClasses
          ? shareLoss(those(wanted, train, storage), those(wanted, validPlaces, storage), classes.length)
          : squaredMean(those(wanted, validPlaces, storage)),
        name: isClasses ? 'class frequencies alone' : 'the mean of the training part',
      },
      seqLen: mostOf(lengths, 1),
      batchSize: batches.size,
      tokensPerStep: Math.round(
        (batches.size * train.reduce((sum, place) => sum + lengths[place]!, 0)) / train.length,
      ),
      notes: [
        `${lengthsNote(lengths, 'step')}, ${plural(width, 'input')} a step; ${plural(outputs, isClasses ? 'class' : 'target', isClasses ? 'classes' : 'targets')} ${everyStep ? 'at each step' : 'for each sequence'}.`,
        ...(isClasses && storage.isWhole
          ? unseenNote(
              train,
              [...valid, ...test],
              {
                labels: at => Array.from(wanted.at(at), id => classes[id]!),
                line: at => examples.at(at).line,
              },
              data,
            )
          : []),
        ...batches.notes(),
        ...(storage.isWhole
          ? repeatedNote(
              Array.from(examples, ({ inputs, targets }) =>
                [
                  numbersKey(inputs),
                  Array.isArray(targets) ? targets.join('\t') : targets && numbersKey(targets),
                ].join(),
              ),
              train,
              [...valid, ...test],
              'sequence',
            )
          : []),
        ...fewNote(batches.size, batchSize),
        ...bad.notes(),
      ],
    },
    read: { rows: examples.length, ...bad.read() },
    sizes: sizesFor(artifact),
    outputs: everyStep ? 'every-step' : 'last-step',
    stream: false,
    trainingBatch: step => cut(batches.places(step)),
    epochOf: batches.epochOf,
    maxTokens: batches.maxTokens,
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / batches.size)),
    validation: () => heldOut(valid, validation.maxBatches),
    test: () => heldOut(test, Number.POSITIVE_INFINITY),
    all: () => heldOut(countedTo(examples.length), Number.POSITIVE_INFINITY),
    loss: (made, targets, weights) =>
      isClasses
        ? softmaxCrossEntropy(made, targets as Int32Array, weights)
        : valueLoss(made, targets, weights),
    score: (made, batch, score) => (isClasses ? scoreClasses : scoreValues)(made, batch, score, artifact),
    metrics: score =>
      isClasses
        ? classFigures(score, classes.length)
        : { rmse: Math.sqrt(score.sums['squared']! / score.count) },
    *sample(model) {
      const places = Array.from(validPlaces.slice(0, SHOWN_ROWS));
      yield;
      const batch = cut(places);
      const said = answersOf(model, batch, everyStep ? 'every-step' : 'last-step');
      const rows = places.map((place, row) => {
        const last = everyStep ? lengthOf(place) - 1 : 0;
        const at = last * batch.batch + row;
        return {
          input: plural(lengthOf(place), 'step'),
          truth: isClasses ? classes[batch.targets[at]!]! : numbersOf(batch.targets, at, artifact),
          prediction: isClasses ? classes[best(said, at, classes.length)]! : numbersOf(said, at, artifact),
        };
      });
      return { type: 'pairs', rows };
    },
    artifact: () => artifact,
  };
}

/** Of the training part alone; the names of classes are those of the file. */
function fitted(
  train: () => Iterable<Example>,
  all: ExampleList,
  widths: { inputs: number[]; targets: number[] },
  data: TableData,
): TableArtifact {
  const { inputs, targets, predict, at, path } = data;
  const isClasses = predict === 'classes';
  const named = (names: readonly string[], each: readonly number[]) =>
    names.flatMap((name, index) => Array.from({ length: each[index]! }, () => name));
  const inputNames = named(inputs, widths.inputs);
  const targetNames = isClasses ? [] : named(targets, widths.targets);
  const classes = isClasses ? [...all.classes].sort() : [];
  if (isClasses && classes.length < 2)
    throw new DataError(
      `All ${plural(all.length, 'sequence')} of ${path} are of the class "${classes[0]}": there is nothing to tell apart.`,
    );
  return {
    task: 'table',
    columns: { inputs: [...inputs], targets: [...targets] },
    predict,
    at,
    maxLength: data.maxLength ?? mostOf(all.steps, 1),
    inputs: scalesOf(train, 'inputs', inputNames),
    targets: isClasses ? [] : scalesOf(train, 'targets', targetNames),
    classes,
  };
}

interface Scale {
  name: string;
  mean: number;
  std: number;
}

function scalesOf(
  examples: () => Iterable<Example>,
  of: 'inputs' | 'targets',
  names: readonly string[],
): Scale[] {
  const width = names.length;
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  let rows = 0;
  const each = (visit: (value: number, column: number) => void) => {
    for (const example of examples()) {
      const values = example[of] as Float64Array;
      rows += values.length / width;
      for (let at = 0; at < values.length; at++) visit(values[at]!, at % width);
    }
  };
  each((value, column) => {
    sums[column]! += value;
  });
  const all = rows;
  const means = Float64Array.from(sums, sum => sum / all);
  each((value, column) => {
    squares[column]! += (value - means[column]!) ** 2;
  });
  return names.map((name, column) => ({
    name,
    mean: means[column]!,
    std: Math.sqrt(squares[column]! / all) || 1,
  }));
}

/** Longer sequences lose their end. */
export function inputsWith({ inputs, maxLength }: TableArtifact): (example: Example) => Float32Array {
  const width = inputs.length;
  return example =>
    Float32Array.from(example.inputs.slice(0, maxLength * width), (value, at) => {
      const { mean, std } = inputs[at % width]!;
      return (value - mean) / std;
    });
}

function targetsWith({ targets, classes, maxLength, at: where }: TableArtifact, path: string) {
  const classOf = new Map(classes.map((name, index) => [name, index]));
  const width = targets.length || 1;
  const most = where === 'step' ? maxLength * width : width;
  return (example: Example): Float32Array | Int32Array => {
    if (Array.isArray(example.targets))
      return Int32Array.from(example.targets.slice(0, most), name => {
        const index = classOf.get(name);
        if (index !== undefined) return index;
        throw new DataError(
          `${path}, line ${example.line}: the class "${name.slice(0, 40)}" is none that this run learned.`,
        );
      });
    return Float32Array.from(example.targets!.slice(0, most), (value, at) => {
      const { mean, std } = targets[at % width]!;
      return (value - mean) / std;
    });
  };
}

/** (steps · batch · width) or (batch · width), zeros behind an end. */
function targetsOf(
  parts: readonly (Float32Array | Int32Array)[],
  seqLen: number,
  width: number,
  everyStep: boolean,
): Float32Array | Int32Array {
  const size = (everyStep ? seqLen : 1) * parts.length * width;
  const made = parts[0] instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  parts.forEach((part, row) => {
    for (let t = 0; t * width < part.length; t++)
      made.set(part.subarray(t * width, (t + 1) * width), (t * parts.length + row) * width);
  });
  return made;
}

/** Calls with each answer that counts: its place in the outputs and the targets. */
function eachAnswer({ lengths, batch, seqLen }: Batch, outputs: Tensor3D, visit: (at: number) => void): void {
  const steps = outputs.shape[0] === 1 ? 1 : seqLen;
  for (let row = 0; row < batch; row++)
    for (let t = 0; t < (steps === 1 ? 1 : (lengths?.[row] ?? seqLen)); t++) visit(t * batch + row);
}

function scoreValues(outputs: Tensor3D, batch: Batch, score: Score, { targets }: TableArtifact): void {
  const said = outputs.dataSync();
  const width = targets.length;
  eachAnswer(batch, outputs, at => {
    for (let column = 0; column < width; column++) {
      const error = said[at * width + column]! - batch.targets[at * width + column]!;
      score.lossSum += error ** 2;
      score.sums['squared'] = (score.sums['squared'] ?? 0) + (error * targets[column]!.std) ** 2;
      score.count++;
    }
  });
}

function scoreClasses(outputs: Tensor3D, batch: Batch, score: Score, { classes }: TableArtifact): void {
  const logits = outputs.dataSync() as Float32Array;
  const width = classes.length;
  const add = (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
  eachAnswer(batch, outputs, at => {
    const target = batch.targets[at]!;
    const own = logits.subarray(at * width, (at + 1) * width);
    const most = own.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
    const total = own.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
    score.lossSum += most + Math.log(total) - own[target]!;
    score.count++;
    const isRight = best(own, 0, width) === target ? 1 : 0;
    add('right', isRight);
    add(`of ${target}`, 1);
    add(`right ${target}`, isRight);
  });
}

/** Balanced: the mean over the classes that were seen. */
export function classFigures({ sums, count }: Score, classes: number): Record<string, number> {
  let [recall, seen] = [0, 0];
  for (let index = 0; index < classes; index++) {
    const own = sums[`of ${index}`] ?? 0;
    if (own === 0) continue;
    recall += (sums[`right ${index}`] ?? 0) / own;
    seen++;
  }
  return { accuracy: (sums['right'] ?? 0) / count, balancedAccuracy: recall / seen };
}

function squaredMean(parts: Iterable<Float32Array | Int32Array>): number {
  let [sum, count] = [0, 0];
  for (const part of parts)
    for (const value of part) {
      sum += value ** 2;
      count++;
    }
  return sum / count;
}

/** Each class counted once more than it was seen. */
function shareLoss(
  train: Iterable<Float32Array | Int32Array>,
  held: Iterable<Float32Array | Int32Array>,
  classes: number,
): number {
  const counts = new Float64Array(classes).fill(1);
  let total = classes;
  for (const part of train)
    for (const target of part) {
      counts[target]!++;
      total++;
    }
  let [sum, count] = [0, 0];
  for (const part of held)
    for (const target of part) {
      sum -= Math.log(counts[target]! / total);
      count++;
    }
  return sum / count;
}

/** In the units of the file. */
export function valuesAt(said: ArrayLike<number>, at: number, { targets }: TableArtifact): number[] {
  const width = targets.length;
  return targets.map(({ mean, std }, column) => said[at * width + column]! * std + mean);
}

function numbersOf(said: ArrayLike<number>, at: number, artifact: TableArtifact): string {
  return valuesAt(said, at, artifact)
    .slice(0, 6)
    .map(value => value.toPrecision(4))
    .join(', ');
}

const name = z.string().max(10_000);
const scale = z.object({ name, mean: z.number(), std: z.number().gt(0) });

const artifact = z.object({
  task: z.literal('table'),
  columns: z.object({ inputs: z.array(name).max(10_000), targets: z.array(name).max(10_000) }),
  predict: z.enum(['values', 'classes']),
  at: z.enum(['sequence', 'step']),
  maxLength: z.int().min(1).max(10_000_000),
  /** one for each number of a step, by the column that it is of */
  inputs: z.array(scale).min(1).max(1_000_000),
  targets: z.array(scale).max(1_000_000),
  classes: z.array(name).max(100_000),
});

export type TableArtifact = z.output<typeof artifact>;

function outputsOf({ predict, classes, targets }: TableArtifact): number {
  return predict === 'classes' ? classes.length : targets.length;
}

function sizesFor(own: TableArtifact) {
  return {
    input: { kind: 'vectors', features: own.inputs.length } as const,
    outputs: outputsOf(own),
    steps: own.maxLength,
  };
}

function stepsOf(own: TableArtifact): Stepping {
  const { inputs, classes, predict } = own;
  // an array of several numbers is one column of a file
  const names = inputs.map(({ name }, at) =>
    inputs.filter(each => each.name === name).length > 1
      ? `${name}[${at - inputs.findIndex(each => each.name === name)}]`
      : name,
  );
  return {
    reads: `an object of numbers by column, or an array of ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`,
    begin: () => ({
      read: input => [
        Float32Array.from(numbersInput(input, names), (value, at) => {
          const { mean, std } = inputs[at]!;
          return (value - mean) / std;
        }),
      ],
      answer(outputs): Readonly<Record<string, Json>> {
        if (predict === 'values') return { prediction: valuesAt(outputs, 0, own) };
        const likely = likeliest(outputs).map(({ id, probability }) => ({
          class: classes[id]!,
          probability,
        }));
        return { prediction: likely[0]!.class, probability: likely[0]!.probability, likely };
      },
    }),
  };
}

export const table: TaskModule<'table', typeof artifact> = {
  artifact,
  open: (experiment, data, place, known) =>
    tableTask(experiment, data, { ...place, path: locateData(data.path, place, true) }, known),
  stepping: own => stepsOf(own),
  sizes: own => sizesFor(own),
  fault: own => (outputsOf(own) > 0 ? null : 'it has no targets'),
};
