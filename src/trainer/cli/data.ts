// unroll data: what a data file holds, and which tasks fit it.
import { basename } from 'node:path';
import process from 'node:process';
import { DataError } from '../data/errors.ts';
import type { Preview } from '../data/preview.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { plain, screenOf, wrap } from './terminal.ts';

export const command: Command = {
  name: 'data',
  operands: 'FILE…',
  count: [1, 1000],
  summary:
    'Tell what data files hold: rows, columns, lengths, characters, shares of classes, and the tasks that fit. Nothing is trained.',
  options: {
    ...JSON_OPTION,
    begin: { help: 'Read no more than the first 16 MB and 20,000 rows of a file.' },
  },
  examples: ['unroll data samples/data/co2-concentration.csv', 'unroll data reviews.jsonl --json'],
  async run(args) {
    const { BEGINNING, previewLines, previewOf } = await import('../data/preview.ts');
    let exit: ExitCode = EXIT.done;
    for (const file of args.positionals) {
      let preview: Preview;
      try {
        preview = await previewOf(file, basename(file), args.flag('begin') ? BEGINNING : {});
      } catch (cause) {
        // who reads JSON of many files hears of each
        if (!(cause instanceof DataError) || !args.flag('json')) throw cause;
        process.stdout.write(`${JSON.stringify({ kind: 'fault', path: file, message: cause.message })}\n`);
        exit = EXIT.wrongInput;
        continue;
      }
      if (args.flag('json')) {
        const lines = previewLines(preview);
        process.stdout.write(`${JSON.stringify({ kind: 'data', path: file, ...preview, lines })}\n`);
        continue;
      }
      const [first, ...rest] = previewLines(preview);
      const { textColumns } = screenOf(process.stdout);
      process.stdout.write(`${wrap(plain(`${file}: ${first}`), textColumns, 2)}\n`);
      for (const line of rest) process.stdout.write(`${wrap(plain(`  ${line}`), textColumns, 4)}\n`);
      for (const note of preview.notes)
        process.stderr.write(`${wrap(plain(note), screenOf(process.stderr).textColumns, 2)}\n`);
    }
    return exit;
  },
};
