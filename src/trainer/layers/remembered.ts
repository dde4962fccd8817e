// What the layers with a matrix memory share: the kernel with its state and row, heads, their norms.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/layers/index.ts';
import { headsOf } from '../../experiment/layers/linear-recurrence.ts';
import { type MemoryInputs, type MemoryOptions, memory } from '../engine/kernels/memory.ts';
import { normalisedRows } from './by-channel.ts';
import { ModelError } from './errors.ts';
import { ones } from './initial.ts';
import type { Pass, Place } from './layer.ts';
import {
  keepState,
  projection,
  type Sequence,
  shortConvolution,
  silu,
  stateIn,
} from './linear-recurrence.ts';

/** Heads that share the width evenly, and the numbers of each. */
export function headsIn(
  layer: Layer & { heads?: number | undefined },
  width: number,
  place: Place,
): { heads: number; size: number } {
  const heads = headsOf(layer, width);
  if (width % heads === 0) return { heads, size: width / heads };
  throw new ModelError(
    `Layer ${place.index + 1} shares ${width} numbers among ${heads} heads, which does not come out even; take a number of heads that divides ${width}.`,
    ['model', 'layers', place.index, 'heads'],
  );
}

/** The memory kernel with the state "<layer>.S" (B, H, R, K) and the layer's row in the heatmap. */
export function remembered(
  inputs: MemoryInputs,
  options: MemoryOptions & { heads: number },
  place: Place,
  pass: Pass,
): Tensor3D {
  const name = `${place.name}.S`;
  const { heads } = options;
  const [, batch, keys] = inputs.q.shape;
  const rows = inputs.v.shape[2] / heads + (options.normalised ? 1 : 0);
  const s0 = stateIn(pass, name, [batch, heads, rows, keys / heads]);
  const m0 = options.exponential ? stateIn(pass, `${place.name}.m`, [batch, heads]) : undefined;
  const { o, sN, mN } = memory(
    { ...inputs, ...(s0 && { s0 }), ...(m0 && { m0 }) },
    { ...options, lengths: pass.options.lengths, onReport: pass.report(place.name) },
  );
  keepState(pass, name, sN);
  if (mN) pass.keep(`${place.name}.m`, Float32Array.from(mN));
  return o;
}

const EPSILON = 1e-5;

/** Each head's numbers divided by their root mean square, times <name>.weight (V), which all heads share. */
export function headNorm(place: Place, name: string, size: number): Sequence {
  const weight = place.variable(`${name}.weight`, [size], ones);
  return x => normalisedRows(x, weight, { width: size, share: 1 / size, epsilon: EPSILON });
}

/** W x by the projection <name>, a short convolution <name>_conv and SiLU. */
export function convolvedProjection(place: Place, name: string, outputs: number, convSize: number) {
  const project = projection(place, name, outputs, place.input.width, { bias: false });
  const short = shortConvolution(place, `${name}_conv`, outputs, convSize);
  return {
    states: short ? [short.state] : [],
    apply: (x: Tensor3D, pass: Pass) => (short ? short.convolve(project(x), pass) : silu(project(x))),
  };
}
