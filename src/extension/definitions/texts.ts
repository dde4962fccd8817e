// What lenses, hovers and inlays say of models in code. Pure; loaded late.
import {
  CELL_NAME,
  CONVENTION_OF,
  type FoundLayer,
  type FoundModel,
  type FoundRecurrent,
  type FoundSequenceLayer,
  FRAMEWORK_NAMES,
  type Given,
  type InputFormula,
  type Origin,
} from '../../definitions/definition.ts';
import { originOf } from '../../definitions/describe.ts';
import { INPUT_SHAPES } from '../../definitions/found-layers.ts';
import { type CellName, countRecurrent, placedCell } from '../../experiment/framework-cell.ts';
import { resetsAfter } from '../../experiment/layers/gru.ts';
import type { Convention } from '../../experiment/schema.ts';
import { titleOf } from '../cells.ts';
import { count, formatBytes, percentage, plural } from '../text.ts';

/** `394,240 params · GRU −25 %`; by default, in a range or with symbols where a size comes from outside. */
export function modelCounts(model: FoundModel): string {
  const recurrent = model.layers.flatMap(layer => (layer.recurrent ? [layer] : []));
  const known = recurrent.every(({ recurrent: each }) => each!.parameters !== null);
  const [first] = recurrent;
  if (!first) return '';
  if (!known) return recurrent.length === 1 ? symbolic(first) : openCounts(recurrent);
  const total = recurrent.reduce((sum, { recurrent: each }) => sum + each!.parameters!, 0);
  const rival: CellName = first.recurrent!.cell === 'LSTM' ? 'gru' : 'lstm';
  const other = recurrent.reduce((sum, layer) => sum + (countAs(layer, rival) ?? 0), 0);
  return `${count(total)} params${asCalled(recurrent)} · ${titleOf(rival)} ${percentage(other, total)}`;
}

/** ` as called on line 7`, where one call outside of the model gives its sizes. */
function asCalled(layers: readonly FoundLayer[]): string {
  const origins = layers.flatMap(layer => originOf(layer) ?? []).filter(({ isCall }) => isCall);
  const [first] = origins;
  if (!first || origins.some(({ file, line }) => file !== first.file || line !== first.line)) return '';
  return ` as called ${placeOf(first)}`;
}

