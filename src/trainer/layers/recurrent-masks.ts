// What the fields of a recurrent layer drop in one pass over a sequence: the masks, from streams of (seed, level, step), so
// that every engine and a resumed run drop the same numbers.
//
// - variationalDropout: one mask of x and one of h_{t-1} for all steps. Y. Gal, Z. Ghahramani, 2016,
//   https://arxiv.org/abs/1512.05287; tied over the gates.
// - recurrentDropout: what a step adds to its memory. S. Semeniuta et al., 2016, https://arxiv.org/abs/1603.05118.
// - zoneout: each unit of h and of c stays as it was with a probability; its expectation where nothing is trained.
//   D. Krueger et al., 2017, https://arxiv.org/abs/1606.01305.
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { RecurrentLayer } from '../../experiment/schema.ts';
import { streamKey } from '../random.ts';
import type { Cell } from './cell.ts';
import { dropoutMask } from './dropout.ts';
import type { Pass } from './layer.ts';

/** Each number 0 or 1 / (1 - rate); null: none. */
export interface SequenceMasks {
  /** (B, I) and (B, H), of all steps */
  input: Tensor2D | null;
  recurrent: Tensor2D | null;
  /** (T, B, H) */
  update: Tensor3D | null;
  zoneout: Zoneout | null;
}

export interface Zoneout {
  rate: number;
  /** (T, B, H): where it is 0 a unit stays as it was; null: the expectation */
  h: Tensor3D | null;
  c: Tensor3D | null;
}

interface Sizes {
  seqLen: number;
  batch: number;
  inputSize: number;
  units: number;
}

/** `name`: of the level and direction. */
export function drawMasks(
  layer: RecurrentLayer,
  cell: Cell,
  name: string,
  seed: number,
  { seqLen, batch, inputSize, units }: Sizes,
  pass: Pass,
): SequenceMasks | null {
  const { recurrentDropout = 0, variationalDropout = 0, zoneout = 0 } = layer;
  const { training, step, from = 0 } = pass.options;
  if (!training) {
    const expected = zoneout > 0 ? { rate: zoneout, h: null, c: null } : null;
    return expected && { input: null, recurrent: null, update: null, zoneout: expected };
  }
  if (recurrentDropout + variationalDropout + zoneout === 0) return null;
  const draw = (purpose: string, shape: number[], rate: number) =>
    rate > 0 ? dropoutMask(shape, rate, streamKey(seed, `${purpose}/${name}`, step)) : null;
  // a sequence that is read in parts has masks of its own in each
  const perStep = (purpose: string, rate: number) =>
    draw(from > 0 ? `${purpose}/${from}` : purpose, [seqLen, batch, units], rate) as Tensor3D | null;
  return {
    input: draw('variational-input', [batch, inputSize], variationalDropout) as Tensor2D | null,
    recurrent: draw('variational-state', [batch, units], variationalDropout) as Tensor2D | null,
    update: perStep('recurrent-dropout', recurrentDropout),
    zoneout:
      zoneout > 0
        ? {
            rate: zoneout,
            h: perStep('zoneout-h', zoneout),
            c: cell.hasCellState ? perStep('zoneout-c', zoneout) : null,
          }
        : null,
  };
}
