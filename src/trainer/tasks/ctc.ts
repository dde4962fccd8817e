// Unaligned labels: A. Graves et al., 2006, https://doi.org/10.1145/1143844.1143891. A sequence of sounds, numbers or text
// is read, and at each step the model says a label or the blank (class 0); the loss is over all alignments, in nats a label.
// Label error rate: insertions, deletions and substitutions of the greedy answer for each label of the truth. Baseline: the
// shares of the labels and the blank, at every step.
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import { DEFAULT_FEATURES } from '../../experiment/tasks/features.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { count, plural } from '../../experiment/words.ts';
import { BadRows } from '../data/bad-rows.ts';
import { DataError } from '../data/errors.ts';
import { type DataPlace, locateData } from '../data/locate.ts';
import { lookalikeNotes } from '../data/lookalikes.ts';
import {
  Column,
  countedTo,
  kindFor,
  mostOf,
  Records,
  Storage,
  those,
  type Whole,
  wholeNumbers,
} from '../data/storage.ts';
import { UNKNOWN } from '../data/text.ts';
import type { Batch } from '../layers/batch.ts';
import type { Model } from '../layers/model.ts';
import {
  alignmentOf,
  beamLabels,
  collapsed,
  greedyPath,
  logSharesOf,
  repeatsIn,
  shownAlignment,
} from './alignments.ts';
import { encodeWith as encodeInputs, padded, scalingsOf } from './classify.ts';
import {
  keyOf,
  type LabelledColumns,
  type LabelledSequence,
  type LabelledTable,
  leftOut,
  lengthsNote,
  readLabelled,
  type SequenceList,
  SHOWN_LINES,
} from './labelled.ts';
import type { TaskModule } from './module.ts';
import { repeatedNote, sequenceBatches, threeParts } from './sequence-batches.ts';
import { soundArtifact, soundColumnOf, soundScaling } from './sounds.ts';
import type { Task } from './task.ts';
import {
  baselineOf,
  labelCount,
  scoreUnaligned,
  targetsOf,
  unalignedFigures,
  unalignedLoss,
} from './unaligned.ts';
import { encoder, type Units, unitsOf, vocabularyOf } from './units.ts';
import { answersOf } from './values.ts';

type CtcData = DataOf<'ctc'>;

const SHOWN_ROWS = 8;
const SHOWN_CHARACTERS = 80;
/** The first of the labels: no label. */
export const BLANK = '<blank>';

interface Encoded {
  values: Int32Array | Float32Array | Uint16Array | Uint8Array;
  labels: Int32Array | Uint16Array | Uint8Array;
  steps: number;
}