function placeOf({ file, line }: Origin): string {
  return file === null ? `on line ${line}` : `in ${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
}

/** Of several layers of which not all are known. */
function openCounts(layers: readonly FoundLayer[]): string {
  const many = `${layers.length} recurrent layers`;
  const usual = layers.map(({ recurrent }) => recurrent!.parameters ?? recurrent!.parametersDefault);
  if (usual.every(each => each !== null))
    return `${count((usual as number[]).reduce((a, b) => a + b, 0))} params by default · ${many}`;
  const bounds = layers.map(({ recurrent }) => {
    const { parameters, parametersDefault, parametersRange } = recurrent!;
    const one = parameters ?? parametersDefault;
    return parametersRange ?? (one === null ? null : ([one, one] as const));
  });
  const byInput = layers.flatMap(({ recurrent }) => recurrent!.parametersByInput ?? []);
  const rest = layers.map(({ recurrent }) => recurrent!.parameters).filter(each => each !== null);
  if (byInput.length === 1 && rest.length === layers.length - 1) {
    const [{ fixed, perInput }] = byInput as [InputFormula];
    return `${formula({ fixed: rest.reduce((a, b) => a + b, fixed), perInput })} params · ${many}`;
  }
  if (bounds.some(each => each === null)) return many;
  const sum = (end: 0 | 1) => bounds.reduce((all, each) => all + each![end], 0);
  return `${count(sum(0))} to ${count(sum(1))} params · ${many}`;
}

function symbolic({ recurrent }: FoundLayer): string {
  const { units, parametersDefault, parametersRange, parametersByInput, variants } = recurrent!;
  const name = cellText(recurrent!);
  if (parametersRange) {
    const [least, most] = parametersRange;
    const ways = variants.length > 0 ? ` in ${variants.length} calls or turns` : '';
    return `${name}, ${count(least)} to ${count(most)} params${ways}`;
  }
  const usual = parametersDefault === null ? '' : ` · ${count(parametersDefault)} params`;
  if (units.value !== null && parametersByInput)
    return `${name} ${count(units.value)} · ${formula(parametersByInput)} params`;
  if (units.value !== null)
    return usual
      ? `${name} ${count(units.value)} · ${count(parametersDefault!)} params by default`
      : `${name} ${count(units.value)}, input from outside`;
  return units.fallback === null
    ? `${name}, units from outside`
    : `${name}, ${plural(units.fallback, 'unit')} by default${units.from ? ` ${placeOf(units.from)}` : ''}${usual}`;
}

/** `10,200 + 200 × inputs`, where the width of the input is open. */
function formula({ fixed, perInput }: InputFormula): string {
  return `${count(fixed)} + ${count(perInput)} × inputs`;
}

/** `LSTM or GRU`, where either is possible. */
export function cellText({ cell, cells }: FoundRecurrent): string {
  return cell ?? (cells.length > 0 ? cells.join(' or ') : 'RNN, GRU or LSTM');
}

/** Parameters of the layer if it were another cell, in its framework's convention. */
export function countAs({ framework, recurrent, options }: FoundLayer, cell: CellName): number | null {
  return countIn(recurrent!, CONVENTION_OF[framework], cell, cell === 'gru' ? undefined : flag(options));
}

function flag(options: FoundLayer['options']): boolean | undefined {
  const value = (options.get('reset_after') ?? options.get('resetAfter'))?.value;
  return typeof value === 'boolean' ? value : undefined;
}

function countIn(
  { units, inputSize, layers, bidirectional }: FoundRecurrent,
  convention: Convention,
  cell: CellName,
  resetAfter: boolean | undefined,
): number | null {
  if (
    units.value === null ||
    inputSize.value === null ||
    layers.value === null ||
    bidirectional.value === null
  )
    return null;
  const directions = bidirectional.value ? 2 : 1;
  let total = 0;
  for (let level = 0; level < layers.value; level++)
    total +=
      directions *
      countRecurrent({
        cell,
        inputSize: level === 0 ? inputSize.value : units.value * directions,
        units: units.value,
        convention,
        resetAfter,
      }).total;
  return total;
}

// ---------------------------------------------------------------- hover

const EQUATIONS: Readonly<
  Record<CellName, (variant: { resetAfter: boolean; gate: string; activation: string }) => string>
> = {
  rnn: ({ activation }) => `h_t = ${activation}(W x_t + U h_{t-1} + b)`,
  lstm: ({ gate }) =>
    [
      `i_t, f_t, o_t = ${gate}(W x_t + U h_{t-1} + b)`,
      'g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)',
      'c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t',
      'h_t = o_t ⊙ tanh(c_t)',
    ].join('\n'),
  gru: ({ resetAfter, gate }) =>
    [
      `r_t, z_t = ${gate}(W x_t + U h_{t-1} + b)`,
      resetAfter
        ? 'n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1} + b_hn))'
        : 'n_t = tanh(W_n x_t + U_n (r_t ⊙ h_{t-1}) + b_n)',
      'h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}',
    ].join('\n'),
};

const ORDER = {
  torch: { lstm: 'i f g o', gru: 'r z n', rnn: '' },
  keras: { lstm: 'i f c o', gru: 'z r h', rnn: '' },
  tfjs: { lstm: 'i f c o', gru: 'z r h', rnn: '' },
} as const;

/** Markdown; `layers` are those of the model that the layer stands in. */
export function layerHover(
  layer: FoundLayer,
  layers: readonly FoundLayer[] = [layer],
  link: (origin: Origin) => string = placeOf,
): string | null {
  const { framework, recurrent, options } = layer;
  if (!recurrent) return null;
  const { cell, isCell } = recurrent;
  if (!cell)
    return [
      `Which recurrent layer this is — ${cellText(recurrent)} — is known only when the code runs.`,
      ...origins(recurrent, link),
    ].join('\n\n');
  const kind = CELL_NAME[cell];
  const convention = CONVENTION_OF[framework];
  const reset = (options.get('reset_after') ?? options.get('resetAfter'))?.value;
  const resetAfter = resetsAfter(convention, typeof reset === 'boolean' ? reset : undefined);
  const gate = String(
    (options.get('recurrent_activation') ?? options.get('recurrentActivation'))?.value ?? 'sigmoid',
  );
  const activation = String((options.get('nonlinearity') ?? options.get('activation'))?.value ?? 'tanh');
  const parts = [
    `**${cell}** of ${FRAMEWORK_NAMES[framework]}${isCell ? ', one step at a time' : ''}: ${sizes(layer)}`,
    `\`\`\`\n${EQUATIONS[kind]({ resetAfter, gate: gate === 'sigmoid' ? 'σ' : gate, activation })}\n\`\`\``,
    notes(layer, kind, resetAfter),
    counts(layer, kind, resetAfter),
    costs(recurrent, kind, isCell, inputSteps(layers)),
  ];
  parts.push(...origins(recurrent, link));
  return parts.filter(Boolean).join('\n\n');
}

