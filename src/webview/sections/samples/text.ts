// A prompt and how the model goes on.
import type { Sample } from '../../../protocol/messages.ts';
import { h } from '../../dom.ts';

const MAX_TEXT = 4000;

export function text({ prompt, text }: Extract<Sample, { type: 'text' }>): Node[] {
  const shown = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return [h('div', { class: 'mono sample' }, h('b', { text: prompt }), shown)];
}
