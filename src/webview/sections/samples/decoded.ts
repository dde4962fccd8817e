// Sources with the target, what the decoder said, and at which steps.
import type { Sample } from '../../../protocol/messages.ts';
import { answer, examples, mono } from './rows.ts';

export function decoded({ rows }: Extract<Sample, { type: 'decoded' }>): Node[] {
  if (rows.some(({ alignment }) => alignment !== undefined))
    return [
      examples(
        ['truth', 'prediction', 'alignment', 'source'],
        rows,
        ({ source, truth, prediction, alignment = '' }) => [
          truth,
          answer(prediction, truth),
          mono(alignment),
          mono(source),
        ],
      ),
    ];
  return [
    examples(['truth', 'prediction', 'source'], rows, ({ source, truth, prediction }) => [
      truth,
      answer(prediction, truth),
      mono(source),
    ]),
  ];
}
