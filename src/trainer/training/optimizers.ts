// Optimizers that update variables in place, and clipping by global norm. Sums over tensors run in the order of
// their names, in float64.
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import type { Optimizer as OptimizerSpec } from '../../experiment/schema.ts';
import type { Slice } from '../engine/provider.ts';
import { floats, provider, settledFloats, sharers, slice, weightsChanged, whole } from '../engine/storage.ts';
import { muon } from './muon.ts';
import { adagrad, amsgrad, lion, type Numbers, nadam, nadamMomenta } from './update-rules.ts';

type Named<T> = ReadonlyMap<string, T>;

export interface Optimizer {
  /**
   * One update; gradients by the names of the variables, left as they were. Returns Σ |w| of the updated variables, roughly:
   * NaN or infinite where a number is.
   */
  step(gradients: Named<Tensor>, learningRate: number): number;
  /** Copies of all it remembers: "step" and "<variable>/<moment>", in PyTorch's names. */
  state(): Map<string, Float32Array>;
  restore(state: Named<Float32Array>): void;
}

interface Update {
  count: number;
  shape: readonly number[];
  parameter: Slice;
  gradient: Slice;
  learningRate: number;
  step: number;
}

/** Names of what an optimizer remembers per variable, and its update of one variable with these in their order. */
interface Rule {
  moments(shape: readonly number[]): readonly string[];
  /** what a moment holds at first; left out: 0 */
  begin?: number;
  /** returns Σ |p| after it */
  update(update: Update, moments: readonly Slice[]): number;
}

// Calls are written out field by field: objects made by spreading cost as much as a small layer's arithmetic.
function ruleOf(spec: OptimizerSpec): Rule {
  switch (spec.type) {
    case 'adam':
    case 'adamw': {
      const weightDecay = spec.type === 'adamw' ? spec.weightDecay : 0;
      const { beta1, beta2, epsilon } = spec;
      if (spec.amsgrad)
        return {
          moments: () => ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'],
          update: (update, [m, v, most]) => amsgrad(spec, numbersOf(update), m!.data, v!.data, most!.data),
        };
      return {
        moments: () => ['exp_avg', 'exp_avg_sq'],
        update({ count, parameter, gradient, learningRate, step }, [firstMoment, secondMoment]) {
          return provider().adamStep({
            count,
            parameter,
            gradient,
            firstMoment: firstMoment!,
            secondMoment: secondMoment!,
            learningRate,
            step,
            beta1,
            beta2,
            epsilon,
            weightDecay,
          });
        },
      };
    }
    case 'sgd': {
      const { momentum, nesterov } = spec;
      return {
        moments: () => (momentum > 0 ? ['momentum_buffer'] : []),
        update({ count, parameter, gradient, learningRate }, [momentumBuffer = null]) {
          return provider().sgdStep({
            count,
            parameter,
            gradient,
            learningRate,
            momentumBuffer,
            momentum,
            nesterov,
          });
        },
      };
    }
    case 'rmsprop': {
      const { decay, momentum, epsilon } = spec;
      return {
        moments: () => (momentum > 0 ? ['square_avg', 'momentum_buffer'] : ['square_avg']),
        update({ count, parameter, gradient, learningRate }, [squareAverage, momentumBuffer = null]) {
          return provider().rmspropStep({
            count,
            parameter,
            gradient,
            squareAverage: squareAverage!,
            momentumBuffer,
            learningRate,
            decay,
            momentum,
            epsilon,
          });
        },
      };
    }
    case 'nadam': {
      const momenta = nadamMomenta(spec);
      return {
        moments: () => ['exp_avg', 'exp_avg_sq'],
        update: (update, [m, v]) => nadam(spec, numbersOf(update), momenta(update.step), m!.data, v!.data),
      };
    }
    case 'adagrad':
      return {
        moments: () => ['sum'],
        begin: spec.initialAccumulator,
        update: (update, [sum]) => adagrad(spec, numbersOf(update), sum!.data),
      };
    case 'lion':
      return {
        moments: () => ['exp_avg'],
        update: (update, [m]) => lion(spec, numbersOf(update), m!.data),
      };
    case 'muon': {
      const others = ruleOf({
        type: 'adamw',
        learningRate: spec.otherLearningRate,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weightDecay: spec.weightDecay,
        amsgrad: false,
      });
      const share = spec.otherLearningRate / spec.learningRate;
      return {
        moments: shape => (shape.length === 2 ? ['momentum_buffer'] : others.moments(shape)),
        update(update, moments) {
          const { shape, learningRate } = update;
          if (shape.length !== 2)
            return others.update({ ...update, learningRate: learningRate * share }, moments);
          return muon(spec, numbersOf(update), [shape[0]!, shape[1]!], moments[0]!.data);
        },
      };
    }
  }
}