export async function ctcTask(
  experiment: Experiment,
  data: CtcData,
  path: string,
  place: DataPlace,
  known: CtcArtifact | null,
): Promise<Task> {
  const { storage = new Storage() } = place;
  const table = await readLabelled(path, {
    ...columnsOf(data, place, known?.audio?.rate ?? null),
    part: place.part,
    storage,
  });
  const { batchSize, seed, validation } = experiment.training;
  const { kept, notes, bad } = usable(table.sequences, data);
  const skipped = (table.skipped ?? 0) + bad.count;
  if (kept.length === 0) throw new DataError(`${data.path} holds no sequence to learn from.`);
  const [train, valid, test] = threeParts(countedTo(kept.length), data.split, data.shuffle, seed);
  if (train.length === 0) throw new DataError(`The training part of ${data.path} is empty.`);
  const sequenceAt = (index: number) => table.sequences.at(kept[index]!);
  const steps = wholeNumbers(kept.length, index => table.sequences.steps.get(kept[index]!));
  const artifact =
    known ??
    fitted(
      () =>
        those(
          table.sequences,
          train.map(index => kept[index]!),
          storage,
        ),
      mostOf(steps, 0),
      data,
      table,
    );
  const encode = encodeWith(artifact);
  const isText = artifact.text !== null;
  const encoded = {
    values: new Records(isText ? kindFor(artifact.inputSymbols.length) : Float32Array, storage),
    labels: new Records(kindFor(artifact.symbols.length), storage),
  };
  for (const sequence of those(table.sequences, kept, storage)) {
    const { values, labels } = encode(sequence);
    encoded.values.add(values);
    encoded.labels.add(labels);
  }
  const encodedAt = (index: number): Encoded => ({
    values: encoded.values.at(index),
    labels: encoded.labels.at(index),
    steps: steps[index]!,
  });
  const labelsIn = function* (places: Int32Array) {
    for (const index of places) yield { labels: encoded.labels.at(index), steps: steps[index]! };
  };
  const trainSteps = train.reduce((sum, index) => sum + steps[index]!, 0);
  const batches = sequenceBatches(train, index => steps[index]!, {
    batchSize,
    seed,
    bucketed: data.batching === 'buckets',
    maxTokens: experiment.training.maxTokens,
  });
  const { size } = batches;
  const cut = (places: readonly number[]) => batchOf(places.map(encodedAt), artifact);
  const held = function* (places: ArrayLike<number>, most: number) {
    for (const batch of batches.held(places, most)) yield cut(batch);
  };
  const validPlaces = valid.length > 0 ? valid : train;
  const shown = Array.from(validPlaces.slice(0, SHOWN_ROWS));
  const unknown = artifact.symbols.indexOf(UNKNOWN);

  return {
    facts: {
      name: 'ctc',
      lossUnit: 'nats/label',
      baseline: {
        loss: baselineOf(labelsIn(train), labelsIn(validPlaces), artifact.symbols.length),
        name: 'label frequencies alone',
      },
      seqLen: artifact.maxLength,
      batchSize: size,
      tokensPerStep: Math.round((size * trainSteps) / train.length),
      notes: [
        ...describe(steps, lengthsOf(encoded.labels), artifact),
        ...lookalikeNotes(artifact.symbols, 'labels'),
        ...lookalikeNotes(artifact.inputSymbols, 'symbols'),
        ...batches.notes(),
        // keys of all sequences do not fit where the sequences do not
        ...(storage.isWhole
          ? repeatedNote(
              Array.from(kept, own => keyOf(table.sequences.at(own))),
              train,
              [...valid, ...test],
              'sequence',
            )
          : []),
        ...table.notes,
        ...notes,
      ],
    },
    read: { rows: table.sequences.length, ...(skipped > 0 ? { skipped } : {}) },
    files: table.files,
    sizes: sizesFor(artifact),
    outputs: 'every-step',
    stream: false,
    trainingBatch: step => cut(batches.places(step)),
    epochOf: batches.epochOf,
    maxTokens: batches.maxTokens,
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => held(valid, validation.maxBatches),
    test: () => held(test, Number.POSITIVE_INFINITY),
    all: () => held(countedTo(kept.length), Number.POSITIVE_INFINITY),
    loss: unalignedLoss,
    answers: labelCount,
    score: (outputs, batch, score) => scoreUnaligned(outputs, batch, score, unknown < 0 ? null : unknown),
    metrics: unalignedFigures,
    *sample(model) {
      yield;
      const answers = answered(model, cut(shown), artifact, 1);
      const rows = shown.map((index, row) => {
        const { label, values, file, steps } = sequenceAt(index);
        return {
          source: short(file ?? (Array.isArray(values) ? values.join('') : plural(steps, 'step'))),
          truth: short(label),
          prediction: short(answers[row]!.text),
          alignment: short(answers[row]!.alignment),
        };
      });
      return { type: 'decoded', rows };
    },
    artifact: () => artifact,
  };
}

/** `rate`: of a run that is used; null: that of the first sound. */
function columnsOf(data: CtcData, place: DataPlace, rate: number | null): LabelledColumns {
  const { path, audio, features = DEFAULT_FEATURES, text, textUnits, values, id, target } = data;
  const { onError, header } = data;
  return {
    header,
    ...{ path, text, values, id, units: textUnits, label: target, labelName: 'target', onError },
    audio: audio === undefined ? undefined : { column: audio, features, rate, place },
  };
}

