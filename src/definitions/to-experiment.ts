// From a model as it is written in code to layers of an experiment: framework defaults kept, differences named, and
// what cannot be mapped said with its line.
import type { Convention, ExperimentInput } from '../experiment/schema.ts';
import { CELL_NAME, CONVENTION_OF, type FoundLayer, type FoundModel } from './definition.ts';
import { WEIGHT_HH } from './torch-beginning.ts';

/** What code is mapped to; other kinds of layer have no constructor of one name in these frameworks. */
type MappedType = 'embedding' | 'rnn' | 'gru' | 'lstm' | 'layer-norm' | 'dropout' | 'dense';
export type LayerInput = Extract<ExperimentInput['model']['layers'][number], { type: MappedType }>;

export interface Mapped {
  convention: Convention;
  layers: LayerInput[];
  /** where each of these layers stands in the code; null for one that was added */
  origins: (FoundLayer | null)[];
  /** where Unroll does something else than the framework, in sentences */
  notes: string[];
  /** why it cannot be trained; empty if it can */
  obstacles: { line: number; message: string }[];
}

export function toExperiment({ framework, layers }: FoundModel): Mapped {
  const mapped: Mapped = {
    convention: CONVENTION_OF[framework],
    layers: [],
    origins: [],
    notes: [],
    obstacles: [],
  };
  for (const layer of layers) {
    const obstacle = branching(layer);
    if (obstacle) mapped.obstacles.push({ line: layer.range.line, message: obstacle });
    else map(layer, mapped);
    while (mapped.origins.length < mapped.layers.length) mapped.origins.push(layer);
  }
  endWithDense(mapped);
  return mapped;
}

function branching({ recurrent, inLoop, isConditional, name }: FoundLayer): string | null {
  if (!recurrent) return null;
  if (inLoop) return `${name} is made in a loop, so the number of layers is known only when the code runs.`;
  if (isConditional)
    return `${name} is one of several branches, and which one is taken is known only when the code runs.`;
  return null;
}

function map(layer: FoundLayer, mapped: Mapped): void {
  const { name, recurrent } = layer;
  const make = recurrent ? mapRecurrent : MAKERS[name];
  if (make) make(layer, mapped);
  else if (!INPUTS.has(name))
    mapped.obstacles.push({
      line: layer.range.line,
      message: `${name} has no counterpart in Unroll.`,
    });
}

// ---------------------------------------------------------------- recurrent layers

function mapRecurrent(layer: FoundLayer, mapped: Mapped): void {
  const { name, framework, options, range } = layer;
  const { cell, isCell, units, layers, bidirectional } = layer.recurrent!;
  const stop = (message: string) => mapped.obstacles.push({ line: range.line, message });
  if (!cell) return void stop(`Which cell ${name} is, is known only when the code runs.`);
  if (isCell && framework === 'torch')
    return void stop(`${name} is stepped by hand, which Unroll does not follow.`);
  const size = units.value ?? units.fallback;
  if (size === null)
    return void stop(`The units of ${name} (${units.text || 'not given'}) come from outside of this file.`);
  if (units.value === null) mapped.notes.push(`${units.text} is taken as its default, ${size}.`);
  const levels = layers.value ?? layers.fallback;
  if (levels === null)
    return void stop(`The number of layers of ${name} (${layers.text}) comes from outside of this file.`);
  if (bidirectional.value === null)
    return void stop(`Whether ${name} reads both ways comes from outside of this file.`);
  const merge = MERGES[text(options, 'merge_mode', 'mergeMode') ?? 'concat'];
  if (bidirectional.value && !merge)
    return void stop(`${name} gives its two directions apart, which Unroll does not.`);
  if (flag(options, 'bias', 'use_bias', 'useBias') === false)
    return void stop(`${name} has no biases; Unroll's layers always have them.`);
  const activation = text(options, 'nonlinearity', 'activation') ?? 'tanh';
  const type = CELL_NAME[cell];
  if (activation !== 'tanh' && !(type === 'rnn' && activation === 'relu'))
    return void stop(`The activation ${activation} of ${name} is not one that Unroll has for it.`);
  noteDifferences(layer, mapped);
  const common = {
    units: size,
    ...(levels > 1 ? { layers: levels } : {}),
    ...(framework === 'torch' && levels > 1 && Number(options.get('dropout')?.value ?? 0) > 0
      ? { dropout: Number(options.get('dropout')!.value) }
      : {}),
    ...(bidirectional.value ? { bidirectional: true } : {}),
    ...(bidirectional.value && merge !== 'concat' ? { merge } : {}),
    ...initializer(options),
  };
  if (type === 'rnn')
    mapped.layers.push({ type, ...common, ...(activation === 'relu' ? { activation } : {}) });
  else if (type === 'gru') mapped.layers.push({ type, ...common, ...resetAfter(options) });
  else mapped.layers.push({ type, ...common, ...forgetBias(options), ...projection(options) });
}

/** Merge modes of Keras and tfjs. */
const MERGES: Readonly<Record<string, 'concat' | 'sum' | 'mean' | 'product'>> = {
  concat: 'concat',
  sum: 'sum',
  ave: 'mean',
  mul: 'product',
};

function projection(options: FoundLayer['options']): { projection?: number } {
  const size = Number(options.get('proj_size')?.value ?? 0);
  return size > 0 ? { projection: size } : {};
}

function resetAfter(options: FoundLayer['options']): { resetAfter?: boolean } {
  const given = options.get('reset_after') ?? options.get('resetAfter');
  return given?.text && typeof given.value === 'boolean' ? { resetAfter: given.value } : {};
}

