// The loss of a linear chain over classes as a kernel: mean -log p(targets) of logits (T, B, K) over the valid steps. Its
// gradients are computed in the same pass and kept for the tape.
import { mul, type Scalar, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { type ChainGradients, chainLoss } from '../chain.ts';
import { floats, tapeIsOn } from '../storage.ts';
import { type EngineKernel, output, runKernel } from './kernel.ts';

interface ChainContext {
  targets: Int32Array;
  lengths: Int32Array | null;
  shapes?: Record<keyof ChainGradients, number[]>;
  gradients?: ChainGradients;
}

export interface ChainTensors {
  transitions: Tensor;
  start: Tensor;
  end: Tensor;
}

export function chainOf(
  logits: Tensor3D,
  { transitions, start, end }: ChainTensors,
  targets: Int32Array,
  lengths: Int32Array | null,
): Scalar {
  return runKernel<Scalar>('UnrollChain', { logits, transitions, start, end }, {
    targets,
    lengths,
  } satisfies ChainContext);
}

export const chainKernel: EngineKernel = {
  name: 'UnrollChain',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as ChainContext;
    const { logits, transitions, start, end } = inputs;
    const [seqLen, batch, classes] = logits!.shape as [number, number, number];
    const { targets, lengths } = context;
    const steps = lengths?.reduce((sum, own) => sum + own, 0) ?? seqLen * batch;
    if (tapeIsOn()) {
      context.shapes = {
        logits: logits!.shape,
        transitions: transitions!.shape,
        start: start!.shape,
        end: end!.shape,
      };
      context.gradients = {
        logits: new Float32Array(seqLen * batch * classes),
        transitions: new Float32Array(classes * classes),
        start: new Float32Array(classes),
        end: new Float32Array(classes),
      };
    }
    const call = {
      ...{ seqLen, batch, classes, lengths },
      logits: floats(logits!),
      transitions: floats(transitions!),
      start: floats(start!),
      end: floats(end!),
    };
    const loss = chainLoss(call, targets, context.gradients ?? null, 1 / steps);
    return output(backend, [], new Float32Array([loss / steps]));
  },
  gradient(dy, _saved, attrs) {
    const { gradients, shapes } = attrs as unknown as Required<ChainContext>;
    const of = (name: keyof ChainGradients) => () => mul(tensor(gradients[name], shapes[name]), dy as Tensor);
    return { logits: of('logits'), transitions: of('transitions'), start: of('start'), end: of('end') };
  },
};
