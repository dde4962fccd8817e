// What a trained classifier says of the rows of a table; where it has the column of classes, how often that is right.
import { basename, parse } from 'node:path';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { columnsIn } from '../../data/records.ts';
import type { Model } from '../../layers/model.ts';
import { type ClassifyArtifact, encodeWith, padded } from '../../tasks/classify.ts';
import { type LabelledSequence, readLabelled } from '../../tasks/labelled.ts';
import { soundColumnOf } from '../../tasks/sounds.ts';
import { answersOf, best } from '../../tasks/values.ts';
import { longestFirst } from './batches.ts';
import type { Predicted, Row } from './predictor.ts';

const BATCH = 128;

export async function predictClasses(
  model: Model,
  artifact: ClassifyArtifact,
  path: string,
): Promise<Predicted> {
  const { classes, columns } = artifact;
  const { sequences, notes, hasLabel } = await sequencesOf(artifact, path);
  const encode = encodeWith(artifact);
  const width = columns.length || 1;
  const rows: Row[] = [];
  let right = 0;
  // told in the order of the file
  for (const places of longestFirst(
    sequences.map(({ steps }) => steps),
    BATCH,
  )) {
    const batch = padded(
      places.map(place => encode(sequences[place]!.values)),
      width,
    );
    const logits = answersOf(model, { ...batch, targets: new Int32Array(0), continues: false });
    places.forEach((place, row) => {
      const { line, label: truth } = sequences[place]!;
      const winner = best(logits, row, classes.length);
      const prediction = classes[winner]!;
      if (prediction === truth) right++;
      const probability = softmaxAt(
        logits.subarray(row * classes.length, (row + 1) * classes.length),
        winner,
      );
      rows[place] = { line, ...(hasLabel ? { truth } : {}), prediction, probability };
    });
  }
  return {
    columns: ['line', ...(hasLabel ? ['truth'] : []), 'prediction', 'probability'],
    rows,
    next: [],
    notes,
    facts: { accuracy: hasLabel ? right / rows.length : null },
    summary: hasLabel
      ? `${plural(right, 'sequence')} of ${rows.length.toLocaleString('en-US')} right: accuracy ${((100 * right) / rows.length).toFixed(1)} %.`
      : null,
  };
}

/** A file without the column of classes is read too. @throws DataError */
export async function sequencesOf(
  artifact: ClassifyArtifact,
  path: string,
): Promise<{ sequences: LabelledSequence[]; notes: string[]; hasLabel: boolean }> {
  const name = basename(path);
  const { label, text, id, columns, units, audio, image, arrays, header } = artifact;
  const found = await columnsIn(path, name, image ? image.header && header : header);
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
    image: image ?? undefined,
    audio: audio ? soundColumnOf(audio, parse(path).root || '/') : undefined,
    label: hasLabel ? label : null,
    header,
  });
  if (sequences.length === 0) throw new DataError(`${name} holds no sequence.`);
  return { sequences: [...sequences], notes, hasLabel };
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
