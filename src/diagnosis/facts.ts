// What the diagnosis is told of a run, and what it keeps of it.
import type { Experiment } from '../experiment/schema.ts';
import { taskOf } from '../experiment/tasks/index.ts';
import type { Finding, Fix, JsonNumber, TaskFacts } from '../runs/format.ts';
import type { History, Recent } from './history.ts';

export interface RecurrentFacts {
  /** "layers.1.0": layer 1 of the experiment, stack level 0 */
  name: string;
  units: number;
}

export interface RunFacts {
  experiment: Experiment;
  task: TaskFacts;
  layers: readonly RecurrentFacts[];
}

/** What was seen at a step; whatever was not measured is left out. */
export interface Observation {
  step: number;
  trainLoss?: number;
  valLoss?: number;
  /** before clipping */
  gradNorm?: number;
  /** ‖∂L_T/∂h_t‖ of the loss at the last step, t = 1 … T, by recurrent level */
  flow?: readonly { layer: string; norms: ArrayLike<number> }[];
  /** mean and saturated share of a gate, t = 1 … T */
  gates?: readonly { layer: string; gate: string; mean: ArrayLike<number>; saturation: ArrayLike<number> }[];
  /** share of a layer's ReLU units that were 0 over the whole batch */
  dead?: readonly { layer: string; share: number }[];
}

/** What was seen so far, in bounded memory. */
export interface Seen {
  step: number;
  loss: History;
  validations: { step: number; loss: number }[];
  gradNorms: Recent;
  /** log10 of first over last norm, by recurrent level */
  ratios: Map<string, History>;
  /** by "level gate" */
  gates: Map<string, GateSeen>;
  /** by layer */
  dead: Map<string, DeadSeen>;
}

export interface GateSeen {
  layer: string;
  gate: string;
  /** averaged over the time steps */
  mean: Recent;
  saturation: Recent;
}

/** Shares of dead units. */
export interface DeadSeen {
  /** of all that were seen */
  least: number;
  shares: Recent;
}

/** Looks at what was seen; called now and then, and not again for a place where it found something. */
export type Finder = (facts: RunFacts, seen: Seen) => Finding[];

/** The newest scalars of a run by name, such as `trainLoss`. */
export type Newest = Readonly<Record<string, JsonNumber | undefined>>;

/** Whether a finding with this evidence still holds. */
export type Holds = (evidence: Finding['evidence'], last: Newest) => boolean;

/** Whether a scalar has come below a share of what it was measured against; false where either is not known. */
export function isBelow(
  value: JsonNumber | undefined,
  limit: JsonNumber | string | undefined,
  share: number,
): boolean {
  return typeof value === 'number' && typeof limit === 'number' && value < share * limit;
}

export type { Finding, Fix };

/** The loss of a model that has learned nothing; null where it is not known. */
export function ignorance({ task, experiment }: RunFacts): { loss: number; name: string } | null {
  // persistence knows the last value; who knows nothing says the mean, whose error in scaled units is 1
  const { reads, loss } = taskOf(experiment.data);
  if (reads === 'table' && loss.of === 'values') return { loss: 1, name: 'always predicting the mean' };
  return task.baseline;
}

/** "layers.1.0" → "layers.1", the layer as the experiment has it. */
export function layerOf(level: string): string {
  return /^layers\.\d+/.exec(level)?.[0] ?? level;
}

export function layerIndex(level: string): number {
  return Number(/^layers\.(\d+)/.exec(level)?.[1] ?? -1);
}

/** log10; less is noise */
const SMALLEST_RISE = 0.15;
const STEADY = 0.5;

/** Whether the gradient comes further back the longer it trains, however little of it comes yet. */
export function reachGrows({ ratios, step }: Seen): boolean {
  return [...ratios.values()].some(history => {
    const trend = history.trend(step * 0.15, step);
    return trend !== null && trend.tau >= STEADY && trend.rise > SMALLEST_RISE;
  });
}
