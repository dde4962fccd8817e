// What a page's inputs hold before anybody changes them: `<input id="units" value="64">`, the chosen option of a select.
import type { Expression } from '../code/expression.ts';
import { Source } from '../code/node.ts';

/** The value of the element with an id as a setting, a number where it reads as one; null where there is none. */
export function inputSetting(text: string, file: string, id: string): Expression | null {
  if (!/^[\w-]+$/.test(id)) return null;
  const tag = new RegExp(`<(input|select)\\b[^>]*\\bid\\s*=\\s*["']?${id}(?=["'\\s>])[^>]*>`, 'i').exec(text);
  if (!tag) return null;
  const value = tag[1]!.toLowerCase() === 'input' ? valueIn(tag[0]) : chosen(text.slice(tag.index));
  if (value === null) return null;
  const node = new Source(null, text, file).stretch(tag.index, tag.index + tag[0].length);
  const isNumber = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(value);
  return { kind: 'setting', value: isNumber ? Number(value) : value, node };
}

function valueIn(tag: string): string | null {
  const found = /\bvalue\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i.exec(tag);
  return found ? (found[1] ?? found[2] ?? found[3] ?? null) : null;
}

/** Of a select: the option that is marked, else the first. */
function chosen(text: string): string | null {
  const body = text.slice(0, text.search(/<\/select/i) + 1 || text.length);
  const options = [...body.matchAll(/<option\b[^>]*>([^<]*)/gi)];
  const marked = options.find(([tag]) => /\bselected\b/i.test(tag)) ?? options[0];
  return marked ? (valueIn(marked[0].slice(0, marked[0].indexOf('>') + 1)) ?? marked[1]!.trim()) : null;
}
