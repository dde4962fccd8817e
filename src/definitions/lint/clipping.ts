// PyTorch: a training loop over a recurrent model that lets gradients be as long as they come.
import type { Node } from '../code/syntax.ts';
import { addStatement } from './edits.ts';
import type { Rule, TextEdit, TextFix } from './finding.ts';
import { type LintSource, rangeOf } from './source.ts';
import { nnName } from './torch-names.ts';

const BACKWARD = /\.backward\s*\(/g;
/** clip_grad_norm_, clip_grad_value_, gradient_clip_val, `p.grad.clamp_(…)`, hooks that do so */
const CLIPS = /clip|clamp|register_hook/i;
const PARAMETERS = /(?<![\w.])([\w.]+)\.parameters\(\)/g;
const STEP = /([\w.]+)\.step\s*\(/g;

export const missingClipping: Rule = source => {
  if (source.of('torch').length === 0 || CLIPS.test(source.text)) return [];
  const names = [...new Set(source.of('torch').map(({ layer }) => layer.recurrent?.cell ?? 'RNN'))].join(
    ' and ',
  );
  return source.around(BACKWARD, ['call']).flatMap(node => {
    if (!isUpdatedInLoop(source, node)) return [];
    return {
      id: 'torch-no-clipping',
      severity: 'hint',
      message: `Nothing clips the gradient between \`${node.text}\` and the update: unrolled over many steps, the ${names} of this file can make one long enough to undo the training.`,
      range: rangeOf(node),
      fixes: fixesOf(clip(source, node, '1.0')),
    };
  });
};

function fixesOf(edit: TextEdit | null): TextFix[] {
  return edit ? [{ title: 'Clip the gradient at a norm of 1', edits: [edit] }] : [];
}

/** In the file's one training loop, where nothing clips yet. */
export function clipInLoop(source: LintSource, norm: string): TextEdit | null {
  if (CLIPS.test(source.text)) return null;
  const [loop, ...others] = source.around(BACKWARD, ['call']).filter(node => isUpdatedInLoop(source, node));
  return loop && others.length === 0 ? clip(source, loop, norm) : null;
}

/** In a loop, with an optimizer's step after it in the same. */
function isUpdatedInLoop(source: LintSource, node: Node): boolean {
  for (let here = node.parent; here; here = here.parent) {
    if (here.type === 'function_definition' || here.type === 'lambda') return false;
    if (here.type !== 'for_statement' && here.type !== 'while_statement') continue;
    const rest = source.text.slice(node.endIndex, here.endIndex);
    return [...rest.matchAll(STEP)].some(([, stepped]) => !/sched/i.test(stepped!));
  }
  return false;
}

/** Below `loss.backward()`, for the one model whose parameters the file names. */
function clip(source: LintSource, node: Node, norm: string): TextEdit | null {
  const nn = nnName(source);
  const call = source.expression(node);
  const statement = node.parent;
  // a scaler's gradients are to be unscaled first
  const isPlain =
    call.kind === 'call' && call.callee.kind === 'member' && /^[\w.]+$/.test(call.callee.object.node.text);
  if (!nn || !isPlain || statement?.type !== 'expression_statement') return null;
  const models = new Set(source.matches(PARAMETERS).map(([, model]) => model!));
  models.delete('self');
  const [model] = models;
  if (!model || models.size !== 1 || !isSeen(source, node, model.split('.')[0]!)) return null;
  return addStatement(source, statement, [`${nn}.utils.clip_grad_norm_(${model}.parameters(), ${norm})`]);
}

function isSeen({ reader }: LintSource, at: Node, name: string): boolean {
  for (
    let scope: ReturnType<typeof reader.dialect.scopeOf> | null = reader.dialect.scopeOf(at);
    scope;
    scope = scope.parent
  )
    if (scope.kind !== 'class' && scope.bindings(name).length > 0) return true;
  return false;
}
