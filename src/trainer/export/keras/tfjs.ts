// A layers model of TensorFlow.js: model.json with Keras 2's topology, and weights.bin, float32 in the order it tells.
import type { InputSize } from '../../../experiment/sizes.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { unrollVersion } from '../../version.ts';
import type { KerasNode, KerasWeight } from './graph.ts';
import { axesOf, INPUT, kerasGraph } from './model.ts';

/** @throws InputError naming a layer that TensorFlow.js has no form of */
export function layersModel(opened: FinishedRun): { 'model.json': string; 'weights.bin': Uint8Array } {
  const { nodes } = kerasGraph(opened, 'tfjs');
  const { topology, weights } = modelOf(nodes, 'unroll', 'weights.bin', {
    inputs: [inputOf(INPUT, opened.sizes.input)],
    outputs: [nodes.at(-1)!.name],
  });
  return { 'model.json': topology, 'weights.bin': weights };
}

export interface Port {
  name: string;
  /** of one sequence; null: any number of steps */
  shape: readonly (number | null)[];
  dtype: 'int32' | 'float32';
}

export function inputOf(name: string, input: InputSize): Port {
  return { name, shape: axesOf(input), dtype: input.kind === 'tokens' ? 'int32' : 'float32' };
}

/** One of what a layer gives beside its first output, as nodes and ports refer to it. */
export function outputAt(layer: string, place: number): string {
  return `${layer}:${place}`;
}

/** `weightsFile`: named in the topology, from which it is read. `outputs`: layers, or one of what they give. */
export function modelOf(
  nodes: readonly KerasNode[],
  name: string,
  weightsFile: string,
  { inputs, outputs }: { inputs: readonly Port[]; outputs: readonly string[] },
): { topology: string; weights: Uint8Array } {
  const begins = inputs.map(({ name, shape, dtype }) => ({
    class_name: 'InputLayer',
    name,
    config: { name, batch_input_shape: [null, ...shape], dtype, sparse: false },
    inbound_nodes: [],
  }));
  const layers = nodes.map(({ className, name, config, from }) => ({
    class_name: className,
    name,
    config: { trainable: true, ...config },
    inbound_nodes: [from.map(source => [...placeOf(source), {}])],
  }));
  const weights = nodes.flatMap(node => node.weights.map(weight => ({ node, weight })));
  const model = {
    format: 'layers-model',
    generatedBy: `Unroll ${unrollVersion()}`,
    convertedBy: null,
    modelTopology: {
      keras_version: '2.15.0',
      backend: 'tensorflow',
      model_config: {
        class_name: 'Functional',
        config: {
          name,
          layers: [...begins, ...layers],
          input_layers: inputs.map(({ name }) => placeOf(name)),
          output_layers: outputs.map(placeOf),
        },
      },
    },
    weightsManifest: [
      {
        paths: [weightsFile],
        weights: weights.map(({ node, weight }) => ({
          name: nameOf(node, weight),
          shape: weight.shape,
          dtype: 'float32',
        })),
      },
    ],
  };
  const bytes = weights.map(
    ({ weight: { data } }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return { topology: `${JSON.stringify(model, null, 1)}\n`, weights: Buffer.concat(bytes) };
}

/** Layer, node and which of its outputs. */
function placeOf(source: string): [string, number, number] {
  const [layer, output = '0'] = source.split(':');
  return [layer!, 0, Number(output)];
}

/** As TensorFlow.js names it when it loads the topology. */
function nameOf({ name, config }: KerasNode, weight: KerasWeight): string {
  const direction = /^(forward|backward)_layer/.exec(weight.part)?.[1];
  if (!direction) return `${name}/${weight.name}`;
  const { layer } = config as { layer: { config: { name: string } } };
  return `${name}/${direction}_${layer.config.name}/${weight.name}`;
}
