// Keras and TensorFlow.js: what a recurrent layer reads has two dimensions beside the batch, steps and features. Told
// where the text says that it has another number of them, with where that comes from.
import type { Argument } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import type { Dim } from '../layer-shapes.ts';
import { insert, replace } from './edits.ts';
import type { Rule, TextEdit, TextFix } from './finding.ts';
import { outermost } from './neighbours.ts';
import { type LayerCall, type LintSource, nameOf, rangeOf } from './source.ts';

interface Misfit {
  layer: LayerCall;
  dims: readonly Dim[];
  /** what gave it; the layer itself where that declares its input */
  maker: Node;
  declared: { name: string; given: Argument } | null;
}

/** `input_shape=(10,)`: a sequence of what is not said. */
export const inputShapeRank: Rule = source =>
  misfits(source).flatMap(({ layer, dims, declared }) => {
    if (!declared || dims.length !== 1) return [];
    const { name, given } = declared;
    return {
      id: 'recurrent-input-shape',
      severity: 'warning',
      message: `\`${given.node.text}\` has one dimension, but the ${nameOf(layer.layer)} in line ${layer.layer.range.line} reads two beside the batch, steps and features: building the model fails.`,
      range: rangeOf(given.node),
      fixes: /^batch/i.test(name) ? [] : withFeatures(source, given.value.node, dims[0]!),
    };
  });

/** `input_shape=(32, 10, 3)`: the batch stands in it. */
export const batchInInputShape: Rule = source =>
  misfits(source).flatMap(({ layer, dims, declared }) => {
    if (!declared || dims.length !== 3 || /^batch/i.test(declared.name)) return [];
    const { given } = declared;
    return {
      id: 'batch-in-input-shape',
      severity: 'warning',
      message: `\`${given.node.text}\` has three dimensions, and the batch comes before them: the ${nameOf(layer.layer)} in line ${layer.layer.range.line} would read four and reads three (batch, steps, features).`,
      range: rangeOf(given.node),
      fixes: withoutFirst(source, given.value.node),
    };
  });

/** Pictures, or sequences of them, to a layer that reads vectors. */
export const fourDimensions: Rule = source =>
  misfits(source).flatMap(({ layer, dims, maker, declared }) => {
    if (declared || dims.length < 3) return [];
    const isTimed = dims.length > 3 || isWithinTime(source, maker);
    return {
      id: 'recurrent-four-dimensions',
      severity: 'warning',
      message: `The ${nameOf(layer.layer)} gets ${shape(dims)} from the ${callName(source, maker)} in line ${maker.startPosition.row + 1}, and reads (batch, steps, features): building the model fails.`,
      range: layer.layer.range,
      fixes: isTimed
        ? layerBefore(
            source,
            layer,
            'Flatten every step',
            timed(source, source.isPython ? 'Flatten()' : 'flatten()'),
          )
        : layerBefore(source, layer, 'Read the rows as steps', reshaped(source, dims)),
    };
  });

/** What was flattened has no steps left. */
export const noSequence: Rule = source =>
  misfits(source).flatMap(({ layer, dims, maker, declared }) => {
    // one recurrent layer on another has a rule of its own
    if (declared || dims.length !== 1 || source.layerAt(maker)) return [];
    const known = source.reader.known(maker);
    if (!known || known.maker.role === 'wrapper' || known.maker.role === 'input') return [];
    const features = dims[0];
    return {
      id: 'recurrent-no-sequence',
      severity: 'warning',
      message: `The ${nameOf(layer.layer)} gets ${shape(dims)} from the ${callName(source, maker)} in line ${maker.startPosition.row + 1}, which has no steps: it reads (batch, steps, features), and building the model fails.`,
      range: layer.layer.range,
      fixes: features
        ? layerBefore(source, layer, 'Make it a sequence of one step', reshape(source, [1, features]))
        : [],
    };
  });

