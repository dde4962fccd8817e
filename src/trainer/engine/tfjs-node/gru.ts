// The two GRUs on TensorFlow (layers/gru.ts has their equations). All gradients but that through the reset gate of
// the second are ∂L/∂h_t times something known beforehand, so a step back is a product and a few sums.
import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  split,
  square,
  stack,
  sub,
  type Tensor,
  tanh,
  unstack,
} from '@tensorflow/tfjs-core';
import { parameterGradients, previous, project, rows, type TensorflowCell } from './cell.ts';

/** σ' from σ */
const slopeOfSigmoid = (gate: Tensor): Tensor => mul(gate, sub(1, gate));
const slopeOfTanh = (n: Tensor): Tensor => sub(1, square(n));
/** h_t = n + z (h_{t-1} - n) */
const blend = (h: Tensor, z: Tensor, n: Tensor): Tensor => add(n, mul(z, sub(h, n)));

/** The rows of r and z, and those of n, of a (3H, …) or (3H) parameter. */
function parts(parameter: Tensor): [Tensor, Tensor] {
  const H = parameter.shape[0]! / 3;
  const rest = parameter.shape.slice(1);
  const zeros = rest.map(() => 0);
  return [
    slice(parameter, [0, ...zeros], [2 * H, ...rest]),
    slice(parameter, [2 * H, ...zeros], [H, ...rest]),
  ];
}

/** (T, B, 3H) as steps of r and z together (B, 2H), and of n (B, H). */
function steps(sums: Tensor): [Tensor[], Tensor[]] {
  const H = sums.shape[2]! / 3;
  const [rz, n] = split(sums, [2 * H, H], 2) as [Tensor, Tensor];
  return [unstack(rz), unstack(n)];
}

const withBias = (product: Tensor, bias: Tensor | null): Tensor => (bias ? add(product, bias) : product);

function gatesOf(r: Tensor[], z: Tensor[], n: Tensor[]): Tensor[] {
  return [r, z, n].map(gate => stack(gate));
}

export const gruResetAfter: TensorflowCell = {
  forward(call) {
    const [weightRz, weightN] = parts(call.weightHh);
    const [biasRz, biasN] = call.biasHh ? parts(call.biasHh) : [null, null];
    const [inputRz, inputN] = steps(project(call, call.biasIh));
    const r: Tensor[] = [];
    const z: Tensor[] = [];
    const n: Tensor[] = [];
    const hidden: Tensor[] = [];
    let h = call.h0;
    const states = inputRz.map((input, t) => {
      const sums = withBias(matMul(h, weightRz, false, true), biasRz);
      [r[t], z[t]] = split(sigmoid(add(input, sums)), 2, 1) as [Tensor, Tensor];
      hidden[t] = withBias(matMul(h, weightN, false, true), biasN);
      n[t] = tanh(add(inputN[t]!, mul(r[t]!, hidden[t]!)));
      h = blend(h, z[t]!, n[t]!);
      return h;
    });
    return { h: stack(states), c: null, gates: gatesOf(r, z, n), kept: [stack(hidden)] };
  },
  backward(call, { h, gates, kept }, dy, wanted) {
    const { seqLen, batch, hiddenSize } = call.shape;
    const [r, z, n] = gates as [Tensor, Tensor, Tensor];
    const hPrevious = previous(call.h0, h);
    // factors of ∂L/∂h_t, (T, B, H): in the sums of n and of z, and of ∂L/∂(sum of n) in that of r
    const toN = mul(sub(1, z), slopeOfTanh(n));
    const toZ = mul(sub(hPrevious, n), slopeOfSigmoid(z));
    const toR = mul(toN, mul(kept[0]!, slopeOfSigmoid(r)));
    const toHidden = stack([toR, toZ, mul(toN, r)], 2);

    const [toHiddenAt, zAt, dyAt] = [unstack(toHidden), unstack(z), unstack(dy)];
    const totals: Tensor[] = [];
    let through: Tensor | null = null;
    for (let t = seqLen - 1; t >= 0; t--) {
      const total: Tensor = through ? add(dyAt[t]!, through) : dyAt[t]!;
      totals[t] = total;
      const dHidden = mul(reshape(total, [batch, 1, hiddenSize]), toHiddenAt[t]!);
      through = add(matMul(reshape(dHidden, [batch, 3 * hiddenSize]), call.weightHh), mul(total, zAt[t]!));
    }
    const total = stack(totals);
    const sumsOf = (factors: Tensor) =>
      reshape(mul(reshape(total, [seqLen, batch, 1, hiddenSize]), factors), [seqLen * batch, 3 * hiddenSize]);
    const dSums = sumsOf(stack([toR, toZ, toN], 2));
    return {
      total,
      ...parameterGradients(call, dSums, sumsOf(toHidden), rows(hPrevious), wanted),
      h0: through!,
      c0: null,
    };
  },
};