function forgetBias(options: FoundLayer['options']): { forgetBias?: number } {
  const given = options.get('unit_forget_bias') ?? options.get('unitForgetBias');
  return given?.text && typeof given.value === 'boolean' ? { forgetBias: given.value ? 1 : 0 } : {};
}

const INITIALIZERS = {
  orthogonal: 'orthogonal',
  glorotuniform: 'glorot-uniform',
  identity: 'identity',
  zeros: 'zeros',
  xavieruniform: 'glorot-uniform',
  eye: 'identity',
} as const;

function initializer(options: FoundLayer['options']): {
  recurrentInit?: (typeof INITIALIZERS)[keyof typeof INITIALIZERS];
} {
  const given = text(options, 'recurrent_initializer', 'recurrentInitializer', WEIGHT_HH);
  const known = INITIALIZERS[(given ?? '').toLowerCase().replaceAll('_', '') as keyof typeof INITIALIZERS];
  return known ? { recurrentInit: known } : {};
}

function noteDifferences({ name, framework, options, range }: FoundLayer, { notes }: Mapped): void {
  const gate = text(options, 'recurrent_activation', 'recurrentActivation');
  if (gate && gate !== 'sigmoid' && name.toLowerCase() !== 'simplernn')
    notes.push(
      `Line ${range.line}: gates are sigmoid here, ${gate} in ${framework === 'tfjs' ? 'TensorFlow.js' : 'Keras'}.`,
    );
  if (framework !== 'torch')
    for (const option of ['dropout', 'recurrent_dropout', 'recurrentDropout'])
      if (Number(options.get(option)?.value ?? 0) > 0)
        notes.push(`Line ${range.line}: ${option} inside the cell is left out; Unroll drops between layers.`);
}

// ---------------------------------------------------------------- other layers

const INPUTS = new Set([
  'Input',
  'InputLayer',
  'input',
  'inputLayer',
  'Masking',
  'masking',
  'LogSoftmax',
  'Softmax',
  'RepeatVector',
  'repeatVector',
]);
const ACTIVATIONS = new Set(['linear', 'tanh', 'relu', 'sigmoid']);

type Maker = (layer: FoundLayer, mapped: Mapped) => void;

const embedding: Maker = ({ options, range, name }, { layers, obstacles }) => {
  const dim = number(options, 'embedding_dim', 'output_dim', 'outputDim');
  if (dim === null)
    obstacles.push({ line: range.line, message: `The width of ${name} comes from outside of this file.` });
  else layers.push({ type: 'embedding', dim });
};

const dense: Maker = ({ options, range, name }, { layers, notes }) => {
  const units = number(options, 'units', 'out_features');
  const activation = text(options, 'activation') ?? 'linear';
  if (!ACTIVATIONS.has(activation) && activation !== 'softmax')
    notes.push(`Line ${range.line}: the activation ${activation} of ${name} is left out.`);
  layers.push({
    type: 'dense',
    ...(units === null ? {} : { units }),
    ...(ACTIVATIONS.has(activation) && activation !== 'linear' ? { activation: activation as 'tanh' } : {}),
  });
};

const dropout: Maker = ({ options }, { layers }) => {
  const rate = number(options, 'p', 'rate') ?? 0;
  if (rate > 0) layers.push({ type: 'dropout', rate });
};

const layerNorm: Maker = (_layer, { layers }) => {
  layers.push({ type: 'layer-norm' });
};

/** An activation of its own goes to the dense layer before it. */
const activation =
  (name: string): Maker =>
  (layer, { layers, notes }) => {
    const kind = name || (text(layer.options, 'activation') ?? '');
    const last = layers.at(-1);
    if (last?.type === 'dense' && ACTIVATIONS.has(kind)) last.activation = kind as 'tanh';
    else if (kind !== 'softmax' && kind !== 'linear')
      notes.push(`Line ${layer.range.line}: the activation ${kind} is left out.`);
  };

const MAKERS: Readonly<Record<string, Maker>> = {
  Embedding: embedding,
  embedding,
  Linear: dense,
  Dense: dense,
  dense,
  Dropout: dropout,
  dropout,
  SpatialDropout1D: dropout,
  spatialDropout1d: dropout,
  LayerNorm: layerNorm,
  LayerNormalization: layerNorm,
  layerNormalization: layerNorm,
  ReLU: activation('relu'),
  reLU: activation('relu'),
  Tanh: activation('tanh'),
  Sigmoid: activation('sigmoid'),
  Activation: activation(''),
  activation: activation(''),
};

/** The task gives the last layer its width, and its loss the last activation. */
function endWithDense({ layers, origins, notes }: Mapped): void {
  const last = layers.at(-1);
  if (last?.type === 'dense') {
    if (last.units !== undefined)
      notes.push(`The last layer takes its width from the task, in place of ${last.units}.`);
    delete last.units;
    delete last.activation;
  } else {
    layers.push({ type: 'dense' });
    origins.push(null);
  }
}

// ---------------------------------------------------------------- options

function number(options: FoundLayer['options'], ...names: string[]): number | null {
  for (const name of names) {
    const given = options.get(name);
    const value = given?.value ?? given?.fallback;
    if (typeof value === 'number') return value;
  }
  return null;
}

function text(options: FoundLayer['options'], ...names: string[]): string | null {
  for (const name of names) {
    const value = options.get(name)?.value;
    if (typeof value === 'string') return value;
  }
  return null;
}

function flag(options: FoundLayer['options'], ...names: string[]): boolean | null {
  for (const name of names) {
    const value = options.get(name)?.value;
    if (typeof value === 'boolean') return value;
  }
  return null;
}
