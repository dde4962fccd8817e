// From an experiment's model to variables and a forward pass.
import {
  add,
  mean,
  oneHot,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor3D,
  tensor,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core';
import { kindOf } from '../../experiment/layers/index.ts';
import {
  addsInput,
  lastPosition,
  placeLayers,
  seesOtherSteps,
  stepsOf,
  traitsOf,
} from '../../experiment/models.ts';
import type { Experiment, Layer } from '../../experiment/schema.ts';
import type { InputSize } from '../../experiment/sizes.ts';
import { tap } from '../engine/kernels/tap.ts';
import type { Outputs } from '../engine/losses.ts';
import { buildAdaptiveSoftmax } from './adaptive-softmax.ts';
import { buildAttention } from './attention.ts';
import { buildBatchNorm } from './batch-norm.ts';
import type { CellState } from './cell.ts';
import { buildClockwork } from './clockwork.ts';
import { buildConv1d } from './conv1d.ts';
import { buildCrf } from './crf.ts';
import { buildDeltanet } from './deltanet.ts';
import { buildDense } from './dense.ts';
import { buildDropout } from './dropout.ts';
import { buildEchoState } from './echo-state.ts';
import { buildEmbedding } from './embedding.ts';
import { ModelError } from './errors.ts';
import { buildGatedDeltanet } from './gated-deltanet.ts';
import { buildGla } from './gla.ts';
import { buildHierarchical } from './hierarchical.ts';
import { buildHighway } from './highway.ts';
import { buildIndRnn } from './ind-rnn.ts';
import { initialValues } from './initial.ts';
import { lastStep } from './last-step.ts';
import type { BuiltLayer, Flow, Pass, Place } from './layer.ts';
import { buildLayerNorm } from './layer-norm.ts';
import { type ChainLayer, type Levels, levelsOf } from './levels.ts';
import { buildLinearAttention } from './linear-attention.ts';
import { buildLru } from './lru.ts';
import { buildMLstm } from './m-lstm.ts';
import { buildMamba } from './mamba.ts';
import { buildMamba2 } from './mamba2.ts';
import { buildMinGru } from './min-gru.ts';
import { buildMinLstm } from './min-lstm.ts';
import type { Encoded, ForwardOptions, ForwardResult, Model, ModelInput, ModelSizes } from './model.ts';
import { buildOrthogonalRnn } from './orthogonal-rnn.ts';
import { buildPool } from './pool.ts';
import { buildRetnet } from './retnet.ts';
import { buildRgLru } from './rg-lru.ts';
import { buildRmsNorm } from './rms-norm.ts';
import { buildRwkv } from './rwkv.ts';
import { buildSLstm } from './s-lstm.ts';
import { buildS4d } from './s4d.ts';
import { buildS5 } from './s5.ts';
import { buildSru } from './sru.ts';
import { buildRecurrent } from './stacked.ts';
import type { State } from './state.ts';
import { buildTcn } from './tcn.ts';
import { buildTransformer } from './transformer.ts';
import { buildTransformerXl } from './transformer-xl.ts';
import type { Watch } from './watch.ts';
import { buildWavenet } from './wavenet.ts';

type Builder<L extends Layer> = (layer: L, place: Place) => BuiltLayer;

/** A new layer is its file and a line here (and its fields in the schema). */
const builders: { [Type in Layer['type']]: Builder<Extract<Layer, { type: Type }>> } = {
  embedding: buildEmbedding,
  rnn: buildRecurrent,
  lstm: buildRecurrent,
  gru: buildRecurrent,
  'min-gru': buildMinGru,
  lru: buildLru,
  'linear-attention': buildLinearAttention,
  retnet: buildRetnet,
  gla: buildGla,
  deltanet: buildDeltanet,
  'gated-deltanet': buildGatedDeltanet,
  'min-lstm': buildMinLstm,
  sru: buildSru,
  s4d: buildS4d,
  s5: buildS5,
  'rg-lru': buildRgLru,
  'm-lstm': buildMLstm,
  mamba2: buildMamba2,
  mamba: buildMamba,
  rwkv: buildRwkv,
  's-lstm': buildSLstm,
  'ind-rnn': buildIndRnn,
  'orthogonal-rnn': buildOrthogonalRnn,
  clockwork: buildClockwork,
  hierarchical: buildHierarchical,
  'echo-state': buildEchoState,
  transformer: buildTransformer,
  'transformer-xl': buildTransformerXl,
  tcn: buildTcn,
  wavenet: buildWavenet,
  conv1d: buildConv1d,
  attention: buildAttention,
  pool: buildPool,
  'layer-norm': buildLayerNorm,
  'rms-norm': buildRmsNorm,
  'batch-norm': buildBatchNorm,
  highway: buildHighway,
  dropout: buildDropout,
  dense: buildDense,
  'adaptive-softmax': buildAdaptiveSoftmax,
  crf: buildCrf,
};

export function buildModel(experiment: Experiment, sizes: ModelSizes, seed: number): Model {
  const { convention } = experiment.model;
  const seqLen = stepsOf(experiment, sizes);
  const variables = new Map<string, Variable>();
  const statistics = new Set<string>();
  const placed = new Map(placeLayers(experiment, sizes).map(each => [each.name, each]));

  function buildChain(
    chain: 'encoder' | 'layers',
    descriptions: readonly Layer[],
    read: InputSize,
    memory: number | null,
  ) {
    let flow = startFlow(read);
    let embedding: Variable | null = null;
    const end = descriptions.at(-1)!;
    const sharesEmbedding = 'tied' in end && end.tied === true;
    return descriptions.map((description, index): ChainLayer => {
      const name = `${chain}.${index}`;
      const place: Place = {
        index,
        name,
        isLast: chain === 'layers' && index === descriptions.length - 1,
        seed,
        seqLen: placed.get(name)!.at.steps,
        convention,
        input: readsTokens(description) ? flow : asVectors(flow),
        outputs: sizes.outputs,
        memory,
        begins: placed.get(name)?.at.begins ?? [],
        embedding,
        sharesEmbedding,
        variable(suffix, shape, initializer) {
          const full = `${name}.${suffix}`;
          const made = makeVariable(initialValues(seed, full, shape, initializer), shape);
          variables.set(full, made);
          return made;
        },
        statistic(suffix, shape, initializer) {
          statistics.add(`${name}.${suffix}`);
          return this.variable(suffix, shape, initializer);
        },
      };
      const built = (builders[description.type] as Builder<Layer>)(description, place);
      const whole = withResidual(description, built);
      flow = whole.output;
      embedding ??= whole.table ?? null;
      return { name, description, built: whole };
    });
  }

  const source = sizes.source ?? sizes.input;
  let encoder: ChainLayer[] = [];
  let layers: ChainLayer[];
  try {
    if (experiment.model.encoder) encoder = buildChain('encoder', experiment.model.encoder, source, null);
    const memory = encoder.at(-1)?.built.output.width ?? null;
    layers = buildChain('layers', experiment.model.layers, sizes.input, memory);
    checkOutputs(layers.at(-1)!, layers.length - 1, sizes.outputs);
  } catch (error) {
    for (const made of variables.values()) made.dispose();
    throw error;
  }

  const levels = levelsOf([...encoder, ...layers]);
  const states = layers.flatMap(({ built }) => built.states ?? []);
  const lastAcross = layers.findLastIndex(({ description }) => seesOtherSteps(description));

  function encode(input: ModelInput, options: EncodeOptions): Encoded {
    checkInput(input, source, options);
    const last: CellState[] = [];
    const { pass } = startPass(
      { ...options, state: null },
      levels,
      state => last.push(state),
      stepsIfShortened(encoder, input),
    );
    let x: Tensor = readsTokens(encoder[0]!.description) ? input : vectorsOf(input, source);
    for (const layer of encoder) x = forwardThrough(layer, x, pass, levels, input.shape[0]!);
    return { states: x as Tensor3D, lengths: pass.options.lengths, last };
  }

  function run(input: ModelInput, options: ForwardOptions, toLoss: boolean): ForwardResult<Outputs> {
    checkInput(input, sizes.input, options);
    if (encoder.length > 0 && !options.encoded)
      throw new Error('The model reads a source, but none was given.');
    const missing = options.state && states.find(({ name }) => !options.state![name]);
    if (missing) throw new Error(`The state that was given lacks ${missing.name}.`);
    const { pass, state } = startPass(options, levels, null, stepsIfShortened(layers, input));
    const { watch, from = 0 } = pass.options;
    const needsLast = options.outputs === 'last-step' && (lastAcross === layers.length - 1 || lastAcross < 0);
    const head = toLoss && !needsLast ? layers.at(-1)!.built.head : undefined;
    let x: Tensor = readsTokens(layers[0]!.description) ? input : vectorsOf(input, sizes.input);
    for (const [index, layer] of layers.entries()) {
      // what follows works on each step by itself: only the step that is asked for goes on
      if (options.outputs === 'last-step' && index > 0 && index === lastAcross + 1)
        x = atEnd(x as Tensor3D, pass.options.lengths, layers[lastAcross]?.built);
      if (head && index === layers.length - 1) {
        const left = head(x);
        watch?.output?.(layer.name, from, left.applied);
        return { outputs: left, state };
      }
      pass.endsOnly = options.outputs === 'last-step' && index === lastAcross;
      x = forwardThrough(layer, x, pass, levels, input.shape[0]!);
    }
    const outputs = x as Tensor3D;
    const last = () => atEnd(outputs, pass.options.lengths, layers[lastAcross]?.built);
    return { outputs: needsLast ? last() : outputs, state };
  }

  return {
    variables: new Map([...variables].sort(([a], [b]) => (a < b ? -1 : 1))),
    statistics,
    levels: levels.all,
    maps: [...encoder, ...layers].flatMap(({ built }) => built.maps ?? []),
    context: layers.every(({ description }) => traitsOf(description).carries) ? null : seqLen,
    lastPosition: lastPosition(experiment, sizes),
    caches: layers.every(({ description, built }) => built.caches ?? traitsOf(description).carries),
    states,
    encode,
    forward: (input, options) => run(input, options, false) as ForwardResult,
    forwardToLoss: (input, options) => run(input, options, true),
    dispose() {
      for (const made of variables.values()) made.dispose();
    },
  };
}

type EncodeOptions = Parameters<Model['encode']>[1];

function readsTokens(description: Layer): boolean {
  return traitsOf(description).reads === 'tokens';
}

/** Adds what the layer reads to its output, where its description asks for it. */
function withResidual(description: Layer, built: BuiltLayer): BuiltLayer {
  if (!addsInput(description)) return built;
  const { head: _, ...rest } = built;
  return { ...rest, forward: (x, pass) => add(built.forward(x, pass), x as Tensor3D) };
}

/**
 * `seqLen`: steps of the model's input; an output of fewer is of the newest ones, or of a layer that shortens sequences:
 * then the lengths of the pass are shortened with it.
 */
function forwardThrough(
  { name, description, built }: ChainLayer,
  x: Tensor,
  pass: Pass,
  levels: Levels,
  seqLen: number,
): Tensor3D {
  const output = built.forward(x, pass);
  const shortened = kindOf(description).steps;
  if (shortened && pass.options.lengths)
    pass.options = {
      ...pass.options,
      lengths: pass.options.lengths.map(length => (length > 0 ? shortened(description, length) : 0)),
    };
  const { watch, from = 0, lengths } = pass.options;
  watch?.output?.(name, from, () => output);
  if (!levels.whole.has(name) || !watch?.gradient) return output;
  const level = levels.byName.get(name)!;
  const steps = output.shape[0];
  const begin = from + seqLen - steps;
  return tap(output, norms => watch.gradient?.(level, begin, norms), steps > 1 ? lengths : null);
}

function startFlow(input: InputSize): Flow {
  return input.kind === 'tokens'
    ? { kind: 'tokens', width: input.vocabulary, learned: false }
    : { kind: 'vectors', width: input.features, learned: false };
}

/** Tokens without an embedding enter as one-hot vectors. */
function asVectors(flow: Flow): Flow {
  return { ...flow, kind: 'vectors' };
}

function checkInput(
  input: ModelInput,
  source: InputSize,
  { lengths }: Pick<ForwardOptions, 'lengths'>,
): void {
  const [seqLen, batch, features] = input.shape;
  const each = eachOf(source);
  const fits =
    source.kind === 'tokens'
      ? input.shape.length === (each > 1 ? 3 : 2) &&
        (each === 1 || features === each) &&
        input.dtype === 'int32'
      : input.shape.length === 3 && features === source.features && input.dtype === 'float32';
  if (!fits || seqLen! < 1 || batch! < 1)
    throw new Error(
      `The model reads ${source.kind === 'tokens' ? `int32 tokens (seqLen, batch${each > 1 ? `, ${each}` : ''})` : `float32 numbers (seqLen, batch, ${source.features})`}, but got ${input.dtype} of shape [${input.shape}].`,
    );
  if (lengths && lengths.length !== batch)
    throw new Error(`${lengths.length} lengths were given for a batch of ${batch} sequences.`);
}

function vectorsOf(input: ModelInput, source: InputSize): Tensor {
  if (source.kind === 'vectors') return input;
  const [steps, batch] = input.shape as [number, number];
  const each = eachOf(source);
  const symbols = oneHot(reshape(input, [input.size]) as Tensor1D, source.vocabulary, 1, 0, 'float32');
  if (each === 1) return reshape(symbols, [steps, batch, source.vocabulary]);
  return mean(reshape(symbols, [steps, batch, each, source.vocabulary]), 2);
}

/** Ids of a step. */
function eachOf(source: InputSize): number {
  return source.kind === 'tokens' ? (source.each ?? 1) : 0;
}

function atEnd(x: Tensor3D, lengths: Int32Array | null, layer: BuiltLayer | undefined): Tensor3D {
  return layer?.givesEnds ? x : lastStep(x, lengths, layer?.bidirectional ?? false);
}

/** Steps that the chain reads, where some layer of it gives fewer; else null. */
function stepsIfShortened(chain: readonly ChainLayer[], input: ModelInput): number | null {
  return chain.some(({ description }) => kindOf(description).steps) ? input.shape[0]! : null;
}

/** Rows of fewer steps as rows over the steps that the model reads; a single one stands for the last step. */
function spreadWatch({ gradient, gates, ...watch }: Watch, levels: Levels, seqLen: number): Watch {
  const spread = (rows: Float32Array, count: number) => {
    const steps = rows.length / count;
    if (steps === seqLen || steps === 1) return rows;
    return Float32Array.from({ length: count * seqLen }, (_, i) => {
      const back = seqLen - 1 - (i % seqLen);
      return rows[Math.floor(i / seqLen) * steps + steps - 1 - Math.floor((back * steps) / seqLen)]!;
    });
  };
  const begin = (from: number, steps: number) => (steps === 1 ? seqLen - 1 : steps < seqLen ? 0 : from);
  return {
    ...watch,
    ...(gradient && {
      gradient: (level, from, norms) => gradient(level, begin(from, norms.length), spread(norms, 1)),
    }),
    ...(gates && {
      gates(level, from, mean, saturated) {
        const count = levels.all[level]!.gates.length;
        gates(level, begin(from, mean.length / count), spread(mean, count), spread(saturated, count));
      },
    }),
  };
}

function startPass(
  options: Omit<ForwardOptions, 'outputs'>,
  levels: Levels,
  handOn: Pass['handOn'],
  shortened: number | null,
): { pass: Pass; state: State } {
  const state: Record<string, Float32Array> = {};
  const { from = 0, encoded = null } = options;
  const watch =
    options.watch && shortened !== null ? spreadWatch(options.watch, levels, shortened) : options.watch;
  let next = 0;
  const pass: Pass = {
    options: watch === options.watch ? options : { ...options, watch },
    encoded,
    handOn,
    endsOnly: false,
    state: name => options.state?.[name] ?? null,
    keep(name, values) {
      state[name] = values;
    },
    report(name) {
      if (!watch?.gradient && !watch?.gates) return undefined;
      const level = levels.byName.get(name)!;
      return ({ hiddenGradNorm, gateMean, gateSaturation }) => {
        watch.gradient?.(level, from, hiddenGradNorm);
        if (gateMean && gateSaturation) watch.gates?.(level, from, gateMean, gateSaturation);
      };
    },
    nextEncoded: () => encoded?.last[next++] ?? null,
  };
  return { pass, state };
}

function checkOutputs({ description, built }: ChainLayer, index: number, outputs: number): void {
  const { width, learned } = built.output;
  if (width === outputs && learned) return;
  throw new ModelError(
    `The last layer (${description.type}) gives ${width} outputs, but the task needs ${outputs}; end the model with { "type": "dense" }.`,
    ['model', 'layers', index],
  );
}

/** The variable alone holds the storage, so that optimizers may write to it. */
function makeVariable(values: Float32Array, shape: number[]): Variable {
  const initial = tensor(values, shape);
  const made = variable(initial);
  initial.dispose();
  return made;
}
