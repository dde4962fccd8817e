// The names on the dashboard: of the whole, of each run in it, and what tells runs of one cell apart.
import type { CellName, Experiment } from '../../experiment/schema.ts';
import type { RunRequest } from '../../runs/format.ts';
import type { Place } from './run-view.ts';

const NAMES: Readonly<Record<CellName, string>> = { rnn: 'RNN', gru: 'GRU', lstm: 'LSTM' };

export interface Named {
  /** the name a person gave it, else the experiment's */
  name: string;
  request: RunRequest;
}

/** Label and variant of every run, in their order. */
export function placesOf(runs: readonly Named[]): Place[] {
  const isOneGroup = new Set(runs.map(({ request }) => request.group?.id ?? request.id)).size === 1;
  const seen = new Map<string, number>();
  return runs.map(({ name, request }) => {
    const cell = cellNameOf(request.experiment);
    const variant = seen.get(cell) ?? 0;
    seen.set(cell, variant + 1);
    const own = request.group?.label || cell;
    return { label: isOneGroup ? own : own === cell ? name : `${name} ${own}`, variant };
  });
}

export function titleOf(runs: readonly Named[]): string | null {
  const names = [...new Set(runs.map(({ name }) => name))];
  return names.length === 0 ? null : names.slice(0, 3).join(', ') + (names.length > 3 ? '…' : '');
}

/** Such as "compare RNN · GRU · LSTM, 128 units". */
export function subtitleOf(runs: readonly Named[]): string {
  const first = runs[0];
  if (!first) return '';
  const units = new Set(runs.map(({ request }) => unitsOf(request.experiment)));
  const size = units.size === 1 && [...units][0] ? `, ${[...units][0]} units` : '';
  if (runs.length === 1) return `${cellNameOf(first.request.experiment)}${size}`;
  const labels = placesOf(runs).map(({ label }) => label);
  const shown = labels.length <= 4 ? labels.join(' · ') : `${labels.length} runs`;
  return `compare ${shown}${size}`;
}

function unitsOf(experiment: Experiment): number | null {
  for (const layer of experiment.model.layers)
    if (layer.type === 'rnn' || layer.type === 'gru' || layer.type === 'lstm') return layer.units;
  return null;
}

function cellNameOf(experiment: Experiment): string {
  for (const { type } of experiment.model.layers)
    if (type === 'rnn' || type === 'gru' || type === 'lstm') return NAMES[type];
  return 'run';
}
