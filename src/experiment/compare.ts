// A comparison: one experiment for each combination of the compared values.
import { type CellName, type Experiment, experimentSchema, isRecurrent, type Layer } from './schema.ts';

export interface Member {
  /** what sets it apart, e.g. "GRU", "learningRate 0.003 · seed 2"; empty when nothing is compared */
  label: string;
  experiment: Experiment;
}

type Change = { label: string; apply(experiment: Experiment): void };

/** All members in the order they are written: the first field varies slowest. @throws Error naming a path that does not exist */
export function expandComparison(experiment: Experiment): Member[] {
  const { compare, ...single } = experiment;
  if (!compare) return [{ label: '', experiment }];
  const { cell, seeds, ...fields } = compare;
  const axes: Change[][] = [];
  if (cell)
    axes.push(cell.map(name => ({ label: cellLabel(name), apply: (e: Experiment) => switchCells(e, name) })));
  for (const [path, values] of Object.entries(fields as Record<string, unknown[]>))
    axes.push(
      values.map(value => ({
        label: `${path.split('.').pop()} ${String(value)}`,
        apply: (e: Experiment) => assign(e, path, value),
      })),
    );
  if (seeds !== undefined && seeds > 1)
    axes.push(
      Array.from({ length: seeds }, (_, index) => ({
        label: `seed ${experiment.training.seed + index}`,
        apply: (e: Experiment) => {
          e.training.seed = experiment.training.seed + index;
        },
      })),
    );
  return combinations(axes).map(changes => {
    const member = structuredClone(single) as Experiment;
    for (const change of changes) change.apply(member);
    const checked = experimentSchema.safeParse(member);
    const label = changes.map(change => change.label).join(' · ');
    if (!checked.success)
      throw new Error(`compare: "${label}" is not possible: ${checked.error.issues[0]?.message}`);
    return { label, experiment: checked.data };
  });
}

export function cellLabel(cell: CellName): string {
  return cell.toUpperCase();
}

/** Every recurrent layer becomes one of this cell; what the new cell does not know is dropped. */
export function switchCell(layer: Layer, cell: CellName): Layer {
  if (!isRecurrent(layer) || layer.type === cell) return layer;
  const { units, layers, dropout, recurrentInit } = layer;
  const common = { units, layers, dropout, recurrentInit };
  return cell === 'rnn' ? { type: 'rnn', ...common, activation: 'tanh' } : { type: cell, ...common };
}

function switchCells(experiment: Experiment, cell: CellName): void {
  experiment.model.layers = experiment.model.layers.map(layer => switchCell(layer, cell));
}

function assign(experiment: Experiment, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let target: unknown = experiment;
  for (const part of parts)
    target = Object.hasOwn(Object(target), part) ? (target as Record<string, unknown>)[part] : undefined;
  if (typeof target !== 'object' || target === null)
    throw new Error(`compare: there is no "${path}" in this experiment.`);
  (target as Record<string, unknown>)[last] = value;
}

function combinations(axes: Change[][]): Change[][] {
  return axes.reduce<Change[][]>(
    (before, axis) => before.flatMap(changes => axis.map(change => [...changes, change])),
    [[]],
  );
}
