// Inputs with their class and the one the model gives, with its probability; and which classes are taken for which.
import type { Sample } from '../../../protocol/messages.ts';
import { dataTable, h } from '../../dom.ts';
import { answer, examples, mono, scrolling } from './rows.ts';

type Classes = Extract<Sample, { type: 'classes' }>;

/** More columns would not be read. */
const MAX_CLASSES = 24;

export function classes({ rows, confusion }: Classes): Node[] {
  const table = examples(
    ['truth', 'prediction', '%', 'input'],
    rows,
    ({ input, truth, prediction, probability }) => [
      truth,
      answer(prediction, truth),
      (100 * probability).toFixed(0),
      mono(input),
    ],
  );
  return confusion ? [table, ...confused(confusion, 'sequence')] : [table];
}

/** Rows by truth, columns by prediction; nothing where there are too many classes to read. */
export function confused(
  { classes: names, counts }: NonNullable<Classes['confusion']>,
  what: 'sequence' | 'token',
): Node[] {
  if (names.length > MAX_CLASSES) return [];
  const by = what === 'token' ? 'tag' : 'class';
  const label = `${what === 'token' ? 'Tokens' : 'Sequences'} by true and predicted ${by}`;
  const all = counts.flat().reduce((sum, count) => sum + count, 0);
  const rows = names.map((name, truth) => [
    name,
    ...counts[truth]!.map((count, prediction) => {
      const shown = count === 0 ? '·' : count.toLocaleString('en-US');
      return truth === prediction ? h('b', { text: shown }) : shown;
    }),
  ]);
  const table = dataTable(label, ['truth ╲ prediction', ...names], rows);
  return [
    h('div', {
      class: 'quiet srow',
      text: `predictions of ${all.toLocaleString('en-US')} ${what}s by ${by}`,
    }),
    scrolling(label, table),
  ];
}
