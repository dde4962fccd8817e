// Training sequences before and after they were varied.
import type { Sample } from '../../../protocol/messages.ts';
import { examples, mono } from './rows.ts';

export function augmented({ rows }: Extract<Sample, { type: 'augmented' }>): Node[] {
  return [
    examples(['training sequence', 'as it was varied'], rows, ({ before, after }) => [
      mono(before),
      mono(after),
    ]),
  ];
}
