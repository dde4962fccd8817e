// A run's model as Keras layers: (batch, steps) ids or (batch, steps, features) numbers in, the outputs out.
import { addsInput, placeLayers } from '../../../experiment/models.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { InputError } from '../../training/prepare.ts';
import { weightIn } from '../onnx/chain.ts';
import { endsOnly } from '../pytorch/module.ts';
import { oneHot } from './embedding.ts';
import { KerasGraph, type Target } from './graph.ts';
import { kerasOf } from './index.ts';

export const INPUT = 'x';
const NAMES: Readonly<Record<Target, string>> = { keras: 'Keras', tfjs: 'TensorFlow.js' };
/** Symbols that enter as unit vectors: their number squared is stored. */
const MOST_UNIT_VECTORS = 4096;

/** @returns its layers, in order; the last one is the output. @throws InputError naming a layer that the target has no form of */
export function kerasGraph(opened: FinishedRun, target: Target): KerasGraph {
  const { run, sizes, weights } = opened;
  const { input } = sizes;
  const refuse = (what: string) =>
    new InputError(`${NAMES[target]} has no form of ${what}; export with --format pytorch.`);
  if (run.experiment.model.encoder) throw refuse('a model with an encoder');
  if (input.kind === 'tokens' && (input.each ?? 1) > 1) throw refuse('several symbols a step');
  const graph = new KerasGraph(target);
  const layers = placeLayers(run.experiment, sizes);
  const last = layers.findLast(({ kind, layer }) => kind.traits(layer).sees !== 'step');
  const [first] = layers;
  let x = INPUT;
  if (input.kind === 'tokens' && first!.kind.traits(first!.layer).reads !== 'tokens') {
    if (input.vocabulary > MOST_UNIT_VECTORS)
      throw refuse(`${input.vocabulary.toLocaleString('en-US')} symbols without an embedding`);
    x = oneHot(graph, x, input.vocabulary);
  }
  for (const placed of layers) {
    const { layer, at, name } = placed;
    const keras = kerasOf(layer.type);
    const lacks = keras ? (keras.lacks?.(layer, target, at) ?? null) : `the layer "${layer.type}"`;
    if (!keras || lacks) throw refuse(`${lacks} (${name})`);
    graph.begin(`${layer.type.replaceAll('-', '_')}_${at.index}`);
    const y = keras.build(graph, x, {
      layer,
      at,
      weight: own => weightIn(weights, name, layer, own),
      endsOnly: placed === last && endsOnly(opened),
    });
    x = addsInput(layer) ? graph.add('Add', [x, y]) : y;
  }
  return graph;
}
