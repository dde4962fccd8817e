// A `.keras` archive, which `keras.saving.load_model` opens: the functional model as config.json, its weights as HDF5.
import { type Hdf5Array, writeHdf5 } from '../../data/hdf5.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import type { Config, KerasNode } from './graph.ts';
import { axesOf, INPUT, kerasGraph } from './model.ts';
import { zipOf } from './zip.ts';

/** The format is that of Keras 3; its loader compares no versions. */
const KERAS_VERSION = '3.0.0';

/** @throws InputError naming a layer that Keras has no form of */
export async function kerasArchive(opened: FinishedRun): Promise<Uint8Array> {
  const { nodes } = kerasGraph(opened, 'keras');
  const config = {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name: 'unroll',
      trainable: true,
      layers: [inputLayer(opened), ...nodes.map(layerOf)],
      input_layers: [[INPUT, 0, 0]],
      output_layers: [[nodes.at(-1)!.name, 0, 0]],
    },
    registered_name: 'Functional',
  };
  const metadata = { keras_version: KERAS_VERSION, date_saved: opened.run.createdAt };
  return zipOf({
    'metadata.json': json(metadata),
    'config.json': json(config),
    'model.weights.h5': await writeHdf5(weightsOf(nodes)),
  });
}

function inputLayer({ sizes: { input } }: FinishedRun) {
  const isTokens = input.kind === 'tokens';
  return layer('InputLayer', INPUT, {
    batch_shape: [null, ...axesOf(input)],
    dtype: isTokens ? 'int32' : 'float32',
    sparse: false,
    name: INPUT,
  });
}

function layerOf({ className, name, config, from }: KerasNode) {
  const read = from.map(source => ({
    class_name: '__keras_tensor__',
    config: { shape: [null], dtype: 'float32', keras_history: [source, 0, 0] },
  }));
  return layer(className, name, { trainable: true, dtype: 'float32', ...config }, [
    { args: read.length === 1 ? read : [read], kwargs: {} },
  ]);
}

function layer(className: string, name: string, config: Config, inboundNodes: readonly object[] = []) {
  return {
    module: 'keras.layers',
    class_name: className,
    config,
    registered_name: null,
    name,
    inbound_nodes: inboundNodes,
  };
}

/** By the paths of Keras 3: layers are counted by class, and variables within the part that has them. */
export function weightsOf(nodes: readonly KerasNode[]): Map<string, Hdf5Array> {
  const arrays = new Map<string, Hdf5Array>();
  const counts = new Map<string, number>();
  for (const { className, weights } of nodes) {
    const base = snake(className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    const path = `layers/${base}${count > 0 ? `_${count}` : ''}`;
    const places = new Map<string, number>();
    for (const { part, shape, data } of weights) {
      const place = places.get(part) ?? 0;
      places.set(part, place + 1);
      arrays.set(`${path}/${part === '' ? '' : `${part}/`}vars/${place}`, { shape, data });
    }
  }
  return arrays;
}

/** As Keras names classes in files: "SimpleRNN" is simple_rnn, "Conv1D" conv1d. */
export function snake(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
}
