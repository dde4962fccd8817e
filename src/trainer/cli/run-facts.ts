// A run as the commands of the shell see it: its folder read once, and the figures they print.
import { firstCell } from '../../experiment/models.ts';
import { type LifeState, LifeWatch } from '../../runs/life.ts';
import { RunReader } from '../../runs/reader.ts';
import { CommandError } from './exit.ts';

export interface RunFacts {
  folder: string;
  reader: RunReader;
  /** name and, in a comparison, what sets it apart */
  label: string;
  cell: string | null;
  state: LifeState;
  step: number;
  steps: number;
  /** own training time */
  seconds: number;
  /** the least validation loss and its step */
  bestLoss: { value: number; step: number } | null;
  /** the newest value of a scalar; null if there is none */
  last(name: string): number | null;
}

export function loadRun(folder: string): RunFacts {
  const reader = new RunReader(folder);
  while (reader.poll());
  const { request, status } = reader;
  if (!request || !status) {
    throw new CommandError(`${folder} cannot be read as a run. ${reader.problems.join(' ')}`.trim());
  }
  const last = (name: string) => {
    const column = reader.scalars.get(name);
    return column && column.length > 0 ? column.mean.at(column.length - 1) : null;
  };
  const clock = reader.scalars.get('trainLoss');
  return {
    folder,
    reader,
    label: request.group ? `${request.name} ${request.group.label}`.trim() : request.name,
    cell: firstCell(request.experiment)?.layer.type ?? null,
    state: new LifeWatch().judge(folder, status).state,
    step: status.step,
    steps: status.steps,
    seconds: reader.ended?.seconds ?? (clock && clock.length > 0 ? clock.seconds.at(clock.length - 1) : 0),
    bestLoss: least(reader),
    last,
  };
}

function least(reader: RunReader): RunFacts['bestLoss'] {
  const column = reader.scalars.get('valLoss');
  if (!column) return null;
  let best: RunFacts['bestLoss'] = null;
  for (let row = 0; row < column.length; row++) {
    const value = column.mean.at(row);
    if (value < (best?.value ?? Infinity)) best = { value, step: column.steps.at(row) };
  }
  return best;
}
