// ARFF of Weka: @attribute lines, then rows of values between commas. An attribute of type relational holds a series:
// a line for each dimension, as the UEA archive writes multivariate series; it becomes (steps, dimensions).
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../errors.ts';
import type { Cell, NumberArray, Reader, Row } from './reader.ts';
import { linesOf } from './text-lines.ts';

type Kind = 'number' | 'text' | 'series';

interface Attribute {
  name: string;
  kind: Kind;
}

export const arff: Reader = {
  name: 'ARFF',
  reads: path => /\.arff$/i.test(path),
  async open(path, name, { bad, part }) {
    const lines = linesOf(path, name, part?.bytes);
    const attributes: Attribute[] = [];
    let depth = 0;
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new DataError(`${name} has no line "@data"; an ARFF file has one.`);
      const text = value.text.trim();
      if (text === '' || text.startsWith('%')) continue;
      if (/^@data\b/i.test(text)) break;
      if (/^@end\b/i.test(text)) depth--;
      const [, bare, quoted, type] =
        /^@attribute\s+(?:([^\s'"]+)|['"]([^'"]+)['"])\s+(.*)$/i.exec(text) ?? [];
      if (type === undefined) continue;
      // attributes inside a relational one are the steps of its series
      if (depth === 0) attributes.push({ name: (bare ?? quoted)!, kind: kindOf(type) });
      if (/^relational\b/i.test(type)) depth++;
    }
    if (attributes.length === 0) throw new DataError(`${name} has no line "@attribute".`);
    async function* rows(): AsyncGenerator<Row> {
      for await (const { text, line } of lines) {
        const bare = text.trim();
        if (bare === '' || bare.startsWith('%')) continue;
        const place = `${name}, line ${line}`;
        if (bare.startsWith('{')) {
          bad.report(`${place}: sparse rows, in braces, are not read; write all values.`);
          continue;
        }
        const values = valuesOf(bare);
        if (values.length !== attributes.length) {
          bad.report(
            `${place}: it has ${plural(values.length, 'value')}, and there are ${attributes.length} attributes.`,
          );
          continue;
        }
        const cells = values.map((value, at) => cellOf(value, attributes[at]!.kind));
        const wrong = cells.indexOf(undefined);
        if (wrong >= 0)
          bad.report(
            `${place}: "${values[wrong]!.slice(0, 40)}" of "${attributes[wrong]!.name}" is no ${attributes[wrong]!.kind === 'series' ? 'series of equal lengths' : 'number'}.`,
          );
        else yield { cells: cells as Cell[], line };
      }
    }
    return { columns: attributes.map(each => each.name), rows: rows(), unit: 'line' };
  },
};

function kindOf(type: string): Kind {
  if (/^relational\b/i.test(type)) return 'series';
  return /^(numeric|real|integer)\b/i.test(type) ? 'number' : 'text';
}

/** Between commas; in quotes as they stand, with \n for a line end. */
function valuesOf(line: string): string[] {
  const values: string[] = [];
  const pattern = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)/gy;
  while (pattern.lastIndex < line.length) {
    const match = pattern.exec(line);
    if (!match) return [...values, line.slice(pattern.lastIndex)];
    const quoted = match[1] ?? match[2];
    values.push(
      quoted === undefined ? match[3]! : quoted.replace(/\\(.)/g, (_, each) => (each === 'n' ? '\n' : each)),
    );
  }
  if (line.endsWith(',')) values.push('');
  return values;
}

function cellOf(value: string, kind: Kind): Cell | undefined {
  if (kind === 'series') return seriesOf(value);
  if (value === '?' || value === '') return null;
  if (kind === 'text') return value;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function seriesOf(text: string): NumberArray | undefined {
  const dimensions = text
    .split('\n')
    .map(line => line.split(',').map(value => (value.trim() === '?' ? Number.NaN : Number(value))));
  const steps = dimensions[0]!.length;
  if (dimensions.some(({ length }) => length !== steps)) return undefined;
  const width = dimensions.length;
  const data = new Float64Array(steps * width);
  for (const [dimension, values] of dimensions.entries())
    for (const [step, value] of values.entries()) data[step * width + dimension] = value;
  const isMissing = text.includes('?');
  return !isMissing && data.some(Number.isNaN) ? undefined : { shape: [steps, width], data };
}
