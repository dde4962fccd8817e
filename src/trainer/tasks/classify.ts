// Classification: a label for each sequence, from the model's outputs at its last step. Sequences have lengths of their
// own: they are padded to the longest of their batch, and nothing behind an end is read. Loss: cross-entropy in nats;
// baseline: class frequencies in the training part.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import { DEFAULT_FEATURES } from '../../experiment/tasks/features.ts';
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
import type { Batch } from '../layers/batch.ts';
import { caseNote, labelCounts } from './label-counts.ts';
import {
  keyOf,
  type LabelledSequence,
  type LabelledTable,
  lengthsNote,
  readLabelled,
  type SequenceList,
} from './labelled.ts';
import type { TaskModule } from './module.ts';
import { repeatedNote, sequenceBatches, threeParts } from './sequence-batches.ts';
import { soundArtifact, soundScaling } from './sounds.ts';
import { likeliest, numbersInput, type Stepping, textInput } from './stepping.ts';
import type { Score, Task } from './task.ts';
import { encoder, unitsOf, vocabularyOf } from './units.ts';
import { answersOf, best } from './values.ts';

type ClassifyData = DataOf<'classify'>;

const SHOWN_ROWS = 8;
/** so many classes have a row each */
const SHOWN_CLASSES = 12;
const SHOWN_CHARACTERS = 80;
/** of the counts by class, which a person reads */
const COUNTED_CLASSES = 24;
const COUNTED_BATCHES = 8;

/** What a model reads of a sequence: ids (steps), or numbers (steps, columns). */
export type Encoded = Int32Array | Float32Array;

