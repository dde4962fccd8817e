// Trains runs in this process: progress for people or JSON lines for programs, Ctrl+C, and the exit code.
import process from 'node:process';
import { readSummary } from '../../runs/list.ts';
import type { RunOutcome } from '../training/work.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { takeInterrupts } from './interrupts.ts';
import { trainOnCores } from './lanes.ts';
import { trainWithoutReader } from './output.ts';
import type { Report, TrainedRun } from './report.ts';
import { BarReport } from './report-bars.ts';
import { JsonReport } from './report-json.ts';
import { LineReport } from './report-lines.ts';
import { plain } from './terminal.ts';

export interface TrainOptions {
  json: boolean;
  force: boolean;
  /** of runs that go on: another place of their data, or data that changed */
  data?: string | undefined;
  changedData?: boolean;
}

export async function trainHere(folders: string[], options: TrainOptions): Promise<ExitCode> {
  const { json, force, data, changedData } = options;
  const runs = folders.map(folder => ({ folder, request: readSummary(folder)?.request ?? null }));
  trainWithoutReader();
  const report = await reportFor(json, runs);
  const interrupt = watchInterrupts(report);
  const told = new Set<string>();
  try {
    const outcomes = await trainOnCores(folders, {
      onEvent: (index, event) => report.event(index, event),
      onStatus: (index, status) => report.status(index, status),
      onData: (_index, notes) => {
        // members of a comparison mostly read the same file
        for (const note of notes.filter(note => !told.has(note))) report.note(plain(note));
        for (const note of notes) told.add(note);
      },
      signal: interrupt.signal,
      force,
      data,
      changedData,
    });
    report.end(outcomes);
    return exitCodeOf(outcomes);
  } catch (error) {
    report.close();
    throw error;
  } finally {
    interrupt.stop();
  }
}

async function reportFor(json: boolean, runs: TrainedRun[]): Promise<Report> {
  if (json) return new JsonReport(runs);
  if (process.stdout.isTTY && process.env['TERM'] !== 'dumb') return BarReport.open(runs);
  return new LineReport(runs);
}

/** The first Ctrl+C stops with a checkpoint, the second at once. */
function watchInterrupts(report: Report): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) {
      report.close();
      process.exit(EXIT.stopped);
    }
    report.note('Stopping with a checkpoint; Ctrl+C again ends at once.');
    controller.abort();
  };
  return { signal: controller.signal, stop: takeInterrupts(interrupt) };
}

export function exitCodeOf(outcomes: readonly RunOutcome[]): ExitCode {
  if (outcomes.some(({ wrongInput }) => wrongInput)) return EXIT.wrongInput;
  if (outcomes.some(({ reason }) => reason === 'stopped')) return EXIT.stopped;
  const failed = outcomes.filter(({ reason }) => reason === 'failed' || reason === 'diverged');
  if (failed.length === 0) return EXIT.done;
  return failed.every(({ wrongInput }) => wrongInput) ? EXIT.wrongInput : EXIT.failed;
}
