// unroll evaluate: the figures of a trained run on its test part, or on other data.
import process from 'node:process';
import { count, plural } from '../../experiment/words.ts';
import { type Command, columns } from './command.ts';
import { EXIT } from './exit.ts';
import { plain } from './terminal.ts';
import { say, TRAINED_OPTIONS, trainedOf, writeRecord } from './trained.ts';

export const command: Command = {
  name: 'evaluate',
  operands: 'RUN',
  count: [1, 1],
  summary:
    "Score a trained run: loss and all figures of its task, on its own test part or on other data, with the run's own scaling and vocabulary.",
  options: {
    data: { value: 'FILE', help: "Other data of the same form; default: the test part of the run's own." },
    ...TRAINED_OPTIONS,
  },
  examples: ['unroll evaluate RUN --data other.csv', 'unroll evaluate RUN --json'],
  async run(args) {
    const { folder, checkpoint } = trainedOf(args);
    const { evaluateRun } = await import('../inference/evaluate.ts');
    const { metrics, ...evaluated } = await evaluateRun(folder, {
      data: args.text('data'),
      checkpoint,
    });
    if (args.flag('json')) {
      writeRecord({ kind: 'evaluate', run: folder, ...evaluated });
      return EXIT.done;
    }
    const { loss, lossUnit, figures, origins, baseline, notes, count: answers, step, best } = evaluated;
    const rows: [string, string][] = [
      ['loss', `${figure(loss)} ${lossUnit}`],
      ...(baseline ? [[baseline.name, `${figure(baseline.loss)} ${lossUnit}`] as [string, string]] : []),
      ...Object.entries(figures).map(([name, value]): [string, string] => {
        const metric = metrics.find(each => each.name === name);
        const shown =
          metric?.unit === '%' ? `${(100 * value).toFixed(2)} %` : `${figure(value)} ${metric?.unit ?? ''}`;
        return [metric?.label ?? name, shown.trim()];
      }),
      ...(origins ? ([['RMSE by origin', spread(origins)]] as [string, string][]) : []),
      ['answers', count(answers)],
      ['checkpoint', `step ${count(step)}${best ? ', the best' : ''}`],
    ];
    process.stdout.write(`${plain(columns(rows), true)}\n`);
    for (const note of notes) say(note);
    return EXIT.done;
  },
};

/** From the best origin over the middle one to the worst. */
function spread(origins: readonly { row: number; rmse: number }[]): string {
  const sorted = [...origins].sort((a, b) => a.rmse - b.rmse);
  const at = (place: number) => {
    const { row, rmse } = sorted[place]!;
    return `${figure(rmse)} from row ${count(row)}`;
  };
  const last = sorted.length - 1;
  return `${plural(origins.length, 'origin')}: least ${at(0)}, median ${figure(sorted[last >> 1]!.rmse)}, most ${at(last)}`;
}

function figure(value: number): string {
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
    ? value.toExponential(3)
    : String(Number(value.toPrecision(5)));
}
