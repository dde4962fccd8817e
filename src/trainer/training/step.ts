// The gradients of one training step. Truncated BPTT (Williams & Peng 1990, https://doi.org/10.1162/neco.1990.2.4.490):
// the gradient is cut every `window` steps inside a sequence while the state goes on, and the parts make ONE update
// together, so that a step is a batch and an update whatever the window is, and a window as long as the sequence is
// plain BPTT to the bit. An update after each window is what seqLen = window with bptt.carryState gives.
import {
  add,
  concat,
  mul,
  type Scalar,
  scalar,
  square,
  sum,
  type Tensor,
  type Tensor3D,
  tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import { gradientsOf } from '../engine/gradients.ts';
import type { LayerState, Model, RecurrentReport } from '../layers/model.ts';
import type { Batch, Task } from '../tasks/task.ts';

export interface StepOptions {
  /** steps the gradient flows back at most */
  window: number;
  /** weight of the squared weights in the loss */
  l2: number;
  training: boolean;
  /** counter of the dropout streams */
  step: number;
  state: LayerState[] | null;
  outputs: 'every-step' | 'last-step';
  /** by recurrent layer and the time step its report starts at */
  onRecurrent?: (layer: number, from: number, report: RecurrentReport) => void;
  /** by name, with the time step the output starts at */
  onLayer?: (name: string, output: () => Tensor, from: number) => void;
}

export interface StepResult {
  /** mean loss of the data, without the penalty */
  loss: number;
  penalty: number;
  gradients: Map<string, Tensor>;
  state: LayerState[];
}

/**
 * The stretches of time that have a gradient each; those without a loss are only walked through. None is longer than the
 * window, so that memory does not grow with the sequence.
 */
export function stretches(
  seqLen: number,
  window: number,
  outputs: 'every-step' | 'last-step',
): { from: number; to: number; loss: boolean }[] {
  if (outputs === 'every-step') return partsOf(seqLen, window).map(part => ({ ...part, loss: true }));
  const cut = Math.max(0, seqLen - window);
  const walked = partsOf(cut, window).map(part => ({ ...part, loss: false }));
  return [...walked, { from: cut, to: seqLen, loss: true }];
}

function partsOf(seqLen: number, most: number): { from: number; to: number }[] {
  const parts = [];
  for (let from = 0; from < seqLen; from += most) parts.push({ from, to: Math.min(seqLen, from + most) });
  return parts;
}

/** Gradients belong to the caller, who disposes of them. */
export function computeGradients(model: Model, task: Task, batch: Batch, options: StepOptions): StepResult {
  const parts = stretches(batch.seqLen, options.window, options.outputs);
  const variables = [...model.variables.values()];
  const gradients = new Map<string, Tensor>();
  const everyStep = options.outputs === 'every-step';
  const { onLayer } = options;
  if (!everyStep && batch.lengths && parts.length > 1)
    throw new Error('A window shorter than the sequence needs sequences of equal length.');
  const all = everyStep ? validSteps(batch, 0, batch.seqLen) : 1;
  let { state } = options;
  let loss = 0;
  let penalty = 0;
  parts.forEach((part, index) => {
    const share = everyStep ? validSteps(batch, part.from, part.to) / all : 1;
    const forward = () => {
      const result = model.forwardToLoss(inputOf(batch, part), {
        training: options.training,
        step: options.step * parts.length + index,
        lengths: lengthsIn(batch, part),
        state,
        outputs: options.outputs,
        onRecurrent:
          part.loss && options.onRecurrent
            ? (layer, report) => options.onRecurrent?.(layer, part.from, report)
            : undefined,
        onLayer: onLayer && ((name, output) => onLayer(name, output, part.from)),
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
      () => task.loss(forward(), targetsOf(batch, part, options.outputs), mask),
      share === 1 ? null : share,
    );
    loss += lossHere * share;
    accumulate(gradients, model, made);
  });
  if (options.l2 > 0) penalty = addPenalty(model, gradients, options.l2);
  return { loss, penalty, gradients, state: state ?? [] };
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
    const before = gradients.get(name);
    if (!before) gradients.set(name, gradient);
    else {
      gradients.set(name, add(before, gradient));
      before.dispose();
      gradient.dispose();
    }
  }
}

function isBias(name: string): boolean {
  return /(^|[._])bias/.test(name);
}

/** λ Σ w² over all weights but the biases; its gradient 2 λ w. */
function addPenalty(model: Model, gradients: Map<string, Tensor>, l2: number): number {
  let penalty = 0;
  for (const [name, variable] of model.variables) {
    if (isBias(name)) continue;
    penalty += tidy(() => sum(square(variable)).dataSync()[0]!) * l2;
    const before = gradients.get(name);
    gradients.set(
      name,
      tidy(() => (before ? add(before, mul(variable, scalar(2 * l2))) : mul(variable, scalar(2 * l2)))),
    );
    before?.dispose();
  }
  return penalty;
}

/** The batch's input between two time steps; time-major, so that it is one piece of memory. */
export function inputOf(batch: Batch, part: { from: number; to: number }): Tensor {
  const perStep = batch.input.length / batch.seqLen;
  const values = batch.input.subarray(part.from * perStep, part.to * perStep);
  const steps = part.to - part.from;
  return values instanceof Int32Array
    ? tensor(values, [steps, batch.batch], 'int32')
    : tensor(values, [steps, batch.batch, perStep / batch.batch]);
}

function targetsOf(batch: Batch, part: { from: number; to: number }, outputs: 'every-step' | 'last-step') {
  if (outputs === 'last-step') return batch.targets;
  const perStep = batch.targets.length / batch.seqLen;
  return batch.targets.subarray(part.from * perStep, part.to * perStep);
}

/** Steps between two times that stand inside their sequence. */
function validSteps({ lengths, batch }: Batch, from: number, to: number): number {
  if (!lengths) return (to - from) * batch;
  return lengths.reduce((count, length) => count + Math.max(0, Math.min(length, to) - from), 0);
}

/** (steps · batch): 0 beyond a sequence's length, so that nothing there is in the loss; null: all count */
function maskOf({ lengths, batch }: Batch, { from, to }: { from: number; to: number }): Float32Array | null {
  if (!lengths) return null;
  const mask = new Float32Array((to - from) * batch);
  for (let t = from; t < to; t++)
    for (let row = 0; row < batch; row++) if (t < lengths[row]!) mask[(t - from) * batch + row] = 1;
  return mask;
}

/** Steps that are evaluated at a time where a model reads sequences in parts: memory does not grow with longer ones. */
const EVALUATED_STEPS = 1024;

/** A forward pass over a whole batch without gradients; the outputs belong to the caller. */
export function evaluate(
  model: Model,
  batch: Batch,
  outputs: 'every-step' | 'last-step',
  state: LayerState[] | null,
): { outputs: Tensor3D; state: LayerState[] } {
  // the last steps of sequences of unequal lengths may stand in different parts
  const inParts = model.context === null && (outputs === 'every-step' || !batch.lengths);
  let after = state;
  const made: Tensor3D[] = [];
  for (const part of partsOf(batch.seqLen, inParts ? EVALUATED_STEPS : batch.seqLen)) {
    const result = tidy(() => {
      const forward = model.forward(inputOf(batch, part), {
        training: false,
        step: 0,
        lengths: lengthsIn(batch, part),
        state: after,
        outputs,
      });
      after = forward.state;
      return forward.outputs;
    });
    if (outputs === 'last-step') made.pop()?.dispose();
    made.push(result);
  }
  if (made.length === 1) return { outputs: made[0]!, state: after ?? [] };
  const joined = concat(made, 0);
  for (const part of made) part.dispose();
  return { outputs: joined, state: after ?? [] };
}

/** How much of each sequence stands in a part. */
function lengthsIn({ lengths }: Batch, { from, to }: { from: number; to: number }): Int32Array | null {
  return lengths?.map(length => Math.max(0, Math.min(length, to) - from)) ?? null;
}
