// One experiment for each member of a comparison: data × cells × any field × seeds.

import { isCell, kindOf, type Layer, type LayerType, layerSchema } from './layers/index.ts';
import { knownSizes, type PlacedLayer, placeLayers, UNREAD } from './models.ts';
import { countAs, equalUnits } from './parameters.ts';
import { dotted, type Path, parseDotted } from './place.ts';
import { type Experiment, experimentSchema } from './schema.ts';
import { schemaAt } from './schema-json.ts';
import { switchCell } from './switch-cell.ts';
import { taskOf } from './tasks/index.ts';

export interface Member {
  /** what sets it apart, such as "GRU · lr 0.003 · seed 2"; empty if nothing is compared */
  label: string;
  experiment: Experiment;
}

interface Axis {
  values: { label: string; apply(experiment: Experiment): Experiment }[];
}

/** More runs than this are a mistake rather than a comparison. */
export const MAX_MEMBERS = 200;

export function comparisonSize(experiment: Experiment): number {
  return axesOf(experiment).reduce((size, { values }) => size * values.length, 1);
}

/** Data vary slowest, then cells; seeds fastest. Members stand alone: they hold no `compare`. */
export function expandComparison(experiment: Experiment): Member[] {
  const { compare: _, ...alone } = experiment;
  let members: Member[] = [{ label: '', experiment: structuredClone(alone) }];
  for (const { values } of axesOf(experiment)) {
    members = members.flatMap(member =>
      values.map(value => ({
        label: [member.label, value.label].filter(Boolean).join(' · '),
        experiment: value.apply(member.experiment),
      })),
    );
  }
  return members;
}

function axesOf(experiment: Experiment): Axis[] {
  const { data, cell, seeds, equal, ...fields } = experiment.compare ?? {};
  const axes: Axis[] = [];
  if (data) {
    const labels = titled(data, own => taskOf(own).title, 'task');
    axes.push({ values: data.map((own, i) => ({ label: labels[i]!, apply: e => ({ ...e, data: own }) })) });
  }
  if (cell) {
    const labels = titled(cell.map(asObject), own => kindOf(own).title, 'type');
    const made = (e: Experiment, own: ComparedCell) =>
      equal === 'parameters' ? atEqualParameters(e, own, cell) : withCell(e, own);
    axes.push({ values: cell.map((own, i) => ({ label: labels[i]!, apply: e => made(e, own) })) });
  }
  const keys = Object.keys(fields);
  for (const [key, values] of Object.entries(fields)) {
    const path = parseDotted(key);
    const name = axisName(path, keys);
    axes.push({
      values: values.map(value => ({ label: `${name} ${value}`, apply: e => withField(e, path, value) })),
    });
  }
  if (seeds && seeds > 1)
    axes.push({ values: Array.from({ length: seeds }, (_, i) => seedMember(experiment, i)) });
  return axes;
}

/** Titles; of several with one title also the fields in which they differ, such as "Parity, length 16". */
function titled<T extends object>(values: readonly T[], title: (value: T) => string, kind: string): string[] {
  return values.map(value => {
    const alike = values.filter(other => title(other) === title(value)) as Record<string, unknown>[];
    const keys = Object.keys(value).filter(
      key => key !== kind && new Set(alike.map(other => JSON.stringify(other[key]))).size > 1,
    );
    const words = keys.map(key => `${key} ${(value as Record<string, unknown>)[key]}`);
    return [title(value), ...words].join(', ');
  });
}

/** A cell of a comparison: its name, or with fields of its own. */
export type ComparedCell = LayerType | { type: LayerType; [field: string]: unknown };

export function asObject(cell: ComparedCell): { type: LayerType; [field: string]: unknown } {
  return typeof cell === 'string' ? { type: cell } : cell;
}

function seedMember(experiment: Experiment, index: number): Axis['values'][number] {
  const { seed } = experiment.training;
  return {
    label: `seed ${seed + index}`,
    // counted from the member's own seed, which another axis may have set
    apply: e => withField(e, ['training', 'seed'], e.training.seed + index),
  };
}

/** The last key of a path, or more of it where two axes end alike. */
function axisName(path: Path, keys: readonly string[]): string {
  const last = path.findLastIndex(part => typeof part === 'string');
  const short = dotted(path.slice(last));
  const alike = keys.filter(key => dotted(parseDotted(key)).endsWith(short)).length > 1;
  if (alike) return dotted(path);
  return short === 'learningRate' ? 'lr' : short;
}

/** The same model of another cell; fields that only the old cell has are left out. */
export function withCell(experiment: Experiment, cell: ComparedCell): Experiment {
  const { type, ...own } = asObject(cell);
  const placed = placeLayers(experiment, knownSizes(experiment) ?? UNREAD).slice(
    -experiment.model.layers.length,
  );
  const layers = placed.map(({ layer, at }) =>
    isCell(layer) ? (layerSchema.parse({ ...switchCell(layer, type, at.inputs), ...own }) as Layer) : layer,
  );
  return { ...experiment, model: { ...experiment.model, layers } };
}

/** Whether the counts of all cells can be told without the data. */
export function knowsWidths(experiment: Experiment): boolean {
  return placedLayers(experiment).every(({ layer, at }) => !isCell(layer) || Number.isFinite(at.inputs));
}

function placedLayers(experiment: Experiment): PlacedLayer[] {
  return placeLayers(experiment, knownSizes(experiment) ?? UNREAD).slice(-experiment.model.layers.length);
}

/** The model of another cell, each with the most units that stay within the largest count among `cells` at its place. */
function atEqualParameters(
  experiment: Experiment,
  cell: ComparedCell,
  cells: readonly ComparedCell[],
): Experiment {
  const countAt = (e: Experiment, index: number) => {
    const { layer, at } = placedLayers(e)[index]!;
    return countAs({ layer, at }, layer.type).count;
  };
  let made = withCell(experiment, cell);
  // a cell that says its own units keeps them
  if ('units' in asObject(cell)) return made;
  for (const [index, layer] of made.model.layers.entries()) {
    if (!isCell(layer)) continue;
    const budget = Math.max(...cells.map(other => countAt(withCell(experiment, other), index)));
    const units = equalUnits(placedLayers(made)[index]!, layer.type, budget);
    if (units === null || !('units' in layer)) continue;
    const layers = made.model.layers.with(index, { ...layer, units } as Layer);
    made = { ...made, model: { ...made.model, layers } };
  }
  return made;
}

/** Sets one field; where that names another kind of thing (`optimizer.type`), fields which that kind lacks go. */
export function withField(experiment: Experiment, path: Path, value: unknown): Experiment {
  return experimentSchema.parse(setField(experiment, path, value));
}

/** The raw value with one field set, unchecked; objects on the way are made where the path names keys. */
export function setField(root: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(root) as Record<string | number, unknown>;
  let here = copy;
  for (const key of path.slice(0, -1)) {
    if (typeof here[key] !== 'object' || here[key] === null) here[key] = {};
    here = here[key] as Record<string | number, unknown>;
  }
  here[path.at(-1)!] = value;
  dropUnknown(copy, path);
  return copy;
}

function dropUnknown(root: Record<string | number, unknown>, path: Path): void {
  const last = path.at(-1);
  if (last !== 'type' && last !== 'task') return;
  const known = schemaAt(path.slice(0, -1), root)?.properties;
  const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as Layer)[key as keyof Layer], root);
  if (!known) return;
  for (const key of Object.keys(holder as object)) {
    if (!Object.hasOwn(known, key)) delete (holder as Record<string, unknown>)[key];
  }
}
