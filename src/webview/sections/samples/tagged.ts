// Sequences of tokens, each over the tag that it was given; where that is wrong, over the right one too. And which tags are
// taken for which.
import type { Sample } from '../../../protocol/messages.ts';
import { h } from '../../dom.ts';
import { confused } from './classes.ts';
import { answer, scrolling } from './rows.ts';

const MAX_SEQUENCES = 20;
const MAX_TOKENS = 500;

export function tagged({ rows, confusion }: Extract<Sample, { type: 'tagged' }>): Node[] {
  const sequences = rows
    .slice(0, MAX_SEQUENCES)
    .map(tokens =>
      h(
        'div',
        { class: 'tagged' },
        ...tokens
          .slice(0, MAX_TOKENS)
          .map(({ token, truth, prediction }) =>
            h(
              'span',
              {},
              h('span', { class: 'mono', text: token }),
              h('small', {}, answer(prediction, truth)),
              prediction === truth ? '' : h('small', { text: `truth ${truth}` }),
            ),
          ),
        tokens.length > MAX_TOKENS ? '…' : '',
      ),
    );
  return [
    scrolling('Tagged sequences', h('div', {}, ...sequences)),
    ...(confusion ? confused(confusion, 'token') : []),
  ];
}
