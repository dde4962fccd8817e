// minGRU: L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadeghi, 2024, https://arxiv.org/abs/2410.01201.
//
//   z = σ(W_z x_t + b_z)
//   c = W_h x_t + b_h, or g(W_h x_t + b_h) with g(a) = a + 0.5 for a ≥ 0, else σ(a)
//   h_t = (1 - z) ⊙ h_{t-1} + z ⊙ c
//
// W_z, b_z are the variables gate.*, W_h, b_h hidden.*. No gate reads h, so ∂h_t/∂h_{t-1} = diag(1 - z) and time is a scan. Shapes: x_t (B, I), h (B, H), matrices (H, I).
// Initial values: as a dense layer of the convention.
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { type Expression, type Formula, f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { type GatedScanInputs, gatedScan, gatedScanRuns } from '../engine/kernels/gated-scan.ts';
import type { RecurrenceOptions } from '../engine/kernels/recurrence-operands.ts';
import { scan } from '../engine/kernels/scan.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { keepState, ownLevel, projection, stateIn } from './linear-recurrence.ts';

export function buildMinGru(layer: LayerOf<'min-gru'>, place: Place): BuiltLayer {
  const { units, candidate } = layer;
  const gate = projection(place, 'gate', units, place.input.width);
  const hidden = projection(place, 'hidden', units, place.input.width);
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.h`, size: units }],
    forward(input, pass) {
      const x = input as Tensor3D;
      return gated({ forget: gate(x), hidden: hidden(x) }, steps[candidate], candidate, place, pass);
    },
  };
}

/** The candidate state from what the input gives. */
export const candidates: Record<'linear' | 'positive', (a: Expression) => Expression> = {
  linear: a => a,
  // a + 0.5 for a ≥ 0, else σ(a)
  positive: a => f.add(f.relu(a), f.atMost(f.sigmoid(a), 0.5)),
};

const stepsOf = (candidate: keyof typeof candidates) =>
  formula(2, (gate, hidden) => {
    const z = f.sigmoid(gate);
    return [f.sub(1, z), f.mul(z, candidates[candidate](hidden))];
  });
const steps = { linear: stepsOf('linear'), positive: stepsOf('positive') };

/**
 * The layer from its projected inputs, with its state "<layer>.h" and its row in the heatmap: as one kernel, else `steps`
 * make of them a and b of h_t = a_t ⊙ h_{t-1} + b_t.
 */
export function gated(
  inputs: GatedScanInputs,
  steps: Formula,
  candidate: keyof typeof candidates,
  place: Place,
  pass: Pass,
): Tensor3D {
  const { forget, input, hidden } = inputs;
  if (!gatedScanRuns()) {
    const [a, b] = applied<Tensor3D>(steps, input ? [forget, input, hidden] : [forget, hidden]);
    return scanned({ a: a!, b: b! }, place, pass);
  }
  return stateful(hidden.shape, place, pass, (h0, options) =>
    gatedScan({ ...inputs, ...h0 }, { ...options, positive: candidate === 'positive' }),
  );
}

/** h_t = a_t ⊙ h_{t-1} + b_t with the layer's state "<layer>.h" and its row in the heatmap. */
export function scanned({ a, b }: { a: Tensor3D; b: Tensor3D }, place: Place, pass: Pass): Tensor3D {
  return stateful(b.shape, place, pass, (h0, options) => scan({ a, b, ...h0 }, options));
}

type Run = (
  h0: { h0?: Tensor },
  options: Pick<RecurrenceOptions, 'lengths' | 'onReport'>,
) => { h: Tensor3D; hN: Tensor };

function stateful(shape: readonly number[], place: Place, pass: Pass, run: Run): Tensor3D {
  const name = `${place.name}.h`;
  const h0 = stateIn(pass, name, shape.slice(1));
  const options = { lengths: pass.options.lengths, onReport: pass.report(place.name) };
  const { h, hN } = run(h0 ? { h0 } : {}, options);
  keepState(pass, name, hN);
  return h;
}
