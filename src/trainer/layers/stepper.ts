// One step at a time: greedy, beam, sampling and streaming all go through this. Where every layer carries a state, a step
// costs one step. Elsewhere the newest steps, as many as a training sequence has, are what a step sees: up to that many
// layers of attention keep the keys and values of earlier steps, beyond it all are read anew.
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { numbersOf } from '../engine/numbers.ts';
import type { Encoded, Model } from './model.ts';
import { rowsOf, type State } from './state.ts';

export interface Stepper {
  /** Reads one step of every sequence: token ids (batch), or numbers (batch, features). @returns outputs (batch, width) */
  step(values: Int32Array | Float32Array): Float32Array;
  /** The same after other steps: these sequences go on, in this order; one may stand several times. */
  fork(rows: readonly number[]): Stepper;
}

/** `encoded` belongs to the caller, who keeps it until the last step. */
export function stepper(model: Model, batch: number, encoded: Encoded | null = null): Stepper {
  if (model.context === null) return carrying(model, batch, null, encoded);
  return model.caches ? caching(model, batch, [], null, encoded) : rereading(model, batch, [], encoded);
}

type Values = Int32Array | Float32Array;

function inputOf(steps: readonly Values[], batch: number): Tensor {
  const [first] = steps;
  const width = first!.length;
  if (first instanceof Int32Array) {
    const ids = new Int32Array(steps.length * width);
    for (const [t, values] of steps.entries()) ids.set(values, t * width);
    return tensor(ids, [steps.length, batch], 'int32');
  }
  const numbers = new Float32Array(steps.length * width);
  for (const [t, values] of steps.entries()) numbers.set(values, t * width);
  return tensor(numbers, [steps.length, batch, width / batch]);
}

function carrying(model: Model, batch: number, begin: State | null, encoded: Encoded | null): Stepper {
  let state = begin;
  return {
    step: values =>
      numbersOf(() => {
        const options = {
          training: false,
          step: 0,
          lengths: null,
          state,
          encoded,
          outputs: 'last-step',
        } as const;
        const result = model.forward(inputOf([values], batch), options);
        state = result.state;
        return result.outputs;
      }),
    fork: rows =>
      carrying(model, rows.length, state && rowsOf(state, rows, batch), encodedRows(encoded, rows)),
  };
}

/** Up to `context` steps; behind them it reads anew. */
function caching(
  model: Model,
  batch: number,
  seen: readonly Values[],
  begin: State | null,
  encoded: Encoded | null,
): Stepper {
  let newest = seen;
  let state = begin;
  let behind: Stepper | null = null;
  return {
    step(values) {
      if (newest.length === model.context) behind ??= rereading(model, batch, newest, encoded);
      if (behind) return behind.step(values);
      newest = [...newest, values];
      return numbersOf(() => {
        const options = {
          training: false,
          step: 0,
          lengths: null,
          state,
          encoded,
          caching: true,
          outputs: 'last-step',
        } as const;
        const result = model.forward(inputOf([values], batch), options);
        state = result.state;
        return result.outputs;
      });
    },
    fork(rows) {
      if (behind) return behind.fork(rows);
      return caching(
        model,
        rows.length,
        newest.map(values => rowsOfStep(values, rows, batch)),
        state && rowsOf(state, rows, batch),
        encodedRows(encoded, rows),
      );
    },
  };
}

function rereading(model: Model, batch: number, seen: readonly Values[], encoded: Encoded | null): Stepper {
  let newest = seen;
  return {
    step: values =>
      numbersOf(() => {
        newest = [...newest, values].slice(-model.context!);
        const options = {
          training: false,
          step: 0,
          lengths: null,
          state: null,
          encoded,
          outputs: 'last-step',
        } as const;
        return model.forward(inputOf(newest, batch), options).outputs;
      }),
    fork: rows =>
      rereading(
        model,
        rows.length,
        newest.map(values => rowsOfStep(values, rows, batch)),
        encodedRows(encoded, rows),
      ),
  };
}

function rowsOfStep(values: Values, rows: readonly number[], batch: number): Values {
  const width = values.length / batch;
  const made =
    values instanceof Int32Array
      ? new Int32Array(rows.length * width)
      : new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries())
    made.set(values.subarray(row * width, (row + 1) * width), index * width);
  return made;
}

/** A source is read once for each of its sequences; beams of one sequence look at the same. */
function encodedRows(encoded: Encoded | null, rows: readonly number[]): Encoded | null {
  if (!encoded) return null;
  const [steps, batch, width] = encoded.states.shape;
  if (rows.length === batch && rows.every((row, index) => row === index)) return encoded;
  const values = encoded.states.dataSync();
  const states = new Float32Array(steps * rows.length * width);
  for (let t = 0; t < steps; t++)
    rows.forEach((row, index) => {
      const from = (t * batch + row) * width;
      states.set(values.subarray(from, from + width), (t * rows.length + index) * width);
    });
  return {
    states: tensor(states, [steps, rows.length, width]),
    lengths: encoded.lengths && Int32Array.from(rows, row => encoded.lengths![row]!),
    // the state goes on by itself after the first step
    last: [],
  };
}
