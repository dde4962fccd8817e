// unroll predict: a trained forecaster on the rows of a table.
import process from 'node:process';
import { CHECKPOINT_OPTION, type Command, checkpointOf, JSON_OPTION } from './command.ts';
import { EXIT } from './exit.ts';
import { plain, screenOf, wrap } from './terminal.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'predict',
  operands: 'RUN FILE',
  count: [2, 2],
  summary:
    'What a trained run says of a table, as CSV: the forecast of every row and of those that follow the last one, or the class of every sequence.',
  options: {
    next: { help: 'Only the rows that follow the last one.' },
    ...CHECKPOINT_OPTION,
    ...JSON_OPTION,
  },
  examples: ['unroll predict RUN samples/data/co2-concentration.csv --next'],
  async run(args) {
    const [run, file] = args.positionals as [string, string];
    const folder = findRun(run);
    const { predictFile } = await import('../inference/predict/index.ts');
    const { columns, rows, next, notes, facts, summary, step, best } = await predictFile(folder, file, {
      checkpoint: checkpointOf(args),
    });
    const known = args.flag('next') ? [] : rows;
    const say = (text: string) =>
      process.stderr.write(`${wrap(plain(text), screenOf(process.stderr).textColumns)}\n`);
    if (args.flag('json')) {
      process.stdout.write(
        `${JSON.stringify({ kind: 'predict', run: folder, ...facts, step, best, notes, rows: known, next })}\n`,
      );
      return EXIT.done;
    }
    const lines = [...known, ...next].map(row => columns.map(column => cell(row[column] ?? '')).join(','));
    process.stdout.write(`${[columns.join(','), ...lines].join('\n')}\n`);
    for (const note of notes) say(note);
    if (summary !== null) say(summary);
    return EXIT.done;
  },
};

/** In quotes where it holds what CSV gives a meaning. */
function cell(value: number | string): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
