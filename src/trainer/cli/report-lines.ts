// Plain lines for logs and pipes: a line a run every few seconds, and at every validation.
import process from 'node:process';
import type { RunEvent, RunStatus } from '../../runs/format.ts';
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
import { duration, figure, plain, screenOf, wrap } from './terminal.ts';

const INTERVAL = 5000;

export class LineReport implements Report {
  readonly #runs: readonly TrainedRun[];
  readonly #spokeAt: number[];
  readonly #status: (RunStatus | undefined)[] = [];

  constructor(runs: readonly TrainedRun[]) {
    this.#runs = runs;
    this.#spokeAt = runs.map(() => -Infinity);
    for (const [index, run] of runs.entries()) say(`${this.#label(index)}: ${shortPath(run.folder)}`);
  }

  event(index: number, event: RunEvent): void {
    const label = this.#label(index);
    switch (event.kind) {
      case 'scalars':
        this.#scalars(index, event);
        break;
      case 'finding':
        say(`${label}: ${event.finding.severity} at step ${event.step}: ${plain(event.finding.message)}`);
        break;
      case 'resumed':
        say(`${label}: goes on from step ${event.fromStep}`);
        break;
      case 'paused':
        say(`${label}: paused at step ${event.step}: ${plain(event.why)}`);
        break;
      case 'started':
      case 'sample':
      case 'checkpoint':
      case 'ended':
        break;
      default:
        event satisfies never;
    }
  }

  #scalars(index: number, event: RunEvent): void {
    const validation = scalarIn(event, 'valLoss');
    const now = performance.now();
    if (validation === null && now - this.#spokeAt[index]! < INTERVAL) return;
    this.#spokeAt[index] = now;
    const status = this.#status[index];
    const parts = [
      `step ${event.step}${status ? `/${status.steps}` : ''}`,
      `loss ${figure(scalarIn(event, 'trainLoss'))}`,
      validation === null ? '' : `validation ${figure(validation)}`,
      status?.eta === null || status?.eta === undefined ? '' : `${duration(status.eta)} left`,
    ];
    say(`${this.#label(index)}: ${parts.filter(Boolean).join('  ')}`);
  }

  status(index: number, status: RunStatus): void {
    this.#status[index] = status;
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  end(outcomes: readonly RunOutcome[]): void {
    for (const [index, outcome] of outcomes.entries()) say(outcomeLine(this.#label(index), outcome));
    for (const line of hintLines(outcomes)) process.stdout.write(`${line}\n`);
  }

  close(): void {}

  #label(index: number): string {
    return labelOf(this.#runs[index]!.request, index);
  }
}

function say(line: string): void {
  process.stdout.write(`${wrap(line, screenOf().textColumns, 2)}\n`);
}
