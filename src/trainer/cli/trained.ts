// What commands that use a trained run have in common: which run and checkpoint, how symbols are drawn, what is said.
import process from 'node:process';
import { csvCell } from '../../runs/csv-cell.ts';
import type { Row } from '../inference/predict/predictor.ts';
import { type Arguments, JSON_OPTION, type OptionSpec } from './command.ts';
import { CommandError } from './exit.ts';
import { plain, screenOf, wrap } from './terminal.ts';
import { findRun } from './workspace.ts';

export const TRAINED_OPTIONS: Record<string, OptionSpec> = {
  checkpoint: { value: 'best|last', help: 'Which checkpoint to use; default: the best, else the last.' },
  ...JSON_OPTION,
};

export interface Trained {
  folder: string;
  checkpoint: 'best' | 'last' | undefined;
}

/** The run that the first operand names. @throws CommandError where there is none */
export function trainedOf(args: Arguments): Trained {
  const folder = findRun(args.positionals[0]!);
  const checkpoint = args.text('checkpoint');
  if (checkpoint === undefined || checkpoint === 'best' || checkpoint === 'last')
    return { folder, checkpoint };
  throw new CommandError(`--checkpoint must be best or last, found ${JSON.stringify(checkpoint)}.`);
}

/** Of commands with these options: how symbols are drawn, as far as it was said. */
export function drawingOf(args: Arguments) {
  return {
    temperature: args.number('temperature', { min: 0, max: 100 }),
    topK: args.number('top-k', { min: 1, whole: true }),
    topP: args.number('top-p', { min: 1e-9, max: 1 }),
    seed: args.number('seed', { min: 0, max: 0xffff_ffff, whole: true }),
  };
}

/** A line for programs. */
export function writeRecord(record: object): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

/** A sentence for people, beside what is written to stdout. */
export function say(text: string): void {
  process.stderr.write(`${wrap(plain(text), screenOf(process.stderr).textColumns)}\n`);
}

/** A header and its rows. */
export function writeCsv(columns: readonly string[], rows: readonly Row[]): void {
  process.stdout.write(`${columns.map(csvCell).join(',')}\n`);
  writeCsvRows(columns, rows);
}

export function writeCsvRows(columns: readonly string[], rows: readonly Row[]): void {
  const lines = rows.map(row => `${columns.map(column => csvCell(row[column] ?? null)).join(',')}\n`);
  if (lines.length > 0) process.stdout.write(lines.join(''));
}
