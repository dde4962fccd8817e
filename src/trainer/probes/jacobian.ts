// How ∂h_T/∂h_t, the product of the steps' Jacobians from the last step back, changes the length of a vector:
//
//   ‖vᵀ ∂h_T/∂h_t‖      v of unit length, drawn once for each sequence; the mean over them
//
// By step t and training step, for each layer that carries a state. 1 everywhere is an orthogonal recurrence. It is the
// gradient of vᵀ h_T, and so goes through the transposed Jacobians, last step first. A pass of its own for each layer.
import { mul, type Scalar, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { seesOtherSteps, traitsOf } from '../../experiment/models.ts';
import type { Layer } from '../../experiment/schema.ts';
import { SERIES } from '../../runs/series-names.ts';
import { gradientsOf } from '../engine/gradients.ts';
import { type Batch, inputOf, rowsOfBatch } from '../layers/batch.ts';
import { encodedOf } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import { firstRows, type State } from '../layers/state.ts';
import { randomStream } from '../random.ts';
import { maxTokensOf } from '../training/accumulation.ts';
import { PROBE_SEQUENCES, probedSequences } from '../training/intervals.ts';
import type { Probe } from './probe.ts';
import { timeMapSidecar } from './time-map.ts';
import { TimeRows } from './time-rows.ts';

const COST = 0.005;
/** as of the reach probe: so few sequences take about three times their share */
const PASS_SHARE = 3;
/** Rows that a short run has all the same. */
const FEWEST = 5;

export const jacobian: Probe = {
  name: SERIES.jacobian,
  open({ experiment, model, task }) {
    const { probes, training } = experiment;
    const layers = stateful(experiment.model.layers, model);
    if (layers.length === 0 || probes.spectrum === false) return null;
    const { seqLen } = task.facts;
    const levels = layers.map(({ level }) => model.levels[level]!);
    const rows = new TimeRows(levels.length, seqLen);
    const share = (PASS_SHARE * Math.min(PROBE_SEQUENCES, training.batchSize)) / training.batchSize;
    const affordable = Math.ceil((layers.length * share) / COST);
    return {
      sidecars: [
        {
          ...timeMapSidecar(this.name, levels, seqLen),
          unit: 'mean over sequences of ‖vᵀ ∂h_T/∂h_t‖, v of unit length',
        },
      ],
      every:
        probes.spectrum.every ??
        Math.max(Math.ceil(training.steps / 2000), Math.min(affordable, Math.ceil(training.steps / FEWEST))),
      begin: batch => rows.begin(batch.seqLen),
      before(batch, state) {
        const count = probedSequences(batch, maxTokensOf(experiment, task));
        const few = rowsOfBatch(batch, 0, count, task.outputs);
        const begin = state && firstRows(state, count, batch.batch);
        const window = batch.lengths ? batch.seqLen : (training.bptt.window ?? batch.seqLen);
        layers.forEach(({ name, level }, row) => {
          const { from, norms } = jacobianNorms(model, few, begin, {
            name,
            level,
            window,
            seed: training.seed,
          });
          // of the steps before the window nothing is known, which is not a Jacobian of 0
          rows.values.fill(Number.NaN, row * seqLen, (row + 1) * seqLen - norms.length);
          rows.put(norms, row, 1, from);
        });
      },
      rows: () => new Map([[this.name, rows.values]]),
    };
  },
};

interface Stateful {
  name: string;
  level: number;
}

/** Layers whose state goes on from step to step, and the uppermost of their levels. */
function stateful(layers: readonly Layer[], model: Model): Stateful[] {
  return layers.flatMap((layer, index) => {
    const name = `layers.${index}`;
    const { carries, sees } = traitsOf(layer);
    if (!carries || sees !== 'past' || !seesOtherSteps(layer)) return [];
    const level = model.levels.findLastIndex(own => own.name === name || own.name.startsWith(`${name}.`));
    return level < 0 ? [] : [{ name, level }];
  });
}

/** (steps from `from` on): the mean norms by step, of the last `window` steps. */
export function jacobianNorms(
  model: Model,
  batch: Batch,
  state: State | null,
  { name, level, window, seed }: Stateful & { window: number; seed: number },
): { from: number; norms: Float32Array } {
  const from = Math.max(0, batch.seqLen - window);
  let norms = new Float32Array(0);
  let begin = state;
  const pass = { training: false, step: 0, outputs: 'every-step' } as const;
  if (from > 0) begin = walked(model, batch, begin, from, window);
  const run = () => {
    let states: Tensor | null = null;
    model.forward(inputOf(batch, { from, to: batch.seqLen }), {
      ...pass,
      lengths: batch.lengths,
      state: begin,
      encoded: encodedOf(model, batch, pass),
      watch: {
        gradient(own, _, seen) {
          if (own === level) norms = Float32Array.from(seen);
        },
        output(layer, _, output) {
          if (layer === name) states = output();
        },
      },
    });
    const read = states! as Tensor;
    return sum(mul(read, tensor(directions(read.shape, batch.lengths, seed), read.shape))) as Scalar;
  };
  const { value, gradients } = gradientsOf(run, [...model.variables.values()]);
  value.dispose();
  for (const gradient of gradients) gradient?.dispose();
  return { from, norms };
}

/** The state after `until` steps, in stretches of at most `window`. */
function walked(
  model: Model,
  batch: Batch,
  state: State | null,
  until: number,
  window: number,
): State | null {
  let after = state;
  for (let from = 0; from < until; from += window) {
    const to = Math.min(until, from + window);
    const input = inputOf(batch, { from, to });
    const pass = { training: false, step: 0, lengths: null, outputs: 'last-step' } as const;
    const result = model.forward(input, { ...pass, state: after });
    after = result.state;
    result.outputs.dispose();
    input.dispose();
  }
  return after;
}

/** (T, B, H): a vector of unit length at each sequence's last step, zeros elsewhere. */
export function directions(shape: number[], lengths: Int32Array | null, seed: number): Float32Array {
  const [T, B, H] = shape as [number, number, number];
  const values = new Float32Array(T * B * H);
  const random = randomStream(seed, 'probe/jacobian', 0);
  for (let b = 0; b < B; b++) {
    const v = Float64Array.from({ length: H }, () => random.normal());
    const length = Math.hypot(...v);
    const last = (lengths?.[b] ?? T) - 1;
    if (last >= 0)
      values.set(
        v.map(part => part / length),
        (last * B + b) * H,
      );
  }
  return values;
}
