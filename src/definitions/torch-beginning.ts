// What a PyTorch file sets recurrent weights to below its layers: `nn.init.orthogonal_(self.rnn.weight_hh_l0)`, or the
// same in a loop over `named_parameters()`. Without it training begins otherwise than the code does.
import type { Node } from './code/syntax.ts';
import type { FoundLayer, Given } from './definition.ts';

/** The option that it is told as, since PyTorch's constructors have none. */
export const WEIGHT_HH = 'weight_hh';

const LOOP =
  /\bfor\s+(\w+)\s*,\s*(\w+)\s+in\s+([\w.]+)\.named_parameters\(\)\s*:\s*if\s+["']weight_hh["']\s+in\s+\1\s*:\s*[\w.]*?(\w+_)\(\s*\2(?:\.data)?\s*[,)]/g;

/** `within`: the node that the model stands in. */
export function withBeginning(layer: FoundLayer, call: Node, within: Node): FoundLayer {
  const { text } = within;
  const target = targetOf(call);
  if (!target || !text.includes(WEIGHT_HH)) return layer;
  const own = new RegExp(
    `\\b(\\w+_)\\(\\s*${target.replaceAll('.', '\\.')}\\.weight_hh(?:_l0)?(?:\\.data)?\\s*[,)]`,
  ).exec(text)?.[1];
  const owner = target.slice(0, Math.max(0, target.lastIndexOf('.')));
  const inLoop = [...text.matchAll(LOOP)].find(([, , , over]) => over === target || over === owner)?.[4];
  const value = own ?? inLoop;
  // in the blocks of gates only the first would be an identity
  if (!value || (value === 'eye_' && layer.recurrent?.cell !== 'RNN')) return layer;
  const given: Given<string> = { value, fallback: null, text: value, range: null };
  return { ...layer, options: new Map([...layer.options, [WEIGHT_HH, given]]) };
}

/** What a call is assigned to: `self.rnn`. */
export function targetOf(call: Node): string | null {
  const assignment = call.parent;
  const target = assignment?.type === 'assignment' ? assignment.childForFieldName('left')?.text : undefined;
  return target && /^[\w.]+$/.test(target) ? target : null;
}
