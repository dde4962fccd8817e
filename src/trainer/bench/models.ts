// The models that the benchmark measures, as experiments, from a name and a shape.
import * as z from 'zod';
import { LAYER_KINDS } from '../../experiment/layers/index.ts';
import { type Experiment, type ExperimentInput, experimentSchema } from '../../experiment/schema.ts';
import type { ModelSizes } from '../layers/model.ts';

/** Input features, hidden units, steps, sequences, classes. */
export interface BenchShape {
  inputSize: number;
  units: number;
  seqLen: number;
  batch: number;
  outputs: number;
}

type Layers = ExperimentInput['model']['layers'];

const dense = { type: 'dense' } as const;

/** By the name `--cell` takes. A new model is a line here, and one in each peer of bench/. */
const models: Readonly<Record<string, (units: number) => Layers>> = {
  lstm: units => [{ type: 'lstm', units }, dense],
  gru: units => [{ type: 'gru', units }, dense],
  rnn: units => [{ type: 'rnn', units }, dense],
  'bidirectional-lstm': units => [{ type: 'lstm', units, layers: 2, bidirectional: true }, dense],
  transformer: units => [{ type: 'dense', units }, { type: 'transformer' }, { type: 'layer-norm' }, dense],
  tcn: units => [{ type: 'tcn', units, layers: 4 }, dense],
  conv1d: units => [{ type: 'conv1d', units, activation: 'relu' }, dense],
  wavenet: units => [{ type: 'wavenet', units }, dense],
  'lstm-peephole': units => [{ type: 'lstm', units, peephole: true }, dense],
  'lstm-layer-norm': units => [{ type: 'lstm', units, layerNorm: true }, dense],
  'lstm-zoneout': units => [{ type: 'lstm', units, zoneout: 0.1 }, dense],
  'lstm-recurrent-dropout': units => [{ type: 'lstm', units, recurrentDropout: 0.2 }, dense],
  'lstm-variational-dropout': units => [{ type: 'lstm', units, variationalDropout: 0.2 }, dense],
  'lstm-weight-drop': units => [{ type: 'lstm', units, weightDrop: 0.2 }, dense],
};

/** Layers of `units` that are measured by the name of their type. */
const layerTypes = Object.entries(LAYER_KINDS)
  .filter(([type, { schema }]) => 'units' in schema.shape && !(type in models))
  .map(([type]) => type);

export const BENCH_MODELS = [...Object.keys(models), ...layerTypes];

function layersOf(model: string, units: number): Layers {
  return models[model]?.(units) ?? [{ type: model, units } as Layers[number], dense];
}

/** Steps that no measurement reaches. */
const STEPS = 100_000_000;

/** @throws Error when this build has no such layer */
export function benchExperiment(
  model: string,
  shape: BenchShape,
  { recording, window }: { recording: boolean; window?: number },
): Experiment {
  const probes = recording ? {} : ({ gradientFlow: false, gates: false, spectrum: false } as const);
  const { success, data, error } = experimentSchema.safeParse({
    name: `bench ${model}`,
    // the source hands its batches over itself: what it shares with a text is a class to say at every step
    data: { task: 'char-lm', path: 'generated' },
    model: { layers: layersOf(model, shape.units) },
    training: {
      steps: STEPS,
      batchSize: shape.batch,
      seqLen: shape.seqLen,
      clipNorm: 1,
      bptt: { window, carryState: false },
      optimizer: { type: 'adam', learningRate: 0.001 },
    },
    probes,
  } satisfies ExperimentInput);
  if (success) return data;
  throw new Error(`This build of Unroll cannot make the model "${model}": ${z.prettifyError(error)}`);
}

export function benchSizes({ inputSize, outputs }: BenchShape): ModelSizes {
  return { input: { kind: 'vectors', features: inputSize }, outputs };
}
