// unroll predict: a trained forecaster on the rows of a table.
import process from 'node:process';
import { plural } from '../../experiment/words.ts';
import { CHECKPOINT_OPTION, type Command, checkpointOf, JSON_OPTION } from './command.ts';
import { EXIT } from './exit.ts';
import { figure, plain, screenOf, wrap } from './terminal.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'predict',
  operands: 'RUN FILE',
  count: [2, 2],
  summary:
    'Forecast with a trained run: as CSV, every row of a table that can be predicted, and the rows that follow its last one.',
  options: {
    next: { help: 'Only the rows that follow the last one.' },
    ...CHECKPOINT_OPTION,
    ...JSON_OPTION,
  },
  examples: ['unroll predict RUN samples/data/co2-concentration.csv --next'],
  async run(args) {
    const [run, file] = args.positionals as [string, string];
    const folder = findRun(run);
    const { predictFile } = await import('../inference/predict.ts');
    const { rows, next, notes, ...facts } = await predictFile(folder, file, {
      checkpoint: checkpointOf(args),
    });
    const known = args.flag('next') ? [] : rows;
    const say = (text: string) =>
      process.stderr.write(`${wrap(plain(text), screenOf(process.stderr).textColumns)}\n`);
    if (args.flag('json')) {
      process.stdout.write(
        `${JSON.stringify({ kind: 'predict', run: folder, ...facts, notes, rows: known, next })}\n`,
      );
      return EXIT.done;
    }
    const lines = [
      ...known.map(({ row, truth, prediction, persistence }) => [row, truth, prediction, persistence]),
      ...next.map(({ row, prediction }) => [row, '', prediction, '']),
    ];
    process.stdout.write(
      `${['row,truth,prediction,persistence', ...lines.map(line => line.join(','))].join('\n')}\n`,
    );
    for (const note of notes) say(note);
    if (facts.rmse !== null)
      say(
        `${facts.target}: root mean square error ${figure(facts.rmse)} over ${plural(rows.length, 'row')}, ${facts.horizon} ahead; persistence has ${figure(facts.persistenceRmse)}.`,
      );
    return EXIT.done;
  },
};
