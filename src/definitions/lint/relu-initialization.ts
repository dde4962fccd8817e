// A ReLU in the recurrence, whose weights were not begun orthogonal or as the identity.
import type { Node } from '../code/syntax.ts';
import { addStatement, indentOf, quoted, setArgument } from './edits.ts';
import type { Rule, TextEdit, TextFix } from './finding.ts';
import { type LayerCall, type LintSource, nameOf, rangeOf } from './source.ts';
import { nnName } from './torch-names.ts';

const REASON = 'a ReLU bounds nothing, so the state grows or dies by the recurrent weights of every step';
/** anything that may begin recurrent weights so, wherever it stands in the file */
const DONE = /orthogonal|\beye_?\b|identity|weight_hh/i;

export const reluInitialization: Rule = source => [...inTorch(source), ...inKeras(source)];

function inTorch(source: LintSource): ReturnType<Rule> {
  if (DONE.test(source.text)) return [];
  return source.of('torch').flatMap(found => {
    const { layer } = found;
    const nonlinearity = layer.options.get('nonlinearity');
    if (nonlinearity?.value !== 'relu') return [];
    return {
      id: 'relu-initialization',
      severity: 'hint',
      message: `This ${nameOf(layer)} has a ReLU and PyTorch's uniform weights: ${REASON}; orthogonal or identity ones keep its size at first.`,
      range: nonlinearity.range!,
      fixes: fixesOf(afterwards(source, found, 'orthogonal_')),
    };
  });
}

function fixesOf(edit: TextEdit | null): TextFix[] {
  return edit ? [{ title: 'Begin with orthogonal recurrent weights', edits: [edit] }] : [];
}

/** In a file that leaves recurrent weights as PyTorch makes them. */
export function beginWith(
  source: LintSource,
  found: LayerCall,
  initializer: 'orthogonal_' | 'eye_',
): TextEdit | null {
  return DONE.test(source.text) ? null : afterwards(source, found, initializer);
}

/** `nn.init.orthogonal_(self.rnn.weight_hh_l0)` below the layer's own statement */
function afterwards(
  source: LintSource,
  { layer, call }: LayerCall,
  initializer: 'orthogonal_' | 'eye_',
): TextEdit | null {
  const nn = nnName(source);
  const assignment = call.node.parent;
  const target = assignment?.type === 'assignment' ? assignment.childForFieldName('left') : null;
  const statement = assignment?.parent;
  if (!nn || statement?.type !== 'expression_statement' || !isPlainName(target)) return null;
  const { isCell, layers, bidirectional } = layer.recurrent!;
  const isSingle = isCell || (layers.value === 1 && bidirectional.value === false);
  const one = `${target.text}.weight_hh${isCell ? '' : '_l0'}`;
  const indent = indentOf(source);
  const lines = isSingle
    ? [`${nn}.init.${initializer}(${one})`]
    : [
        `for name, weight in ${target.text}.named_parameters():`,
        `${indent}if ${quoted(source, call, 'weight_hh')} in name:`,
        `${indent}${indent}${nn}.init.${initializer}(weight)`,
      ];
  return addStatement(source, statement, lines);
}

function isPlainName(node: Node | null): node is Node {
  return node !== null && /^[\w.]+$/.test(node.text);
}

/** Keras and TensorFlow.js begin orthogonal by themselves: only where another is asked for. */
function inKeras(source: LintSource): ReturnType<Rule> {
  return source.layers.flatMap(({ layer, call }) => {
    if (layer.framework === 'torch') return [];
    const name = layer.framework === 'keras' ? 'recurrent_initializer' : 'recurrentInitializer';
    const given = call.named.get(name);
    const activation = layer.options.get('activation');
    const isRelu = activation?.value === 'relu' || /\.relu$/.test(activation?.text ?? '');
    if (!given || !isRelu || DONE.test(given.value.node.text)) return [];
    const [made, ...others] = source.reader.resolver.definitions(given.value);
    // a name that leads out of the file may be any
    if (others.length > 0 || (made?.kind !== 'constant' && made?.kind !== 'call')) return [];
    if (DONE.test(made.node.text)) return [];
    const edit = setArgument(source, call, name, quoted(source, call, 'orthogonal'));
    return {
      id: 'relu-initialization',
      severity: 'hint',
      message: `This ${nameOf(layer)} has a ReLU and \`${name}\` ${given.value.node.text}: ${REASON}; orthogonal or identity ones keep its size at first.`,
      range: rangeOf(given.node),
      fixes: fixesOf(edit),
    };
  });
}
