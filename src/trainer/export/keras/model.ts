// A run's model as Keras layers: (batch, steps) ids or (batch, steps, features) numbers in, the outputs out.
import { addsInput, type PlacedLayer, placeLayers } from '../../../experiment/models.ts';
import type { InputSize } from '../../../experiment/sizes.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { InputError } from '../../training/prepare.ts';
import { uncut } from '../decoder-steps.ts';
import { weightIn } from '../onnx/chain.ts';
import { endsOnly } from '../pytorch/module.ts';
import { oneHot } from './embedding.ts';
import { KerasGraph, type Target } from './graph.ts';
import { kerasOf } from './index.ts';
import type { KerasPaired } from './kind.ts';

export const INPUT = 'x';
const NAMES: Readonly<Record<Target, string>> = { keras: 'Keras', tfjs: 'TensorFlow.js' };
/** Symbols that enter as unit vectors: their number squared is stored. */
const MOST_UNIT_VECTORS = 4096;

/** @returns its layers, in order; the last one is the output. @throws InputError naming a layer that the target has no form of */
export function kerasGraph(opened: FinishedRun, target: Target): KerasGraph {
  const { run, sizes } = opened;
  const { input } = sizes;
  if (run.experiment.model.encoder) throw noForm(target, 'a model with an encoder');
  const graph = new KerasGraph(target);
  const layers = placeLayers(run.experiment, sizes);
  const last = layers.findLast(({ kind, layer }) => kind.traits(layer).sees !== 'step');
  addChain(graph, layers, input, INPUT, opened.weights, {
    endsOnly: placed => placed === last && endsOnly(opened),
  });
  return graph;
}

interface ChainOptions {
  endsOnly?: (placed: PlacedLayer) => boolean;
  /** of a model with an encoder */
  paired?: (placed: PlacedLayer) => KerasPaired;
  /** what stands before the names of its layers */
  prefix?: string;
}

/** @returns the name of the last layer. @throws InputError naming a layer that the target has no form of */
export function addChain(
  graph: KerasGraph,
  layers: readonly PlacedLayer[],
  input: InputSize,
  from: string,
  weights: FinishedRun['weights'],
  { endsOnly: atEnds, paired, prefix = '' }: ChainOptions = {},
): string {
  const [first] = layers;
  const { target } = graph;
  let x = from;
  const each = input.kind === 'tokens' ? (input.each ?? 1) : 1;
  if (each > 1 && first!.kind.traits(first!.layer).reads !== 'tokens')
    throw noForm(target, 'several symbols a step without an embedding');
  if (input.kind === 'tokens' && first!.kind.traits(first!.layer).reads !== 'tokens') {
    if (input.vocabulary > MOST_UNIT_VECTORS)
      throw noForm(target, `${input.vocabulary.toLocaleString('en-US')} symbols without an embedding`);
    x = oneHot(graph, x, input.vocabulary, prefix);
  }
  for (const placed of layers) {
    const { layer, at, name } = placed;
    const keras = kerasOf(layer.type);
    const lacks = keras ? (keras.lacks?.(layer, target, at) ?? null) : `the layer "${layer.type}"`;
    if (!keras || lacks) throw noForm(target, `${lacks} (${name})`);
    graph.begin(`${prefix}${layer.type.replaceAll('-', '_')}_${at.index}`);
    const y = keras.build(graph, x, {
      layer,
      at,
      weight: own => weightIn(weights, name, layer, own),
      endsOnly: atEnds?.(placed) ?? false,
      ...(paired && { paired: paired(placed) }),
    });
    x = addsInput(layer) ? graph.add('Add', [x, y]) : y;
    if (each > 1 && placed === first) x = averaged(graph, x, each, at.outputs);
  }
  return x;
}

/** (batch, steps, each, width) → (batch, steps, width) */
function averaged(graph: KerasGraph, x: string, each: number, width: number): string {
  const mean = graph.add('AveragePooling2D', x, {
    pool_size: [1, each],
    strides: [1, each],
    padding: 'valid',
    data_format: 'channels_last',
  });
  return graph.add('Reshape', mean, { target_shape: [-1, width] });
}

/** The axes behind the batch of what the model reads. */
export function axesOf(input: InputSize): (number | null)[] {
  if (input.kind !== 'tokens') return [null, input.features];
  return (input.each ?? 1) > 1 ? [null, input.each!] : [null];
}

export function noForm(target: Target, what: string): InputError {
  return new InputError(`${NAMES[target]} has no form of ${what}; export with --format pytorch.`);
}

/** The layers of both halves of an encoder-decoder. @throws InputError naming one that takes no single steps */
export function halvesOf(
  { run, sizes }: FinishedRun,
  target: Target,
): Record<'read' | 'written', PlacedLayer[]> {
  const all = placeLayers(run.experiment, sizes);
  for (const placed of all) {
    const lacks = uncut(placed);
    if (lacks) throw noForm(target, `${lacks} (${placed.name})`);
  }
  const half = (name: string) => all.filter(({ path }) => path[1] === name);
  return { read: half('encoder'), written: half('layers') };
}
