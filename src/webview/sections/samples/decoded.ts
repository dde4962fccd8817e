// Sources with the target and what the decoder said.
import type { Sample } from '../../../protocol/messages.ts';
import { answer, examples, mono } from './rows.ts';

export function decoded({ rows }: Extract<Sample, { type: 'decoded' }>): Node[] {
  return [
    examples(['truth', 'prediction', 'source'], rows, ({ source, truth, prediction }) => [
      truth,
      answer(prediction, truth),
      mono(source),
    ]),
  ];
}
