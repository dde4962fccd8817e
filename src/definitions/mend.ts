// What a run proposes for its experiment, as edits of the code that the model is written in: only where the code surely
// can say it, and in the words of its framework.
import type { FoundLayer } from './definition.ts';
import { clipInLoop } from './lint/clipping.ts';
import { addArguments, quoted, removeArgument, replace, setArguments } from './lint/edits.ts';
import type { TextEdit } from './lint/finding.ts';
import { beginWith } from './lint/relu-initialization.ts';
import type { LayerCall, LintSource } from './lint/source.ts';

/** An assignment into the experiment; `undefined` removes. */
export interface Assignment {
  path: readonly (string | number)[];
  value?: unknown;
}

/** `origins`: the code of each of the experiment's layers. null where any of it cannot be said in the code. */
export function inCode(
  source: LintSource,
  origins: readonly (FoundLayer | null)[],
  assignments: readonly Assignment[],
): TextEdit[] | null {
  const layers = new Map<number, Map<string, unknown>>();
  const edits: (TextEdit | null)[] = [];
  for (const { path, value } of assignments) {
    const [room, part, index, field] = path;
    if (room === 'model' && part === 'layers' && typeof index === 'number' && typeof field === 'string')
      layers.set(index, (layers.get(index) ?? new Map()).set(field, value));
    else if (path.join('.') === 'training.clipNorm' && typeof value === 'number')
      edits.push(clip(source, value));
    else return null;
  }
  for (const [index, fields] of layers) {
    const found = callOf(source, origins[index] ?? null);
    edits.push(...(found ? ofLayer(source, found, fields) : [null]));
  }
  return edits.length > 0 && edits.every(edit => edit !== null) ? edits : null;
}

function callOf(source: LintSource, origin: FoundLayer | null): LayerCall | null {
  return (
    source.layers.find(
      ({ layer }) =>
        layer.callRange.offset === origin?.callRange.offset &&
        layer.callRange.length === origin.callRange.length,
    ) ?? null
  );
}

function ofLayer(
  source: LintSource,
  found: LayerCall,
  fields: ReadonlyMap<string, unknown>,
): (TextEdit | null)[] {
  const type = fields.get('type');
  if (typeof type === 'string') return otherCell(source, found, type);
  // what `**options` holds may say it too
  if (!found.layer.isWhole || found.call.spreads.length > 0) return [null];
  const edits: (TextEdit | null)[] = [];
  const options: NamedArgument[] = [];
  for (const [field, value] of fields) {
    const said = SAYERS[field]?.(source, found, value) ?? null;
    if (said && !('range' in said)) options.push(said);
    else edits.push(said);
  }
  return options.length > 0 ? [...edits, ...setArguments(source, found.call, options)] : edits;
}

type NamedArgument = readonly [name: string, value: string];
/** An argument of the call, or an edit beside it. */
type Said = NamedArgument | TextEdit | null;

// ---------------------------------------------------------------- layers

const NAMES: Readonly<Record<FoundLayer['framework'], Readonly<Record<string, string>>>> = {
  torch: { lstm: 'LSTM', gru: 'GRU' },
  keras: { lstm: 'LSTM', gru: 'GRU' },
  tfjs: { lstm: 'lstm', gru: 'gru' },
};
/** options that the other cell may not know */
const FOREIGN = ['unit_forget_bias', 'unitForgetBias', 'reset_after', 'resetAfter', 'proj_size'];

/** The other constructor's name, without the activation that only a simple RNN has. */
function otherCell(source: LintSource, { layer, call }: LayerCall, type: string): (TextEdit | null)[] {
  const name = NAMES[layer.framework][type];
  if (!name || layer.recurrent?.isCell || FOREIGN.some(each => layer.options.get(each)?.text)) return [null];
  const { callee } = call;
  const node = callee.kind === 'member' ? callee.nameNode : callee.node;
  // under a name of its own, as from `from keras.layers import LSTM`, the other one need not be there
  if (callee.kind !== 'member' && !new RegExp(`\\b${name}\\b`).test(source.text)) return [null];
  const activations = ['nonlinearity', 'activation'].filter(each => layer.options.get(each)?.text);
  return [
    replace(source, node, name),
    ...activations.map(each => {
      const given = call.named.get(each);
      return given ? removeArgument(source, given.node) : null;
    }),
  ];
}

