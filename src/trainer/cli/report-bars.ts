// A progress bar for each run, on a terminal.
import process from 'node:process';
import type { MultiBar, SingleBar } from 'cli-progress';
import type { RunEvent, RunStatus } from '../../runs/format.ts';
import { fromJsonNumber } from '../../runs/json.ts';
import type { RunOutcome } from '../training/work.ts';
import {
  hintLines,
  labelOf,
  outcomeLine,
  type Report,
  scalarIn,
  shortPath,
  type TrainedRun,
} from './report.ts';
import { displayWidth, duration, figure, plain, screenOf, wrap } from './terminal.ts';

interface Figures {
  label: string;
  loss: string;
  validation: string;
  left: string;
}

const LONGEST_BAR = 24;
const SHORTEST_BAR = 4;

/** The bar takes what room the figures leave, and goes where that is none: the percentage says the same. */
export function lineFor(runs: readonly TrainedRun[], columns: number): { format: string; barsize: number } {
  const longest = (texts: string[]) => Math.max(...texts.map(displayWidth));
  const label = longest(runs.map(({ request }, index) => labelOf(request, index)));
  const steps = longest(runs.map(({ request }) => String(request?.experiment.training.steps ?? 0)));
  const figures = ` 100%  /  loss 12.3456  val 12.3456  12:34 left`.length + 2 * steps;
  const room = columns - label - ' '.length - figures;
  const bar = room < SHORTEST_BAR ? '' : ' {bar}';
  return {
    format: `{label}${bar} {percentage}%  {value}/{total}  loss {loss}  val {validation}  {left}`,
    barsize: Math.min(LONGEST_BAR, Math.max(SHORTEST_BAR, room)),
  };
}

export class BarReport implements Report {
  readonly #bars: MultiBar;
  readonly #each: SingleBar[];
  readonly #figures: Figures[];

  static async open(runs: readonly TrainedRun[]): Promise<BarReport> {
    const { default: progress } = await import('cli-progress');
    for (const { folder } of runs) process.stdout.write(`${shortPath(folder)}\n`);
    const bars = new progress.MultiBar(
      {
        ...lineFor(runs, screenOf().columns),
        hideCursor: true,
        fps: 8,
        stopOnComplete: false,
        clearOnComplete: false,
        gracefulExit: false,
        emptyOnZero: true,
        stream: process.stdout,
        autopadding: true,
      },
      progress.Presets.shades_classic,
    );
    return new BarReport(runs, bars);
  }

  private constructor(runs: readonly TrainedRun[], bars: MultiBar) {
    this.#bars = bars;
    const labels = runs.map(({ request }, index) => labelOf(request, index));
    const width = Math.max(...labels.map(label => label.length));
    this.#figures = labels.map(label => ({
      label: label.padEnd(width),
      loss: '–',
      validation: '–',
      left: 'starting',
    }));
    this.#each = runs.map(({ request }, index) =>
      bars.create(request?.experiment.training.steps ?? 0, 0, this.#figures[index]),
    );
  }

  event(index: number, event: RunEvent): void {
    const figures = this.#figures[index]!;
    const loss = scalarIn(event, 'trainLoss');
    const validation = scalarIn(event, 'valLoss');
    if (loss !== null) figures.loss = figure(loss);
    if (validation !== null) figures.validation = figure(validation);
    if (event.kind === 'finding') this.note(`${figures.label.trim()}: ${plain(event.finding.message)}`);
    if (loss !== null || validation !== null) this.#each[index]!.update(event.step, figures);
  }

  status(index: number, status: RunStatus): void {
    const figures = this.#figures[index]!;
    const loss = status.last['trainLoss'];
    if (loss !== undefined) figures.loss = figure(fromJsonNumber(loss));
    figures.left =
      status.state === 'training'
        ? status.eta === null
          ? ''
          : `${duration(status.eta)} left`
        : status.state;
    this.#each[index]!.setTotal(status.steps);
    this.#each[index]!.update(status.step, figures);
  }

  note(text: string): void {
    this.#bars.log(`${wrap(text, screenOf().textColumns, 2)}\n`);
  }

  end(outcomes: readonly RunOutcome[]): void {
    this.#bars.update();
    this.close();
    for (const [index, outcome] of outcomes.entries()) {
      const line = outcomeLine(this.#figures[index]!.label.trim(), outcome);
      process.stdout.write(`${wrap(line, screenOf().textColumns, 2)}\n`);
    }
    for (const line of hintLines(outcomes)) process.stdout.write(`${line}\n`);
  }

  close(): void {
    this.#bars.stop();
  }
}
