// Pooling over time: the largest or the mean of the steps of a window.
//
//   y_t = max or mean of x_s,  s from t·stride + ahead - (K-1) to t·stride + ahead, those inside of the sequence
//
// ahead: 0 for causal padding, half of K-1 for "same", K-1 for "valid"; globally the window is the whole sequence.
// Shapes: x (T, B, D), y (T_out, B, D). A gradient of max goes to the first of equal numbers, as in PyTorch. Steps beyond
// a sequence's end are in no window; a window that has no step gives zeros. Causal with stride 1 it keeps the last K-1
// inputs as its state, and how many of them there are.
import { concat, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { pool as kind, windowOf } from '../../experiment/layers/pool.ts';
import { aheadOf } from '../../experiment/layers/windows.ts';
import { newFloats } from '../engine/pool.ts';
import { computed } from './by-channel.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { lastSteps, timeMajor } from './tails.ts';

export function buildPool(layer: LayerOf<'pool'>, place: Place): BuiltLayer {
  const { width } = place.input;
  const windows = windowOf(layer);
  const { kernelSize, stride } = windows;
  const tail = kind.traits(layer).carries ? kernelSize - 1 : 0;
  const [steps, count] = [`${place.name}.tail`, `${place.name}.count`];
  const states = [
    { name: steps, size: tail * width },
    { name: count, size: 1 },
  ];
  return {
    output: { ...place.input, kind: 'vectors' },
    states: tail > 0 ? states : [],
    forward(input, pass) {
      const x = input as Tensor3D;
      const T = x.shape[0];
      const lengths = pass.options.lengths ?? new Int32Array(x.shape[1]).fill(T);
      const outputs = kind.steps!(layer, T);
      const windowCounts = lengths.map(length => (length > 0 ? kind.steps!(layer, length) : 0));
      const before = tail > 0 ? pass.state(steps) : null;
      const present = before ? pass.state(count)! : new Float32Array(x.shape[1]);
      const whole = before ? (concat([timeMajor(before, tail, x), x], 0) as Tensor3D) : x;
      const earlier = whole.shape[0] - T;
      if (tail > 0) {
        pass.keep(steps, lastSteps(whole, tail, T, pass));
        pass.keep(
          count,
          present.map((known, b) => Math.min(tail, known + lengths[b]!)),
        );
      }
      const [first, last] = layer.global
        ? [0, T - 1]
        : [aheadOf(windows) - (kernelSize - 1), aheadOf(windows)];
      const limits = (b: number, t: number): [number, number] =>
        t < windowCounts[b]!
          ? [
              earlier + Math.max(-present[b]!, t * stride + first),
              earlier + Math.min(lengths[b]! - 1, t * stride + last),
            ]
          : NONE;
      return layer.mode === 'max' ? largest(whole, outputs, limits) : means(whole, outputs, limits);
    },
  };
}

/** First and last step of window t of sequence b, last below first where it has none. */
type Limits = (b: number, t: number) => [number, number];

const NONE: [number, number] = [0, -1];

function largest(x: Tensor3D, outputs: number, limits: Limits): Tensor3D {
  const [, B, D] = x.shape;
  const taken = new Int32Array(outputs * B * D).fill(-1);
  return computed(
    [x],
    [outputs, B, D],
    x => {
      const y = newFloats(taken.length).fill(0);
      for (let t = 0; t < outputs; t++)
        for (let b = 0; b < B; b++) {
          const [from, to] = limits(b, t);
          for (let d = 0, at = (t * B + b) * D; d < D; d++, at++)
            for (let s = from; s <= to; s++) {
              const source = (s * B + b) * D + d;
              // a number that is none is told on
              if (taken[at]! >= 0 && !(x[source]! > y[at]!) && !Number.isNaN(x[source])) continue;
              taken[at] = source;
              y[at] = x[source]!;
            }
        }
      return y;
    },
    (dy, x) => {
      const dx = newFloats(x.length).fill(0);
      for (let at = 0; at < taken.length; at++) if (taken[at]! >= 0) dx[taken[at]!]! += dy[at]!;
      return [dx];
    },
  ) as Tensor3D;
}

function means(x: Tensor3D, outputs: number, limits: Limits): Tensor3D {
  const [, B, D] = x.shape;
  /** for each step of a window: places of x and of y, and the window's share */
  const each = (visit: (ofX: number, ofY: number, share: number) => void) => {
    for (let t = 0; t < outputs; t++)
      for (let b = 0; b < B; b++) {
        const [from, to] = limits(b, t);
        for (let s = from; s <= to; s++) visit((s * B + b) * D, (t * B + b) * D, 1 / (to - from + 1));
      }
  };
  return computed(
    [x],
    [outputs, B, D],
    x => {
      const sums = new Float64Array(outputs * B * D);
      each((ofX, ofY, share) => {
        for (let d = 0; d < D; d++) sums[ofY + d]! += share * x[ofX + d]!;
      });
      const y = newFloats(sums.length);
      y.set(sums);
      return y;
    },
    (dy, x) => {
      const dx = newFloats(x.length).fill(0);
      each((ofX, ofY, share) => {
        for (let d = 0; d < D; d++) dx[ofX + d]! += share * dy[ofY + d]!;
      });
      return [dx];
    },
  ) as Tensor3D;
}
