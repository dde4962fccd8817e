// When a step gives numbers that are not finite: which tensor was the first, in the order they are computed.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Model } from '../layers/model.ts';
import type { Batch, Task } from '../tasks/task.ts';
import { computeGradients, type StepOptions } from './gradients.ts';
import { firstNonFinite } from './optimizers.ts';

/** Training cannot go on; the weights are those of before this step. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
  readonly step: number;
  readonly loss: number;
  readonly gradNorm: number;
  /** the first bad tensor */
  readonly where: string;

  constructor(step: number, loss: number, gradNorm: number, where: string) {
    const [what, value] = !Number.isFinite(loss)
      ? ['loss', loss]
      : Number.isFinite(gradNorm)
        ? ['size of the weights', 'infinite']
        : ['gradient norm', gradNorm];
    super(
      `The ${what} became ${value} at step ${show(step)}: the first tensor that is not finite is ${where}.`,
    );
    this.step = step;
    this.loss = loss;
    this.gradNorm = gradNorm;
    this.where = where;
  }
}

/** Runs the step again and looks at everything: input, weights, carried state, layer by layer, loss, gradients. */
export function firstBadTensor(model: Model, task: Task, batch: Batch, options: StepOptions): string {
  return badInput(batch) ?? badWeight(model) ?? badState(options) ?? badInStep(model, task, batch, options);
}

function badInput(batch: Batch): string | null {
  const at = firstBad(batch.input);
  if (at !== null) return `the input, ${place(at, batch.input.length, batch.seqLen, 0)}`;
  return firstBad(batch.targets) === null ? null : 'the targets of the batch';
}

export function badWeight(model: Model): string | null {
  const bad = firstNonFinite(model.variables);
  return bad && `the weight ${bad.name} (number ${bad.index + 1} of ${model.variables.get(bad.name)!.size})`;
}

function badState({ state }: StepOptions): string | null {
  const bad = Object.entries(state ?? {}).find(([, values]) => firstBad(values) !== null);
  return bad ? `the state ${bad[0]} that was carried into the step` : null;
}

function badInStep(model: Model, task: Task, batch: Batch, options: StepOptions): string {
  let found: string | null = null;
  const backward: string[] = [];
  const { loss, gradients } = computeGradients(model, task, batch, {
    ...options,
    watch: {
      output(name, from, outputOf) {
        const output = outputOf();
        const at = firstBad(output.dataSync());
        if (at !== null) found ??= `the output of ${name}, ${place(at, output.size, output.shape[0]!, from)}`;
      },
      gradient(level, from, norms) {
        const t = norms.findLastIndex(value => !Number.isFinite(value));
        const { name, family } = model.levels[level]!;
        const what = family === 'recurrent' ? 'hidden state' : 'output';
        if (t >= 0)
          backward.push(
            `the gradient with respect to the ${what} of ${name}, going back at time step ${from + t + 1}`,
          );
      },
    },
  });
  if (!found && !Number.isFinite(loss)) found = 'the loss itself';
  const where = found ?? backward[0] ?? badGradient(gradients) ?? 'not found when the step was run again';
  for (const gradient of gradients.values()) gradient.dispose();
  return where;
}

/** From the last layer back to the first. */
function badGradient(gradients: ReadonlyMap<string, Tensor>): string | null {
  for (const name of [...gradients.keys()].sort().reverse()) {
    const bad = firstNonFinite(new Map([[name, gradients.get(name)!]]));
    if (bad) return `the gradient of ${name}`;
  }
  return null;
}

function firstBad(values: ArrayLike<number>): number | null {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return null;
}

/** Time-major: (steps, …). */
function place(at: number, size: number, steps: number, from: number): string {
  return `at time step ${from + Math.floor(at / (size / steps)) + 1}`;
}

function show(step: number): string {
  return step.toLocaleString('en-US');
}