/** The numbers of an update, which begin at the start of their arrays or are a part of them. */
function numbersOf({ count, parameter, gradient, learningRate, step }: Update): Numbers {
  return {
    p: parameter.data.subarray(parameter.offset, parameter.offset + count),
    g: gradient.data.subarray(gradient.offset, gradient.offset + count),
    learningRate,
    step,
  };
}

export function createOptimizer(spec: OptimizerSpec, variables: Named<Variable>): Optimizer {
  const rule = ruleOf(spec);
  /** by variable, in the order of the rule's names */
  const moments = new Map<string, Slice[]>();
  for (const [name, { size, shape }] of variables)
    moments.set(
      name,
      rule.moments(shape).map(() => {
        const values = provider().allocate(size);
        if (rule.begin) values.fill(rule.begin);
        return whole(values);
      }),
    );
  const named = (): [name: string, values: Float32Array][] =>
    [...moments].flatMap(([variable, slices]) =>
      slices.map(({ data }, index): [string, Float32Array] => [
        `${variable}/${rule.moments(variables.get(variable)!.shape)[index]}`,
        data,
      ]),
    );
  let steps = 0;

  return {
    step(gradients, learningRate) {
      steps++;
      let size = 0;
      for (const [name, variable] of variables) {
        const gradient = gradients.get(name);
        if (!gradient) continue;
        if (gradient.size !== variable.size)
          throw new Error(
            `Gradient of ${name} has shape [${gradient.shape}], the variable [${variable.shape}].`,
          );
        const parameter = whole(ownStorage(variable));
        const update = {
          count: variable.size,
          shape: variable.shape,
          parameter,
          gradient: slice(gradient),
          learningRate,
          step: steps,
        };
        size += rule.update(update, moments.get(name)!);
      }
      weightsChanged();
      return size;
    },
    state() {
      const state = new Map<string, Float32Array>([['step', encodeCount(steps)]]);
      for (const [name, values] of named()) state.set(name, values.slice());
      return state;
    },
    restore(state) {
      for (const [name, values] of named()) {
        const saved = state.get(name);
        if (saved?.length !== values.length)
          throw new Error(
            `The optimizer state has ${saved ? `${saved.length} numbers` : 'nothing'} for ${name}, but ${values.length} are needed.`,
          );
        values.set(saved);
      }
      steps = decodeCount(state.get('step'));
    },
  };
}

/** A count of steps as two float32, which alone holds whole numbers only up to 2^24. */
function encodeCount(count: number): Float32Array {
  return new Float32Array([Math.floor(count / 2 ** 20), count % 2 ** 20]);
}

function decodeCount(encoded: Float32Array | undefined): number {
  if (encoded?.length !== 2) throw new Error('The optimizer state has no step count.');
  return encoded[0]! * 2 ** 20 + encoded[1]!;
}

/** The variable's array, which no other tensor shares: writing to it must not change a snapshot. */
function ownStorage(variable: Variable): Float32Array {
  if (sharers(variable) > 1) {
    const copy = tensor(floats(variable).slice(), variable.shape);
    variable.assign(copy);
    copy.dispose();
  }
  return settledFloats(variable);
}

/** Root of the sum of all squares; NaN or Infinity when a gradient is not finite. */
export function globalNorm(gradients: Named<Tensor>): number {
  let sum = 0;
  for (const [, gradient] of sorted(gradients))
    sum += provider().sumOfSquares(gradient.size, slice(gradient));
  return Math.sqrt(sum);
}

/**
 * Scales gradients in place so that their global norm is at most `max`, as torch.nn.utils.clip_grad_norm_ does;
 * returns the norm before. A norm that is not finite changes nothing: the caller must look at it.
 */
export function clipByGlobalNorm(gradients: Named<Tensor>, max: number): number {
  const norm = globalNorm(gradients);
  const factor = max / (norm + 1e-6);
  if (!(factor < 1) || !Number.isFinite(norm)) return norm;
  // tensors may share an array; it is scaled once
  for (const array of new Set([...gradients.values()].map(floats)))
    provider().scale(array.length, whole(array), factor);
  return norm;
}

/** The first number, in the order of names, that is NaN or infinite. */
export function firstNonFinite(tensors: Named<Tensor>): { name: string; index: number } | null {
  for (const [name, values] of sorted(tensors)) {
    const index = floats(values).findIndex(value => !Number.isFinite(value));
    if (index >= 0) return { name, index };
  }
  return null;
}

/** By name; those of a model stand so already. */
function sorted<T>(named: Named<T>): Iterable<[string, T]> {
  let last = '';
  for (const name of named.keys()) {
    if (name < last) return [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    last = name;
  }
  return named;
}
