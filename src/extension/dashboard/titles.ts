// The names on the dashboard: of the whole, of each run in it, and what tells runs of one cell apart.
import { kindOf } from '../../experiment/layers/index.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { distinctions } from '../../runs/differences.ts';
import type { RunRequest } from '../../runs/format.ts';
import { matrixPlaces } from '../../runs/matrix.ts';
import { cellOf } from '../cells.ts';
import type { Place } from './run-view.ts';

export interface Named {
  /** the name a person gave it, else the experiment's */
  name: string;
  request: RunRequest;
}

/** Label and variant of every run, in their order. */
export function placesOf(runs: readonly Named[]): Place[] {
  const isOneGroup = new Set(runs.map(({ request }) => request.group?.id ?? request.id)).size === 1;
  const seen = new Map<string, number>();
  const matrix = matrixPlaces(
    runs.map(({ request }) => request.experiment),
    isOneGroup ? undefined : runs.map(({ name }) => name),
  );
  const places = runs.map(({ name, request }, index) => {
    const cell = cellNameOf(request.experiment);
    const hue = cellOf(request.experiment)?.hue ?? '';
    const variant = seen.get(hue) ?? 0;
    seen.set(hue, variant + 1);
    const own = request.group?.label || cell;
    return {
      label: isOneGroup ? own : own === cell ? name : `${name} ${own}`,
      variant,
      matrix: matrix?.[index] ?? null,
    };
  });
  return toldApart(runs, places);
}

/** Runs of one name are named by what differs between them: "vanish · 64 units", "vanish · 96 units". */
function toldApart(runs: readonly Named[], places: readonly Place[]): Place[] {
  return places.map((place, index) => {
    const alike = runs.flatMap((run, at) => (places[at]!.label === place.label ? [{ run, at }] : []));
    if (alike.length < 2) return place;
    const experiments = alike.map(({ run }) => run.request.experiment);
    const own = alike.findIndex(({ at }) => at === index);
    const seed = new Set(experiments.map(({ training }) => training.seed)).size > 1;
    const parts = [
      place.label,
      distinctions(experiments)[own]!,
      seed ? `seed ${experiments[own]!.training.seed}` : '',
    ];
    return { ...place, label: parts.filter(Boolean).join(' · ') };
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
  // a dot parts the runs here, and lines are broken at it
  const labels = placesOf(runs).map(({ label }) => label.replaceAll(' · ', ' '));
  const shown = labels.length <= 4 ? labels.join(' · ') : `${labels.length} runs`;
  return `compare ${shown}${size}`;
}

/** Units of all layers that read across steps; null where they differ. */
function unitsOf({ model }: Experiment): number | null {
  const cells = model.layers.filter(layer => kindOf(layer).family !== 'plain');
  const units = new Set(cells.map(layer => ('units' in layer ? (layer.units ?? null) : null)));
  return units.size === 1 ? [...units][0]! : null;
}

function cellNameOf(experiment: Experiment): string {
  return cellOf(experiment)?.title ?? 'run';
}
