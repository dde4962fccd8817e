// The .ts format of the UEA and UCR archives of time series (sktime): a header of @ lines, then one series a line, its
// dimensions between colons and the class at the end. A row is the series, (steps, dimensions), and its label.
import { count, plural } from '../../../experiment/words.ts';
import { DataError } from '../errors.ts';
import type { NumberArray, Reader, Row } from './reader.ts';
import { linesOf } from './text-lines.ts';

export const ueaTs: Reader = {
  name: 'UEA .ts',
  reads: path => /\.ts$/i.test(path),
  async open(path, name, { bad, part }) {
    const lines = linesOf(path, name, part?.bytes);
    let labels: ReadonlySet<string> | null = null;
    let hasTarget = false;
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new DataError(`${name} has no line "@data"; a .ts file of time series has one.`);
      const text = value.text.trim();
      if (text === '' || text.startsWith('#') || text.startsWith('%')) continue;
      const [key = '', ...words] = text.split(/\s+/);
      const tag = key.toLowerCase();
      if (tag === '@data') break;
      if (!tag.startsWith('@'))
        throw new DataError(`${name}, line ${value.line}: data stand before the line "@data".`);
      if (tag === '@timestamps' && /^true$/i.test(words[0] ?? ''))
        throw new DataError(
          `${name}, line ${value.line}: series with time stamps are not read; equal steps are.`,
        );
      if (tag === '@classlabel' && /^true$/i.test(words[0] ?? '')) labels = new Set(words.slice(1));
      if (tag === '@targetlabel' && /^true$/i.test(words[0] ?? '')) hasTarget = true;
    }
    async function* rows(): AsyncGenerator<Row> {
      let dimensions: number | null = null;
      for await (const { text, line } of lines) {
        if (text.trim() === '') continue;
        const place = `${name}, line ${line}`;
        const parts = text.trim().split(':');
        const label = labels || hasTarget ? parts.pop()!.trim() : '';
        if (labels && labels.size > 0 && !labels.has(label)) {
          bad.report(
            `${place}: the class "${label.slice(0, 40)}" is none of the ${labels.size} that the header names.`,
          );
          continue;
        }
        dimensions ??= parts.length;
        const series = seriesOf(parts, dimensions);
        if (typeof series === 'string') bad.report(`${place}: ${series}.`);
        else yield { cells: [series, hasTarget ? Number(label) : label], line };
      }
    }
    return { columns: ['series', 'label'], rows: rows(), unit: 'line' };
  },
};

/** (steps, dimensions), or what is wrong. */
function seriesOf(parts: readonly string[], dimensions: number): NumberArray | string {
  if (parts.length !== dimensions)
    return `it has ${plural(parts.length, 'dimension')}, the first series has ${dimensions}`;
  const all = parts.map(part => part.split(','));
  const steps = all[0]!.length;
  const uneven = all.findIndex(({ length }) => length !== steps);
  if (uneven >= 0)
    return `dimension ${uneven} has ${plural(all[uneven]!.length, 'step')}, dimension 0 has ${count(steps)}`;
  const data = new Float64Array(steps * dimensions);
  for (const [dimension, texts] of all.entries())
    for (const [step, text] of texts.entries()) {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isNaN(value) && text.trim() !== '?' && !/^nan$/i.test(text.trim()))
        return `"${text.trim().slice(0, 40)}" of dimension ${dimension} is no number`;
      data[step * dimensions + dimension] = value;
    }
  return { shape: [steps, dimensions], data };
}