const FOUND = new WeakMap<LintSource, Misfit[]>();

function misfits(source: LintSource): Misfit[] {
  let found = FOUND.get(source);
  if (!found) {
    found = [...source.of('keras'), ...source.of('tfjs')].flatMap(layer => misfit(source, layer));
    FOUND.set(source, found);
  }
  return found;
}

function misfit(source: LintSource, layer: LayerCall): Misfit[] {
  const { node } = layer.call;
  if (layer.layer.recurrent?.isCell || layer.layer.inLoop) return [];
  const shapes = source.shapesAround(layer.layer);
  const dims = shapes?.shapeBefore(node).dims;
  if (!shapes || !dims || dims.length === 2) return [];
  let maker = shapes.makerBefore(node);
  // what hands its input on is not what gives it
  for (let hops = 0; maker && hops < 8 && handsOn(source, maker); hops++) maker = shapes.makerBefore(maker);
  if (!maker) return [];
  const declared =
    declaredAt(source, maker) ?? (maker === node ? declaredAt(source, outermost(source, node)) : null);
  const isOwn = declared !== null && (maker === node || isInput(source, maker) || isAround(source, maker));
  return [{ layer, dims, maker, declared: isOwn ? declared : null }];
}

function handsOn(source: LintSource, maker: Node): boolean {
  const role = source.reader.known(maker)?.maker.role;
  return role === 'dropout' || role === 'keeps';
}

function isInput(source: LintSource, maker: Node): boolean {
  return source.reader.known(maker)?.maker.role === 'input';
}

function isAround(source: LintSource, maker: Node): boolean {
  const known = source.reader.known(maker);
  return known?.maker.role === 'wrapper' && !/^timedistributed$/i.test(known.maker.name);
}

const SHAPES = [
  'input_shape',
  'inputShape',
  'batch_input_shape',
  'batchInputShape',
  'batch_shape',
  'batchShape',
  'shape',
];

function declaredAt(source: LintSource, maker: Node): { name: string; given: Argument } | null {
  const call = source.reader.known(maker)?.expression;
  if (!call) return null;
  for (const name of SHAPES) {
    const given = call.named.get(name);
    if (given) return { name, given };
  }
  const [first] = call.positional;
  return first && isInput(source, maker) && source.isPython
    ? { name: 'shape', given: { value: first, node: first.node } }
    : null;
}

/** `(10,)` and `10` become `(10, 1)`. */
function withFeatures(source: LintSource, value: Node, steps: Dim): TextFix[] {
  const inner = /^(?:tuple|list|array|parenthesized_expression)$/.test(value.type)
    ? value.namedChildren[0]
    : value;
  if (!inner || steps === null) return [];
  const text = source.isPython ? `(${inner.text}, 1)` : `[${inner.text}, 1]`;
  return [{ title: `One feature at each step: ${text}`, edits: [replace(source, value, text)] }];
}

function withoutFirst(source: LintSource, value: Node): TextFix[] {
  // `input_shape=X.shape`
  if (source.isPython && /^[\w.]+\.shape$/.test(value.text)) {
    const text = `${value.text}[1:]`;
    return [{ title: `Leave the batch out: ${text}`, edits: [replace(source, value, text)] }];
  }
  if (!/^(?:tuple|list|array)$/.test(value.type)) return [];
  const [, steps, features] = value.namedChildren;
  if (!steps || !features) return [];
  const text =
    value.type === 'tuple' ? `(${steps.text}, ${features.text})` : `[${steps.text}, ${features.text}]`;
  return [{ title: `Leave the batch out: ${text}`, edits: [replace(source, value, text)] }];
}

function isWithinTime(source: LintSource, maker: Node): boolean {
  return /timedistributed/i.test(source.reader.known(maker)?.maker.name ?? '');
}

function shape(dims: readonly Dim[]): string {
  return `(batch, ${dims.map(dim => dim ?? '?').join(', ')})`;
}

