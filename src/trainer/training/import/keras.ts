// The layers of a Keras `.weights.h5`, by the paths of Keras 3 and of Keras 2.12 or later, and of the older `.h5`, where
// variables have names. Kernels are (inputs, gates) there
// and gates stand in the order i f c o and z r h. A GRU that resets after has two biases, the original one.
import type { NamedTensor } from '../../../runs/safetensors.ts';
import {
  type FoundModule,
  naturally,
  plainModule,
  type RecurrentWeights,
  recurrentModule,
  turned,
} from './module.ts';

type Variables = ReadonlyMap<number, NamedTensor>;

/** Kinds by the name that Keras gives the class, with our names of its variables in their order. */
const PLAIN: Readonly<Record<string, { kind: string; names: readonly string[] }>> = {
  embedding: { kind: 'embedding', names: ['weight'] },
  dense: { kind: 'dense', names: ['weight', 'bias'] },
  conv1d: { kind: 'conv1d', names: ['weight', 'bias'] },
  layer_normalization: { kind: 'layer-norm', names: ['weight', 'bias'] },
  rms_normalization: { kind: 'rms-norm', names: ['weight'] },
  batch_normalization: { kind: 'batch-norm', names: ['weight', 'bias', 'running_mean', 'running_var'] },
};

/** Places of Keras's gates in our order. */
const ORDERS: Readonly<Record<number, readonly number[]>> = { 1: [0], 3: [1, 0, 2], 4: [0, 1, 2, 3] };

/** Variables of the older files, with their places; a cell's bias stands behind its two kernels. */
const NAMED: Readonly<Record<string, number>> = {
  kernel: 0,
  recurrent_kernel: 1,
  bias: 1,
  embeddings: 0,
  gamma: 0,
  beta: 1,
  moving_mean: 2,
  moving_variance: 3,
};

/** In the natural order of their names, in which Keras counts the layers of a class. */
export function kerasModules(arrays: ReadonlyMap<string, NamedTensor>): FoundModule[] {
  const layers = new Map<string, Map<string, Map<number, NamedTensor>>>();
  const paths = new Map<string, string[]>();
  for (const [path, array] of arrays) {
    const found =
      /^(?:(.*)\/)?(?:_layer_checkpoint_dependencies|layers)\/([^/]+)\/(?:(.+)\/)?vars\/(\d+)$/.exec(path);
    if (!found || array.data.length === 0) continue;
    const [, outer = '', layer, part = '', place] = found;
    const name = outer === '' ? layer! : `${outer}/${layer}`;
    paths.set(name, [...(paths.get(name) ?? []), path]);
    const parts = layers.get(name) ?? new Map<string, Map<number, NamedTensor>>();
    layers.set(name, parts.set(part, (parts.get(part) ?? new Map()).set(Number(place), array)));
  }
  if (layers.size === 0) return namedModules(arrays);
  return [...layers]
    .sort(([a], [b]) => naturally(a, b))
    .map(([name, parts]) => moduleOf(name, parts, paths.get(name)!, baseOf(name)));
}

function baseOf(name: string): string {
  return name.split('/').at(-1)!.replace(/_\d+$/, '');
}

/** Of `model.save('x.h5')` and `save_weights('x.h5')`: "[model_weights/]layer/…/kernel[:0]". A layer may have any name. */
function namedModules(arrays: ReadonlyMap<string, NamedTensor>): FoundModule[] {
  const layers = new Map<string, { path: string; part: string; variable: string; array: NamedTensor }[]>();
  for (const [path, array] of arrays) {
    const [, layer, inner = '', variable = ''] =
      /^(?:model_weights\/)?([^/]+)\/(?:(.*)\/)?([a-z_]+)(?::\d+)?$/.exec(path) ?? [];
    if (layer === undefined || layer === 'optimizer_weights' || !Object.hasOwn(NAMED, variable)) continue;
    const direction = /(?:^|\/)(forward|backward)_/.exec(inner)?.[1];
    const part = direction ? `${direction}_layer/cell` : '';
    layers.set(layer, [...(layers.get(layer) ?? []), { path, part, variable, array }]);
  }
  return [...layers]
    .sort(([a], [b]) => naturally(a, b))
    .map(([name, found]) => {
      const isCell = found.some(({ variable }) => variable === 'recurrent_kernel');
      const parts = new Map<string, Map<number, NamedTensor>>();
      for (const { part, variable, array } of found) {
        const own = isCell && part === '' ? 'cell' : part;
        const place = isCell && variable === 'bias' ? 2 : NAMED[variable]!;
        parts.set(own, (parts.get(own) ?? new Map()).set(place, array));
      }
      const names = new Map(found.map(({ variable, array }) => [variable, array]));
      return moduleOf(
        name,
        parts,
        found.map(({ path }) => path),
        baseWith(names),
      );
    });
}