/** Markdown of a layer that is named and counted, not trained from code. */
export function namedHover(layer: FoundSequenceLayer, link: (origin: Origin) => string = placeOf): string {
  const { framework, name, width, parameters, parametersDefault } = layer;
  const size = width.value === null ? '' : `: ${count(width.value)} wide`;
  const usual =
    parametersDefault === null ? null : `With its defaults it has ${count(parametersDefault)} parameters.`;
  const parts = [
    `**${name}** of ${FRAMEWORK_NAMES[framework]}${size}`,
    parameters === null ? usual : `It has ${count(parameters)} parameters.`,
    originLine(width, link),
    'Unroll counts it, and does not train it from code.',
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** Where sizes come from that are not written in the layer's own arguments, one line each. */
function origins(recurrent: FoundRecurrent, link: (origin: Origin) => string): string[] {
  const { units, inputSize, layers, bidirectional } = recurrent;
  const { parametersDefault, parametersRange, parametersByInput } = recurrent;
  const lines: (string | null)[] = [];
  // first, since a hover of four lines more is cut
  if (parametersDefault !== null)
    lines.push(`With its defaults it has ${count(parametersDefault)} parameters.`);
  if (parametersRange)
    lines.push(`It has ${count(parametersRange[0])} to ${count(parametersRange[1])} parameters.`);
  if (parametersByInput)
    lines.push(`It has ${formula(parametersByInput)} parameters; the width of its input is open.`);
  for (const given of [units, inputSize, layers, bidirectional])
    lines.push(originLine<number | boolean>(given, link));
  return lines.filter(line => line !== null);
}

function originLine<T>(
  { text, value, fallback, from, called }: Given<T>,
  link: (origin: Origin) => string,
): string | null {
  const name = text && text.length < 40 ? `\`${text}\`` : null;
  if (!name) return null;
  if (called) {
    const each = called.slice(0, 8).map(({ value: own, fallback: usual, from: place }) => {
      const told = own ?? (usual === null ? 'open' : `${usual} by default`);
      return place ? `${told} ${link(place)}` : `${told}`;
    });
    return `${name} is ${each.join(', ')}${called.length > 8 ? ' …' : ''}.`;
  }
  if (value !== null)
    return from ? `${name} is ${value}, ${from.isCall ? 'as called ' : ''}${link(from)}.` : null;
  if (fallback === null) return null;
  return from
    ? `${name} comes from outside; its default is ${fallback}, ${link(from)}.`
    : `${name} comes from outside; its default is ${fallback}.`;
}

/** `[B, T, 32] → [B, T, 64]`, and what makes it more than one layer. */
function sizes(layer: FoundLayer): string {
  const { units, inputSize, layers, bidirectional, isCell, returnSequences } = layer.recurrent!;
  const shape = (isSequence: boolean | null, width: string | number) => {
    const before = isCell || isSequence === false ? ['B'] : isSequence ? axes(layer) : ['B', '(T)'];
    return `[${[...before, width].join(', ')}]`;
  };
  const wide = bidirectional.value ? 2 : 1;
  const out = units.value === null ? symbol(units.text, 'H') : units.value * wide;
  const width = typeof out === 'string' && wide > 1 ? `2·${out}` : out;
  const facts = [
    `${shape(true, inputSize.value ?? symbol(inputSize.text, 'I'))} → ${shape(returnSequences ? returnSequences.value : true, width)}`,
  ];
  if (layers.value === null) facts.push(`${symbol(layers.text, 'L')} layers`);
  else if (layers.value > 1) facts.push(`${layers.value} layers`);
  if (bidirectional.value) facts.push('both directions');
  return facts.join(', ');
}

function symbol(text: string, otherwise: string): string {
  return text && text.length < 24 ? `\`${text}\`` : otherwise;
}

function notes({ framework, options }: FoundLayer, kind: CellName, resetAfter: boolean): string {
  const order = ORDER[framework][kind];
  const facts = order ? [`gates stand in the order ${order}`] : [];
  if (kind === 'gru')
    facts.push(
      resetAfter
        ? 'the reset gate comes *after* the recurrent product'
        : 'the reset gate comes *before* the recurrent product',
    );
  if (kind === 'lstm') {
    const given = (options.get('unit_forget_bias') ?? options.get('unitForgetBias'))?.value;
    const bias =
      framework === 'torch'
        ? 'near 0 at the start (U(−1/√H, 1/√H), twice)'
        : given === true
          ? '1 at the start'
          : '0 at the start';
    facts.push(`the forget bias is ${bias}`);
  }
  return facts.length > 0 ? `${sentence(facts.join('; '))}.` : '';
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function counts({ framework, recurrent }: FoundLayer, kind: CellName, resetAfter: boolean): string {
  const { units, inputSize, parameters, layers, bidirectional } = recurrent!;
  if (units.value === null || inputSize.value === null) {
    const blocks = { rnn: 1, gru: 3, lstm: 4 }[kind];
    return `Parameters: \`${blocks}·H·(I + H + ${framework === 'torch' || (kind === 'gru' && resetAfter) ? 2 : 1})\` for a layer and direction.`;
  }
  const shape = { cell: kind, inputSize: inputSize.value, units: units.value };
  const own = countRecurrent({ ...shape, convention: CONVENTION_OF[framework], resetAfter });
  const many = (layers.value ?? 1) > 1 || bidirectional.value === true;
  const all = (['torch', 'keras', 'tfjs'] as const).map(each => {
    const total = countIn(recurrent!, CONVENTION_OF[each], kind, each === framework ? resetAfter : undefined);
    const text = `${FRAMEWORK_NAMES[each]} ${total === null ? '?' : count(total)}`;
    return each === framework ? `**${text}**` : text;
  });
  // a table would be cut off: a hover's box is lower than its text
  return [
    `\`${own.formula} = ${count(own.total)}\`${many && parameters !== null ? ` for the first layer and direction, ${count(parameters)} in all` : ''}`,
    `Counted as ${all.join(' · ')}.`,
  ].join('  \n');
}

/** Assumed, since the code that makes batches stands elsewhere. */
const BATCH = 32;
const STEPS = 64;
const FLOAT_BYTES = 4;

/** The T of `Input((T, F))`, `inputShape: [T, F]` or `batch_shape=(B, T, F)`, where all inputs of the model agree. */
function inputSteps(layers: readonly FoundLayer[]): number | null {
  const told = layers.flatMap(({ options }) =>
    INPUT_SHAPES.flatMap(name => {
      const sizes = options.get(name)?.sizes ?? [];
      const withBatch = name.startsWith('batch');
      return sizes.length === (withBatch ? 3 : 2) ? [sizes.at(-2)!] : [];
    }),
  );
  const [steps, ...others] = new Set(told);
  return others.length === 0 && steps && steps > 0 ? steps : null;
}

function costs(
  { units, inputSize, layers, bidirectional }: FoundRecurrent,
  kind: CellName,
  isCell: boolean,
  told: number | null,
): string {
  const [H, I, L] = [units.value, inputSize.value, layers.value];
  if (H === null || I === null || L === null || isCell) return '';
  const steps = told ?? STEPS;
  const directions = bidirectional.value ? 2 : 1;
  const shape = { cell: kind, inputSize: I, units: H, layers: L, directions, convention: 'pytorch' } as const;
  const { layer, kind: own, at: alone } = placedCell(shape);
  const adds = BATCH * own.multiplyAdds(layer, { ...alone, steps });
  const kept = BATCH * steps * FLOAT_BYTES * own.kept(layer, alone);
  const at =
    told === null
      ? `Assuming ${BATCH} sequences of ${STEPS} steps in a batch (B = ${BATCH}, T = ${STEPS})`
      : `At T = ${steps}, the input's, and assuming ${BATCH} sequences in a batch (B = ${BATCH})`;
  return `${at}: forward ${short(adds)} multiply-adds and about ${formatBytes(kept)} kept for the way back.`;
}

function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} G`;
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  return value >= 1e3 ? `${(value / 1e3).toPrecision(3)} k` : `${value} `;
}

// ---------------------------------------------------------------- shapes

export interface ShapeHint {
  layer: FoundLayer;
  text: string;
}

const DENSE = new Set(['Dense', 'dense', 'Linear']);
const EMBEDDINGS = new Set(['Embedding', 'embedding']);
const KEEPS = new Set([
  'Input',
  'InputLayer',
  'input',
  'inputLayer',
  'Dropout',
  'dropout',
  'LayerNorm',
  'LayerNormalization',
  'layerNormalization',
  'Activation',
  'activation',
  'ReLU',
  'reLU',
  'Masking',
  'masking',
]);

/** The output's shape behind each layer of a model that can be followed: `[B, T, 128]`. */
export function shapeHints({ layers, framework, kind }: FoundModel): ShapeHint[] {
  if (layers.some(({ inLoop, isConditional, recurrent }) => recurrent && (inLoop || isConditional)))
    return [];
  const hints: ShapeHint[] = [];
  let isSequence = true;
  let isKnown = true;
  for (const layer of layers) {
    const width = widthOf(layer);
    if (layer.recurrent?.isCell) return hints;
    if (layer.recurrent?.returnSequences) {
      if (layer.recurrent.returnSequences.value === null) isKnown = false;
      isSequence = layer.recurrent.returnSequences.value === true;
    }
    if (!isKnown) break;
    if (width === null) {
      if (KEEPS.has(layer.name)) continue;
      break;
    }
    // in a Module the forward pass may take the last step, which is not followed
    if (framework === 'torch' && DENSE.has(layer.name) && kind === 'class') break;
    hints.push({ layer, text: `[${(isSequence ? axes(layer) : ['B']).join(', ')}, ${width}]` });
  }
  return hints;
}

function axes({ framework, recurrent }: FoundLayer): string[] {
  if (framework !== 'torch' || !recurrent) return ['B', 'T'];
  return recurrent.batchFirst?.value === true
    ? ['B', 'T']
    : recurrent.batchFirst?.value === false
      ? ['T', 'B']
      : ['B, T'];
}

function widthOf({ name, recurrent, options }: FoundLayer): string | null {
  const value = (...names: string[]) => {
    for (const each of names) {
      const given = options.get(each);
      if (given) return typeof given.value === 'number' ? String(given.value) : plainSymbol(given.text);
    }
    return null;
  };
  if (recurrent) {
    const units =
      recurrent.units.value === null ? plainSymbol(recurrent.units.text) : String(recurrent.units.value);
    // whether it reads both ways is not known
    if (recurrent.bidirectional.value === null) return null;
    if (!recurrent.bidirectional.value) return units;
    return recurrent.units.value === null ? units && `2·${units}` : String(recurrent.units.value * 2);
  }
  if (EMBEDDINGS.has(name)) return value('embedding_dim', 'output_dim', 'outputDim');
  return DENSE.has(name) ? value('out_features', 'units') : null;
}

function plainSymbol(text: string): string | null {
  return /^[\w.$]{1,24}$/.test(text) ? text : null;
}
