// Writes symbols one by one from softmax(logits / temperature), held to the likeliest where that is asked for.
// Top-p (nucleus) sampling: Holtzman et al., 2020, https://arxiv.org/abs/1904.09751.
import type { Model } from '../layers/model.ts';
import { stepper } from '../layers/stepper.ts';
import type { RandomStream } from '../random.ts';

export interface Drawing {
  temperature: number;
  /** draw among so many likeliest symbols; left out: all */
  topK?: number | undefined;
  /** draw among the likeliest symbols whose probabilities first add up to this; left out: all */
  topP?: number | undefined;
}

export interface GenerateOptions extends Drawing {
  length: number;
  random: RandomStream;
  /** ids that are never drawn */
  without?: readonly number[] | undefined;
  /** hears of each symbol as it is drawn */
  onSymbol?: ((id: number) => void) | undefined;
}

/**
 * Feeds the prompt, then draws symbol after symbol. A model without states reads all that it sees anew for each of them.
 */
export function* generate(
  model: Model,
  prompt: readonly number[],
  options: GenerateOptions,
): Generator<undefined, number[]> {
  const writer = stepper(model, 1);
  let logits: Float32Array = new Float32Array(0);
  for (const id of prompt) logits = writer.step(Int32Array.of(id));
  const made: number[] = [];
  while (made.length < options.length) {
    for (const id of options.without ?? []) logits[id] = Number.NEGATIVE_INFINITY;
    const id = draw(logits, options, options.random.uniform());
    made.push(id);
    options.onSymbol?.(id);
    if (made.length < options.length) logits = writer.step(Int32Array.of(id));
    yield;
  }
  return made;
}

/** The id at the place `uniform`, from 0 to 1, of the distribution. */
export function draw(logits: Float32Array, options: Drawing, uniform: number): number {
  const weights = weightsOf(logits, options);
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let last = 0;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id]! === 0) continue;
    last = id;
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return last;
}

/** In proportion to the probabilities; 0 where a symbol is not among those that may be drawn. First top-k, then top-p. */
export function weightsOf(logits: Float32Array, { temperature, topK, topP }: Drawing): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) max = Math.max(max, logit);
  const weights = Float64Array.from(logits, logit => Math.exp((logit - max) / temperature));
  if (topK === undefined && topP === undefined) return weights;
  const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
  let kept = Math.min(topK ?? weights.length, weights.length);
  if (topP !== undefined) {
    const total = order.slice(0, kept).reduce((sum, id) => sum + weights[id]!, 0);
    let sum = 0;
    kept = order.slice(0, kept).findIndex(id => {
      sum += weights[id]!;
      return sum >= topP * total;
    });
    kept = kept < 0 ? order.length : kept + 1;
  }
  for (const id of order.slice(kept)) weights[id] = 0;
  return weights;
}
