// The labels that one text, series or sound holds, with the steps at which each is said.
import type { CtcArtifact } from '../../tasks/ctc.ts';
import { answered, batchOf, encodeWith } from '../../tasks/ctc.ts';
import type { LabelledSequence } from '../../tasks/labelled.ts';
import { likeliest } from '../../tasks/stepping.ts';
import { unitsOf } from '../../tasks/units.ts';
import { unalignedOf } from '../predict/ctc.ts';
import { shown, soundTable } from './classify.ts';
import { look } from './look.ts';
import {
  type Given,
  NOTHING,
  percent,
  rowOf,
  type Said,
  type TryContext,
  type Tryer,
  typed,
  typedNumbers,
} from './tryer.ts';

const MOST_STEPS = 1000;

export const tryUnaligned: Tryer<CtcArtifact> = async (model, artifact, given, context) => {
  const { values, ...about } = await inputOf(artifact, given, context);
  const batch = batchOf([encodeWith(artifact)({ values, label: '' })], artifact);
  const [answer] = answered(model, batch, artifact, given.beams ?? 1);
  const rows: string[][] = [];
  const { states } = look(model, batch, context.run, {
    steps: Array.isArray(values) ? values : [],
    onOutputs(from, outputs, classes) {
      for (let at = 0; at < outputs.length && rows.length < MOST_STEPS; at += classes) {
        const [best] = likeliest(outputs.subarray(at, at + classes));
        rows.push([String(from + at / classes + 1), artifact.symbols[best!.id]!, percent(best!.probability)]);
      }
    },
  });
  return {
    ...NOTHING,
    ...about,
    answer: answer!.text,
    table: { columns: ['step', 'label', 'probability'], rows },
    states,
    notes: [...about.notes, `Alignment: ${answer!.alignment} at steps ${answer!.steps}.`],
  };
};

type Input = Pick<LabelledSequence, 'values'> & Pick<Said, 'input' | 'truth' | 'row' | 'rows' | 'notes'>;

async function inputOf(artifact: CtcArtifact, given: Given, context: TryContext): Promise<Input> {
  const { text, textUnits, columns, audio } = artifact;
  const plain = { truth: null, row: null, rows: null, notes: [] };
  if (given.row !== undefined) {
    const { sequences, notes, isLabelled } = await unalignedOf(artifact, context.dataFile());
    const { values, label, file } = rowOf(sequences, given.row, 'sequence');
    return {
      values,
      input: shown(values, textUnits, columns, file),
      truth: isLabelled ? label : null,
      row: given.row,
      rows: sequences.length,
      notes,
    };
  }
  if (audio) {
    const { sequences, notes } = await unalignedOf(artifact, soundTable(audio.column, given, context));
    const { values } = sequences[0]!;
    return { ...plain, values, input: shown(values, textUnits, columns, given.sound), notes };
  }
  if (text !== null) {
    const input = typed(given, 'a text');
    return { ...plain, values: unitsOf(input, textUnits), input };
  }
  const values = typedNumbers(given, columns);
  return { ...plain, values, input: shown(values, textUnits, columns) };
}
