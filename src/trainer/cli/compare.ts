// unroll compare: runs side by side in a table.
import process from 'node:process';
import { runReach } from '../../diagnosis/run-reach.ts';
import { bestRow, type ComparedRun, csv, markdown, rowsOf, sameUnit } from '../../runs/comparison.ts';
import { ComparedFigures } from '../../runs/comparison-row.ts';
import { comparisonNumbers, comparisonTable } from '../../runs/comparison-text.ts';
import { ablation } from '../../runs/differences.ts';
import { toJsonNumber } from '../../runs/json.ts';
import { MATRIX_LEGEND, type Matrix, matrixOf, matrixPlaces, matrixTable } from '../../runs/matrix.ts';
import { metricsOf } from '../../runs/metrics.ts';
import { SERIES } from '../../runs/series-names.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { EXIT } from './exit.ts';
import { loadRun, type RunFacts } from './run-facts.ts';
import { bold, figure, plain, screenOf, table, wrap } from './terminal.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'compare',
  operands: 'RUN…',
  count: [1, Infinity],
  summary: 'Compare runs in a table: parameters, steps, losses and speed. Runs are named by folder or id.',
  details:
    'Runs that differ in their seed alone are one row: mean ± standard deviation. The first row is the baseline: differences of the best validation loss, with an exact paired test over the seeds. A grid also shows what each of its factors does by itself. Runs on several data are a matrix, a model a row and data a column, each with the figure of its task and what theory says.',
  options: {
    ...JSON_OPTION,
    markdown: { help: 'Write the table as Markdown.' },
    csv: { help: 'Write the table as CSV, with numbers as they are.' },
  },
  examples: ['unroll compare .unroll/runs/*', 'unroll compare --markdown .unroll/runs/*'],
  async run(args) {
    const runs = inOrder(args.positionals.map(name => loadRun(findRun(name))));
    const matrix = args.flag('json') || args.flag('csv') ? null : matrixIn(runs);
    if (matrix) {
      sayMatrix(matrix, args.flag('markdown'));
      return EXIT.done;
    }
    if (args.flag('markdown') || args.flag('csv')) {
      const rows = rowsOf(runs.flatMap(run => comparedOf(run) ?? []));
      if (args.flag('csv')) {
        const { head, rows: numbers } = comparisonNumbers(rows);
        process.stdout.write(csv(head, numbers));
      } else {
        const { head, rows: cells } = comparisonTable(rows, rows[0] ?? null);
        process.stdout.write(
          `${markdown(
            head.map(plainCell),
            cells.map(row => row.map(plainCell)),
          )}\n`,
        );
      }
      return EXIT.done;
    }
    if (args.flag('json')) {
      for (const run of runs) process.stdout.write(`${JSON.stringify(record(run))}\n`);
      return EXIT.done;
    }
    const screen = screenOf();
    const rows = rowsOf(runs.flatMap(run => comparedOf(run) ?? []));
    const best = bestRow(rows);
    const { head, rows: cells } = comparisonTable(rows, rows[0] ?? null);
    const shown = cells.map((row, index) => {
      const plain = row.map(plainCell);
      return rows.length > 1 && rows[index] === best ? plain.map(cell => bold(screen, cell)) : plain;
    });
    const texts = head.indexOf('state') + 1;
    const align = `${'l'.repeat(texts)}${'r'.repeat(head.length - texts)}`;
    process.stdout.write(`${table([head.map(plainCell), ...shown], align, screen.textColumns)}\n`);
    const units = new Set(runs.flatMap(({ reader }) => reader.run?.task.lossUnit ?? []));
    const say = (text: string) => process.stdout.write(`${wrap(text, screen.textColumns)}\n`);
    if (units.size > 0) say(`Loss in ${[...units].map(unit => plain(unit)).join(', ')}.`);
    sayEffects(runs, screen.textColumns);
    if (!sameUnit(rows.flatMap(row => row.runs)))
      say('These runs measure different losses: they cannot be compared.');
    return EXIT.done;
  },
};

/** Members of a comparison in the experiment's order, wherever the first of them was named. */
function inOrder(runs: readonly RunFacts[]): RunFacts[] {
  const groupOf = ({ reader }: RunFacts) => reader.request?.group ?? null;
  const first = new Map<string, number>();
  for (const [index, run] of runs.entries()) {
    const id = groupOf(run)?.id;
    if (id !== undefined && !first.has(id)) first.set(id, index);
  }
  const place = (run: RunFacts, index: number) => first.get(groupOf(run)?.id ?? '') ?? index;
  return runs
    .map((run, index) => ({ run, at: place(run, index), member: groupOf(run)?.index ?? 0 }))
    .sort((a, b) => a.at - b.at || a.member - b.member)
    .map(({ run }) => run);
}

function comparedOf({ folder, reader, label, state }: RunFacts): ComparedRun | null {
  const reach = runReach(reader.series.get(SERIES.gradientFlow));
  return new ComparedFigures().of(reader, { id: folder, label, state, reach });
}

/** null where all runs learn from the same data. */
function matrixIn(runs: readonly RunFacts[]): Matrix | null {
  const known = runs.filter(({ reader }) => reader.request !== null);
  const isOneGroup =
    new Set(known.map(({ reader, folder }) => reader.request!.group?.id ?? folder)).size === 1;
  const places = matrixPlaces(
    known.map(({ reader }) => reader.request!.experiment),
    isOneGroup ? undefined : known.map(({ label }) => label),
  );
  if (!places) return null;
  return matrixOf(
    known.map(({ reader, last }, index) => ({
      place: places[index]!,
      metrics: metricsOf(reader.run ?? reader.request!),
      last,
    })),
  );
}

function sayMatrix(matrix: Matrix, asMarkdown: boolean): void {
  const { head, rows } = matrixTable(matrix);
  const cells = [head, ...rows].map(row => row.map(plainCell));
  if (asMarkdown) {
    process.stdout.write(`${markdown(cells[0]!, cells.slice(1))}\n`);
    return;
  }
  const { textColumns } = screenOf();
  process.stdout.write(`${table(cells, 'lr', textColumns)}\n`);
  const measures = matrix.columns.map(({ title, measure }) => `${title}: ${measure.toLowerCase()}`);
  process.stdout.write(`${wrap(plain(`${measures.join('; ')}.`), textColumns)}\n`);
  process.stdout.write(`${wrap(MATRIX_LEGEND, textColumns)}\n`);
}

function plainCell(text: string): string {
  return plain(text);
}

/** Of a grid: what each factor does by itself to the best validation loss. */
function sayEffects(runs: readonly RunFacts[], columns: number): void {
  const effects = ablation(
    runs.flatMap(({ reader, bestLoss }) => {
      const experiment = reader.request?.experiment;
      return experiment ? [{ experiment, best: bestLoss?.value ?? null }] : [];
    }),
  );
  for (const { levels } of effects) {
    const words = levels.map(
      ({ value, effect }) => `${value} ${effect < 0 ? '−' : '+'}${figure(Math.abs(effect))}`,
    );
    process.stdout.write(`${wrap(plain(`Own effect on the best loss: ${words.join(', ')}.`), columns, 2)}\n`);
  }
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
