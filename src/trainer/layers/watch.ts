// Looks into a pass of a model: each callback that is given is told what the pass shows there, and what is left out
// costs nothing. Nothing that is told may be kept: arrays and tensors are lent until the callback returns.
import type { Tensor } from '@tensorflow/tfjs-core';

/** `level`: its place in `Model.levels`. `from`: the time step of the sequence at which the stretch that is told begins. */
export interface Watch {
  /** (steps): mean over the batch of ‖∂L/∂(output at t)‖₂ */
  gradient?(level: number, from: number, norms: Float32Array): void;
  /** (gates, steps) each: mean over batch and units, and the share within 0.1 of the ends of a gate's range */
  gates?(level: number, from: number, mean: Float32Array, saturated: Float32Array): void;
  /**
   * Of each layer of the experiment ("layers.1"), in order. A function, because a final dense layer fused into the loss
   * is evaluated only if someone reads its output.
   */
  output?(layer: string, from: number, output: () => Tensor): void;
  /** of a layer that looks at a source: (batch, 1, steps, source steps), the share of each state in each step's answer */
  attention?(layer: string, from: number, weights: Float32Array): void;
}

/** A row in the pictures of a run: one direction of a recurrent level, or another layer as a whole. */
export interface LevelInfo {
  /** "layers.1.0", the reverse direction "layers.1.0-reverse"; of other layers "layers.1" */
  name: string;
  /** of its kind, for hues and markers: 'recurrent', 'attention', 'convolution', 'plain' … */
  family: string;
  /** of its kind, for people: 'LSTM', 'Transformer' … */
  title: string;
  /** width of its output */
  units: number;
  /** names of the gates in the order they are told; empty where there are none: LSTM i f g o, GRU r z n */
  gates: readonly string[];
  /** the gate whose value is the share of the state that stays: 'f' of an LSTM, 'z' of a GRU; null: there is none */
  keeps: string | null;
}

/** One watch that tells all of them, and looks at nothing that none of them asks for. */
export function watchTogether(watches: readonly Watch[]): Watch {
  if (watches.length === 1) return watches[0]!;
  const gradient = watches.filter(watch => watch.gradient);
  const gates = watches.filter(watch => watch.gates);
  const output = watches.filter(watch => watch.output);
  const attention = watches.filter(watch => watch.attention);
  return {
    ...(gradient.length > 0 && {
      gradient: (...told) => {
        for (const watch of gradient) watch.gradient!(...told);
      },
    }),
    ...(gates.length > 0 && {
      gates: (...told) => {
        for (const watch of gates) watch.gates!(...told);
      },
    }),
    ...(output.length > 0 && {
      output: (...told) => {
        for (const watch of output) watch.output!(...told);
      },
    }),
    ...(attention.length > 0 && {
      attention: (...told) => {
        for (const watch of attention) watch.attention!(...told);
      },
    }),
  };
}