export async function classifyTask(
  experiment: Experiment,
  data: ClassifyData,
  path: string,
  place: DataPlace,
  known: ClassifyArtifact | null,
): Promise<Task> {
  const { audio, features = DEFAULT_FEATURES } = data;
  const { storage = new Storage() } = place;
  const {
    sequences,
    notes,
    sound,
    columns: found,
    skipped = 0,
    files,
    header,
  } = await readLabelled(path, {
    ...data,
    part: place.part,
    storage,
    isWide: known?.arrays.length ? isWide(known) : undefined,
    audio:
      audio === undefined ? undefined : { column: audio, features, rate: known?.audio?.rate ?? null, place },
  });
  const { batchSize, seed, validation } = experiment.training;
  const { classes, ids, stranger } = classesIn(sequences, known?.classes);
  if (stranger !== null)
    throw new DataError(
      `${data.path}, line ${sequences.lineOf(stranger)}: the class "${sequences.labels.at(stranger).slice(0, 40)}" is none of the ${classes.length} that this run learned.`,
    );
  if (classes.length < 2 || sequences.length === 0)
    throw new DataError(
      sequences.length === 0
        ? `${data.path} holds no sequence to learn from.`
        : `All ${plural(sequences.length, 'sequence')} of ${data.path} are of the class "${classes[0]}": there is nothing to tell apart.`,
    );
  const [train, valid, test] = partsOf(ids, classes, data, seed);
  const weights = weightsOf(data.classWeights, train, ids, classes, data.path);
  const longest = Math.min(data.maxLength ?? Number.POSITIVE_INFINITY, mostOf(sequences.steps, 1));
  const artifact =
    known ??
    fitted(() => those(sequences, train, storage), classes, longest, data, {
      columns: found,
      sound,
      header,
    });
  const encode = encodeWith(artifact);
  const isText = artifact.text !== null;
  const encoded = new Records(isText ? kindFor(artifact.symbols.length) : Float32Array, storage);
  for (const { values } of sequences) encoded.add(encode(values));
  const width = artifact.columns.length || 1;
  const steps = wholeNumbers(sequences.length, place => sequences.steps.get(place));
  const lengthOf = (place: number) => Math.min(steps[place]!, artifact.maxLength);
  const trainSteps = train.reduce((sum, place) => sum + lengthOf(place), 0);
  const batches = sequenceBatches(train, lengthOf, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
  });
  const { size } = batches;

  const cut = (places: readonly number[]): Batch => ({
    ...padded(
      places.map(place => encoded.at(place)),
      width,
    ),
    targets: Int32Array.from(places, place => ids[place]!),
    continues: false,
  });
  const held = function* (places: ArrayLike<number>, most: number) {
    for (const batch of batches.held(places, most)) yield cut(batch);
  };
  const validPlaces = valid.length > 0 ? valid : train;
  const examples = examplesOf(validPlaces, ids, classes.length);

  return {
    facts: {
      name: 'classify',
      lossUnit: 'nats',
      baseline: {
        loss: baselineLoss(train, validPlaces, ids, classes.length),
        name: 'class frequencies alone',
      },
      seqLen: longest,
      batchSize: size,
      tokensPerStep: Math.round((size * trainSteps) / train.length),
      notes: [
        ...describe(data, { steps, ids, classes }, artifact),
        ...batches.notes(),
        // keys of all sequences do not fit where the sequences do not
        ...(storage.isWhole
          ? repeatedNote(Array.from(sequences, keyOf), train, [...valid, ...test], 'sequence')
          : []),
        ...notes,
      ],
    },
    read: {
      rows: sequences.length,
      ...labelCounts(sequences.labels),
      ...(skipped > 0 ? { skipped } : {}),
    },
    files,
    sizes: sizesFor(artifact),
    outputs: 'last-step',
    stream: false,
    trainingBatch: step => cut(batches.places(step)),
    epochOf: batches.epochOf,
    maxTokens: batches.maxTokens,
    answers: weights
      ? ({ targets }) => Array.from(targets).reduce((sum, target) => sum + weights[target]!, 0)
      : undefined,
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => held(valid, validation.maxBatches),
    test: () => held(test, Number.POSITIVE_INFINITY),
    all: () => held(countedTo(ids.length), Number.POSITIVE_INFINITY),
    // as torch.nn.CrossEntropyLoss(weight=…): the mean over the weights
    loss: (outputs, targets, given, smoothing) =>
      softmaxCrossEntropy(
        outputs,
        targets as Int32Array,
        weights ? Float32Array.from(targets, target => weights[target]!) : given,
        smoothing,
      ),
    score: (outputs, batch, score) => scoreClasses(outputs, batch, score),
    metrics: score => figuresOf(score, classes.length),
    *sample(model) {
      const places = examples;
      yield;
      const outputs = answersOf(model, cut(places));
      const rows = places.map((place, row) => {
        const prediction = best(outputs, row, classes.length);
        return {
          input: shownText(sequences.at(place)),
          truth: sequences.labels.at(place),
          prediction: classes[prediction]!,
          probability: probabilityOf(outputs, row, prediction, classes.length),
        };
      });
      if (classes.length > COUNTED_CLASSES) return { type: 'classes', rows, confusion: null };
      const counts = classes.map(() => classes.map(() => 0));
      for (const batch of held(validPlaces, COUNTED_BATCHES)) {
        yield;
        const logits = answersOf(model, batch);
        for (let row = 0; row < batch.batch; row++)
          counts[batch.targets[row]!]![best(logits, row, classes.length)]!++;
      }
      return { type: 'classes', rows, confusion: { classes, counts } };
    },
    artifact: () => artifact,
  };
}

/** By class; null: all count the same. Balanced as in scikit-learn: n / (classes · count). */
function weightsOf(
  asked: ClassifyData['classWeights'],
  train: Int32Array,
  ids: Whole,
  classes: readonly string[],
  path: string,
): Float32Array | null {
  if (asked === 'none') return null;
  if (asked === 'balanced') {
    const counts = new Float64Array(classes.length);
    for (const place of train) counts[ids[place]!]!++;
    return Float32Array.from(counts, count => train.length / (classes.length * (count || 1)));
  }
  const stranger = Object.keys(asked).find(name => !classes.includes(name));
  if (stranger !== undefined)
    throw new DataError(`"classWeights" names "${stranger}", which is no class of ${path}.`);
  return Float32Array.from(classes, name => asked[name] ?? 1);
}

