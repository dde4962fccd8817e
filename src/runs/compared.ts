// A run's row of figures for a comparison, from its reader.
import type { ComparedRun } from './comparison.ts';
import { seedlessKey } from './differences.ts';
import type { RunReader } from './reader.ts';

/** `reach`: steps back that the gradient reaches. null for a run whose request cannot be read. */
export function comparedRun(
  reader: RunReader,
  { id, label, state, reach }: Pick<ComparedRun, 'id' | 'label' | 'state' | 'reach'>,
): ComparedRun | null {
  const { request, status } = reader;
  if (!request) return null;
  const { experiment } = request;
  const last = (name: string) => {
    const column = reader.scalars.get(name);
    return column && column.length > 0 ? column.mean.at(column.length - 1) : null;
  };
  const clock = reader.scalars.get('trainLoss');
  const seconds = clock && clock.length > 0 ? clock.seconds.at(clock.length - 1) : null;
  const step = status?.step ?? 0;
  return {
    id,
    label,
    state,
    reach,
    key: seedlessKey(experiment),
    seed: experiment.training.seed,
    final: last('valLoss') ?? last('trainLoss'),
    ...bestOf(reader),
    parameters: reader.run?.parameters.total ?? null,
    secondsPerStep: seconds !== null && step > 0 ? seconds / step : null,
    tokensPerSecond: last('tokensPerSecond'),
    memoryBytes: mostOf(reader, 'memoryBytes'),
  };
}

/** The least validation loss, and the first step that had it. */
function bestOf(reader: RunReader): Pick<ComparedRun, 'best' | 'bestStep'> {
  const column = reader.scalars.get('valLoss');
  let [best, bestStep]: [number | null, number | null] = [null, null];
  for (let row = 0; row < (column?.length ?? 0); row++) {
    const value = column!.mean.at(row);
    if (value < (best ?? Infinity)) [best, bestStep] = [value, column!.steps.at(row)];
  }
  return { best, bestStep };
}

function mostOf(reader: RunReader, name: string): number | null {
  const column = reader.scalars.get(name);
  let most: number | null = null;
  for (let row = 0; row < (column?.length ?? 0); row++) {
    const value = column!.max.at(row);
    if (Number.isFinite(value) && value > (most ?? 0)) most = value;
  }
  return most;
}
