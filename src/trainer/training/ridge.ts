// Ridge regression of the last dense layer, in closed form over all batches that were read: with every other weight as it
// began, what comes before that layer is a fixed map, and the least squares have one solution.
//
//   W, b = argmin Σ ‖y - W h - b‖² + λ ‖W‖²      over all steps that have a target; classes are y of 0 and 1
//
// A. Hoerl, R. Kennard, 1970, https://doi.org/10.1080/00401706.1970.10488634. Sums are kept in float64; H inputs, O outputs.
import { type Tensor, tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import type { Experiment } from '../../experiment/schema.ts';
import { lossOf } from '../../experiment/tasks/index.ts';
import { glance, weightsChanged } from '../engine/storage.ts';
import { type Batch, inputOf } from '../layers/batch.ts';
import { ModelError } from '../layers/errors.ts';
import type { Model } from '../layers/model.ts';
import type { State } from '../layers/state.ts';

/** λ of a layer that asks for it; null: the model learns by gradient. */
export function ridgeOf({ model }: Experiment): number | null {
  for (const layer of model.layers) if ('readout' in layer && layer.readout) return layer.readout.lambda;
  return null;
}

export class Ridge {
  private readonly model: Model;
  private readonly lambda: number;
  private readonly weight: Variable;
  private readonly bias: Variable;
  private readonly isOfClasses: boolean;
  private readonly outputs: 'every-step' | 'last-step';
  /** Σ [h 1]ᵀ [h 1] (H+1, H+1) and Σ [h 1]ᵀ y (H+1, O) */
  private readonly products: Float64Array;
  private readonly answers: Float64Array;

  /** @throws ModelError where the last layer is not a dense one without activation */
  constructor(model: Model, experiment: Experiment, lambda: number, outputs: 'every-step' | 'last-step') {
    const last = experiment.model.layers.length - 1;
    const [weight, bias] = ['weight', 'bias'].map(name => model.variables.get(`layers.${last}.${name}`));
    const end = experiment.model.layers[last]!;
    if (!weight || !bias || !('activation' in end && end.activation === 'linear'))
      throw new ModelError(
        'A ridge readout sets the weights of a last dense layer without activation; end the model with { "type": "dense" }.',
        ['model', 'layers', last],
      );
    this.model = model;
    this.lambda = lambda;
    this.weight = weight;
    this.bias = bias;
    this.isOfClasses = lossOf(experiment.data).of === 'classes';
    this.outputs = outputs;
    const [O, H] = weight.shape as [number, number];
    this.products = new Float64Array((H + 1) ** 2);
    this.answers = new Float64Array((H + 1) * O);
  }

  /** Adds a batch, and sets the last layer to the solution of all batches so far. `state`: the one the batch starts in. */
  observe(batch: Batch, state: State | null): void {
    const [O, H] = this.weight.shape as [number, number];
    tidy(() => {
      const { outputs } = this.model.forwardToLoss(inputOf(batch), {
        training: false,
        step: 0,
        lengths: batch.lengths,
        state,
        outputs: this.outputs,
      });
      if (!('x' in outputs))
        throw new ModelError('A ridge readout needs a last dense layer that reads the states as they are.', [
          'model',
          'layers',
        ]);
      this.add(glance(outputs.x as Tensor), batch, H, O);
    });
    const solved = solve(this.products, this.answers, H + 1, O, this.lambda);
    const weight = new Float32Array(O * H);
    for (let o = 0; o < O; o++) for (let i = 0; i < H; i++) weight[o * H + i] = solved[i * O + o]!;
    assign(this.weight, weight);
    assign(
      this.bias,
      Float32Array.from({ length: O }, (_, o) => solved[H * O + o]!),
    );
    weightsChanged();
  }

  /** The sums, each number as three of float32 that add up to it. */
  state(): Map<string, Float32Array> {
    return new Map([
      ['ridge/products', inThree(this.products)],
      ['ridge/answers', inThree(this.answers)],
    ]);
  }

  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const [name, sums] of [
      ['ridge/products', this.products],
      ['ridge/answers', this.answers],
    ] as const) {
      const saved = state.get(name);
      if (saved?.length !== 3 * sums.length) throw new Error(`The optimizer state does not fit ${name}.`);
      for (let i = 0; i < sums.length; i++) sums[i] = saved[3 * i]! + saved[3 * i + 1]! + saved[3 * i + 2]!;
    }
  }

  /** h (steps · B, H) */
  private add(h: Float32Array, batch: Batch, H: number, O: number): void {
    const rows = h.length / H;
    const width = H + 1;
    const row = new Float64Array(width).fill(1);
    const perRow = batch.targets.length / rows;
    for (let r = 0; r < rows; r++) {
      if (this.outputs === 'every-step' && batch.asked?.[r] === 0) continue;
      if (this.outputs === 'every-step' && batch.lengths) {
        const [t, b] = [Math.floor(r / batch.batch), r % batch.batch];
        if (t >= batch.lengths[b]!) continue;
      }
      const given = batch.targets.subarray(r * perRow, (r + 1) * perRow);
      if (!given.every(value => Number.isFinite(value) && !(this.isOfClasses && value < 0))) continue;
      for (let i = 0; i < H; i++) row[i] = h[r * H + i]!;
      for (let i = 0; i < width; i++) {
        const x = row[i]!;
        for (let j = 0; j <= i; j++) this.products[i * width + j]! += x * row[j]!;
        if (this.isOfClasses) this.answers[i * O + given[0]!]! += x;
        else for (let o = 0; o < O; o++) this.answers[i * O + o]! += x * given[o]!;
      }
    }
  }
}

/** (XᵀX + λI) B = XᵀY by Cholesky; the last row, of the biases, is not penalised. `products`: its lower triangle is read. */
export function solve(
  products: Float64Array,
  answers: Float64Array,
  n: number,
  columns: number,
  lambda: number,
): Float64Array {
  const l = Float64Array.from(products);
  for (let i = 0; i < n - 1; i++) l[i * n + i]! += lambda;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = l[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
    }
  const b = Float64Array.from(answers);
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < n; i++) {
      let sum = b[i * columns + column]!;
      for (let k = 0; k < i; k++) sum -= l[i * n + k]! * b[k * columns + column]!;
      b[i * columns + column] = sum / l[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i * columns + column]!;
      for (let k = i + 1; k < n; k++) sum -= l[k * n + i]! * b[k * columns + column]!;
      b[i * columns + column] = sum / l[i * n + i]!;
    }
  }
  return b;
}

function assign(variable: Variable, values: Float32Array): void {
  const fresh = tensor(values, variable.shape);
  variable.assign(fresh);
  fresh.dispose();
}

function inThree(values: Float64Array): Float32Array {
  const parts = new Float32Array(3 * values.length);
  for (let i = 0; i < values.length; i++) {
    parts[3 * i] = values[i]!;
    parts[3 * i + 1] = values[i]! - parts[3 * i]!;
    parts[3 * i + 2] = values[i]! - parts[3 * i]! - parts[3 * i + 1]!;
  }
  return parts;
}
