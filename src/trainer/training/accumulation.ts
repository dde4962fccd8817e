// Gradients of a large batch in parts that are computed one after the other, so that memory is that of a part. Loss,
// gradients and states are those of the whole: each part counts by the answers that it asks for.
import { add, type Tensor } from '@tensorflow/tfjs-core';
import type { Experiment } from '../../experiment/schema.ts';
import { askedSteps, type Batch, rowsOfBatch, tokensOf, trimmed } from '../layers/batch.ts';
import type { Model } from '../layers/model.ts';
import type { State } from '../layers/state.ts';
import type { Task } from '../tasks/task.ts';
import { addPenalty, computeGradients, type StepOptions, type StepResult } from './gradients.ts';

export interface Limits {
  /** of equal size; at most as many as there are sequences */
  parts: number;
  /** steps of a part, padding included, unless one sequence alone has more */
  maxTokens: number;
}

/** Steps of a pass, padding included, that batches are cut at. */
export function maxTokensOf({ training }: Experiment, task: Pick<Task, 'maxTokens'>): number {
  const { maxTokens, accumulate } = training;
  return maxTokens ?? (task.maxTokens ?? Number.POSITIVE_INFINITY) / accumulate;
}

/** Sequences of each part: `parts` of them, cut again where they have too many steps. */
export function partsOf(batch: Batch, { parts, maxTokens }: Limits): [from: number, to: number][] {
  const count = Math.min(parts, batch.batch);
  const all: [number, number][] = [];
  for (let part = 0; part < count; part++) {
    let from = Math.floor((part * batch.batch) / count);
    const end = Math.floor(((part + 1) * batch.batch) / count);
    let longest = 0;
    for (let row = from; row < end; row++) {
      const steps = Math.max(
        batch.lengths?.[row] ?? batch.seqLen,
        batch.source ? (batch.source.lengths?.[row] ?? batch.source.seqLen) : 0,
      );
      if (row > from && Math.max(longest, steps) * (row + 1 - from) > maxTokens) {
        all.push([from, row]);
        from = row;
        longest = 0;
      }
      longest = Math.max(longest, steps);
    }
    all.push([from, end]);
  }
  return all;
}

/** Only the last part is watched. */
export function accumulatedGradients(
  model: Model,
  task: Task,
  batch: Batch,
  options: StepOptions,
  limits: Limits,
): StepResult {
  if (limits.parts === 1 && tokensOf(batch) <= limits.maxTokens)
    return computeGradients(model, task, batch, options);
  const largest = Math.ceil(batch.batch / Math.min(limits.parts, batch.batch));
  const isWhole = tokensOf({ ...batch, batch: largest }) <= limits.maxTokens;
  const parts = partsOf(batch, isWhole ? { ...limits, maxTokens: Number.POSITIVE_INFINITY } : limits);
  const count = parts.length;
  if (count === 1) return computeGradients(model, task, batch, options);
  const { l2, recurrentL2 = l2, watch, ...plain } = options;
  const weightOf = (part: Batch) =>
    task.answers?.(part) ??
    (options.outputs === 'every-step' ? askedSteps(part, { from: 0, to: part.seqLen }) : part.batch);
  const all = weightOf(batch);
  const gradients = new Map<string, Tensor>();
  const states: State[] = [];
  let loss = 0;
  for (const [part, [from, to]] of parts.entries()) {
    const cut = rowsOfBatch(batch, from, to, options.outputs);
    const rows = isWhole ? cut : trimmed(cut, options.outputs);
    const share = weightOf(rows) / all;
    // no answer is asked for in it
    if (share === 0) continue;
    const made = computeGradients(model, task, rows, {
      ...plain,
      l2: 0,
      share,
      watch: part === count - 1 ? watch : undefined,
      // a window as long as the batch is one as long as the part
      window: Math.min(options.window, rows.seqLen),
      step: options.step * count + part,
      state: options.state && slicedState(options.state, from, to, batch.batch),
    });
    loss += share * made.loss;
    addAll(gradients, made.gradients);
    states.push(made.state);
  }
  const [penalty, recurrentPenalty] =
    l2 + recurrentL2 > 0 ? addPenalty(model, gradients, l2, recurrentL2) : [0, 0];
  return { loss, penalty, recurrentPenalty, gradients, state: joinedStates(states) };
}

function addAll(sums: Map<string, Tensor>, made: ReadonlyMap<string, Tensor>): void {
  for (const [name, gradient] of made) {
    const before = sums.get(name);
    sums.set(name, before ? add(before, gradient) : gradient);
    if (!before) continue;
    before.dispose();
    gradient.dispose();
  }
}

function slicedState(state: State, from: number, to: number, batch: number): State {
  const entries = Object.entries(state).map(([name, values]): [string, Float32Array] => {
    const size = values.length / batch;
    return [name, values.slice(from * size, to * size)];
  });
  return Object.fromEntries(entries);
}

/** Of sequences that follow one another. */
function joinedStates(states: readonly State[]): State {
  const names = Object.keys(states[0] ?? {});
  return Object.fromEntries(
    names.map(name => {
      const parts = states.map(state => state[name]!);
      const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        joined.set(part, at);
        at += part.length;
      }
      return [name, joined];
    }),
  );
}
