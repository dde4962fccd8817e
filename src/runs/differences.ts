// What tells experiments apart: the fields in which they differ, as words.
import { kindNamed } from '../experiment/layers/index.ts';
import type { Experiment } from '../experiment/schema.ts';
import { taskNamed } from '../experiment/tasks/index.ts';
import { type Effect, effectsOf } from './comparison.ts';

/** A field by its dotted path, with the value that each experiment has there. */
export interface Factor {
  path: string;
  values: unknown[];
}

const SEED = 'training.seed';
/** Said elsewhere, or of no effect on what is learned. */
const IGNORED = /^(?:name|\$schema|log|probes|compare)(?:\.|$)|^training\.(?:sample|checkpoint|validation)\./;

/** Fields in which these differ, seeds aside, in the order of the experiment. */
export function factorsOf(experiments: readonly Experiment[]): Factor[] {
  const flat = experiments.map(experiment => {
    const fields = new Map<string, unknown>();
    flatten(experiment, '', fields);
    return fields;
  });
  const paths = [...new Set(flat.flatMap(fields => [...fields.keys()]))];
  const different = paths
    .filter(path => path !== SEED && !IGNORED.test(path))
    .map(path => ({ path, values: flat.map(fields => fields.get(path)) }))
    .filter(({ values }) => new Set(values.map(value => JSON.stringify(value))).size > 1);
  // another kind brings other fields, which say no more than its name
  const kinds = different.filter(({ path }) => isKind(path)).map(({ path }) => path);
  const owners = kinds.map(path => path.replace(/[^.]+$/, ''));
  return different.filter(
    ({ path, values }) =>
      kinds.includes(path) ||
      !owners.some(owner => path.startsWith(owner)) ||
      values.every(value => value !== undefined),
  );
}

function flatten(value: unknown, path: string, into: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null) return void into.set(path, value);
  for (const [key, field] of Object.entries(value)) flatten(field, path ? `${path}.${key}` : key, into);
}

function isKind(path: string): boolean {
  return /\.(?:type|task)$/.test(path);
}

/** "96 units", "lr 0.003", "LSTM", "window 12". */
export function wordsOf(path: string, value: unknown): string {
  const key = path.split('.').at(-1)!;
  // a place that this experiment's model does not have
  if (value === undefined && isKind(path)) return 'none';
  if (key === 'type') return kindNamed(String(value))?.title ?? String(value);
  if (key === 'task') return taskNamed(String(value))?.title ?? String(value);
  if (key === 'units') return `${value} units`;
  if (key === 'learningRate') return `lr ${value}`;
  if (typeof value === 'boolean') return value ? key : `no ${key}`;
  return value === undefined ? `no ${key}` : `${key} ${value}`;
}

/** What sets each of these apart from the others; empty where they differ in their seed alone. */
export function distinctions(experiments: readonly Experiment[]): string[] {
  const factors = factorsOf(experiments);
  return experiments.map((_, index) =>
    factors
      .filter(({ path, values }) => values[index] !== undefined || !isKind(path))
      .map(({ path, values }) => wordsOf(path, values[index]))
      .join(' · '),
  );
}

/** Equal for runs that differ in their seed alone. */
export function seedlessKey({ name: _, ...experiment }: Experiment): string {
  const { seed: __, ...training } = experiment.training;
  return JSON.stringify({ ...experiment, training });
}

/** Of a grid: what each of its factors does by itself to the best loss. */
export function ablation(runs: readonly { experiment: Experiment; best: number | null }[]): Effect[] {
  const factors = factorsOf(runs.map(({ experiment }) => experiment));
  return effectsOf(
    factors.map(({ path }) => path),
    runs.map(({ best }, index) => ({
      levels: factors.map(({ path, values }) => wordsOf(path, values[index])),
      value: best,
    })),
  );
}

/** Only the fields in which two differ, by dotted path, the seed included. */
export function onlyDifferences(
  a: Experiment,
  b: Experiment,
): [Record<string, unknown>, Record<string, unknown>] {
  const [first, second] = [new Map<string, unknown>(), new Map<string, unknown>()];
  flatten(a, '', first);
  flatten(b, '', second);
  const paths = [...new Set([...first.keys(), ...second.keys()])].filter(
    path => JSON.stringify(first.get(path)) !== JSON.stringify(second.get(path)),
  );
  const of = (fields: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(paths.flatMap(path => (fields.has(path) ? [[path, fields.get(path)]] : [])));
  return [of(first), of(second)];
}
