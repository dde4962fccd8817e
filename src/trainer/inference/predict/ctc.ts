// What a trained model hears or reads in the rows of a table: its labels with their alignment; where the file has the
// targets, the label error rate.
import { basename, parse } from 'node:path';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { isSound } from '../../data/readers/folder.ts';
import { columnsIn } from '../../data/records.ts';
import type { Model } from '../../layers/model.ts';
import { answered, batchOf, type CtcArtifact, columnsFor, encodeWith } from '../../tasks/ctc.ts';
import { editDistance } from '../../tasks/edit-distance.ts';
import { readLabelled, type SequenceList } from '../../tasks/labelled.ts';
import { unitsOf } from '../../tasks/units.ts';
import { blocksOf } from './batches.ts';
import { type DecodeOptions, type Predicted, type Row, Rows } from './predictor.ts';

const BATCH = 64;

export async function predictUnaligned(
  model: Model,
  artifact: CtcArtifact,
  path: string,
  { beams = 1, sink }: DecodeOptions = {},
): Promise<Predicted> {
  const { sequences, notes, hasLabel } = await unalignedOf(artifact, path);
  const encode = encodeWith(artifact);
  const rows = new Rows(
    [
      'line',
      ...(artifact.audio ? ['file'] : []),
      ...(hasLabel ? ['truth'] : []),
      'prediction',
      'alignment',
      'steps',
      ...(beams > 1 ? ['logProbability'] : []),
    ],
    sink,
  );
  let [right, edits, labels] = [0, 0, 0];
  for (const { from, batches } of blocksOf(sequences.steps.slice(0, sequences.length), BATCH)) {
    const block: Row[] = [];
    for (const places of batches) {
      const own = places.map(place => sequences.at(place));
      const batch = batchOf(
        own.map(({ values }) => encode({ values, label: '' })),
        artifact,
      );
      const answers = answered(model, batch, artifact, beams);
      own.forEach(({ line, label, file }, row) => {
        const { labels: said, text, ...rest } = answers[row]!;
        const truth = unitsOf(label, artifact.units);
        const distance = editDistance(said, truth);
        if (distance === 0) right++;
        edits += distance;
        labels += truth.length;
        block[places[row]! - from] = {
          line,
          ...(file ? { file } : {}),
          ...(hasLabel ? { truth: label } : {}),
          prediction: text,
          ...rest,
        };
      });
    }
    await rows.add(block);
  }
  const [rate, accuracy] = [edits / labels, right / rows.count];
  return {
    columns: rows.columns,
    rows: rows.kept,
    next: [],
    notes,
    facts: hasLabel
      ? { labelErrorRate: rate, sequenceAccuracy: accuracy }
      : { labelErrorRate: null, sequenceAccuracy: null },
    summary: hasLabel
      ? `Label error rate ${(100 * rate).toFixed(1)} %; ${plural(right, 'sequence')} of ${rows.count.toLocaleString('en-US')} right: ${(100 * accuracy).toFixed(1)} %.`
      : null,
  };
}

/** A file without the column of targets is read too. @throws DataError */
export async function unalignedOf(
  artifact: CtcArtifact,
  path: string,
): Promise<{ sequences: SequenceList; notes: string[]; hasLabel: boolean }> {
  const name = basename(path);
  const isOne = artifact.audio !== null && isSound(path);
  const hasLabel =
    !isOne &&
    (
      await columnsIn(
        path,
        name,
        artifact.header,
        [artifact.text ?? artifact.id ?? artifact.audio?.column].filter(column => typeof column === 'string'),
      )
    ).includes(String(artifact.target));
  const { sequences, notes } = await readLabelled(
    path,
    columnsFor(artifact, name, parse(path).root || '/', hasLabel ? artifact.target : null),
  );
  if (sequences.length === 0) throw new DataError(`${name} holds no sequence.`);
  return { sequences, notes, hasLabel };
}
