// What is said while runs train: the same events for a person at a terminal, a log file, or a program.
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { plural } from '../../experiment/words.ts';
import type { RunEvent, RunRequest, RunStatus } from '../../runs/format.ts';
import { fromJsonNumber } from '../../runs/json.ts';
import type { RunOutcome } from '../training/work.ts';
import { displayWidth, duration, figure, plain, screenOf, shellCommand } from './terminal.ts';

export interface Report {
  event(index: number, event: RunEvent): void;
  status(index: number, status: RunStatus): void;
  /** something for the person, outside of any run */
  note(text: string): void;
  end(outcomes: readonly RunOutcome[]): void;
  /** leaves the terminal as it was */
  close(): void;
}

export interface TrainedRun {
  folder: string;
  request: RunRequest | null;
}

/** What sets the run apart among those that train together. */
export function labelOf(request: RunRequest | null, index: number): string {
  if (!request) return `run ${index + 1}`;
  return plain(request.group?.label || request.name);
}

/** The mean of a scalar in an event, if it is there. */
export function scalarIn(event: RunEvent, name: string): number | null {
  if (event.kind !== 'scalars' || !Object.hasOwn(event.values, name)) return null;
  const value = event.values[name]!;
  return fromJsonNumber(typeof value === 'object' ? value.mean : value);
}

const REASONS: Readonly<Record<RunOutcome['reason'], string>> = {
  finished: 'finished',
  'early-stopped': 'stopped early: validation no longer improved',
  stopped: 'stopped',
  diverged: 'diverged',
  failed: 'failed',
};

/** One line about the end of a run, and that it had to share the processors. */
export function outcomeLine(label: string, outcome: RunOutcome): string {
  const losses = [
    outcome.trainLoss === null ? '' : `loss ${figure(fromJsonNumber(outcome.trainLoss))}`,
    outcome.valLoss === null ? '' : `validation ${figure(fromJsonNumber(outcome.valLoss))}`,
  ].filter(Boolean);
  const head = `${label} ${REASONS[outcome.reason]} after ${plural(outcome.steps, 'step')} in ${duration(outcome.seconds)}`;
  const why =
    ['diverged', 'failed'].includes(outcome.reason) && outcome.message ? ` ${plain(outcome.message)}` : '';
  const contention = outcome.contention ? ` ${outcome.contention}` : '';
  return `${head}${losses.length > 0 ? `: ${losses.join(', ')}` : ''}.${why}${contention}`;
}

/** What to do next. */
export function hintLines(outcomes: readonly RunOutcome[], columns = screenOf().textColumns): string[] {
  const there = outcomes.filter(({ folder }) => existsSync(folder));
  const stopped = there.filter(({ reason }) => reason === 'stopped').map(({ folder }) => shortPath(folder));
  return [
    ...(there[0] ? [hint('See it:', ['unroll show', shortPath(there[0].folder)], columns)] : []),
    ...(there.length > 1
      ? [hint('Compare:', ['unroll compare', ...there.map(({ folder }) => shortPath(folder))], columns)]
      : []),
    ...(stopped.length > 0 ? [hint('Go on:', ['unroll resume', ...stopped], columns)] : []),
  ];
}

/** On one line where it fits, so that most are. */
function hint(title: string, parts: readonly string[], columns: number): string {
  const whole = `${title} ${parts.join(' ')}`;
  return displayWidth(whole) <= columns ? whole : `${title}\n${shellCommand(parts, columns, 2)}`;
}

/** As people type it: relative where that is shorter. */
export function shortPath(folder: string): string {
  const relative = path.relative(process.cwd(), folder);
  return relative !== '' && relative.length < folder.length ? relative : folder;
}
