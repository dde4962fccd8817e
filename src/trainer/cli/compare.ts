// unroll compare: runs side by side in a table.
import process from 'node:process';
import { count } from '../../experiment/words.ts';
import { toJsonNumber } from '../../runs/json.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { EXIT } from './exit.ts';
import { loadRun, type RunFacts } from './run-facts.ts';
import { bold, duration, figure, plain, screenOf, table, wrap } from './terminal.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'compare',
  operands: 'RUN…',
  count: [1, Infinity],
  summary: 'Compare runs in a table: parameters, steps, losses and speed. Runs are named by folder or id.',
  options: { ...JSON_OPTION },
  examples: ['unroll compare .unroll/runs/*'],
  async run(args) {
    const runs = args.positionals.map(name => loadRun(findRun(name)));
    if (args.flag('json')) {
      for (const run of runs) process.stdout.write(`${JSON.stringify(record(run))}\n`);
      return EXIT.done;
    }
    const screen = screenOf();
    const best = Math.min(...runs.map(run => run.bestLoss?.value ?? Infinity));
    const rows = runs.map(run => {
      const cells = cellsOf(run);
      return run.bestLoss?.value === best && runs.length > 1 ? cells.map(cell => bold(screen, cell)) : cells;
    });
    process.stdout.write(`${table([HEAD, ...rows], 'llrrdddrddr', screen.textColumns)}\n`);
    const units = new Set(
      runs.map(({ reader }) => reader.run?.task.lossUnit).filter(unit => unit !== undefined),
    );
    const say = (text: string) => process.stdout.write(`${wrap(text, screen.textColumns)}\n`);
    if (units.size > 0) say(`Loss in ${[...units].map(unit => plain(unit)).join(', ')}.`);
    if (units.size > 1) say('These runs measure different losses: they cannot be compared.');
    return EXIT.done;
  },
};

const HEAD = [
  'run',
  'state',
  'parameters',
  'steps',
  'train loss',
  'val loss',
  'best val',
  'at step',
  'test loss',
  'tokens/s',
  'time',
];

function cellsOf(run: RunFacts): string[] {
  const { reader } = run;
  return [
    plain(run.label),
    run.state,
    reader.run ? count(reader.run.parameters.total) : '–',
    `${count(run.step)}/${count(run.steps)}`,
    figure(run.last('trainLoss')),
    figure(run.last('valLoss')),
    figure(run.bestLoss?.value),
    run.bestLoss ? count(run.bestLoss.step) : '–',
    figure(run.last('testLoss')),
    figure(run.last('tokensPerSecond')),
    duration(run.seconds),
  ];
}

function record(run: RunFacts) {
  const number = (value: number | null) => (value === null ? null : toJsonNumber(value));
  return {
    kind: 'compare',
    run: run.folder,
    label: run.label,
    cell: run.cell,
    state: run.state,
    parameters: run.reader.run?.parameters.total ?? null,
    step: run.step,
    steps: run.steps,
    trainLoss: number(run.last('trainLoss')),
    valLoss: number(run.last('valLoss')),
    best: run.bestLoss,
    testLoss: number(run.last('testLoss')),
    tokensPerSecond: number(run.last('tokensPerSecond')),
    seconds: run.seconds,
  };
}
