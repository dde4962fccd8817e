// Gives each layer of an experiment the first module of its kind in a file whose shapes fit; every module must be taken.
import { resetsAfter } from '../../../experiment/layers/gru.ts';
import { directionsOf, type RecurrentFields } from '../../../experiment/layers/recurrent.ts';
import type { PlacedLayer } from '../../../experiment/models.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { WeightsOrigin } from '../../../runs/weights-origin.ts';
import { InputError } from '../prepare.ts';
import type { FoundModule, RecurrentWeights } from './module.ts';

type Shapes = ReadonlyMap<string, readonly number[]>;

export interface Matched {
  weights: Map<string, NamedTensor>;
  /** a line for each layer: what of the file it begins with */
  report: string[];
  taken: WeightsOrigin['taken'];
}

/** `shapes`: of the model's variables, by name. @throws InputError saying what does not fit */
export function matchModules(
  layers: readonly PlacedLayer[],
  shapes: Shapes,
  modules: readonly FoundModule[],
  file: string,
): Matched {
  const left = [...modules];
  const weights = new Map<string, NamedTensor>();
  const report: string[] = [];
  const taken: Matched['taken'] = [];
  for (const placed of layers) {
    const { layer, name } = placed;
    const wanted = new Map([...shapes].filter(([own]) => own.startsWith(`${name}.`)));
    if (wanted.size === 0) continue;
    const levels = placed.kind.traits(layer).recurrent ? (layer as RecurrentFields).layers : 1;
    for (let level = 0; level < levels; level++) {
      const at = left.findIndex(module => given(placed, level, wanted, module, file) !== null);
      if (at < 0) throw new InputError(lacking(placed, level, levels, wanted, left, file));
      const [module] = left.splice(at, 1);
      const own = given(placed, level, wanted, module!, file)!;
      for (const [weight, tensor] of own.weights) weights.set(weight, tensor);
      const where = levels > 1 ? `${name}, level ${level + 1}` : name;
      taken.push({ to: where, from: module!.name, tensors: [...module!.tensors] });
      report.push(
        `${where} (${layer.type}) begins with "${module!.name}"${own.note ? `: ${own.note}` : ''}.`,
      );
    }
  }
  const missing = [...shapes.keys()].filter(name => !weights.has(name));
  if (missing.length > 0)
    throw new InputError(`${file} holds nothing for ${some(missing)}, which this model has.`);
  if (left.length > 0)
    throw new InputError(
      `${file} holds more than this model has: ${some(left.map(module => `"${module.name}"${shapesOf(module)}`))}.`,
    );
  return { weights, report, taken };
}

interface Given {
  weights: Map<string, NamedTensor>;
  note: string;
}

/** null: the module is of another kind or shape. @throws InputError for a GRU of the other form */
function given(
  { layer, name, at }: PlacedLayer,
  level: number,
  wanted: Shapes,
  module: FoundModule,
  file: string,
): Given | null {
  if (module.directions.length === 0) return plain(layer.type, name, wanted, module);
  if (module.kind !== layer.type || module.directions.length !== directionsOf(layer as RecurrentFields))
    return null;
  const own = recurrent(name, level, wanted, module.directions);
  if (own && layer.type === 'gru')
    checkForm(name, resetsAfter(at.convention, layer.resetAfter), module, file);
  return own;
}

/** The two forms are different functions of the same weights: neither stands for the other. */
function checkForm(name: string, after: boolean, { form, name: module }: FoundModule, file: string): void {
  if (form === (after ? 'after' : 'before')) return;
  const said = (isAfter: boolean) => `one that resets ${isAfter ? 'after' : 'before'} the recurrent product`;
  if (form === null)
    throw new InputError(
      `"${module}" in ${file} is a GRU that does not tell whether it resets before or after the recurrent product; ${name} needs ${said(after)}.`,
    );
  throw new InputError(
    `${name} is a GRU, ${said(after)}, and "${module}" in ${file} is ${said(form === 'after')}: they are two functions of the same weights. Set "resetAfter": ${form === 'after'} in the layer.`,
  );
}

function plain(type: string, name: string, wanted: Shapes, module: FoundModule): Given | null {
  // a matrix alone is an embedding, or a dense layer without bias
  const fits = module.kind === type || (module.kind === 'matrix' && ['embedding', 'dense'].includes(type));
  if (!fits) return null;
  const weights = new Map<string, NamedTensor>();
  let note = '';
  for (const [own, shape] of wanted) {
    const tensor = module.weights.get(own.slice(name.length + 1));
    if (tensor && String(tensor.shape) === String(shape)) weights.set(own, tensor);
    else if (!tensor && own === `${name}.bias` && type === 'dense') {
      weights.set(own, zeros(shape));
      note = 'it has no bias, which begins at 0';
    } else return null;
  }
  return { weights, note };
}

function recurrent(
  name: string,
  level: number,
  wanted: Shapes,
  directions: readonly RecurrentWeights[],
): Given | null {
  const weights = new Map<string, NamedTensor>();
  const notes = new Set<string>();
  for (const [direction, found] of directions.entries()) {
    const end = `l${level}${direction === 1 ? '_reverse' : ''}`;
    const of = (part: string) => `${name}.${part}_${end}`;
    for (const [part, tensor] of [
      ['weight_ih', found.weightIh],
      ['weight_hh', found.weightHh],
    ] as const) {
      if (String(wanted.get(of(part))) !== String(tensor.shape)) return null;
      weights.set(of(part), tensor);
    }
    const shape = wanted.get(of('bias_ih'))!;
    if (!found.biasIh) notes.add('it has no biases, which begin at 0');
    const [input, hidden] = [found.biasIh ?? zeros(shape), found.biasHh];
    if (wanted.has(of('bias_hh'))) {
      if (found.biasIh && !hidden) notes.add("its one bias is the input's, the recurrent one begins at 0");
      weights.set(of('bias_ih'), input);
      weights.set(of('bias_hh'), hidden ?? zeros(shape));
    } else {
      if (hidden) notes.add('its two biases are summed');
      const data = input.data.map((value, row) => value + (hidden?.data[row] ?? 0));
      weights.set(of('bias_ih'), { shape: [...shape], data });
    }
  }
  return { weights, note: [...notes].join('; ') };
}

function zeros(shape: readonly number[]): NamedTensor {
  return { shape: [...shape], data: new Float32Array(shape.reduce((size, length) => size * length, 1)) };
}

function lacking(
  { layer, name }: PlacedLayer,
  level: number,
  levels: number,
  wanted: Shapes,
  left: readonly FoundModule[],
  file: string,
): string {
  const needs = [...wanted]
    .filter(([own]) => levels === 1 || own.includes(`_l${level}`))
    .map(([own, shape]) => `${own.slice(name.length + 1)} [${shape}]`);
  const there =
    left.length > 0 ? some(left.map(module => `"${module.name}"${shapesOf(module)}`)) : 'nothing more';
  const where = levels > 1 ? `${name}, level ${level + 1}` : name;
  return `${file} holds no module that fits ${where} (${layer.type}), which needs ${some(needs)}; there is ${there}.`;
}

function shapesOf({ directions, weights }: FoundModule): string {
  const [first] = directions;
  const all = first
    ? [first.weightIh, first.weightHh].map(({ shape }) => `[${shape}]`)
    : [...weights.values()].map(({ shape }) => `[${shape}]`);
  const both = directions.length > 1 ? ', both ways' : '';
  return all.length > 0 ? ` (${all.join(', ')}${both})` : '';
}

function some(names: readonly string[]): string {
  return names.slice(0, 6).join(', ') + (names.length > 6 ? ', …' : '');
}
