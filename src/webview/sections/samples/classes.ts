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
  return confusion && confusion.classes.length <= MAX_CLASSES ? [table, ...confused(confusion)] : [table];
}

function confused({ classes: names, counts }: NonNullable<Classes['confusion']>): Node[] {
  const all = counts.flat().reduce((sum, count) => sum + count, 0);
  const rows = names.map((name, truth) => [
    name,
    ...counts[truth]!.map((count, prediction) => {
      const shown = count === 0 ? '·' : count.toLocaleString('en-US');
      return truth === prediction ? h('b', { text: shown }) : shown;
    }),
  ]);
  const table = dataTable('Sequences by true and predicted class', ['truth ╲ prediction', ...names], rows);
  return [
    h('div', {
      class: 'quiet srow',
      text: `predictions of ${all.toLocaleString('en-US')} sequences by class`,
    }),
    scrolling('Sequences by true and predicted class', table),
  ];
}