/** Sequences with fewer steps than their labels need are refused: no alignment gives these, and the loss is infinite. */
function usable(
  sequences: SequenceList,
  { path, units, onError, maxLength = Number.POSITIVE_INFINITY }: CtcData,
): { kept: Int32Array; notes: string[]; bad: BadRows } {
  const bad = new BadRows(onError);
  const kept = new Column(Int32Array, sequences.storage);
  const empty = { count: 0, first: [] as number[] };
  let [place, left] = [-1, 0];
  for (const sequence of sequences) {
    place++;
    if (sequence.steps > maxLength) {
      left++;
      continue;
    }
    const labels = unitsOf(sequence.label, units);
    const repeats = repeatsIn(labels);
    const needed = labels.length + repeats;
    if (needed <= sequence.steps) {
      if (labels.length > 0) kept.push(place);
      else if (empty.count++ < SHOWN_LINES) empty.first.push(sequence.line);
      continue;
    }
    const named = `${sequence.file ? `${sequence.file} has` : `there ${sequence.steps === 1 ? 'is' : 'are'}`} ${plural(sequence.steps, 'step')}`;
    const why = repeats > 0 ? ` and a blank between ${plural(repeats, 'pair')} of equal ones` : '';
    bad.report(
      `${path}, line ${sequence.line}: the target has ${plural(labels.length, units.slice(0, -1))}${why}, which takes ${plural(needed, 'step')}, but ${named}. CTC needs a step for each; shorten the target, or leave the row out.`,
    );
  }
  return {
    kept: kept.slice(0, kept.length),
    bad,
    notes: [
      ...bad.notes(),
      ...(left > 0
        ? [
            `${plural(left, 'sequence')} longer than ${count(maxLength)} steps ${left === 1 ? 'is' : 'are'} left out.`,
          ]
        : []),
      ...leftOut(empty, 'target has', 'targets have', `no ${units.slice(0, -1)}`),
    ],
  };
}

/** Labels, symbols and scaling come from the training part alone. */
function fitted(
  train: () => Iterable<LabelledSequence>,
  maxLength: number,
  data: CtcData,
  { sound, header, columns: named = [] }: LabelledTable,
): CtcArtifact {
  const { target, units, minCount, text, textUnits, id = null, features = DEFAULT_FEATURES } = data;
  const labels = function* () {
    for (const { label } of train()) yield unitsOf(label, units);
  };
  const inputs = function* () {
    for (const { values } of train()) yield values as string[];
  };
  const columns = sound ? Array.from({ length: sound.mels }, (_, band) => `mel ${band}`) : [...named];
  const scaling = columns.length > 0 ? scalingsOf(train(), columns.length) : [];
  return {
    task: 'ctc',
    target,
    header,
    units,
    symbols: [BLANK, ...vocabularyOf(labels(), units, minCount)],
    maxLength,
    text: text ?? null,
    textUnits,
    inputSymbols: text === undefined ? [] : vocabularyOf(inputs(), textUnits, 1),
    id,
    columns,
    scaling: sound ? soundScaling(scaling) : scaling,
    audio: sound ? { column: sound.column, rate: sound.rate, features } : null,
  };
}

export function encodeWith(artifact: CtcArtifact): (sequence: Pick<LabelledSequence, 'values' | 'label'>) => {
  values: Int32Array | Float32Array;
  labels: Int32Array;
  steps: number;
} {
  const { inputSymbols, columns, scaling, symbols, units } = artifact;
  const read = encodeInputs({ symbols: inputSymbols, columns, scaling, maxLength: Number.POSITIVE_INFINITY });
  const idsOf = encoder(symbols);
  return ({ values, label }) => {
    const encoded = read(values);
    return {
      values: encoded,
      labels: idsOf(unitsOf(label, units)).ids,
      steps: encoded.length / (columns.length || 1),
    };
  };
}

export function batchOf(encoded: readonly Encoded[], { columns }: CtcArtifact): Batch {
  const read = padded(
    encoded.map(({ values }) => values),
    columns.length || 1,
  );
  const targets = targetsOf(
    encoded.map(({ labels }) => labels),
    read.seqLen,
  );
  return { ...read, targets, continues: false };
}

export interface Answer {
  labels: string[];
  text: string;
  /** each run of the path once, blanks as "_" */
  alignment: string;
  /** the first step of each label */
  steps: string;
  /** over all alignments; of beam search alone */
  logProbability?: number;
}

