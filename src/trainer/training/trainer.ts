// One model in training: what changes from step to step, and nothing that writes. All randomness is a function of
// (seed, purpose, step), so that what is measured in between changes no weight.
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import type { Experiment } from '../../experiment/schema.ts';
import { BadRunError } from '../../runs/errors.ts';
import type { Sample } from '../../runs/format.ts';
import { giveBackStates } from '../engine/kernels/recurrent.ts';
import { validSteps } from '../layers/batch.ts';
import { buildModel } from '../layers/build.ts';
import type { Model, Observation } from '../layers/model.ts';
import type { State } from '../layers/state.ts';
import type { Watch } from '../layers/watch.ts';
import { writeWeights } from '../layers/weights.ts';
import type { Batch, Task } from '../tasks/task.ts';
import { accumulatedGradients, maxTokensOf } from './accumulation.ts';
import { augmented, shownAugmentation } from './augmentation.ts';
import { encodeCheckpoint, type LoadedCheckpoint, type Progress } from './checkpoint.ts';
import { clip } from './clip.ts';
import { badWeight, DivergedError, firstBadTensor } from './divergence.ts';
import { EarlyStopping } from './early-stopping.ts';
import type { StepOptions, StepResult } from './gradients.ts';
import { createOptimizer, globalNorm, type Optimizer } from './optimizers.ts';
import { observePlateau, PLATEAU_START, type PlateauState } from './plateau.ts';
import { Ridge, ridgeOf } from './ridge.ts';
import { learningRateAt } from './schedule.ts';
import { isBias, isRecurrent } from './weight-parts.ts';

/** Sizes from which an update of float32 numbers might overflow, with room for momentum. */
const RISKY = 1e30;

export interface StepFigures {
  trainLoss: number;
  /** before clipping */
  gradNorm: number;
  learningRate: number;
  /** 1 where a limit of the gradient was passed, so that a mean is the share of clipped steps; only with limits */
  clipped?: number;
  /** of the squared weights; only with l2 */
  penalty?: number;
  /** the part of it that recurrent weights have; only where they have a weight of their own */
  recurrentPenalty?: number;
  /** share of the batch's steps that are padding; only with lengths */
  padding?: number;
  /** share of the true symbols that a decoder read; only with teacherForcing */
  forced?: number;
}

/** What is looked at in a step. */
export interface Look {
  /** the batch, before its pass */
  begin?: ((batch: Batch) => void) | undefined;
  watch?: Watch | undefined;
  /** the batch and the state it started in, before the update */
  before?: ((batch: Batch, state: State | null) => void) | undefined;
}

/** A checkpoint, ready to be written. */
export interface Snapshot {
  step: number;
  valLoss: number | null;
  /** the lowest validation loss so far */
  best: boolean;
  files: Map<string, Uint8Array>;
}

export class Trainer {
  readonly experiment: Experiment;
  readonly task: Task;
  readonly model: Model;
  readonly stopping: EarlyStopping;
  /** completed */
  step = 0;
  tokens = 0;
  /** milliseconds in which steps of this process waited for their batch, on the thread that computes them */
  waited = 0;
  /** milliseconds of whole steps, waiting included */
  stepped = 0;
  trainLoss: number | null = null;
  valLoss: number | null = null;
  /** the task's own figures at the last validation of this process; null: there was none */
  metrics: Readonly<Record<string, number>> | null = null;
  /** testLoss and the task's figures as testAccuracy and the like; null: the test part was not scored */
  tested: Readonly<Record<string, number>> | null = null;
  todo: Progress['todo'] = 'step';
  private readonly optimizer: Optimizer;
  /** sets the last layer in closed form, in place of the optimizer */
  private readonly ridge: Ridge | null;
  private carried: State | null = null;
  /** of a schedule that watches the validation */
  private plateau: PlateauState = PLATEAU_START;
  /** of all weights together, roughly */
  private weightSize: number;

  constructor(experiment: Experiment, task: Task) {
    this.experiment = experiment;
    this.task = task;
    this.model = buildModel(experiment, task.sizes, experiment.training.seed);
    this.optimizer = createOptimizer(experiment.training.optimizer, trained(this.model));
    const lambda = ridgeOf(experiment);
    this.ridge = lambda === null ? null : new Ridge(this.model, experiment, lambda, task.outputs);
    this.stopping = new EarlyStopping(experiment.training.earlyStopping);
    this.weightSize = globalNorm(this.model.variables);
  }

