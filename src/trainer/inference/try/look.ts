// A forward pass over one sequence in which every layer that reads across steps is looked at.
import { tidy } from '@tensorflow/tfjs-core';
import { kindOf } from '../../../experiment/layers/index.ts';
import { traitsOf } from '../../../experiment/models.ts';
import type { TriedStates } from '../../../runs/tried.ts';
import { type Batch, inputOf, lengthsIn, stretchesOf } from '../../layers/batch.ts';
import { encodedOf } from '../../layers/evaluate.ts';
import type { Model } from '../../layers/model.ts';
import type { State } from '../../layers/state.ts';
import type { Watch } from '../../layers/watch.ts';
import type { FinishedRun } from '../finished-run.ts';

/** More would not be read; the newest steps and the first units are kept. */
const MOST_STEPS = 300;
const MOST_UNITS = 64;
/** Steps whose outputs are held at a time. */
const STRETCH = 256;

export interface Looked {
  states: TriedStates[];
  /** of the first layer that looks at a source: (steps, source steps); null: there is none */
  attention: Float32Array | null;
}

export interface LookOptions {
  /** what each step of the model's input, and of its source, is called */
  steps: readonly string[];
  source?: readonly string[];
  /** hears the outputs (steps, classes) of each stretch; lent until it returns */
  onOutputs?(from: number, outputs: Float32Array, classes: number): void;
}

interface Heard {
  width: number;
  /** (steps, width) of each stretch */
  parts: Float32Array[];
}

/** `batch` is of one sequence. */
export function look(model: Model, batch: Batch, { run }: FinishedRun, options: LookOptions): Looked {
  const heard = new Map<string, Heard>();
  let attention: Float32Array | null = null;
  const watch: Watch = {
    output(layer, _from, output) {
      const values = output();
      const own = heard.get(layer) ?? { width: values.shape.at(-1)!, parts: [] };
      own.parts.push(Float32Array.from(values.dataSync()));
      heard.set(layer, own);
    },
    attention(_layer, _from, weights) {
      attention ??= Float32Array.from(weights);
    },
  };
  const inParts = model.context === null && !batch.source;
  let state: State | null = null;
  for (const part of stretchesOf(batch.seqLen, inParts ? STRETCH : batch.seqLen))
    tidy(() => {
      const result = model.forward(inputOf(batch, part), {
        training: false,
        step: 0,
        lengths: lengthsIn(batch, part),
        state,
        encoded: encodedOf(model, batch, { training: false, step: 0, watch }),
        outputs: 'every-step',
        watch,
      });
      state = result.state;
      const { outputs } = result;
      options.onOutputs?.(part.from, outputs.dataSync() as Float32Array, outputs.shape[2]);
    });
  const { encoder, layers } = run.experiment.model;
  const of = (name: string, index: number, layer: (typeof layers)[number], steps: readonly string[]) => {
    const own = heard.get(`${name}.${index}`);
    return own && traitsOf(layer).sees !== 'step'
      ? [statesOf(`${name}.${index}`, kindOf(layer).title, own, steps)]
      : [];
  };
  return {
    attention,
    states: [
      ...(encoder ?? []).flatMap((layer, index) => of('encoder', index, layer, options.source ?? [])),
      ...layers.flatMap((layer, index) => of('layers', index, layer, options.steps)),
    ],
  };
}

function statesOf(
  layer: string,
  title: string,
  { width, parts }: Heard,
  labels: readonly string[],
): TriedStates {
  const all = parts.reduce((sum, part) => sum + part.length / width, 0);
  const first = Math.max(0, all - MOST_STEPS);
  const norms: number[] = [];
  const units: number[][] = Array.from({ length: Math.min(width, MOST_UNITS) }, () => []);
  let t = 0;
  for (const part of parts)
    for (let from = 0; from < part.length; from += width, t++) {
      if (t < first) continue;
      let squares = 0;
      for (let unit = 0; unit < width; unit++) squares += part[from + unit]! ** 2;
      norms.push(short(Math.sqrt(squares)));
      for (const [unit, row] of units.entries()) row.push(short(part[from + unit]!));
    }
  // a layer that shortens its sequence has steps of its own
  const isNamed = labels.length === all;
  const steps = norms.map((_, at) => (isNamed ? labels[first + at]! : String(first + at + 1)));
  return { layer, title, steps, norms, units, width };
}

function short(value: number): number {
  return Number(value.toPrecision(4));
}
