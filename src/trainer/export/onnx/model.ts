// A run's model as an ONNX graph: (steps, batch) ids or (steps, batch, features) numbers in, the outputs out.
import { placeLayers } from '../../../experiment/models.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { unrollVersion } from '../../version.ts';
import { endsOnly } from '../pytorch/module.ts';
import { addChain, inputPort } from './chain.ts';
import { GraphBuilder } from './graph-builder.ts';
import { encodeModel, type Port } from './proto.ts';

export const OUTPUTS = 'outputs';

/** @throws InputError naming a layer that ONNX has no form of */
export function onnxModel(opened: FinishedRun): Uint8Array {
  const { run, sizes, weights } = opened;
  const graph = new GraphBuilder();
  const layers = placeLayers(run.experiment, sizes);
  const last = layers.findLast(({ kind, layer }) => kind.traits(layer).sees !== 'step');
  const x = addChain(graph, layers, sizes.input, 'x', weights, {
    behind: (placed, y) => (placed === last && endsOnly(opened) ? bothEnds(graph, y, placed.at.outputs) : y),
  });
  graph.end(x, OUTPUTS);
  const steps = endsOnly(opened) ? 1 : isShortened(layers) ? 'output_steps' : 'steps';
  return encodedGraph(opened, graph, {
    inputs: [inputPort('x', sizes.input, 'steps')],
    outputs: [{ name: OUTPUTS, type: 'float', shape: [steps, 'batch', sizes.outputs] }],
  });
}

export function encodedGraph(
  { run, step }: FinishedRun,
  { nodes, initializers }: GraphBuilder,
  ports: { inputs: Port[]; outputs: Port[] },
): Uint8Array {
  return encodeModel(
    { name: run.name, nodes, initializers, ...ports },
    { producer: 'Unroll', version: unrollVersion(), text: `${run.name}, step ${step}` },
  );
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
