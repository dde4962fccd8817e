// The outputs of a sequence at its end.
import { gather, reshape, type Tensor3D, tensor1d } from '@tensorflow/tfjs-core';
import { embedding } from '../engine/kernels/embedding.ts';
import { fusedKernels } from '../engine/storage.ts';

/**
 * x (T, B, W) → (1, B, W) at each sequence's last valid step. A bidirectional layer's second half comes from the first
 * step, where it has read all: together they are the h_n of torch.nn.LSTM.
 */
export function lastStep(x: Tensor3D, lengths: Int32Array | null, bothWays: boolean): Tensor3D {
  const [seqLen, batch, width] = x.shape;
  const parts = bothWays ? 2 : 1;
  const rows = reshape(x, [seqLen * batch * parts, width / parts]);
  const places = new Int32Array(batch * parts);
  for (let b = 0; b < batch; b++) {
    const last = lengths ? Math.max(0, lengths[b]! - 1) : seqLen - 1;
    places[b * parts] = (last * batch + b) * parts;
    if (parts === 2) places[b * parts + 1] = b * parts + 1;
  }
  const taken = fusedKernels()
    ? embedding(rows, places, [batch * parts])
    : gather(rows, tensor1d(places, 'int32'));
  return reshape(taken, [1, batch, width]);
}