/** Places in training, validation and test: each class keeps its shares in each part. */
function partsOf(
  ids: Whole,
  classes: readonly string[],
  { split, shuffle, path }: ClassifyData,
  seed: number,
): [Int32Array, Int32Array, Int32Array] {
  const counts = new Int32Array(classes.length);
  for (const id of ids) counts[id]!++;
  const own = Array.from(counts, count => new Int32Array(count));
  counts.fill(0);
  for (const [place, id] of ids.entries()) own[id]![counts[id]!++] = place;
  const each = own.map((places, index) => threeParts(places, split, shuffle, seed, index));
  const joined = (which: 0 | 1 | 2) => {
    const made = new Int32Array(each.reduce((sum, parts) => sum + parts[which].length, 0));
    let at = 0;
    for (const { [which]: part } of each) {
      made.set(part, at);
      at += part.length;
    }
    return made;
  };
  const parts: [Int32Array, Int32Array, Int32Array] = [joined(0), joined(1), joined(2)];
  if (parts[0].length === 0) throw new DataError(`The training part of ${path} is empty.`);
  return parts;
}

/** The first of each class, then the second of each, until there are enough; by class. Parts are in the order of classes. */
function examplesOf(places: Int32Array, ids: Whole, classes: number): number[] {
  const rows = classes <= SHOWN_CLASSES ? Math.max(SHOWN_ROWS, classes) : SHOWN_ROWS;
  const counts = new Int32Array(classes);
  const turns: number[][] = Array.from({ length: rows }, () => []);
  for (const place of places) turns[counts[ids[place]!]!++]?.push(place);
  return turns
    .flat()
    .slice(0, rows)
    .sort((a, b) => ids[a]! - ids[b]!);
}

/** The classes by name, those that a run knows or those of the file, and the class of each sequence. */
function classesIn(
  { labels, length }: SequenceList,
  known: readonly string[] | undefined,
): { classes: string[]; ids: Whole; stranger: number | null } {
  const found = new Map<string, { id: number; place: number }>();
  const ids = new Int32Array(length);
  let place = 0;
  for (const label of labels) {
    let own = found.get(label);
    if (!own) {
      own = { id: found.size, place };
      found.set(label, own);
    }
    ids[place++] = own.id;
  }
  const classes = known ? [...known] : [...found.keys()].sort();
  const idOf = new Map(classes.map((name, id) => [name, id]));
  const moved = Int32Array.from(found.keys(), name => idOf.get(name) ?? -1);
  const strangers = [...found.values()].filter(({ id }) => moved[id]! < 0);
  return {
    classes,
    ids: wholeNumbers(length, at => moved[ids[at]!]!),
    stranger: strangers[0]?.place ?? null,
  };
}

/** What the training part alone tells. */
function fitted(
  train: () => Iterable<LabelledSequence>,
  classes: string[],
  maxLength: number,
  data: ClassifyData,
  { columns: named = [], sound, header }: Pick<LabelledTable, 'columns' | 'sound' | 'header'>,
): ClassifyArtifact {
  const { image = null } = data;
  const common = {
    task: 'classify' as const,
    label: data.label,
    header,
    image,
    arrays: data.id === undefined && data.values ? data.values : [],
    classes,
    units: data.units,
    lowercase: data.lowercase,
    maxLength,
    audio: sound
      ? { column: sound.column, rate: sound.rate, features: data.features ?? DEFAULT_FEATURES }
      : null,
  };
  if (data.text !== undefined) {
    const texts = function* () {
      for (const { values } of train()) yield cased(values as string[], data.lowercase);
    };
    const symbols = vocabularyOf(texts(), data.units, data.minCount);
    return { ...common, text: data.text, symbols, id: null, columns: [], scaling: [] };
  }
  const columns = sound ? Array.from({ length: sound.mels }, (_, band) => `mel ${band}`) : [...named];
  // pixels have one scale, so that the empty border does not become noise
  const own = image ? imageScaling(train(), columns.length) : scalingsOf(train(), columns.length);
  const scaling = sound ? soundScaling(own) : own;
  return { ...common, text: null, symbols: [], id: data.id ?? null, columns, scaling };
}

