// PyTorch: a layer that is made for another width than what it is given has. Followed are calls whose argument was surely
// made by another layer: through variables, one step of a sequence, activations and dropout, and inside a Sequential.
import type { CallOf, Expression } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import type { KnownCall } from '../found-layers.ts';
import type { Steps } from '../steps.ts';
import { addStatementBefore, insert, replace } from './edits.ts';
import type { SteppedRule, TextFinding, TextFix } from './finding.ts';
import { boundBy } from './last-step.ts';
import { type LintSource, nameOf, rangeOf } from './source.ts';
import { stateWidth } from './torch-states.ts';

/** Functions of torch, of its functional module and of tensors that leave the last dimension as it is. */
const KEEPS =
  /^(?:relu|tanh|sigmoid|gelu|elu|selu|silu|leaky_relu|dropout|softmax|log_softmax|contiguous|detach|clone|float|pack_padded_sequence)$/;
const KEEPING_LAYERS =
  /^(?:Dropout|AlphaDropout|LayerNorm|ReLU|GELU|SiLU|ELU|LeakyReLU|Tanh|Sigmoid|Identity)$/;
const DEPTH = 8;

interface Width {
  width: number;
  /** the layer that gives it, as a sentence names it */
  by: string;
  /** both directions behind each other */
  isBoth: boolean;
  /** of a layer with two directions: the expression that takes the state of one */
  oneOfBoth?: Node | null;
}

