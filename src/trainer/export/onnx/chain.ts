// A chain of layers, one behind the other, as nodes of a graph.
import { addsInput, type PlacedLayer } from '../../../experiment/models.ts';
import type { InputSize } from '../../../experiment/sizes.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { InputError } from '../../training/prepare.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { onnxOf } from './index.ts';
import type { Paired } from './kind.ts';
import type { Port } from './proto.ts';

export interface ChainOptions {
  /** what a layer of a model with an encoder reads and gives beside its sequence */
  paired?: (placed: PlacedLayer) => Paired;
  /** what stands behind a layer in place of its output */
  behind?: (placed: PlacedLayer, y: string) => string;
}

/** @returns the name of the last layer's output. @throws InputError naming a layer that ONNX has no form of */
export function addChain(
  graph: GraphBuilder,
  layers: readonly PlacedLayer[],
  input: InputSize,
  x: string,
  weights: FinishedRun['weights'],
  { paired, behind }: ChainOptions = {},
): string {
  const [first] = layers;
  let here = x;
  const each = input.kind === 'tokens' ? (input.each ?? 1) : 1;
  if (each > 1 && first!.kind.traits(first!.layer).reads !== 'tokens')
    throw noForm('several symbols a step without an embedding', first!.name);
  if (input.kind === 'tokens' && first!.kind.traits(first!.layer).reads !== 'tokens')
    here = graph.add('OneHot', [here, graph.ints(input.vocabulary), graph.floats([0, 1], [2])], { axis: -1 });
  for (const placed of layers) {
    const { layer, at, name } = placed;
    const onnx = onnxOf(layer.type);
    const lacks = onnx ? (onnx.lacks?.(layer, at) ?? null) : `the layer "${layer.type}"`;
    if (!onnx || lacks) throw noForm(lacks!, name);
    const own = (weight: string) => weightIn(weights, name, layer, weight);
    const y = onnx.build(graph, here, { layer, at, weight: own, ...(paired && { paired: paired(placed) }) });
    here = addsInput(layer) ? graph.add('Add', [here, y]) : y;
    // (steps, batch, each, width)
    if (each > 1 && placed === first) here = graph.add('ReduceMean', [here], { axes: [2], keepdims: 0 });
    if (behind) here = behind(placed, here);
  }
  return here;
}

export function noForm(what: string, name: string): InputError {
  return new InputError(`ONNX has no form of ${what} (${name}); export with --format pytorch.`);
}

/** The input of a chain: (steps, batch) ids, or several a step, or (steps, batch, features) numbers. */
export function inputPort(name: string, input: InputSize, steps: string | number): Port {
  return input.kind === 'tokens'
    ? { name, type: 'int64', shape: [steps, 'batch', ...((input.each ?? 1) > 1 ? [input.each!] : [])] }
    : { name, type: 'float', shape: [steps, 'batch', input.features] };
}

/** A weight of the layer of this name; of one that shares a matrix, the embedding's. */
export function weightIn(weights: FinishedRun['weights'], layerName: string, layer: object, name: string) {
  const isTied = 'tied' in layer && layer.tied === true && name === 'weight';
  return weights.get(`${layerName}.${name}`) ?? (isTied ? weights.get('layers.0.weight') : undefined) ?? null;
}
