// From an experiment's model to variables and a forward pass.
import {
  gather,
  oneHot,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor3D,
  tensor,
  tensor1d,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core';
import { trainingSeqLen } from '../../experiment/resources.ts';
import { type Experiment, type Layer, readsInParts, seesOtherSteps } from '../../experiment/schema.ts';
import { embedding } from '../engine/kernels/embedding.ts';
import { tap } from '../engine/kernels/tap.ts';
import type { Outputs } from '../engine/losses.ts';
import { fusedKernels } from '../engine/storage.ts';
import { buildDense } from './dense.ts';
import { buildDropout } from './dropout.ts';
import { buildEmbedding } from './embedding.ts';
import { ModelError } from './errors.ts';
import { initialValues } from './initial.ts';
import type { BuiltLayer, Flow, LevelPass, Pass, Place } from './layer.ts';
import { buildLayerNorm } from './layer-norm.ts';
import { type Levels, levelsOf } from './levels.ts';
import type { ForwardOptions, ForwardResult, LayerState, Model, ModelInput, ModelSizes } from './model.ts';
import { buildRecurrent } from './stacked.ts';
import { buildTcn } from './tcn.ts';
import { buildTransformer } from './transformer.ts';

type Builder<L extends Layer> = (layer: L, place: Place) => BuiltLayer;

/** A new layer is its file and a line here (and its fields in the schema). */
const builders: { [Type in Layer['type']]: Builder<Extract<Layer, { type: Type }>> } = {
  embedding: buildEmbedding,
  rnn: buildRecurrent,
  lstm: buildRecurrent,
  gru: buildRecurrent,
  transformer: buildTransformer,
  tcn: buildTcn,
  'layer-norm': buildLayerNorm,
  dropout: buildDropout,
  dense: buildDense,
};

export function buildModel(experiment: Experiment, sizes: ModelSizes, seed: number): Model {
  const { layers: descriptions, convention } = experiment.model;
  const seqLen = trainingSeqLen(experiment);
  const variables = new Map<string, Variable>();
  const built: BuiltLayer[] = [];
  let flow = startFlow(sizes);
  try {
    for (const [index, description] of descriptions.entries()) {
      const name = `layers.${index}`;
      const place: Place = {
        index,
        name,
        isLast: index === descriptions.length - 1,
        seed,
        seqLen,
        convention,
        input: description.type === 'embedding' ? flow : asVectors(flow),
        outputs: sizes.outputs,
        variable(suffix, shape, initializer) {
          const full = `${name}.${suffix}`;
          const made = makeVariable(initialValues(seed, full, shape, initializer), shape);
          variables.set(full, made);
          return made;
        },
      };
      const layer = (builders[description.type] as Builder<Layer>)(description, place);
      built.push(layer);
      flow = layer.output;
    }
    checkOutputs(descriptions, flow, sizes.outputs);
  } catch (error) {
    for (const made of variables.values()) made.dispose();
    throw error;
  }

  const levels = levelsOf(descriptions, built);
  const lastAcross = descriptions.findLastIndex(seesOtherSteps);

  function run(input: ModelInput, options: ForwardOptions, toLoss: boolean): ForwardResult<Outputs> {
    checkInput(input, sizes, options);
    const { pass, states } = startPass(options, levels);
    const { watch, from = 0 } = options;
    const needsLast = options.outputs === 'last-step' && (lastAcross === built.length - 1 || lastAcross < 0);
    const left = toLoss && !needsLast ? built.at(-1)!.head : undefined;
    let x: Tensor = descriptions[0]!.type === 'embedding' ? input : vectorsOf(input, sizes);
    for (const [index, layer] of built.entries()) {
      // what follows works on each step by itself: only the step that is asked for goes on
      if (options.outputs === 'last-step' && index > 0 && index === lastAcross + 1)
        x = lastStep(x as Tensor3D, options, built[lastAcross]);
      if (left && index === built.length - 1) {
        const head = left(x);
        watch?.output?.(`layers.${index}`, from, head.applied);
        return { outputs: head, state: states };
      }
      const output = layer.forward(x, pass);
      watch?.output?.(`layers.${index}`, from, () => output);
      x = tapped(output, levels.ofLayer[index] ?? null, input.shape[0]!, options);
    }
    const outputs = x as Tensor3D;
    return { outputs: needsLast ? lastStep(outputs, options, built[lastAcross]) : outputs, state: states };
  }

  return {
    variables: new Map([...variables].sort(([a], [b]) => (a < b ? -1 : 1))),
    recurrent: levels.recurrent,
    levels: levels.all,
    context: descriptions.every(readsInParts) ? null : seqLen,
    forward: (input, options) => run(input, options, false) as ForwardResult,
    forwardToLoss: (input, options) => run(input, options, true),
    dispose() {
      for (const made of variables.values()) made.dispose();
    },
  };
}

function startFlow({ input }: ModelSizes): Flow {
  return input.kind === 'tokens'
    ? { kind: 'tokens', width: input.vocabulary, learned: false }
    : { kind: 'vectors', width: input.features, learned: false };
}

/** Tokens without an embedding enter as one-hot vectors. */
function asVectors(flow: Flow): Flow {
  return { ...flow, kind: 'vectors' };
}

function checkInput(input: ModelInput, { input: source }: ModelSizes, { lengths }: ForwardOptions): void {
  const [seqLen, batch, features] = input.shape;
  const fits =
    source.kind === 'tokens'
      ? input.shape.length === 2 && input.dtype === 'int32'
      : input.shape.length === 3 && features === source.features && input.dtype === 'float32';
  if (!fits || seqLen! < 1 || batch! < 1)
    throw new Error(
      `The model reads ${source.kind === 'tokens' ? 'int32 tokens (seqLen, batch)' : `float32 numbers (seqLen, batch, ${source.features})`}, but got ${input.dtype} of shape [${input.shape}].`,
    );
  if (lengths && lengths.length !== batch)
    throw new Error(`${lengths.length} lengths were given for a batch of ${batch} sequences.`);
}

function vectorsOf(input: ModelInput, { input: source }: ModelSizes): Tensor {
  if (source.kind === 'vectors') return input;
  const [steps, batch] = input.shape as [number, number];
  const symbols = oneHot(reshape(input, [steps * batch]) as Tensor1D, source.vocabulary, 1, 0, 'float32');
  return reshape(symbols, [steps, batch, source.vocabulary]);
}

/**
 * x (T, B, W) → (1, B, W) at each sequence's last valid step. A bidirectional layer's second half comes from the first
 * step, where it has read all: together they are the h_n of torch.nn.LSTM.
 */
function lastStep(x: Tensor3D, { lengths }: ForwardOptions, layer: BuiltLayer | undefined): Tensor3D {
  const [seqLen, batch, width] = x.shape;
  const parts = layer?.bidirectional ? 2 : 1;
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

function startPass(
  options: ForwardOptions,
  { recurrent, ofRecurrent }: Levels,
): { pass: Pass; states: LayerState[] } {
  if (options.state && options.state.length !== recurrent.length)
    throw new Error(
      `The model has ${recurrent.length} recurrent levels, but ${options.state.length} states were given.`,
    );
  const states: LayerState[] = [];
  let next = 0;
  const pass: Pass = {
    options,
    nextRecurrent() {
      const index = next++;
      return {
        state: options.state?.[index] ?? null,
        report: reportTo(options, ofRecurrent[index]!),
      };
    },
    keepState: state => states.push(state),
  };
  return { pass, states };
}

/** undefined: nobody looks, and the backward pass need not measure. */
function reportTo({ watch, from = 0 }: ForwardOptions, level: number): LevelPass['report'] {
  if (!watch?.gradient && !watch?.gates) return undefined;
  return ({ hiddenGradNorm, gateMean, gateSaturation }) => {
    watch.gradient?.(level, from, hiddenGradNorm);
    if (gateMean && gateSaturation) watch.gates?.(level, from, gateMean, gateSaturation);
  };
}

/** An output of fewer steps than the input is of the newest ones. */
function tapped(
  output: Tensor3D,
  level: number | null,
  seqLen: number,
  { watch, lengths, from = 0 }: ForwardOptions,
): Tensor3D {
  if (level === null || !watch?.gradient) return output;
  const steps = output.shape[0];
  const begin = from + seqLen - steps;
  return tap(output, norms => watch.gradient?.(level, begin, norms), steps === seqLen ? lengths : null);
}

function checkOutputs(descriptions: readonly Layer[], flow: Flow, outputs: number): void {
  if (flow.width === outputs && flow.learned) return;
  const last = descriptions.length - 1;
  throw new ModelError(
    `The last layer (${descriptions[last]!.type}) gives ${flow.width} outputs, but the task needs ${outputs}; end the model with { "type": "dense" }.`,
    ['model', 'layers', last],
  );
}

/** The variable alone holds the storage, so that optimizers may write to it. */
function makeVariable(values: Float32Array, shape: number[]): Variable {
  const initial = tensor(values, shape);
  const made = variable(initial);
  initial.dispose();
  return made;
}
