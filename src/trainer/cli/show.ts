// unroll show: loss curves, gradient heatmap, reach and findings of a run, in the terminal.
import process from 'node:process';
import { reach } from '../../diagnosis/reach.ts';
import { count, plural } from '../../experiment/words.ts';
import { contentionOf } from '../../runs/contention.ts';
import type { JsonNumber, Sample } from '../../runs/format.ts';
import { fromJsonNumber } from '../../runs/json.ts';
import { mainLevel } from '../../runs/levels.ts';
import type { SeriesRows } from '../../runs/series.ts';
import { SERIES } from '../../runs/series-names.ts';
import { originLines, originTitle } from '../../runs/weights-origin.ts';
import type { Command } from './command.ts';
import { MARK, type PlotLine, plotLines } from './curve.ts';
import { EXIT } from './exit.ts';
import { drawHeatmap, type FlowRows, legend } from './heatmap.ts';
import { loadRun, type RunFacts } from './run-facts.ts';
import {
  bold,
  dim,
  duration,
  figure,
  foreground,
  plain,
  type Rgb,
  type Screen,
  screenOf,
  sideBySide,
  wrap,
} from './terminal.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'show',
  operands: 'RUN…',
  count: [1, Infinity],
  summary: 'Draw the loss curves and the gradient heatmap of a run, named by folder or id.',
  details: 'Colours are left out when the output is no terminal or NO_COLOR is set.',
  options: {
    linear: { help: 'A linear loss axis; default: logarithmic.' },
    layer: {
      value: 'N',
      help: 'Which level the heatmap shows, counted from 0; default: the last recurrent one.',
    },
  },
  examples: ['unroll show .unroll/runs/20261121T035600Z-emma-0a1b2c'],
  async run(args) {
    const screen = screenOf();
    const options = {
      logarithmic: !args.flag('linear'),
      layer: args.number('layer', { min: 0, whole: true }) ?? null,
    };
    const pictures = args.positionals.map(name => picture(loadRun(findRun(name)), options, screen));
    process.stdout.write(pictures.join('\n\n'));
    return EXIT.done;
  },
};

interface ShowOptions {
  logarithmic: boolean;
  layer: number | null;
}

const TRAIN: Rgb = [86, 156, 214];
const VALIDATION: Rgb = [230, 159, 0];

export function picture(run: RunFacts, options: ShowOptions, screen: Screen): string {
  const sections = [
    header(run, screen),
    lossCurves(run, options, screen),
    heatmap(run, options, screen),
    newestSample(run, screen),
    augmentation(run, screen),
    findings(run, screen),
    problems(run, screen),
  ];
  return `${sections
    .filter(section => section.length > 0)
    .map(section => section.join('\n'))
    .join('\n\n')}\n`;
}

function header(run: RunFacts, screen: Screen): string[] {
  const { reader } = run;
  const state = [
    bold(screen, plain(run.label)),
    `${run.state} at step ${count(run.step)} of ${count(run.steps)}`,
    duration(run.seconds),
  ];
  const lines = [joined(state, screen)];
  if (reader.run) {
    const { parameters, engineUsed, task, experiment } = reader.run;
    const model = [
      `${plural(parameters.total, 'parameter')} (${experiment.model.convention} count)`,
      `${engineUsed.provider} engine, ${plain(engineUsed.instructionSet)}, ${plural(engineUsed.threads, 'thread')}`,
      plain(task.name),
    ];
    lines.push(dim(screen, joined(model, screen)));
    const labels = labelShares(reader.run.data?.[0]?.read ?? {});
    if (labels !== null) lines.push(dim(screen, wrap(plain(labels), screen.textColumns)));
    const { weightsFrom } = reader.run;
    if (weightsFrom)
      for (const told of [originTitle(weightsFrom), ...originLines(weightsFrom)])
        lines.push(dim(screen, wrap(plain(told), screen.textColumns, 2)));
    const contention = contentionOf(reader.status?.last['timeAlone'], engineUsed.threads);
    if (contention !== null) lines.push(dim(screen, wrap(contention, screen.textColumns)));
    const { waiting } = reader.status?.last ?? {};
    if (typeof waiting === 'number')
      lines.push(dim(screen, `${(100 * waiting).toFixed(1)} % of the steps' time waiting for their batch`));
    const clipped = clippedShare(reader);
    if (clipped !== null)
      lines.push(dim(screen, `gradient clipped in ${(100 * clipped).toFixed(0)} % of the steps`));
  }
  lines.push(dim(screen, plain(run.folder)));
  const message = reader.ended?.message || reader.status?.message;
  if (message) lines.push(wrap(plain(message), screen.textColumns));
  return lines;
}

/** Labels that are shown, the commonest. */
const SHOWN_LABELS = 12;