/** `beams` 1: the likeliest path; more: the labels of the largest probability over all of their paths. */
export function answered(model: Model, batch: Batch, artifact: CtcArtifact, beams: number): Answer[] {
  const logits = answersOf(model, batch, 'every-step');
  const { symbols, units } = artifact;
  return Array.from({ length: batch.batch }, (_, row) => {
    const steps = batch.lengths?.[row] ?? batch.seqLen;
    const shares = logSharesOf(logits, { steps, batch: batch.batch, row, classes: symbols.length });
    const found = beams > 1 ? beamLabels(shares, beams) : { labels: collapsed(greedyPath(shares)) };
    const path = beams > 1 ? alignmentOf(shares, found.labels)! : greedyPath(shares);
    const labels = found.labels.map(label => symbols[label]!);
    const isBytes = units === 'bytes';
    return {
      labels,
      text: isBytes
        ? Buffer.from(labels.map(Number)).toString('utf8')
        : labels.join(units === 'words' ? ' ' : ''),
      ...shownAlignment(path, label => symbols[label]!, units === 'characters' ? '' : ' '),
      ...('logProbability' in found ? { logProbability: found.logProbability } : {}),
    };
  });
}

function lengthsOf(labels: Records<ReturnType<typeof kindFor>>): Int32Array {
  const lengths = new Int32Array(labels.length);
  let at = 0;
  for (const own of labels) lengths[at++] = own.length;
  return lengths;
}

function describe(
  steps: Whole,
  labels: Int32Array,
  { symbols, units, text, textUnits, inputSymbols }: CtcArtifact,
): string[] {
  const one = (of: Units) => of.slice(0, -1);
  const notes = [
    `${lengthsNote(
      steps,
      text === null ? 'step' : one(textUnits),
    )}; targets: ${lengthsNote(labels, one(units))}.`,
  ];
  if (units !== 'bytes')
    notes.push(
      `${plural(symbols.length - 2, 'different label')} in the training part; all others are one unknown label.`,
    );
  if (text !== null && textUnits !== 'bytes')
    notes.push(
      `${plural(inputSymbols.length - 1, `different ${one(textUnits)}`)} in the texts of the training part; all others are one unknown symbol.`,
    );
  return notes;
}

function short(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}

const name = z.string().max(10_000);
const column = z.union([name, z.int().min(0)]);
const units = z.enum(['characters', 'words', 'bytes']);

const artifact = z.object({
  task: z.literal('ctc'),
  target: column,
  header: z.boolean().default(true),
  units,
  /** labels by class, the blank first */
  symbols: z.array(name).min(2).max(1_000_000),
  maxLength: z.int().min(1).max(10_000_000),
  /** of texts: the column, and the units by id */
  text: column.nullable(),
  textUnits: units,
  inputSymbols: z.array(name).max(10_000_000),
  /** of series: the column that tells which rows belong together; of numbers: their names and scaling */
  id: column.nullable(),
  columns: z.array(name).max(10_000),
  scaling: z.array(z.object({ mean: z.number(), std: z.number().gt(0) })).max(10_000),
  audio: soundArtifact.nullable(),
});

export type CtcArtifact = z.output<typeof artifact>;

/** The columns of a file that is predicted; `target` null: it has none. */
export function columnsFor(
  artifact: CtcArtifact,
  path: string,
  root: string,
  target: string | number | null,
): LabelledColumns {
  const { text, id, columns, textUnits, audio } = artifact;
  return {
    path,
    header: artifact.header,
    units: textUnits,
    text: text ?? undefined,
    id: id ?? undefined,
    values: columns,
    audio: audio ? soundColumnOf(audio, root) : undefined,
    label: target,
    labelName: 'target',
  };
}

function sizesFor({ text, inputSymbols, columns, symbols, maxLength }: CtcArtifact) {
  const input =
    text === null
      ? ({ kind: 'vectors', features: columns.length } as const)
      : ({ kind: 'tokens', vocabulary: inputSymbols.length } as const);
  return { input, outputs: symbols.length, steps: maxLength };
}

export const ctc: TaskModule<'ctc', typeof artifact> = {
  artifact,
  open: (experiment, data, place, known) =>
    ctcTask(experiment, data, locateData(data.path, place), place, known),
  sizes: own => sizesFor(own),
  fault({ symbols, text, inputSymbols, columns, scaling }) {
    if (symbols[0] !== BLANK) return 'its labels do not begin with the blank';
    if (text !== null) return inputSymbols.length > 0 ? null : 'it has no symbols';
    return columns.length > 0 && scaling.length === columns.length
      ? null
      : 'it has no scaling for a column the model reads';
  },
};
