// A run's model as an ONNX graph: (steps, batch) ids or (steps, batch, features) numbers in, the outputs out.
import { addsInput, placeLayers } from '../../../experiment/models.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { InputError } from '../../training/prepare.ts';
import { unrollVersion } from '../../version.ts';
import { endsOnly } from '../pytorch/module.ts';
import { GraphBuilder } from './graph-builder.ts';
import { onnxOf } from './index.ts';
import { encodeModel, type Port } from './proto.ts';

const OUTPUTS = 'outputs';

/** @throws InputError naming a layer that ONNX has no form of */
export function onnxModel(opened: FinishedRun): Uint8Array {
  const { run, sizes, weights, step } = opened;
  if (run.experiment.model.encoder)
    throw new InputError('ONNX has no form of a model with an encoder; export with --format pytorch.');
  const graph = new GraphBuilder();
  const layers = placeLayers(run.experiment, sizes);
  const last = layers.findLast(({ kind, layer }) => kind.traits(layer).sees !== 'step');
  const { input } = sizes;
  const isTokens = input.kind === 'tokens';
  const [first] = layers;
  let x = 'x';
  if (isTokens && first!.kind.traits(first!.layer).reads !== 'tokens')
    x = graph.add('OneHot', [x, graph.ints(input.vocabulary), graph.floats([0, 1], [2])], { axis: -1 });
  for (const placed of layers) {
    const { layer, at, name } = placed;
    const onnx = onnxOf(layer.type);
    const lacks = onnx ? (onnx.lacks?.(layer, at) ?? null) : `the layer "${layer.type}"`;
    if (!onnx || lacks)
      throw new InputError(`ONNX has no form of ${lacks} (${name}); export with --format pytorch.`);
    const own = (weight: string) => weightIn(weights, name, layer, weight);
    const y = onnx.build(graph, x, { layer, at, weight: own });
    x = addsInput(layer) ? graph.add('Add', [x, y]) : y;
    if (placed === last && endsOnly(opened)) x = bothEnds(graph, x, at.outputs);
  }
  graph.end(x, OUTPUTS);
  const steps = endsOnly(opened) ? 1 : isShortened(layers) ? 'output_steps' : 'steps';
  const ports: { inputs: Port[]; outputs: Port[] } = {
    inputs: [
      isTokens
        ? { name: 'x', type: 'int64', shape: ['steps', 'batch'] }
        : { name: 'x', type: 'float', shape: ['steps', 'batch', input.features] },
    ],
    outputs: [{ name: OUTPUTS, type: 'float', shape: [steps, 'batch', sizes.outputs] }],
  };
  return encodeModel(
    { name: run.name, nodes: graph.nodes, initializers: graph.initializers, ...ports },
    { producer: 'Unroll', version: unrollVersion(), text: `${run.name}, step ${step}` },
  );
}

/** A weight of the layer of this name; of one that shares a matrix, the embedding's. */
export function weightIn(weights: FinishedRun['weights'], layerName: string, layer: object, name: string) {
  const isTied = 'tied' in layer && layer.tied === true && name === 'weight';
  return weights.get(`${layerName}.${name}`) ?? (isTied ? weights.get('layers.0.weight') : undefined) ?? null;
}

function isShortened(layers: readonly { at: { steps: number } }[]): boolean {
  return new Set(layers.map(({ at }) => at.steps)).size > 1;
}

/** The forward half of the last step, the backward half of the first. */
function bothEnds(graph: GraphBuilder, x: string, width: number): string {
  const part = (step: number, from: number, to: number) => {
    const end = step === -1 ? Number.MAX_SAFE_INTEGER : step + 1;
    const inputs = [x, graph.ints(step, from), graph.ints(end, to), graph.ints(0, 2)];
    return graph.add('Slice', inputs);
  };
  return graph.add('Concat', [part(-1, 0, width / 2), part(0, width / 2, width)], { axis: 2 });
}