export const gruResetBefore: TensorflowCell = {
  forward(call) {
    const [weightRz, weightN] = parts(call.weightHh);
    const bias = call.biasIh && call.biasHh ? add(call.biasIh, call.biasHh) : (call.biasIh ?? call.biasHh);
    const [inputRz, inputN] = steps(project(call, bias as Tensor | null));
    const r: Tensor[] = [];
    const z: Tensor[] = [];
    const n: Tensor[] = [];
    let h = call.h0;
    const states = inputRz.map((input, t) => {
      const sums = matMul(h, weightRz, false, true);
      [r[t], z[t]] = split(sigmoid(add(input, sums)), 2, 1) as [Tensor, Tensor];
      n[t] = tanh(add(inputN[t]!, matMul(mul(r[t]!, h) as Tensor, weightN, false, true)));
      h = blend(h, z[t]!, n[t]!);
      return h;
    });
    return { h: stack(states), c: null, gates: gatesOf(r, z, n), kept: [] };
  },
  backward(call, { h, gates }, dy, wanted) {
    const { seqLen } = call.shape;
    const [weightRz, weightN] = parts(call.weightHh);
    const [r, z, n] = gates as [Tensor, Tensor, Tensor];
    const hPrevious = previous(call.h0, h);
    const toN = mul(sub(1, z), slopeOfTanh(n));
    const toZ = mul(sub(hPrevious, n), slopeOfSigmoid(z));
    // in the sum of r, of the gradient of r ⊙ h
    const resetToR = mul(hPrevious, slopeOfSigmoid(r));

    const [toNAt, toZAt, resetToRAt] = [unstack(toN), unstack(toZ), unstack(resetToR)];
    const [rAt, zAt, dyAt] = [unstack(r), unstack(z), unstack(dy)];
    const totals: Tensor[] = [];
    const dRs: Tensor[] = [];
    let through: Tensor | null = null;
    for (let t = seqLen - 1; t >= 0; t--) {
      const total: Tensor = through ? add(dyAt[t]!, through) : dyAt[t]!;
      totals[t] = total;
      const dReset: Tensor = matMul(mul(total, toNAt[t]!) as Tensor, weightN);
      dRs[t] = mul(dReset, resetToRAt[t]!);
      const dRz = concat([dRs[t]!, mul(total, toZAt[t]!) as Tensor], 1);
      const direct: Tensor = add(mul(total, zAt[t]!), mul(dReset, rAt[t]!));
      through = add(matMul(dRz, weightRz), direct);
    }
    const total = stack(totals);
    const dN = rows(mul(total, toN));
    const dRz = concat([rows(stack(dRs)), rows(mul(total, toZ))], 1);
    const dSums = concat([dRz, dN], 1);
    const gradients = parameterGradients(call, dSums, dRz, rows(hPrevious), wanted);
    const weightHhN = matMul(dN, rows(mul(r, hPrevious)), true, false);
    return {
      total,
      ...gradients,
      weightHh: concat([gradients.weightHh, weightHhN], 0),
      biasHh: gradients.biasIh.clone(),
      h0: through!,
      c0: null,
    };
  },
};
