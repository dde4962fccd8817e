// What is given to a model that reads one text, series or sound: typed, chosen, or a row of the data.
import type { LabelledSequence, SequenceList } from '../../tasks/labelled.ts';
import { unitsOf } from '../../tasks/units.ts';
import { type Given, rowOf, type Said, type TryContext, typed, typedNumbers } from './tryer.ts';

type Input = Pick<LabelledSequence, 'values'> & Pick<Said, 'input' | 'truth' | 'row' | 'rows' | 'notes'>;

/** What the model was trained to read. */
interface Reads {
  /** the column of texts; null where it reads something else */
  text: string | number | null;
  units: Parameters<typeof unitsOf>[1];
  columns: readonly string[];
  audio: { column: string } | null;
}

type ReadFile = (path: string) => Promise<{ sequences: SequenceList; notes: string[]; hasLabel: boolean }>;

/** `read`: as `unroll predict` reads a file. @throws InputError where nothing that fits was given */
export async function inputOf(
  { text, units, columns, audio }: Reads,
  read: ReadFile,
  given: Given,
  context: TryContext,
): Promise<Input> {
  const plain = { truth: null, row: null, rows: null, notes: [] };
  if (given.row !== undefined) {
    const { sequences, notes, hasLabel } = await read(context.dataFile());
    const { values, label, file } = rowOf(sequences, given.row, 'sequence');
    return {
      values,
      input: shown(values, units, columns, file),
      truth: hasLabel ? label : null,
      row: given.row,
      rows: sequences.length,
      notes,
    };
  }
  if (audio) {
    const { sequences, notes } = await read(soundTable(audio.column, given, context));
    const { values } = sequences.at(0);
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
function soundTable(column: string, { sound, text }: Given, context: TryContext): string {
  if (sound === undefined)
    typed({ text: text === undefined ? '' : undefined }, 'nothing, but choose a WAV file');
  return context.write('sound.jsonl', JSON.stringify({ [column]: sound }));
}

function shown(
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