function imageScaling(train: Iterable<LabelledSequence>, width: number) {
  const [one] = scalingsOf(train, 1);
  return Array.from({ length: width }, () => one!);
}

/** Mean and deviation of each number of a step, over all steps. */
export function scalingsOf(train: Iterable<Pick<LabelledSequence, 'values'>>, width: number) {
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  let rows = 0;
  for (const { values } of train) {
    const numbers = values as Float64Array;
    for (let at = 0; at < numbers.length; at++) {
      const value = numbers[at]!;
      sums[at % width]! += value;
      squares[at % width]! += value * value;
    }
    rows += numbers.length / width;
  }
  return Array.from(sums, (sum, column) => {
    const mean = sum / rows;
    const variance = Math.max(0, squares[column]! / rows - mean * mean);
    return { mean, std: Math.sqrt(variance) || 1 };
  });
}

function cased(units: string[], lowercase: boolean): string[] {
  return lowercase ? units.map(unit => unit.toLowerCase()) : units;
}

/** Longer sequences lose their end. */
export function encodeWith(
  artifact: Pick<ClassifyArtifact, 'symbols' | 'columns' | 'scaling' | 'maxLength'> &
    Partial<Pick<ClassifyArtifact, 'lowercase'>>,
): (values: LabelledSequence['values']) => Encoded {
  const { symbols, columns, scaling, maxLength, lowercase = false } = artifact;
  const idsOf = encoder(symbols);
  const width = columns.length;
  return values => {
    if (Array.isArray(values)) return idsOf(cased(values.slice(0, maxLength), lowercase)).ids;
    const kept = values.subarray(0, Math.min(values.length, maxLength * width));
    return Float32Array.from(kept, (value, index) => {
      const { mean, std } = scaling[index % width]!;
      return (value - mean) / std;
    });
  };
}

/** Side by side, time-major, each filled with zeros behind its end. */
export function padded(
  sequences: readonly (Encoded | Uint8Array | Uint16Array)[],
  width: number,
): Omit<Batch, 'targets' | 'continues'> {
  const lengths = Int32Array.from(sequences, sequence => sequence.length / width);
  const batch = sequences.length;
  const seqLen = lengths.reduce((most, length) => Math.max(most, length), 1);
  const size = seqLen * batch * width;
  const input = sequences[0] instanceof Float32Array ? new Float32Array(size) : new Int32Array(size);
  sequences.forEach((sequence, row) => {
    if (input instanceof Float32Array)
      placeNumbers(input, sequence as Float32Array, row * width, width, batch * width);
    else placeIds(input, sequence as Int32Array, row, batch);
  });
  return { seqLen, batch, input, lengths };
}

// A step waits for its batch: these are plain loops over arrays of one kind each, since a view of every step costs more
// than what it holds, and loops over several kinds are not compiled well.
function placeIds(input: Int32Array, sequence: Int32Array, from: number, stride: number): void {
  for (let t = 0, to = from; t < sequence.length; t++, to += stride) input[to] = sequence[t]!;
}

function placeNumbers(
  input: Float32Array,
  sequence: Float32Array,
  begin: number,
  width: number,
  stride: number,
): void {
  // eight at a time, which takes little more than half as long
  const most = width - (width % 8);
  for (let from = 0, to = begin; from < sequence.length; from += width, to += stride) {
    let k = 0;
    for (; k < most; k += 8) {
      input[to + k] = sequence[from + k]!;
      input[to + k + 1] = sequence[from + k + 1]!;
      input[to + k + 2] = sequence[from + k + 2]!;
      input[to + k + 3] = sequence[from + k + 3]!;
      input[to + k + 4] = sequence[from + k + 4]!;
      input[to + k + 5] = sequence[from + k + 5]!;
      input[to + k + 6] = sequence[from + k + 6]!;
      input[to + k + 7] = sequence[from + k + 7]!;
    }
    for (; k < width; k++) input[to + k] = sequence[from + k]!;
  }
}