function callName(source: LintSource, maker: Node): string {
  return source.reader.known(maker)?.maker.name ?? 'layer';
}

// edits

function reshaped(source: LintSource, dims: readonly Dim[]): string | null {
  const [rows, ...rest] = dims;
  if (rows === null || rest.some(dim => dim === null)) return null;
  return reshape(source, [rows!, (rest as number[]).reduce((a, b) => a * b, 1)]);
}

function reshape(source: LintSource, [steps, features]: [number, number]): string {
  return source.isPython
    ? `Reshape((${steps}, ${features}))`
    : `reshape({ targetShape: [${steps}, ${features}] })`;
}

function timed(source: LintSource, inner: string): string {
  return source.isPython ? `TimeDistributed(${inner})` : `timeDistributed({ layer: ${inner} })`;
}

/** A layer before one in a Sequential: an item of its list, or a statement of its own. */
function layerBefore(source: LintSource, layer: LayerCall, title: string, made: string | null): TextFix[] {
  if (!made) return [];
  const whole = outermost(source, layer.call.node);
  const callee = layer.call.callee.node.text;
  const own = prefixOf(source, callee);
  const imported = own === null ? importedBeside(source, callee, made) : [];
  if (!imported) return [];
  const prefix = own ?? '';
  const text = made.replace(
    /\b(Reshape|TimeDistributed|Flatten|reshape|timeDistributed|flatten)\(/g,
    `${prefix}$1(`,
  );
  const start = source.text.lastIndexOf('\n', whole.startIndex - 1) + 1;
  const lead = source.text.slice(start, whole.startIndex);
  if (/^(?:list|array)$/.test(whole.parent?.type ?? ''))
    return [
      {
        title,
        edits: [
          ...imported,
          insert(source, whole.startIndex, /\S/.test(lead) ? `${text}, ` : `${text},\n${lead}`),
        ],
      },
    ];
  // `LSTM(32)(x)`
  const applied = whole.parent?.childForFieldName('function') === whole ? whole.parent : null;
  const [argument, ...others] = applied?.childForFieldName('arguments')?.namedChildren ?? [];
  if (source.isPython && argument?.type === 'identifier' && others.length === 0)
    return [{ title, edits: [...imported, replace(source, argument, `${text}(${argument.text})`)] }];
  const added = /^([ \t]*)([\w.]+\.add\()$/.exec(lead);
  if (!added) return [];
  return [
    {
      title,
      edits: [
        ...imported,
        insert(source, start, `${added[1]}${added[2]}${text})${source.isPython ? '' : ';'}\n`),
      ],
    },
  ];
}

/** The layers that an edit takes, added to the line that imports this one; null where there is none. */
function importedBeside(source: LintSource, callee: string, made: string): TextEdit[] | null {
  const line = new RegExp(
    `^from[ \\t]+[\\w.]+[ \\t]+import[ \\t]+(?!\\()[^#\\n]*?\\b${callee}\\b[\\w, \\t]*`,
    'm',
  ).exec(source.text);
  if (!source.isPython || !line) return null;
  const names = [...new Set(made.match(/\b(?:Reshape|TimeDistributed|Flatten)\b/g))];
  const missing = names.filter(name => !new RegExp(`\\bimport\\b[^#\\n]*\\b${name}\\b`).test(source.text));
  const end = line.index + line[0].trimEnd().length;
  return missing.length > 0 ? [insert(source, end, `, ${missing.join(', ')}`)] : [];
}

/** `layers.` of `layers.LSTM`; "" where the file imports the names; null where it does not have them. */
function prefixOf(source: LintSource, callee: string): string | null {
  const dot = callee.lastIndexOf('.');
  if (dot >= 0) return callee.slice(0, dot + 1);
  return /import\s+\*|import\s+\([^)]*\b(?:Reshape|TimeDistributed)\b/.test(source.text) ? '' : null;
}
