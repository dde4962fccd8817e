// A layers model of TensorFlow.js: model.json with Keras 2's topology, and weights.bin, float32 in the order it tells.
import type { FinishedRun } from '../../inference/finished-run.ts';
import { unrollVersion } from '../../version.ts';
import type { KerasNode, KerasWeight } from './graph.ts';
import { INPUT, kerasGraph } from './model.ts';

/** @throws InputError naming a layer that TensorFlow.js has no form of */
export function layersModel(opened: FinishedRun): { 'model.json': string; 'weights.bin': Uint8Array } {
  const { nodes } = kerasGraph(opened, 'tfjs');
  const { input } = opened.sizes;
  const isTokens = input.kind === 'tokens';
  const first = {
    class_name: 'InputLayer',
    name: INPUT,
    config: {
      name: INPUT,
      batch_input_shape: isTokens ? [null, null] : [null, null, input.features],
      dtype: isTokens ? 'int32' : 'float32',
      sparse: false,
    },
    inbound_nodes: [],
  };
  const layers = nodes.map(({ className, name, config, from }) => ({
    class_name: className,
    name,
    config: { trainable: true, ...config },
    inbound_nodes: [from.map(source => [source, 0, 0, {}])],
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
          name: 'unroll',
          layers: [first, ...layers],
          input_layers: [[INPUT, 0, 0]],
          output_layers: [[nodes.at(-1)!.name, 0, 0]],
        },
      },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
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
  return { 'model.json': `${JSON.stringify(model, null, 1)}\n`, 'weights.bin': Buffer.concat(bytes) };
}

/** As TensorFlow.js names it when it loads the topology. */
function nameOf({ name, config }: KerasNode, weight: KerasWeight): string {
  const direction = /^(forward|backward)_layer/.exec(weight.part)?.[1];
  if (!direction) return `${name}/${weight.name}`;
  const { layer } = config as { layer: { config: { name: string } } };
  return `${name}/${direction}_${layer.config.name}/${weight.name}`;
}
