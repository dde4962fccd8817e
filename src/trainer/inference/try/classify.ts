// The class of one text, series or sound.
import type { ClassifyArtifact } from '../../tasks/classify.ts';
import { encodeWith, padded } from '../../tasks/classify.ts';
import type { LabelledSequence } from '../../tasks/labelled.ts';
import { likeliest } from '../../tasks/stepping.ts';
import { unitsOf } from '../../tasks/units.ts';
import { answersOf } from '../../tasks/values.ts';
import { sequencesOf } from '../predict/classify.ts';
import { look } from './look.ts';
import {
  type Given,
  NOTHING,
  rowOf,
  type Said,
  type TryContext,
  type Tryer,
  typed,
  typedNumbers,
} from './tryer.ts';

export const tryClasses: Tryer<ClassifyArtifact> = async (model, artifact, given, context) => {
  const { classes, columns } = artifact;
  const { values, ...about } = await inputOf(artifact, given, context);
  const read = encodeWith(artifact)(values);
  const batch = {
    ...padded([read], columns.length || 1),
    targets: new Int32Array(0),
    continues: false,
  };
  const likely = likeliest(answersOf(model, batch)).map(({ id, probability }) => ({
    label: classes[id]!,
    probability,
  }));
  const { states } = look(model, batch, context.run, { steps: Array.isArray(values) ? values : [] });
  return { ...NOTHING, ...about, answer: likely[0]!.label, of: 'class', likely, states };
};

type Input = Pick<LabelledSequence, 'values'> & Pick<Said, 'input' | 'truth' | 'row' | 'rows' | 'notes'>;

async function inputOf(artifact: ClassifyArtifact, given: Given, context: TryContext): Promise<Input> {
  const { text, units, columns, audio } = artifact;
  const plain = { truth: null, row: null, rows: null, notes: [] };
  if (given.row !== undefined) {
    const { sequences, notes, hasLabel } = await sequencesOf(artifact, context.dataFile());
    const { values, label, file } = rowOf(sequences, given.row, 'sequence');
    const truth = hasLabel ? label : null;
    return {
      values,
      input: shown(values, units, columns, file),
      truth,
      row: given.row,
      rows: sequences.length,
      notes,
    };
  }
  if (audio) {
    const { sequences, notes } = await sequencesOf(artifact, soundTable(audio.column, given, context));
    const { values } = sequences[0]!;
    return { ...plain, values, input: shown(values, units, columns, given.sound), notes };
  }
  if (text !== null) {
    const input = typed(given, 'a text');
    return { ...plain, values: unitsOf(input, units), input };
  }
  const values = typedNumbers(given, columns);
  return { ...plain, values, input: shown(values, units, columns) };
}

/** A table that names the chosen sound. @throws InputError where none was chosen */
export function soundTable(column: string, { sound, text }: Given, context: TryContext): string {
  if (sound === undefined)
    typed({ text: text === undefined ? '' : undefined }, 'nothing, but choose a WAV file');
  return context.write('sound.jsonl', JSON.stringify({ [column]: sound }));
}

export function shown(
  values: LabelledSequence['values'],
  units: string,
  columns: readonly string[],
  file?: string,
): string {
  if (Array.isArray(values))
    return units === 'bytes'
      ? Buffer.from(values.map(Number)).toString('utf8')
      : values.join(units === 'characters' ? '' : ' ');
  const steps = `${(values.length / columns.length).toLocaleString('en-US')} steps of ${columns.length}`;
  return file ? `${file} (${steps})` : steps;
}
