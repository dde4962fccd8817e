// unroll predict: what a trained run says of the rows of a table.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { either } from '../../experiment/words.ts';
import type { Row } from '../inference/predict/predictor.ts';
import type { Arguments, Command } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import {
  drawingOf,
  say,
  TRAINED_OPTIONS,
  trainedOf,
  writeCsv,
  writeCsvRows,
  writeRecord,
} from './trained.ts';

export const command: Command = {
  name: 'predict',
  operands: 'RUN [FILE]',
  count: [1, 2],
  summary:
    'What a trained run says of a table or a text, as CSV: the forecast of every row and of those that follow the last one, the class of every sequence, the target of every source, or of a text the bits and the perplexity of every line. Without FILE, or with -, it is read from standard input.',
  options: {
    format: { value: 'csv|jsonl', help: 'How rows are written; default: csv.' },
    input: {
      value: 'csv|tsv|jsonl|json',
      help: 'Of standard input: the format of what comes; default: JSON lines where it begins with a brace, a JSON list with a bracket, else CSV.',
    },
    next: { help: 'Only the rows that follow the last one.' },
    beams: {
      value: 'N',
      help: 'Of sequences that are written: follow N side by side (beam search); 1, the default, takes the most likely symbol at each step.',
    },
    'length-penalty': {
      value: 'A',
      help: 'Of beam search: divide scores by ((5 + length) / 6)^A (Wu et al. 2016), so that longer sequences are not at a loss; default 0.',
    },
    temperature: {
      value: 'X',
      help: 'Of sequences that are written: draw each symbol; below 1 safer, above 1 wilder; default: the most likely one.',
    },
    'top-k': { value: 'K', help: 'Draw among the K likeliest symbols.' },
    'top-p': {
      value: 'P',
      help: 'Draw among the likeliest symbols that together have the probability P, from 0 to 1.',
    },
    seed: { value: 'N', help: 'Of what is drawn: the same seed gives the same answers; default 1.' },
    ...TRAINED_OPTIONS,
  },
  examples: [
    'unroll predict RUN samples/data/co2-concentration.csv --next',
    'cat new.csv | unroll predict RUN --format jsonl',
  ],
  async run(args) {
    const { folder, checkpoint } = trainedOf(args);
    const [, named = '-'] = args.positionals;
    const format = oneOf(args, 'format', ['csv', 'jsonl']);
    const input = oneOf(args, 'input', ['csv', 'tsv', 'jsonl', 'json']);
    const options = {
      checkpoint,
      beams: args.number('beams', { min: 1, max: 1000, whole: true }),
      lengthPenalty: args.number('length-penalty', { min: 0, max: 10 }),
      drawing: drawn(args),
    };
    const { file, done } = named === '-' ? await fromStandardInput(input) : { file: named, done: () => {} };
    const { predictFile } = await import('../inference/predict/index.ts');
    const isRecord = args.flag('json');
    const onlyNext = args.flag('next');
    const sink = isRecord || onlyNext ? undefined : sinkOf(format);
    const predicted = await predictFile(folder, file, { ...options, sink }).finally(done);
    const { columns, rows, next, notes, facts, summary, step, best } = predicted;
    const known = onlyNext ? [] : rows;
    if (isRecord) {
      writeRecord({ kind: 'predict', run: folder, ...facts, step, best, notes, rows: known, next });
      return EXIT.done;
    }
    // rows that were not handed on while the file was read
    const all = sink ?? sinkOf(format);
    if (!sink?.hasBegun) all.begin(columns);
    await all.take([...known, ...next]);
    for (const note of notes) say(note);
    if (summary !== null) say(summary);
    return EXIT.done;
  },
};

/** Rows as lines on standard output, which is waited for. */
function sinkOf(format: string | undefined) {
  let columns: readonly string[] = [];
  const sink = {
    hasBegun: false,
    begin(names: readonly string[]) {
      columns = names;
      sink.hasBegun = true;
      if (format !== 'jsonl') writeCsv(columns, []);
    },
    async take(rows: readonly Row[]) {
      if (format === 'jsonl') for (const row of rows) writeRecord(row);
      else writeCsvRows(columns, rows);
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
    },
  };
  return sink;
}

/** undefined: each symbol is the most likely one. @throws CommandError beside beams */
function drawn(args: Arguments) {
  const { temperature, topK, topP, seed = 1 } = drawingOf(args);
  if (temperature === undefined && topK === undefined && topP === undefined) return undefined;
  if ((args.number('beams', {}) ?? 1) > 1)
    throw new CommandError('Symbols are either drawn or followed by beams: leave out one of both.');
  return { temperature: temperature ?? 1, topK, topP, seed };
}

/** @throws CommandError for another value */
function oneOf(args: Arguments, option: string, values: readonly string[]): string | undefined {
  const value = args.text(option);
  if (value === undefined || values.includes(value)) return value;
  throw new CommandError(`--${option} must be ${either(values)}, found ${JSON.stringify(value)}.`);
}

/** Readers go over a file more than once: what comes is kept in one for as long. */
async function fromStandardInput(format: string | undefined): Promise<{ file: string; done: () => void }> {
  if (process.stdin.isTTY)
    throw new CommandError('Name a file, or send a table to standard input: cat FILE | unroll predict RUN.');
  const folder = mkdtempSync(join(tmpdir(), 'unroll-predict-'));
  const done = () => rmSync(folder, { recursive: true, force: true });
  try {
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(part as Buffer);
    const all = Buffer.concat(parts);
    if (all.length === 0) throw new CommandError('Standard input is empty.');
    const begin = all
      .toString('utf8', 0, 100)
      .replace(/^\uFEFF/, '')
      .trimStart();
    const found = begin.startsWith('{') ? 'jsonl' : begin.startsWith('[') ? 'json' : 'csv';
    const file = join(folder, `standard input.${format ?? found}`);
    writeFileSync(file, all);
    return { file, done };
  } catch (cause) {
    done();
    throw cause;
  }
}
