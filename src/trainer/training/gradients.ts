// The gradients of one training step. Truncated BPTT (Williams & Peng 1990, https://doi.org/10.1162/neco.1990.2.4.490):
// the gradient is cut every `window` steps inside a sequence while the state goes on, and the parts make ONE update
// together, so that a step is a batch and an update whatever the window is, and a window as long as the sequence is
// plain BPTT to the bit. An update after each window is what seqLen = window with bptt.carryState gives.
import {
  add,
  mul,
  type Scalar,
  scalar,
  square,
  sum,
  type Tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import { gradientsOf } from '../engine/gradients.ts';
import { askedSteps, type Batch, inputOf, lengthsIn, type Stretch, stretchesOf } from '../layers/batch.ts';
import { encodedOf } from '../layers/evaluate.ts';
import type { ForwardOptions, Model } from '../layers/model.ts';
import type { State } from '../layers/state.ts';
import type { Watch } from '../layers/watch.ts';
import type { Task } from '../tasks/task.ts';
import { isBias, isRecurrent } from './weight-parts.ts';

export interface StepOptions {
  /** steps the gradient flows back at most */
  window: number;
  /** weight of the squared weights in the loss */
  l2: number;
  /** the same of recurrent weights; left out: that of all others */
  recurrentL2?: number | undefined;
  /** share of each target that is spread over all classes; left out: none */
  labelSmoothing?: number;
  /** what the loss counts among the parts of an update; left out: all */
  share?: number;
  training: boolean;
  /** counter of the dropout streams */
  step: number;
  state: State | null;
  outputs: 'every-step' | 'last-step';
  watch?: Watch | undefined;
  observe?: ForwardOptions['observe'];
}

export interface StepResult {
  /** mean loss of the data, without the penalty */
  loss: number;
  penalty: number;
  /** the part of the penalty that recurrent weights have */
  recurrentPenalty: number;
  gradients: Map<string, Tensor>;
  state: State;
}

/**
 * The stretches of time that have a gradient each; those without a loss are only walked through. None is longer than the
 * window, so that memory does not grow with the sequence.
 */
export function stretches(
  seqLen: number,
  window: number,
  outputs: 'every-step' | 'last-step',
): (Stretch & { loss: boolean })[] {
  if (outputs === 'every-step') return stretchesOf(seqLen, window).map(part => ({ ...part, loss: true }));
  const cut = Math.max(0, seqLen - window);
  const walked = stretchesOf(cut, window).map(part => ({ ...part, loss: false }));
  return [...walked, { from: cut, to: seqLen, loss: true }];
}

/** Gradients belong to the caller, who disposes of them. */
export function computeGradients(model: Model, task: Task, batch: Batch, options: StepOptions): StepResult {
  const parts = stretches(batch.seqLen, options.window, options.outputs);
  const variables = [...model.variables.values()];
  const gradients = new Map<string, Tensor>();
  const everyStep = options.outputs === 'every-step';
  if (!everyStep && batch.lengths && parts.length > 1)
    throw new Error('A window shorter than the sequence needs sequences of equal length.');
  if (batch.source && parts.length > 1)
    throw new Error('A window shorter than the sequence cuts the gradient from its source.');
  const { share: ofUpdate = 1, labelSmoothing = 0 } = options;
  const all = everyStep ? askedSteps(batch, { from: 0, to: batch.seqLen }) : 1;
  let { state } = options;
  let loss = 0;
  parts.forEach((part, index) => {
    const share = everyStep ? askedSteps(batch, part) / all : 1;
    const weight = share * ofUpdate;
    const pass = {
      training: options.training,
      step: options.step * parts.length + index,
      observe: options.observe,
      watch: batch.lengths && parts.length > 1 ? withoutTimes(options.watch) : options.watch,
    };
    const forward = () => {
      const result = model.forwardToLoss(inputOf(batch, part), {
        ...pass,
        lengths: lengthsIn(batch, part),
        state,
        encoded: encodedOf(model, batch, pass),
        outputs: options.outputs,
        from: part.from,
      });
      state = result.state;
      return result.outputs;
    };
    if (!part.loss || share === 0) {
      tidy(() => {
        forward();
      });
      return;
    }
    const mask = everyStep ? maskOf(batch, part) : null;
    const { loss: lossHere, made } = lossGradients(
      variables,
      () => task.loss(forward(), targetsOf(batch, part, options.outputs), mask, labelSmoothing),
      weight === 1 ? null : weight,
    );
    loss += lossHere * share;
    accumulate(gradients, model, made);
  });
  const { l2, recurrentL2 = l2 } = options;
  const [penalty, recurrentPenalty] =
    l2 + recurrentL2 > 0 ? addPenalty(model, gradients, l2, recurrentL2) : [0, 0];
  return { loss, penalty, recurrentPenalty, gradients, state: state ?? {} };
}

/**
 * Rows of time are aligned at each sequence's last step, which a stretch does not know of: of unequal lengths that are
 * cut, none is told.
 */
function withoutTimes(watch: Watch | undefined): Watch | undefined {
  return watch?.output && { output: watch.output };
}

function lossGradients(
  variables: Variable[],
  lossOf: () => Scalar,
  share: number | null,
): { loss: number; made: (Tensor | null)[] } {
  let loss = Number.NaN;
  const { value, gradients } = gradientsOf(() => {
    const whole = lossOf();
    loss = whole.dataSync()[0]!;
    return share === null ? whole : (mul(whole, share) as Scalar);
  }, variables);
  value.dispose();
  return { loss, made: gradients };
}

/** `made`: in the order of the model's variables. */
function accumulate(gradients: Map<string, Tensor>, model: Model, made: readonly (Tensor | null)[]): void {
  let index = 0;
  for (const name of model.variables.keys()) {
    const gradient = made[index++];
    if (!gradient) continue;
    // it was asked for all the same, so that what lies before such weights alone is told its gradient
    if (model.statistics.has(name)) {
      gradient.dispose();
      continue;
    }
    const before = gradients.get(name);
    if (!before) gradients.set(name, gradient);
    else {
      gradients.set(name, add(before, gradient));
      before.dispose();
      gradient.dispose();
    }
  }
}

/** λ Σ w² over all weights but the biases; its gradient 2 λ w. @returns it, and the part of recurrent weights */
export function addPenalty(
  model: Model,
  gradients: Map<string, Tensor>,
  l2: number,
  recurrentL2: number,
): [all: number, recurrent: number] {
  let penalty = 0;
  let recurrent = 0;
  for (const [name, variable] of model.variables) {
    if (isBias(name) || model.statistics.has(name)) continue;
    const lambda = isRecurrent(name) ? recurrentL2 : l2;
    if (lambda === 0) continue;
    const own = tidy(() => sum(square(variable)).dataSync()[0]!) * lambda;
    penalty += own;
    if (isRecurrent(name)) recurrent += own;
    const before = gradients.get(name);
    gradients.set(
      name,
      tidy(() =>
        before ? add(before, mul(variable, scalar(2 * lambda))) : mul(variable, scalar(2 * lambda)),
      ),
    );
    before?.dispose();
  }
  return [penalty, recurrent];
}

function targetsOf(batch: Batch, part: Stretch, outputs: 'every-step' | 'last-step') {
  if (outputs === 'last-step' || (part.from === 0 && part.to === batch.seqLen)) return batch.targets;
  const perStep = batch.targets.length / batch.seqLen;
  return batch.targets.subarray(part.from * perStep, part.to * perStep);
}

/** (steps · batch): 0 where no answer is asked for, so that nothing there is in the loss; null: all count */
function maskOf({ lengths, batch, asked }: Batch, { from, to }: Stretch): Float32Array | null {
  if (asked) return asked.subarray(from * batch, to * batch);
  if (!lengths) return null;
  const mask = new Float32Array((to - from) * batch);
  for (let t = from; t < to; t++)
    for (let row = 0; row < batch; row++) if (t < lengths[row]!) mask[(t - from) * batch + row] = 1;
  return mask;
}
