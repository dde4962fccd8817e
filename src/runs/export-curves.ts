// The scalars of a run for other tools: CSV (a row a step and scalar), JSON lines, TensorBoard event file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvCell } from './csv-cell.ts';
import { jsonText } from './json.ts';
import { RunReader } from './reader.ts';
import { type ScalarRow, scalarRows } from './scalar-rows.ts';
import { tensorboardRecords } from './tensorboard.ts';

export type CurveFormat = 'csv' | 'jsonl' | 'tensorboard';

/** @returns the absolute paths of what was written */
export function exportScalars(runFolder: string, format: CurveFormat, outFolder: string): string[] {
  const reader = new RunReader(runFolder);
  do reader.poll();
  while (reader.behind);
  const rows = [...scalarRows(reader)];
  mkdirSync(outFolder, { recursive: true });
  // the name that TensorBoard looks for
  const file = join(
    outFolder,
    format === 'tensorboard' ? 'events.out.tfevents.0.unroll' : `scalars.${format}`,
  );
  const createdAt = Date.parse(reader.request?.createdAt ?? '') / 1000 || 0;
  const contents = {
    csv: () => csvOf(rows),
    jsonl: () => jsonLinesOf(rows),
    tensorboard: () => tensorboardRecords(rows, createdAt),
  };
  writeFileSync(file, contents[format]());
  return [file];
}

const FIELDS = ['name', 'step', 'seconds', 'tokens', 'mean', 'min', 'max'] as const;

function csvOf(rows: readonly ScalarRow[]): string {
  const lines = rows.map(row => FIELDS.map(field => csvCell(plain(row[field]))).join(','));
  return `${[FIELDS.join(','), ...lines].join('\n')}\n`;
}

function jsonLinesOf(rows: readonly ScalarRow[]): string {
  const lines = rows.map(row => jsonText(row));
  return lines.map(line => `${line}\n`).join('');
}

/** Names come from the run folder: what a spreadsheet would take for a formula gets a quote before it. */
function plain(value: string | number): string | number {
  return typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}