function scoreClasses(outputs: Tensor3D, { targets, batch }: Batch, score: Score): void {
  const loss = softmaxCrossEntropy(outputs, targets as Int32Array, null);
  score.lossSum += loss.dataSync()[0]! * batch;
  score.count += batch;
  const logits = outputs.dataSync() as Float32Array;
  const classes = logits.length / batch;
  const add = (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
  for (let row = 0; row < batch; row++) {
    const isRight = best(logits, row, classes) === targets[row] ? 1 : 0;
    add('right', isRight);
    add(`of ${targets[row]}`, 1);
    add(`right ${targets[row]}`, isRight);
  }
}

/** Balanced: the mean over the classes that were seen. */
function figuresOf({ sums, count: all }: Score, classes: number): Record<string, number> {
  let [recall, seen] = [0, 0];
  for (let index = 0; index < classes; index++) {
    const own = sums[`of ${index}`] ?? 0;
    if (own === 0) continue;
    recall += (sums[`right ${index}`] ?? 0) / own;
    seen++;
  }
  return { accuracy: (sums['right'] ?? 0) / all, balancedAccuracy: recall / seen };
}

/** Its series are rows of single numbers, a column a step; older runs read each such row as one step. */
export function isWide({ arrays, columns }: Pick<ClassifyArtifact, 'arrays' | 'columns'>): boolean {
  return arrays.length > 1 && columns.length === 1;
}

/** The softmax of a row, at one class. */
function probabilityOf(logits: ArrayLike<number>, row: number, index: number, classes: number): number {
  const from = row * classes;
  const highest = logits[from + best(logits, row, classes)]!;
  let sum = 0;
  for (let at = 0; at < classes; at++) sum += Math.exp(logits[from + at]! - highest);
  return Math.exp(logits[from + index]! - highest) / sum;
}

function baselineLoss(train: Int32Array, valid: Int32Array, ids: Whole, classes: number): number {
  const counts = new Float64Array(classes);
  for (const place of train) counts[ids[place]!]!++;
  const total = valid.reduce((sum, place) => sum - Math.log(counts[ids[place]!]! / train.length), 0);
  return total / valid.length;
}

function describe(
  data: ClassifyData,
  { steps, ids, classes }: { steps: Whole; ids: Whole; classes: readonly string[] },
  artifact: ClassifyArtifact,
): string[] {
  const what = data.text === undefined ? 'step' : data.units.slice(0, -1);
  const counts = classes.map(name => ({ name, own: 0 }));
  for (const id of ids) counts[id]!.own++;
  counts.sort((a, b) => b.own - a.own);
  const shown = counts
    .slice(0, 20)
    .map(({ name, own }) => `${name} ${((100 * own) / ids.length).toFixed(1)} %`);
  const notes = [
    `${lengthsNote(steps, what)}, ${plural(classes.length, 'class', 'classes')}: ${shown.join(', ')}${counts.length > 20 ? ', …' : ''}.`,
  ];
  if (data.text !== undefined && data.units !== 'bytes')
    notes.push(
      `${plural(artifact.symbols.length - 1, `different ${what}`)} in the training part; all others are one unknown symbol.`,
    );
  notes.push(...caseNote(classes, 'classes'), ...lookalikeNotes(classes, 'classes'));
  notes.push(...lookalikeNotes(artifact.symbols, 'symbols'));
  let cut = 0;
  for (const own of steps) if (own > artifact.maxLength) cut++;
  if (cut > 0)
    notes.push(
      `${plural(cut, 'sequence loses its', 'sequences lose their')} end behind ${plural(artifact.maxLength, what)}.`,
    );
  for (const [part, share] of [
    ['validation', data.split[1]],
    ['test', data.split[2]],
  ] as const) {
    // as the parts are cut
    const rare = counts.filter(({ own }) => Math.floor(own * share + 1e-9) < 1 && share > 0);
    if (rare.length === 0) continue;
    notes.push(
      `${plural(rare.length, 'class is', 'classes are')} too rare for the ${part} part: ${rare
        .slice(0, 5)
        .map(({ name }) => name)
        .join(', ')}.`,
    );
  }
  return notes;
}

function shownText({ values, steps, file }: LabelledSequence): string {
  if (file) return file;
  if (!Array.isArray(values)) return plural(steps, 'step');
  const isSpaced = values.some(unit => [...unit].length > 1);
  const text = values.join(isSpaced ? ' ' : '');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}

const name = z.string().max(10_000);
const column = z.union([name, z.int().min(0)]);

const artifact = z.object({
  task: z.literal('classify'),
  label: column,
  header: z.boolean().default(true),
  classes: z.array(name).min(2).max(100_000),
  units: z.enum(['characters', 'words', 'bytes']),
  lowercase: z.boolean().default(false),
  maxLength: z.int().min(1).max(10_000_000),
  /** of texts: the column, and the units by id */
  text: column.nullable(),
  symbols: z.array(name).max(10_000_000),
  /** of series: the column that tells which rows belong together, those of numbers, and the scaling of each */
  id: column.nullable(),
  columns: z.array(name).max(10_000),
  scaling: z.array(z.object({ mean: z.number(), std: z.number().gt(0) })).max(10_000),
  /** of sounds; null for other inputs, and in older runs */
  audio: soundArtifact.nullable().default(null),
  /** of series that are arrays: the columns that hold them */
  arrays: z.array(column).max(10_000).default([]),
  image: z
    .object({ width: z.int().min(1).max(1_000_000), by: z.enum(['rows', 'pixels']), header: z.boolean() })
    .nullable()
    .default(null),
});

export type ClassifyArtifact = z.output<typeof artifact>;

function sizesFor({ symbols, columns, classes, text, maxLength }: ClassifyArtifact) {
  const input =
    text === null
      ? ({ kind: 'vectors', features: columns.length } as const)
      : ({ kind: 'tokens', vocabulary: symbols.length } as const);
  return { input, outputs: classes.length, steps: maxLength };
}

/** What it has read so far is answered after each step. */
function stepsOf(own: ClassifyArtifact): Stepping | string {
  const { classes, columns, units, audio, text } = own;
  if (audio) return 'it hears sounds, which are read whole';
  const encode = encodeWith({ ...own, maxLength: Number.POSITIVE_INFINITY });
  return {
    reads:
      text === null
        ? `an object of numbers by column, or an array of ${columns.slice(0, 8).join(', ')}${columns.length > 8 ? ', …' : ''}`
        : `a text; each of its ${units} is a step`,
    begin: () => ({
      read(input) {
        if (text === null) return [encode(Float64Array.from(numbersInput(input, columns))) as Float32Array];
        const parts = unitsOf(
          textInput(input, own => unitsOf(own, units).length),
          units,
        );
        if (parts.length === 0) throw new DataError(`"input" holds no ${units}.`);
        return Array.from(encode(parts), id => Int32Array.of(id));
      },
      answer(outputs) {
        const likely = likeliest(outputs).map(({ id, probability }) => ({
          class: classes[id]!,
          probability,
        }));
        return { prediction: likely[0]!.class, probability: likely[0]!.probability, likely };
      },
    }),
  };
}

export const classify: TaskModule<'classify', typeof artifact> = {
  artifact,
  open: (experiment, data, place, known) =>
    classifyTask(experiment, data, locateData(data.path, place, true), place, known),
  stepping: own => stepsOf(own),
  sizes: own => sizesFor(own),
  fault({ text, symbols, columns, scaling }) {
    if (text !== null) return symbols.length > 0 ? null : 'it has no symbols';
    return columns.length > 0 && scaling.length === columns.length
      ? null
      : 'it has no scaling for a column the model reads';
  },
};
