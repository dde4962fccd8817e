// JSON lines on stdout: the events of events.jsonl, and last how each run ended.
import process from 'node:process';
import type { RunEvent } from '../../runs/format.ts';
import { toJsonNumber } from '../../runs/json.ts';
import type { RunOutcome } from '../training/work.ts';
import type { Report, TrainedRun } from './report.ts';

export class JsonReport implements Report {
  readonly #runs: readonly TrainedRun[];

  constructor(runs: readonly TrainedRun[]) {
    this.#runs = runs;
  }

  /** In a comparison each line also names its run. The end is told by `end`, with more in it. */
  event(index: number, event: RunEvent): void {
    if (event.kind === 'ended') return;
    const run = this.#runs.length > 1 ? { run: this.#runs[index]!.folder } : {};
    write({ ...event, ...run });
  }

  status(): void {}

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  end(outcomes: readonly RunOutcome[]): void {
    for (const outcome of outcomes) write(endedRecord(outcome));
    if (outcomes.length > 1) {
      const group = this.#runs[0]!.request?.group?.id ?? null;
      write({ kind: 'ended', group, runs: outcomes.map(({ folder }) => folder) });
    }
  }

  close(): void {}
}

export function endedRecord({
  folder,
  reason,
  message,
  steps,
  trainLoss,
  valLoss,
  metrics,
  seconds,
  engine,
}: RunOutcome) {
  return { kind: 'ended', reason, message, run: folder, steps, trainLoss, valLoss, metrics, seconds, engine };
}

function write(record: unknown): void {
  const text = JSON.stringify(record, (_key, value) =>
    typeof value === 'number' ? toJsonNumber(value) : value,
  );
  process.stdout.write(`${text}\n`);
}
