// What a trained classifier says of the rows of a table; where it has the column of classes, how often that is right.
import { basename, parse } from 'node:path';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { isSound } from '../../data/readers/folder.ts';
import { columnsIn } from '../../data/records.ts';
import type { Model } from '../../layers/model.ts';
import { type ClassifyArtifact, encodeWith, isWide, padded } from '../../tasks/classify.ts';
import { readLabelled, type SequenceList } from '../../tasks/labelled.ts';
import { soundColumnOf } from '../../tasks/sounds.ts';
import { answersOf, best } from '../../tasks/values.ts';
import { blocksOf } from './batches.ts';
import { type DecodeOptions, type Predicted, type Row, Rows } from './predictor.ts';

const BATCH = 128;

export async function predictClasses(
  model: Model,
  artifact: ClassifyArtifact,
  path: string,
  { sink }: DecodeOptions = {},
): Promise<Predicted> {
  const { classes, columns } = artifact;
  const { sequences, notes, hasLabel } = await sequencesOf(artifact, path);
  const encode = encodeWith(artifact);
  const width = columns.length || 1;
  const hasFiles = artifact.audio !== null;
  const rows = new Rows(
    ['line', ...(hasFiles ? ['file'] : []), ...(hasLabel ? ['truth'] : []), 'prediction', 'probability'],
    sink,
  );
  let right = 0;
  for (const { from, batches } of blocksOf(sequences.steps.slice(0, sequences.length), BATCH)) {
    const block: Row[] = [];
    for (const places of batches) {
      const own = places.map(place => sequences.at(place));
      const batch = padded(
        own.map(({ values }) => encode(values)),
        width,
      );
      const logits = answersOf(model, { ...batch, targets: new Int32Array(0), continues: false });
      own.forEach(({ line, label: truth, file }, row) => {
        const winner = best(logits, row, classes.length);
        const prediction = classes[winner]!;
        if (prediction === truth) right++;
        const probability = softmaxAt(
          logits.subarray(row * classes.length, (row + 1) * classes.length),
          winner,
        );
        block[places[row]! - from] = {
          line,
          ...(hasFiles && { file: file! }),
          ...(hasLabel && { truth }),
          prediction,
          probability,
        };
      });
    }
    await rows.add(block);
  }
  return {
    columns: rows.columns,
    rows: rows.kept,
    next: [],
    notes,
    facts: { accuracy: hasLabel ? right / rows.count : null },
    summary: hasLabel
      ? `${plural(right, 'sequence')} of ${rows.count.toLocaleString('en-US')} right: accuracy ${((100 * right) / rows.count).toFixed(1)} %.`
      : null,
  };
}

/** A file without the column of classes is read too. @throws DataError */
export async function sequencesOf(
  artifact: ClassifyArtifact,
  path: string,
): Promise<{ sequences: SequenceList; notes: string[]; hasLabel: boolean }> {
  const name = basename(path);
  const { label, text, id, columns, units, audio, image, arrays, header } = artifact;
  const found =
    audio && isSound(path)
      ? []
      : await columnsIn(
          path,
          name,
          image ? image.header && header : header,
          [text ?? id ?? audio?.column].filter(column => typeof column === 'string'),
        );
  const hasLabel =
    image && typeof label === 'number'
      ? found.length !== pixelsOf(artifact)
      : typeof label === 'number'
        ? label < found.length
        : found.includes(label);
  const { sequences, notes } = await readLabelled(path, {
    path: name,
    units,
    text: text ?? undefined,
    id: id ?? undefined,
    values: image || text !== null ? undefined : arrays.length > 0 ? arrays : columns,
    isWide: isWide(artifact),
    image: image ?? undefined,
    audio: audio ? soundColumnOf(audio, parse(path).root || '/') : undefined,
    label: hasLabel ? label : null,
    header,
  });
  if (sequences.length === 0) throw new DataError(`${name} holds no sequence.`);
  return { sequences, notes, hasLabel };
}

/** Columns of an image without its class; those of a shortened one are not known. */
function pixelsOf({ columns, maxLength }: ClassifyArtifact): number {
  return columns.length * maxLength;
}

function softmaxAt(logits: Float32Array, index: number): number {
  const most = logits.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  return Math.exp(logits[index]! - most) / total;
}
