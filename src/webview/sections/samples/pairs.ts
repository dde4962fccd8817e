// Inputs with what is true of them and what the model says.
import type { Sample } from '../../../protocol/messages.ts';
import { h } from '../../dom.ts';
import { examples, mono } from './rows.ts';

export function pairs({ rows }: Extract<Sample, { type: 'pairs' }>): Node[] {
  return [
    examples(['truth', 'prediction', 'input'], rows, ({ input, truth, prediction }) => [
      truth,
      prediction === '' ? h('span', { class: 'quiet', text: '(nothing)' }) : prediction,
      mono(input),
    ]),
  ];
}