/** "2 labels: calm 48 (60 %), storm 32 (40 %)"; null: none were counted. */
function labelShares(read: Readonly<Record<string, number>>): string | null {
  const { labels } = read;
  if (labels === undefined) return null;
  const counts = Object.entries(read)
    .filter(([name]) => name.startsWith('label '))
    .map(([name, times]): [string, number] => [name.slice('label '.length), times])
    .sort(([, a], [, b]) => b - a);
  const all = counts.reduce((sum, [, times]) => sum + times, 0);
  const shown = counts
    .slice(0, SHOWN_LABELS)
    .map(([name, times]) => `${name} ${count(times)} (${figure((100 * times) / all)} %)`);
  if (counts.length > SHOWN_LABELS) shown.push('…');
  return [plural(labels, 'label'), ...(shown.length > 0 ? [shown.join(', ')] : [])].join(': ');
}

/** Of the steps whose rows are written; null: there was no limit. */
function clippedShare({ scalars }: RunFacts['reader']): number | null {
  const shares = scalars.get('clipped')?.mean.values();
  if (!shares || shares.length === 0) return null;
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** Facts on one line where they fit; a line begins with the dot that parts it from the last. */
function joined([first, ...others]: string[], { textColumns }: Screen): string {
  return sideBySide([first!, ...others.map(fact => `· ${fact}`)], ' ', textColumns, 2);
}

function lossCurves(run: RunFacts, { logarithmic }: ShowOptions, screen: Screen): string[] {
  const { scalars, run: file } = run.reader;
  const lines: PlotLine[] = [];
  for (const [name, scalar, colour] of [
    ['training', 'trainLoss', TRAIN],
    ['validation', 'valLoss', VALIDATION],
  ] as const) {
    const column = scalars.get(scalar);
    if (!column || column.length === 0) continue;
    lines.push({
      name,
      colour,
      steps: column.steps.values(),
      min: column.min.values(),
      max: column.max.values(),
      joined: true,
    });
  }
  if (lines.length === 0) return [dim(screen, 'No loss has been written yet.')];
  const key = lines.map(
    ({ name, colour }, index) =>
      `${foreground(screen, colour, index > 0 && screen.colours === 'none' ? MARK : '━')} ${name} ${figure(run.last(name === 'training' ? 'trainLoss' : 'valLoss'))}`,
  );
  const unit = file ? plain(file.task.lossUnit) : '';
  const baseline = file?.task.baseline
    ? `baseline ${figure(file.task.baseline.loss)}: ${plain(file.task.baseline.name)}`
    : '';
  const title = [`${bold(screen, 'Loss')} ${unit}`.trim(), ...key, baseline].filter(Boolean);
  return [
    sideBySide(title, '   ', screen.textColumns, 2),
    ...plotLines(
      lines,
      { width: Math.min(120, screen.columns), height: 12, logarithmic, format: value => figure(value, 3) },
      screen,
    ),
  ];
}

function heatmap(run: RunFacts, { layer: asked }: ShowOptions, screen: Screen): string[] {
  const probed = run.reader.series.get(SERIES.gradientFlow);
  const series = probed ?? run.reader.series.get(SERIES.gradientFlowFull);
  if (!series || series.rows.length === 0) return [dim(screen, 'No gradient flow has been recorded.')];
  const { layers } = series.sidecar;
  const layer = asked ?? mainLevel(layers);
  if (layer >= layers.length)
    return [
      wrap(
        `This run has ${plural(layers.length, 'level')}: ${layers.map(({ name }) => plain(name)).join(', ')}; --layer ${layer} is not among them.`,
        screen.textColumns,
      ),
    ];
  const flow = layerRows(series, layer);
  const { name, title, units } = layers[layer]!;
  const kind = probed ? 'Gradient flow, of the loss at the last step' : 'Gradient flow, of the training loss';
  const last = flow.rows.at(-1)!;
  const first = flow.rows[0]!;
  return [
    sideBySide(
      [bold(screen, kind), `${plain(name)}: ${plain(title)} ${units}`],
      '   ',
      screen.textColumns,
      2,
    ),
    ...drawHeatmap(flow, Math.min(120, screen.columns), 12, screen),
    legend(screen),
    wrap(
      `Reach (steps back above 1 % of the last step's norm): ${reach(first)} at step ${flow.steps[0]}, ${reach(last)} at step ${flow.steps[flow.rows.length - 1]}, of ${last.length - 1}. First to last step: ${figure(last[0]! / last[last.length - 1]!)}.`,
      screen.textColumns,
    ),
  ];
}

function layerRows(series: SeriesRows, layer: number): FlowRows {
  const width = series.sidecar.width / series.sidecar.layers.length;
  return {
    steps: series.steps,
    rows: series.rows.map(row => row.subarray(layer * width, (layer + 1) * width)),
  };
}

function newestSample(run: RunFacts, screen: Screen): string[] {
  const newest = run.reader.samples.findLast(({ sample }) => sample.type !== 'augmented');
  if (!newest) return [];
  const { step, sample } = newest;
  if (sample.type === 'text') {
    return [
      `${bold(screen, 'Sample')} at step ${count(step)}, temperature ${figure(sample.temperature)}`,
      wrap(`${dim(screen, plain(sample.prompt, true))}${plain(sample.text, true)}`, screen.textColumns),
    ];
  }
  if (sample.type === 'series') return seriesSample(step, sample, screen);
  return [
    `${bold(screen, 'Examples')} at step ${count(step)}`,
    ...exampleLines(sample)
      .slice(0, 5)
      .map(({ input, truth, prediction }) =>
        wrap(`  ${plain(input)} → ${plain(prediction)} (truth ${plain(truth)})`, screen.textColumns, 4),
      ),
  ];
}

function augmentation({ reader }: RunFacts, screen: Screen): string[] {
  const newest = reader.samples.findLast(({ sample }) => sample.type === 'augmented');
  if (newest?.sample.type !== 'augmented') return [];
  return [
    `${bold(screen, 'Augmentation')} at step ${count(newest.step)}`,
    ...newest.sample.rows.map(({ before, after }) =>
      wrap(`  ${plain(before)} → ${plain(after)}`, screen.textColumns, 4),
    ),
  ];
}

type Examples = Exclude<Sample, { type: 'text' | 'series' }>;

function exampleLines(sample: Examples): { input: string; truth: string; prediction: string }[] {
  switch (sample.type) {
    case 'pairs':
      return sample.rows;
    case 'classes':
      return sample.rows.map(row => ({
        ...row,
        prediction: `${row.prediction}, ${(100 * row.probability).toFixed(0)} %`,
      }));
    case 'decoded':
      return sample.rows.map(({ source, ...row }) => ({ input: source, ...row }));
    case 'augmented':
      return sample.rows.map(({ before, after }) => ({ input: before, truth: '', prediction: after }));
    case 'tagged':
      return sample.rows.map(tokens => {
        const joined = (part: 'token' | 'truth' | 'prediction') => tokens.map(each => each[part]).join(' ');
        return { input: joined('token'), truth: joined('truth'), prediction: joined('prediction') };
      });
  }
}

const SHOWN_PLACES = 8;

/** "2024-05-03", with the time of day where it has one. */
function dateWords(date: JsonNumber | undefined): string | null {
  const value = date === undefined ? Number.NaN : fromJsonNumber(date);
  if (!Number.isFinite(value) || Math.abs(value) > 8.64e15) return null;
  return new Date(value)
    .toISOString()
    .replace(/T00:00:00\.000Z$/, '')
    .replace(/(?::00)?\.000Z$/, '')
    .replace('T', ' ');
}

/** The newest places of the stretch, in columns, and the errors over all of it. */
function seriesSample(step: number, sample: Extract<Sample, { type: 'series' }>, screen: Screen): string[] {
  const { index, target } = sample;
  const columns = { truth: sample.truth, prediction: sample.prediction, persistence: sample.persistence };
  const rows = index.slice(-SHOWN_PLACES).map((place, i) => {
    const at = Math.max(0, index.length - SHOWN_PLACES) + i;
    return [
      dateWords(sample.dates?.[at]) ?? String(place),
      ...Object.values(columns).map(values => figure(fromJsonNumber(values[at]))),
    ];
  });
  const table = [[sample.dates ? 'date' : 'row', ...Object.keys(columns)], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map(cells => cells[column]!.length)));
  const error = (values: readonly JsonNumber[]) => {
    const squares = values.map((value, i) => (fromJsonNumber(value) - fromJsonNumber(sample.truth[i])) ** 2);
    return figure(Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length));
  };
  return [
    wrap(
      `${bold(screen, 'Forecast')} of ${plain(target)} at step ${count(step)}, the last ${rows.length} of ${plural(index.length, 'row')}; root mean square error over all: prediction ${error(sample.prediction)}, persistence ${error(sample.persistence)}`,
      screen.textColumns,
    ),
    ...table.map(cells =>
      `  ${cells.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}`.trimEnd(),
    ),
  ];
}

function findings(run: RunFacts, screen: Screen): string[] {
  return run.reader.findings.map(({ severity, message, step, fixes }) => {
    const hints = fixes.map(({ title }) => plain(title)).join('; ');
    return wrap(
      `${bold(screen, severity)} at step ${count(step)}: ${plain(message)}${hints ? ` Try: ${hints}.` : ''}`,
      screen.textColumns,
    );
  });
}

function problems(run: RunFacts, screen: Screen): string[] {
  return run.reader.problems.map(problem => wrap(`Note: ${plain(problem)}`, screen.textColumns));
}
