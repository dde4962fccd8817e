// The LSTM by TensorFlow's own operations over whole sequences, BlockLSTMV2 and BlockLSTMGradV2. Theirs: one weight
// (I + H, 4H) with the input's rows first and one bias; gates in our order, i f g o (version 1 has i g f o).
import {
  add,
  concat,
  engine,
  reshape,
  slice,
  type Tensor,
  type TensorInfo,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import { type CellCall, sumOfBiases, type TensorflowCell } from './cell.ts';
import type { NodeBackend, OperationAttribute } from './node-backend.ts';

const OUTPUTS = 7;
const GRADIENTS = 8;

function tensorflow(): NodeBackend {
  return engine().backend as NodeBackend;
}

function attributes(forward: boolean): OperationAttribute[] {
  const { TF_ATTR_TYPE, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_FLOAT } = tensorflow().binding;
  const type = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  const peephole = { name: 'use_peephole', type: TF_ATTR_BOOL, value: false };
  return forward ? [type, { name: 'cell_clip', type: TF_ATTR_FLOAT, value: 0 }, peephole] : [type, peephole];
}

/** int64 is no type of tfjs: the scalars that were needed stay, one for each length of a sequence. */
const int64Scalars = new Map<number, TensorInfo>();

function int64Scalar(value: number): TensorInfo {
  const made = int64Scalars.get(value);
  if (made) return made;
  const { binding, tensorMap } = tensorflow();
  const id = binding.createTensor([], binding.TF_INT64, Int32Array.of(value, 0));
  const scalar: TensorInfo = { dataId: {}, shape: [], dtype: 'int32' };
  tensorMap.set(scalar.dataId, { shape: [], dtype: binding.TF_INT64, id, values: null, refCount: 1 });
  int64Scalars.set(value, scalar);
  return scalar;
}

/** (G·H, I) and (G·H, H) as TensorFlow's (I + H, 4H) */
function blockWeight(weightIh: Tensor, weightHh: Tensor): Tensor {
  return transpose(concat([weightIh, weightHh], 1));
}

function inputs({ shape, h0, c0 }: CellCall, x: Tensor, weight: Tensor, bias: Tensor): TensorInfo[] {
  const peephole = zeros([shape.hiddenSize]);
  return [int64Scalar(shape.seqLen), x, c0!, h0, weight, peephole, peephole, peephole, bias];
}

function blockBias(call: CellCall): Tensor {
  return sumOfBiases(call) ?? zeros([4 * call.shape.hiddenSize]);
}

export const lstm: TensorflowCell = {
  forward(call) {
    const weight = blockWeight(call.weightIh, call.weightHh);
    const given = inputs(call, call.x, weight, blockBias(call));
    const made = tensorflow().executeMultipleOutputs('BlockLSTMV2', attributes(true), given, OUTPUTS);
    const [i, c, f, o, g, tanhC, h] = made as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    return { h, c, gates: [i, f, g, o], kept: [tanhC] };
  },
  /**
   * TensorFlow's operation keeps ∂L/∂h_t to itself. To see it, the input is widened by H zeros whose weights are those
   * of the hidden state: "their gradient" at step t is then what step t gives back to h_{t-1}.
   */
  backward(call, { h, c, gates, kept }, dy, wanted) {
    const { seqLen: T, batch: B, inputSize: I, hiddenSize: H } = call.shape;
    const [i, f, g, o] = gates as [Tensor, Tensor, Tensor, Tensor];
    const { weightIh, weightHh } = call;
    const x = wanted.report ? concat([call.x, zeros([T, B, H])], 2) : call.x;
    const widened = wanted.report ? concat([weightIh, weightHh], 1) : weightIh;
    const width = x.shape[2]!;
    const given = inputs(call, x, blockWeight(widened, weightHh), blockBias(call));
    const dc = wanted.dc ?? zeros([T, B, H]);
    const [dx, dc0, dh0, dWeight, , , , dBias] = tensorflow().executeMultipleOutputs(
      'BlockLSTMGradV2',
      attributes(false),
      [...given, i, c!, f, o, g, kept[0]!, h, dc, dy],
      GRADIENTS,
    ) as Tensor[];
    const ours = transpose(dWeight!);
    return {
      total: wanted.report ? add(dy, givenBack(dx!, I, H)) : dy,
      x: wanted.inputGradient ? slice(dx!, [0, 0, 0], [T, B, I]) : null,
      weightIh: slice(ours, [0, 0], [4 * H, I]),
      weightHh: slice(ours, [0, width], [4 * H, H]),
      biasIh: dBias!,
      biasHh: dBias!.clone(),
      h0: reshape(dh0!, [B, H]),
      c0: reshape(dc0!, [B, H]),
    };
  },
};

/** What each step's successor gives back to its hidden state; the last one has none. */
function givenBack(dx: Tensor, I: number, H: number): Tensor {
  const [T, B] = dx.shape as [number, number, number];
  const later = slice(dx, [1, 0, I], [T - 1, B, H]);
  return concat([later, zeros([1, B, H])], 0);
}
