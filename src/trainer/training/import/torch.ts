// The modules of a PyTorch `state_dict` that was saved as safetensors. Names end with those of torch.nn; what stands
// before is the module's own. PyTorch's GRU resets after the recurrent product, unless the file's header says otherwise.
import type { NamedTensor } from '../../../runs/safetensors.ts';
import {
  type FoundModule,
  naturally,
  plainModule,
  type RecurrentWeights,
  recurrentModule,
} from './module.ts';

type Tensors = ReadonlyMap<string, NamedTensor>;

/** In the natural order of their names; a module that is not known has the kind "". */
export function torchModules(tensors: Tensors, metadata: Readonly<Record<string, unknown>>): FoundModule[] {
  const groups = new Map<string, Map<string, NamedTensor>>();
  for (const [name, tensor] of tensors) {
    // batch norm counts its batches, as a float where a whole module was made one
    if (name.endsWith('num_batches_tracked')) continue;
    const dot = name.lastIndexOf('.');
    const [module, own] = [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
    groups.set(module, (groups.get(module) ?? new Map()).set(own, tensor));
  }
  const told = metadata['gru'];
  const form = told === 'before' ? 'before' : told === 'mixed' ? null : 'after';
  return [...groups].sort(([a], [b]) => naturally(a, b)).flatMap(([name, own]) => modulesOf(name, own, form));
}

function modulesOf(name: string, own: Tensors, form: FoundModule['form']): FoundModule[] {
  const levels: FoundModule[] = [];
  // a cell of its own has no number
  for (let level = 0; ; level++) {
    const end = own.has(`weight_ih_l${level}`)
      ? `_l${level}`
      : level === 0 && own.has('weight_ih')
        ? ''
        : null;
    if (end === null) break;
    const directions = [end, `${end}_reverse`].flatMap(each => directionOf(own, each) ?? []);
    const names = namesIn(
      name,
      [...own.keys()].filter(key => end === '' || isOfLevel(key, end)),
    );
    const made =
      directions.length > 0
        ? recurrentModule(`${name}${end && ` ${end.slice(1)}`}`, directions, form, names)
        : null;
    levels.push(made ?? plainModule(name, '', [...own], names));
  }
  if (levels.length > 0) return levels;
  return [plainModule(name, kindOf(own), [...own], namesIn(name, [...own.keys()]))];
}

function isOfLevel(key: string, end: string): boolean {
  return key.endsWith(end) || key.endsWith(`${end}_reverse`);
}

function namesIn(module: string, own: readonly string[]): string[] {
  return own.map(key => (module === '' ? key : `${module}.${key}`));
}

function directionOf(own: Tensors, end: string): RecurrentWeights | null {
  const [weightIh, weightHh] = [own.get(`weight_ih${end}`), own.get(`weight_hh${end}`)];
  // a projection makes another state than the matrices tell
  if (!weightIh || !weightHh || own.has(`weight_hr${end}`)) return null;
  return {
    weightIh,
    weightHh,
    biasIh: own.get(`bias_ih${end}`) ?? null,
    biasHh: own.get(`bias_hh${end}`) ?? null,
  };
}

/** Of a matrix alone it is open whether symbols or numbers are read: it fits both. */
function kindOf(own: Tensors): string {
  const [weight, bias] = [own.get('weight'), own.get('bias')];
  const names = [...own.keys()];
  if (!weight || names.some(name => !['weight', 'bias', 'running_mean', 'running_var'].includes(name)))
    return '';
  if (own.has('running_mean')) return 'batch-norm';
  const dimensions = weight.shape.length;
  if (dimensions === 3) return bias ? 'conv1d' : '';
  if (dimensions === 1) return bias ? 'layer-norm' : 'rms-norm';
  if (dimensions !== 2) return '';
  return bias ? 'dense' : 'matrix';
}