/** Names that a layer which says what it reads is given, and calls of such names. */
const NAMED = /((?:\bself\.)?\b\w+)\s*(?::[^=\n]+)?=\s*[\w.]*\b(?:Linear|LSTM|GRU|RNN)\s*\(/g;
const CALLED = /(?<![\w.])(?:self\.)?\w+(?=\()/g;

export const torchWidths: SteppedRule = function* (source) {
  if (!source.isPython || source.of('torch').length === 0) return [];
  const found = new Map<number, Omit<TextFinding, 'page'>>();
  for (const { call } of source.of('torch')) {
    const sequence = sequentialAround(source, call.node);
    if (sequence) for (const each of inSequential(source, sequence)) found.set(each.range.offset, each);
  }
  for (const { callee, positional } of yield* usesOfLayers(source)) {
    yield;
    const [only, ...more] = source.reader.resolver.definitions(callee);
    const known = only?.kind === 'call' && more.length === 0 ? source.reader.known(only.node) : null;
    const [argument] = positional;
    if (!known || !argument || isForeign(source, known)) continue;
    const given = widthOf(source, argument, 0);
    const finding = given && compared(source, known, given);
    if (finding) found.set(finding.range.offset, finding);
  }
  return [...found.values()];
};

/** Found in the text by name, so that a long file is not walked through. */
function* usesOfLayers(source: LintSource): Steps<CallOf[]> {
  const names = new Set(source.matches(NAMED).map(([, name]) => name));
  const found: CallOf[] = [];
  yield;
  for (const { 0: name, index } of source.matches(CALLED)) {
    if (!names.has(name)) continue;
    const node = source.reader.callThatEndsIn(index! + name.length);
    const call = node && source.expression(node);
    if (call?.kind === 'call') found.push(call);
    yield;
  }
  return found;
}

function isForeign(source: LintSource, { expression, maker }: KnownCall): boolean {
  return maker.framework !== 'torch' || expression.node.source !== source.reader.root.source;
}

/** The option by which a layer says what it reads. */
function readsBy({ maker }: KnownCall): string | null {
  if (maker.role === 'recurrent' && !maker.isCell && maker.cell) return 'input_size';
  return maker.name === 'Linear' ? 'in_features' : null;
}

function compared(source: LintSource, known: KnownCall, given: Width): Omit<TextFinding, 'page'> | null {
  const name = readsBy(known);
  const option = name ? source.reader.inContexts(known).options.get(name) : undefined;
  if (!name || typeof option?.value !== 'number' || !option.range || option.value === given.width)
    return null;
  const argument = known.expression.named.get(name)?.value ?? known.expression.positional[0];
  if (!argument) return null;
  const both = given.isBoth && given.width === 2 * option.value ? ', both directions behind each other' : '';
  return {
    id: 'torch-width',
    severity: 'warning',
    message: `This ${known.maker.name} reads ${option.value} values a step, and ${given.by} gives ${given.width}${both}: the first call raises a RuntimeError.`,
    range: rangeOf(argument.node),
    fixes: widened(source, argument, option.value, given),
  };
}

function widened(
  source: LintSource,
  argument: Expression,
  value: number,
  { width, oneOfBoth }: Width,
): TextFix[] {
  const { text } = argument.node;
  const both = oneOfBoth && value === 2 * width ? withBothStates(source, oneOfBoth) : [];
  // `hidden` becomes `hidden * 2`, so that it follows the layer before it
  const isName = /^[\w.]+$/.test(text) && !/^\d/.test(text);
  const written = isName && width === 2 * value ? `${text} * 2` : String(width);
  return [...both, { title: `Read ${written}`, edits: [replace(source, argument.node, written)] }];
}

/** `h[-1]` becomes `torch.cat((h[-2], h[-1]), dim=1)`: the last layer's states of both directions. */
function withBothStates(source: LintSource, state: Node): TextFix[] {
  const name = state.childForFieldName('value')?.text;
  if (!/^import torch$/m.test(source.text) || !name || !/\[\s*-\s*1\b/.test(state.text)) return [];
  const text = `torch.cat((${name}[-2], ${name}[-1]), dim=1)`;
  return [{ title: 'Take the state of both directions', edits: [replace(source, state, text)] }];
}

// ---------------------------------------------------------------- widths

/** Of the last dimension; null where it is not surely told. */
function widthOf(source: LintSource, expression: Expression, depth: number): Width | null {
  if (depth > DEPTH) return null;
  const state = stateWidth(source, expression);
  if (state) return { ...state, isBoth: false };
  switch (expression.kind) {
    case 'name': {
      const made = boundBy(source, expression.node);
      if (!made) return null;
      const value = source.expression(made.value);
      return made.isFirst ? firstOf(source, value, depth + 1) : widthOf(source, value, depth + 1);
    }
    case 'index': {
      const { object, index } = expression;
      // `lstm(x)[0]`
      if (object.kind === 'call' && index.kind === 'constant' && index.value === 0) {
        const first = firstOf(source, object, depth + 1);
        if (first) return first;
      }
      return isOneStep(expression.node) ? widthOf(source, object, depth + 1) : null;
    }
    case 'call':
      return ofCall(source, expression, depth);
    default:
      return null;
  }
}

/** `out[:, -1]`, `out[:, -1, :]`, `out[-1]` of a sequence, `out[:, i]`; not what cuts the last dimension. */
function isOneStep(node: Node): boolean {
  const parts = node.childrenForFieldName('subscript');
  const isWhole = (part: Node | null | undefined) => part?.text === ':';
  const isStep = (part: Node | null | undefined) => /^-?\s*\d+$/.test(part?.text ?? '');
  if (parts.length === 3) return isWhole(parts[2]) && (isWhole(parts[0]) || isWhole(parts[1]));
  return parts.length === 2 && isWhole(parts[0]) && isStep(parts[1]);
}

/** What `out, hidden = …` has in its first place. */
function firstOf(source: LintSource, value: Expression, depth: number): Width | null {
  if (value.kind !== 'call' || depth > DEPTH) return null;
  const { callee } = value;
  const name = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
  if (name === 'pad_packed_sequence')
    return value.positional[0] ? widthOf(source, value.positional[0], depth + 1) : null;
  const known = source.knownCall(callee);
  if (known?.maker.role !== 'recurrent' || isForeign(source, known)) return null;
  const found = source.layerAt(known.expression.node);
  const recurrent = found?.layer.recurrent;
  if (!found?.layer.isWhole || !recurrent || recurrent.isCell) return null;
  const [units, both] = [recurrent.units.value, recurrent.bidirectional.value];
  // only LSTM projects
  const projection = found.layer.options.get('proj_size');
  if (units === null || both === null || (projection && projection.value !== 0)) return null;
  return { width: both ? 2 * units : units, by: `the ${nameOf(found.layer)} before it`, isBoth: both };
}

function ofCall(source: LintSource, call: CallOf, depth: number): Width | null {
  const { callee, positional } = call;
  const known = source.knownCall(callee);
  const name = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
  if (!known) {
    const pretrained = ofPretrained(source, callee);
    if (pretrained) return pretrained;
    if (!KEEPS.test(name)) return null;
    const isMethod = callee.kind === 'member' && positional.length === 0;
    const given = isMethod ? callee.object : positional[0];
    return given ? widthOf(source, given, depth + 1) : null;
  }
  if (isForeign(source, known)) return null;
  if (KEEPING_LAYERS.test(known.maker.name))
    return positional[0] ? widthOf(source, positional[0], depth + 1) : null;
  return ofLayer(source, known);
}

/** `self.words = nn.Embedding.from_pretrained(matrix)` */
function ofPretrained(source: LintSource, callee: Expression): Width | null {
  const [made, ...more] = source.reader.resolver.definitions(callee);
  if (made?.kind !== 'call' || more.length > 0 || made.node.source !== source.reader.root.source) return null;
  const isIt = source.reader.resolver
    .qualified(made.callee)
    .some(name => /^(?:torch\.)?nn\.Embedding\.from_pretrained$/.test(name));
  const matrix = isIt ? (made.positional[0] ?? made.named.get('embeddings')?.value) : undefined;
  const width = matrix && source.reader.resolver.shapeOf(matrix)?.[1];
  return width?.kind === 'known' && typeof width.value === 'number'
    ? { width: width.value, by: 'the pretrained Embedding before it', isBoth: false }
    : null;
}

function ofLayer(source: LintSource, known: KnownCall): Width | null {
  const { name } = known.maker;
  const option = name === 'Linear' ? 'out_features' : name === 'Embedding' ? 'embedding_dim' : null;
  const value = option ? source.reader.inContexts(known).options.get(option)?.value : null;
  return typeof value === 'number' ? { width: value, by: `the ${name} before it`, isBoth: false } : null;
}

// ---------------------------------------------------------------- Sequential

function sequentialAround(source: LintSource, layer: Node): KnownCall | null {
  const call = layer.parent?.parent;
  const known = call && source.reader.dialect.calls.includes(call.type) ? source.reader.known(call) : null;
  return known?.maker.framework === 'torch' && known.maker.name === 'Sequential' ? known : null;
}

function inSequential(source: LintSource, { expression }: KnownCall): Omit<TextFinding, 'page'>[] {
  const found: Omit<TextFinding, 'page'>[] = [];
  const elements = expression.positional.map(each => ({ each, known: source.knownCall(each) }));
  for (const [index, { each, known }] of elements.entries()) {
    const next = elements[index + 1]?.known;
    if (known?.maker.role !== 'recurrent' || !next || next.maker.framework !== 'torch') continue;
    found.push({
      id: 'torch-sequential-tuple',
      severity: 'warning',
      message: `A ${known.maker.name} gives its output and its last state as a tuple, and the ${next.maker.name} behind it in this Sequential reads a tensor: the first call raises a TypeError.`,
      range: rangeOf(each.node),
      fixes: takingFirst(source, expression.node, each.node),
    });
  }
  return found;
}

/** A module between that hands on the output alone. */
function takingFirst(source: LintSource, sequential: Node, layer: Node): TextFix[] {
  const [, prefix] =
    /^([\w.]+\.)Sequential$/.exec(sequential.childForFieldName('function')?.text ?? '') ?? [];
  if (!prefix || source.text.includes('FirstOutput')) return [];
  let statement = sequential;
  while (statement.parent && statement.parent.type !== 'module') statement = statement.parent;
  const lines = [
    `class FirstOutput(${prefix}Module):`,
    '    def forward(self, given):',
    '        return given[0]',
    '',
    '',
  ];
  const definition = addStatementBefore(source, statement, lines);
  if (!definition) return [];
  return [
    {
      title: 'Hand on the output alone',
      edits: [definition, insert(source, layer.endIndex, ', FirstOutput()')],
    },
  ];
}