/** The class of a plain layer by what its variables are called. */
function baseWith(variables: ReadonlyMap<string, NamedTensor>): string {
  if (variables.has('embeddings')) return 'embedding';
  if (variables.has('moving_mean')) return 'batch_normalization';
  if (variables.has('gamma')) return variables.has('beta') ? 'layer_normalization' : 'rms_normalization';
  return variables.get('kernel')?.shape.length === 3 ? 'conv1d' : 'dense';
}

function moduleOf(
  name: string,
  parts: ReadonlyMap<string, Variables>,
  paths: readonly string[],
  base: string,
): FoundModule {
  const unknown = plainModule(name, '', [], paths);
  const cells = ['cell', 'forward_layer/cell', 'backward_layer/cell'].flatMap(part => parts.get(part) ?? []);
  if (cells.length > 0) {
    const directions = cells.map(directionOf);
    if (directions.some(direction => direction === null)) return unknown;
    const [first] = cells as [Variables];
    const bias = first.get(2);
    const form = bias ? (bias.shape.length === 2 ? 'after' : 'before') : null;
    return recurrentModule(name, directions as RecurrentWeights[], form, paths) ?? unknown;
  }
  // a layer that another one applies at every step
  const own = parts.get('') ?? parts.get('layer');
  const plain = Object.hasOwn(PLAIN, base)
    ? PLAIN[base]!
    : base === 'time_distributed'
      ? PLAIN['dense']!
      : null;
  if (!own || !plain) return unknown;
  const weights = plain.names.flatMap((ours, place): [string, NamedTensor][] => {
    const variable = own.get(place);
    return variable ? [[ours, laidOut(plain.kind, ours, variable)]] : [];
  });
  return plainModule(name, plain.kind, weights, paths);
}

function laidOut(kind: string, name: string, variable: NamedTensor): NamedTensor {
  if (name !== 'weight') return variable;
  if (kind === 'dense') return turned(variable);
  if (kind !== 'conv1d') return variable;
  // (steps, channels, units) to (units, channels, steps)
  const [steps = 0, channels = 0, units = 0] = variable.shape;
  const data = new Float32Array(variable.data.length);
  for (let k = 0; k < steps; k++)
    for (let channel = 0; channel < channels; channel++)
      for (let unit = 0; unit < units; unit++)
        data[(unit * channels + channel) * steps + k] =
          variable.data[(k * channels + channel) * units + unit]!;
  return { shape: [units, channels, steps], data };
}

function directionOf(cell: Variables): RecurrentWeights | null {
  const [kernel, recurrent, bias] = [cell.get(0), cell.get(1), cell.get(2)];
  if (kernel?.shape.length !== 2 || recurrent?.shape.length !== 2) return null;
  const order = ORDERS[recurrent.shape[1]! / recurrent.shape[0]!];
  if (!order) return null;
  const rows = recurrent.shape[1]!;
  const both = bias?.shape.length === 2;
  const biasAt = (place: number): NamedTensor | null =>
    bias
      ? inOurOrder({ shape: [rows], data: bias.data.slice(place * rows, (place + 1) * rows) }, order)
      : null;
  return {
    weightIh: inOurOrder(turned(kernel), order),
    weightHh: inOurOrder(turned(recurrent), order),
    biasIh: biasAt(0),
    biasHh: both ? biasAt(1) : null,
  };
}

/** Blocks of rows, one for each gate. */
function inOurOrder({ shape, data }: NamedTensor, order: readonly number[]): NamedTensor {
  const size = data.length / order.length;
  const result = new Float32Array(data.length);
  for (const [place, from] of order.entries())
    result.set(data.subarray(from * size, (from + 1) * size), place * size);
  return { shape, data: result };
}
