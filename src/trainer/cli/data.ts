// unroll data: what a data file holds, and which tasks fit it.
import { basename } from 'node:path';
import process from 'node:process';
import { type Command, JSON_OPTION } from './command.ts';
import { EXIT } from './exit.ts';
import { plain, screenOf, wrap } from './terminal.ts';

export const command: Command = {
  name: 'data',
  operands: 'FILE…',
  count: [1, 1000],
  summary:
    'Tell what data files hold: rows, columns, lengths, characters, shares of classes, and the tasks that fit. Nothing is trained.',
  options: JSON_OPTION,
  examples: ['unroll data samples/data/co2-concentration.csv', 'unroll data reviews.jsonl --json'],
  async run(args) {
    const { previewLines, previewOf } = await import('../data/preview.ts');
    for (const file of args.positionals) {
      const preview = await previewOf(file, basename(file));
      if (args.flag('json')) {
        process.stdout.write(`${JSON.stringify({ kind: 'data', path: file, ...preview })}\n`);
        continue;
      }
      const [first, ...rest] = previewLines(preview);
      const { textColumns } = screenOf(process.stdout);
      process.stdout.write(`${wrap(plain(`${file}: ${first}`), textColumns, 2)}\n`);
      for (const line of rest) process.stdout.write(`${wrap(plain(`  ${line}`), textColumns, 4)}\n`);
      for (const note of preview.notes)
        process.stderr.write(`${wrap(plain(note), screenOf(process.stderr).textColumns, 2)}\n`);
    }
    return EXIT.done;
  },
};
