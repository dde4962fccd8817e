// The table of examples that several samples share; it scrolls by keyboard.
import { dataTable, h } from '../../dom.ts';

const MAX_ROWS = 50;

/** `textColumns`: the first ones, aligned left. */
export function examples<R>(
  head: string[],
  rows: readonly R[],
  cells: (row: R) => (string | Node)[],
  textColumns = head.length,
): HTMLElement {
  const shown = rows.slice(0, MAX_ROWS).map(cells);
  return scrolling('Examples', dataTable(`Examples: ${head.join(', ')}`, head, shown, textColumns));
}

export function scrolling(label: string, content: Node): HTMLElement {
  return h('div', { class: 'scroll', tabIndex: 0, role: 'region', label }, content);
}

export function mono(content: string): HTMLElement {
  return h('span', { class: 'mono', text: content });
}

/** An answer, marked where it is wrong: by a word for those who hear it, and not by colour alone. */
export function answer(prediction: string, truth: string): string | HTMLElement {
  if (prediction === truth) return prediction;
  return h('b', { class: 'wrong', label: `${prediction}, wrong` }, `${prediction} ✗`);
}