const SAYERS: Readonly<Record<string, (source: LintSource, found: LayerCall, value: unknown) => Said>> = {
  recurrentInit(source, found, value) {
    if (value !== 'orthogonal' && value !== 'identity') return null;
    const { layer, call } = found;
    if (layer.framework === 'torch')
      return beginWith(source, found, value === 'identity' ? 'eye_' : 'orthogonal_');
    const option = layer.framework === 'keras' ? 'recurrent_initializer' : 'recurrentInitializer';
    return [option, quoted(source, call, value)];
  },
  /** as an option only 1 can be said */
  forgetBias(_source, { layer: { framework } }, value) {
    if (value !== 1 || framework === 'torch') return null;
    return framework === 'keras' ? ['unit_forget_bias', 'True'] : ['unitForgetBias', 'true'];
  },
  activation(source, { layer, call }, value) {
    const option = layer.framework === 'torch' ? 'nonlinearity' : 'activation';
    // by place it has no name to be set under
    const isByPlace = layer.options.get(option)?.text && !call.named.has(option);
    return value === 'relu' && !isByPlace ? [option, quoted(source, call, value)] : null;
  },
};

// ---------------------------------------------------------------- clipping

function clip(source: LintSource, norm: number): TextEdit | null {
  const written = Number.isInteger(norm) ? `${norm}.0` : String(norm);
  const frameworks = new Set(source.layers.map(({ layer }) => layer.framework));
  if (frameworks.size !== 1) return null;
  const [framework] = frameworks;
  if (framework === 'torch') return clipInLoop(source, written);
  // TensorFlow.js's optimizers do not clip
  return framework === 'keras' ? clipInOptimizer(source, written) : null;
}

const OPTIMIZERS: Readonly<Record<string, string>> = {
  adam: 'Adam',
  adamw: 'AdamW',
  nadam: 'Nadam',
  rmsprop: 'RMSprop',
  sgd: 'SGD',
};

/** In the optimizer of the file's one `compile`. */
function clipInOptimizer(source: LintSource, norm: string): TextEdit | null {
  const [node, ...others] = source.around(/\.compile\s*\(/g, ['call']);
  const compile = node && others.length === 0 ? source.expression(node) : null;
  if (compile?.kind !== 'call' || /clip/i.test(source.text)) return null;
  const given = compile.named.get('optimizer')?.value ?? compile.positional[0];
  const [made, ...more] = given ? source.reader.resolver.definitions(given) : [];
  if (!made || more.length > 0) return null;
  if (made.kind === 'call') {
    const name = source.reader.resolver.qualified(made.callee)[0]?.split('.').at(-1) ?? '';
    const isKnown = Object.values(OPTIMIZERS).includes(name) && made.isWhole && made.spreads.length === 0;
    return isKnown ? addArguments(source, made, [['clipnorm', norm]]) : null;
  }
  const keras = kerasName(source.text);
  const name = made.kind === 'constant' ? OPTIMIZERS[String(made.value).toLowerCase()] : undefined;
  return name && keras && made.node.equals(given!.node)
    ? replace(source, made.node, `${keras}.optimizers.${name}(clipnorm=${norm})`)
    : null;
}

/** Under which name a file has Keras at hand. */
function kerasName(text: string): string | null {
  if (/^(?:import keras|from tensorflow import (?:.*,\s*)?keras)[ \t]*(?:[,#\r\n]|$)/m.test(text))
    return 'keras';
  return /^import tensorflow as tf\b/m.test(text) ? 'tf.keras' : null;
}