  /** One batch, one update. @throws DivergedError, with the weights as they were */
  advance({ begin, watch, before }: Look = {}): StepFigures {
    const { training } = this.experiment;
    const step = this.step + 1;
    const began = performance.now();
    const planned = this.plannedBatch(step);
    this.waited += performance.now() - began;
    const sampled = this.task.sampledBatch?.(this.model, planned, step);
    const batch = sampled?.batch ?? planned;
    begin?.(batch);
    const seen: Observation[] = [];
    const options: StepOptions = {
      window: training.bptt.window ?? batch.seqLen,
      l2: training.l2,
      recurrentL2: training.recurrentL2,
      labelSmoothing: training.labelSmoothing,
      training: true,
      step,
      state: this.stateFor(batch),
      outputs: this.task.outputs,
      watch,
      observe: each => seen.push(each),
    };
    const learningRate = learningRateAt(
      training.schedule,
      training.optimizer.learningRate,
      step,
      training.steps,
      this.plateau.scale,
    );
    const result = accumulatedGradients(this.model, this.task, batch, options, {
      parts: training.accumulate,
      maxTokens: maxTokensOf(this.experiment, this.task),
    });
    try {
      const { loss, gradients } = result;
      const { norm: gradNorm, clipped } = clip(gradients, training);
      if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
        throw new DivergedError(
          step,
          loss,
          gradNorm,
          firstBadTensor(this.model, this.task, batch, { ...options, watch: undefined, observe: undefined }),
        );
      before?.(batch, options.state);
      if (this.ridge) this.ridge.observe(batch, options.state);
      else this.update(gradients, learningRate, gradNorm, step, loss);
      keepStatistics(this.model, seen);
      this.stepped += performance.now() - began;
      return this.completed(step, batch, result, {
        gradNorm,
        learningRate,
        ...(limits(training) && { clipped: Number(clipped) }),
        ...(sampled && { forced: sampled.forced }),
      });
    } finally {
      for (const gradient of result.gradients.values()) gradient.dispose();
    }
  }

  /** What training reads at a step, varied where it is asked for. */
  private plannedBatch(step: number): Batch {
    const { augmentation, seed } = this.experiment.training;
    const batch = this.task.trainingBatch(step);
    if (!augmentation) return batch;
    return augmented(batch, augmentation, { seed, step, shifts: this.task.outputs === 'last-step' });
  }

  /** Sequences of the newest step as they were and as training read them; null: they are not varied. */
  get augmentedSample(): Sample | null {
    if (!this.experiment.training.augmentation || this.step === 0) return null;
    const [before, after] = [this.task.trainingBatch(this.step), this.plannedBatch(this.step)];
    const { symbols } = this.task.artifact();
    const known =
      Array.isArray(symbols) && symbols.every(symbol => typeof symbol === 'string') ? symbols : null;
    return { type: 'augmented', rows: shownAugmentation(before, after, known) };
  }

  /** After a validation: early stopping and the schedule hear of it. */
  observeValidation(valLoss: number): void {
    const { schedule, optimizer } = this.experiment.training;
    this.valLoss = valLoss;
    this.stopping.observe(this.step, valLoss);
    if (schedule.type === 'plateau')
      this.plateau = observePlateau(schedule, optimizer.learningRate, this.plateau, valLoss);
  }

  get progress(): Omit<Progress, 'ownSeconds'> {
    return {
      format: 1,
      step: this.step,
      epoch: this.task.epochOf(this.step + 1),
      tokens: this.tokens,
      trainLoss: this.trainLoss,
      valLoss: this.valLoss,
      todo: this.todo,
      best: this.stopping.state,
      ...(this.experiment.training.schedule.type === 'plateau' && { plateau: this.plateau }),
    };
  }

  snapshot(ownSeconds: number): Snapshot {
    const { step, valLoss, stopping } = this;
    const files = encodeCheckpoint(this.model, (this.ridge ?? this.optimizer).state(), this.carried, {
      ...this.progress,
      ownSeconds,
    });
    return { step, valLoss, best: step > 0 && stopping.state.bestStep === step, files };
  }

  /** @throws BadRunError when the checkpoint is of another model */
  restore({ weights, optimizer, carried, progress }: LoadedCheckpoint): void {
    try {
      writeWeights(this.model, weights);
      (this.ridge ?? this.optimizer).restore(optimizer);
      this.carried = this.checkedState(carried && named(carried, this.model));
    } catch (cause) {
      throw new BadRunError(`The checkpoint does not fit its experiment: ${(cause as Error).message}`);
    }
    this.step = progress.step;
    this.tokens = progress.tokens;
    this.trainLoss = progress.trainLoss;
    this.valLoss = progress.valLoss;
    this.todo = progress.todo;
    this.stopping.state = progress.best;
    this.plateau = progress.plateau ?? PLATEAU_START;
    this.weightSize = globalNorm(this.model.variables);
  }

  dispose(): void {
    this.model.dispose();
  }

  /** State is carried along a stream; a new pass over it starts afresh. */
  private stateFor(batch: Batch): State | null {
    const { carryState } = this.experiment.training.bptt;
    return this.task.stream && carryState && batch.continues ? this.carried : null;
  }

