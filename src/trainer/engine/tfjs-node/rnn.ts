// The simple RNN on TensorFlow: h_t = φ(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).
import {
  add,
  cast,
  greater,
  leakyRelu,
  matMul,
  mul,
  onesLike,
  relu,
  sigmoid,
  square,
  stack,
  sub,
  type Tensor,
  tanh,
  unstack,
  where,
} from '@tensorflow/tfjs-core';
import {
  type CellCall,
  parameterGradients,
  previous,
  project,
  rows,
  sumOfBiases,
  type TensorflowCell,
  type Trace,
  type Wanted,
} from './cell.ts';

type Phi = (sums: Tensor) => Tensor;
/** φ' from φ */
type Slope = (h: Tensor) => Tensor;

function rnn(phi: Phi, slope: Slope): TensorflowCell {
  return {
    forward(call) {
      let h = call.h0;
      const states = unstack(project(call, sumOfBiases(call))).map(sums => {
        h = phi(add(sums, matMul(h, call.weightHh, false, true)));
        return h;
      });
      return { h: stack(states), c: null, gates: [], kept: [] };
    },
    backward(call: CellCall, { h }: Trace, dy: Tensor, wanted: Wanted) {
      const slopes = slope(h);
      const slopeAt = unstack(slopes);
      const dyAt = unstack(dy);
      const totals: Tensor[] = [];
      let through: Tensor | null = null;
      for (let t = dyAt.length - 1; t >= 0; t--) {
        const total: Tensor = through ? add(dyAt[t]!, through) : dyAt[t]!;
        totals[t] = total;
        through = matMul(mul(total, slopeAt[t]!), call.weightHh);
      }
      const total = stack(totals);
      const dSums = rows(mul(total, slopes));
      const read = rows(previous(call.h0, h));
      return { total, ...parameterGradients(call, dSums, dSums, read, wanted), h0: through!, c0: null };
    },
  };
}

export const rnnTanh = rnn(
  sums => tanh(sums),
  h => sub(1, square(h)),
);

export const rnnRelu = rnn(
  sums => relu(sums),
  h => cast(greater(h, 0), 'float32'),
);

export const rnnSigmoid = rnn(
  sums => sigmoid(sums),
  h => sub(h, square(h)),
);

export const rnnLeakyRelu = rnn(
  sums => leakyRelu(sums, 0.01),
  h => where(greater(h, 0), onesLike(h), mul(onesLike(h), 0.01)),
);

export const rnnLinear = rnn(
  sums => sums,
  h => onesLike(h),
);