  /** @throws Error when it is of another model */
  private checkedState(carried: State | null): State | null {
    const { states } = this.model;
    const { batchSize } = this.task.facts;
    if (!carried) return null;
    const fits = states.every(({ name, size }) => carried[name]?.length === batchSize * size);
    if (!fits || Object.keys(carried).length !== states.length)
      throw new Error('its carried state has other sizes.');
    return carried;
  }

  private update(
    gradients: ReadonlyMap<string, Tensor>,
    learningRate: number,
    gradNorm: number,
    step: number,
    loss: number,
  ): void {
    const { clipNorm } = this.experiment.training;
    const size = learningRate * Math.max(1, Math.min(gradNorm, clipNorm ?? gradNorm)) + this.weightSize;
    const before = size > RISKY ? copiesOf(this.model.variables) : null;
    const { weightDecay } = this.experiment.training;
    if (weightDecay) shrink(trained(this.model), learningRate, weightDecay);
    this.weightSize = this.optimizer.step(gradients, learningRate);
    if (Number.isFinite(this.weightSize)) return;
    const where = badWeight(this.model) ?? 'a weight';
    if (before) putBack(this.model.variables, before);
    throw new DivergedError(step, loss, gradNorm, `${where}, after the update of step ${step}`);
  }

  private completed(
    step: number,
    batch: Batch,
    { loss, penalty, recurrentPenalty, state }: StepResult,
    rest: Pick<StepFigures, 'gradNorm' | 'learningRate' | 'clipped' | 'forced'>,
  ): StepFigures {
    this.step = step;
    this.tokens += validSteps(batch);
    this.trainLoss = loss;
    this.carried = this.task.stream && this.experiment.training.bptt.carryState ? state : null;
    if (!this.carried) giveBackStates(Object.values(state));
    this.todo = 'validate';
    const figures: StepFigures = { trainLoss: loss, ...rest };
    if (batch.lengths) figures.padding = 1 - validSteps(batch) / (batch.seqLen * batch.batch);
    const { l2, recurrentL2 } = this.experiment.training;
    if (l2 + (recurrentL2 ?? 0) > 0) figures.penalty = penalty;
    if (recurrentL2 !== undefined) figures.recurrentPenalty = recurrentPenalty;
    return figures;
  }
}

/** Checkpoints of version 0.1.0 number the recurrent levels: "0.h", "1.c". */
function named(carried: State, { states }: Model): State {
  const levels = [...new Set(states.map(({ name }) => name.slice(0, name.lastIndexOf('.'))))];
  const entries = Object.entries(carried).map(([key, values]): [string, Float32Array] => {
    const [, index, part] = /^(\d+)\.([hc])$/.exec(key) ?? [];
    return [index === undefined ? key : `${levels[Number(index)]}.${part}`, values];
  });
  return Object.fromEntries(entries);
}

function limits({ clipNorm, clipTensorNorm, clipValue }: Experiment['training']): boolean {
  return clipNorm !== null || clipTensorNorm !== null || clipValue !== null;
}

/** Decoupled decay: weights that are no biases become (1 - learning rate · decay) of themselves. */
function shrink(
  variables: ReadonlyMap<string, Variable>,
  learningRate: number,
  { kernel, recurrent }: NonNullable<Experiment['training']['weightDecay']>,
): void {
  for (const [name, variable] of variables) {
    const decay = isRecurrent(name) ? recurrent : kernel;
    if (decay === 0 || isBias(name)) continue;
    const left = 1 - learningRate * decay;
    const next = tensor(
      (variable.dataSync() as Float32Array).map(value => value * left),
      variable.shape,
    );
    variable.assign(next);
    next.dispose();
  }
}

/** The variables that gradients change. */
function trained({ variables, statistics }: Model): ReadonlyMap<string, Variable> {
  return statistics.size === 0
    ? variables
    : new Map([...variables].filter(([name]) => !statistics.has(name)));
}

function keepStatistics({ variables }: Model, seen: readonly Observation[]): void {
  for (const { name, share, values } of seen) {
    const variable = variables.get(name)!;
    const old = variable.dataSync();
    const next = tensor(
      values.map((value, i) => (1 - share) * old[i]! + share * value),
      variable.shape,
    );
    variable.assign(next);
    next.dispose();
  }
}

function copiesOf(variables: ReadonlyMap<string, Variable>): Map<string, Float32Array> {
  return new Map([...variables].map(([name, variable]) => [name, Float32Array.from(variable.dataSync())]));
}

function putBack(variables: ReadonlyMap<string, Variable>, copies: ReadonlyMap<string, Float32Array>): void {
  for (const [name, variable] of variables) {
    const before = tensor(copies.get(name)!, variable.shape);
    variable.assign(before);
    before.dispose();
  }
}
