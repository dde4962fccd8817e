// PyTorch: a training loop that never clears its gradients, or that never updates the weights.
import type { Node } from '../code/syntax.ts';
import { addStatement, addStatementBefore } from './edits.ts';
import type { Rule, TextEdit, TextFix } from './finding.ts';
import { type LintSource, rangeOf } from './source.ts';

const BACKWARD = /\.backward\s*\(/g;
/** zero_grad(), `p.grad = None`, `p.grad.zero_()`, and what does it in another file */
const CLEARS = /zero_grad|\.grad\s*=\s*None|\.grad\b[\w.]*\.zero_|lightning|accelerat/i;
const STEP = /([\w.]+)\.step\s*\(/g;
const OPTIMIZER =
  /([\w.]+)\s*=\s*(?:[\w.]*\boptim\.\w+|Adam\w*|SGD|RMSprop|Adagrad|Adadelta|NAdam|RAdam|LBFGS)\s*\(/g;
const LOOPS = new Set(['for_statement', 'while_statement']);
const FUNCTIONS = new Set(['function_definition', 'lambda']);

export const missingZeroGrad: Rule = source => {
  if (source.of('torch').length === 0) return [];
  return source.around(BACKWARD, ['call']).flatMap(node => {
    const loop = loopAround(node);
    const optimizer = loop && steppedIn(source, loop, node);
    if (!loop || !optimizer || isCleared(source, loop) || isPassed(source, optimizer)) return [];
    return {
      id: 'torch-no-zero-grad',
      severity: 'warning',
      message: `Nothing clears the gradients before \`${node.text}\`: PyTorch adds to them, so every update of this loop takes the gradients of all batches before it too.`,
      range: rangeOf(node),
      fixes: fixesOf(
        `Clear them: ${optimizer}.zero_grad()`,
        node.parent?.type === 'expression_statement'
          ? addStatementBefore(source, node.parent, [`${optimizer}.zero_grad()`])
          : null,
      ),
    };
  });
};

export const missingStep: Rule = source => {
  if (source.of('torch').length === 0) return [];
  const text = source.withoutComments;
  // weights that are updated by hand read their gradients
  if (stepped(text) !== null || /\.grad\b/.test(text) || /lightning|accelerat/i.test(text)) return [];
  const names = [...new Set([...text.matchAll(OPTIMIZER)].map(([, name]) => name!))];
  const [optimizer] = names;
  if (!optimizer || names.length > 1 || isPassed(source, optimizer)) return [];
  return source.around(BACKWARD, ['call']).flatMap(node => {
    if (!loopAround(node)) return [];
    return {
      id: 'torch-no-step',
      severity: 'warning',
      message: `\`${node.text}\` computes gradients, and nothing uses them: \`${optimizer}.step()\` is never called, so the weights stay as they began.`,
      range: rangeOf(node),
      fixes: fixesOf(`Update the weights: ${optimizer}.step()`, stepAfter(source, node, optimizer)),
    };
  });
};

function fixesOf(title: string, edit: TextEdit | null): TextFix[] {
  return edit ? [{ title, edits: [edit] }] : [];
}

/** The innermost loop of the same function. */
function loopAround(node: Node): Node | null {
  for (let here = node.parent; here && !FUNCTIONS.has(here.type); here = here.parent)
    if (LOOPS.has(here.type)) return here;
  return null;
}

/** The optimizer that is stepped after the backward pass in the same loop. */
function steppedIn({ text }: LintSource, loop: Node, node: Node): string | null {
  return stepped(withoutComments(text.slice(node.endIndex, loop.endIndex)));
}

/** The first that is stepped and no scheduler; of a gradient scaler, what it steps. */
function stepped(text: string): string | null {
  for (const { 1: name, 0: call, index } of text.matchAll(STEP)) {
    if (/sched/i.test(name!)) continue;
    const given = /^\s*([\w.]+)\s*\)/.exec(text.slice(index + call.length))?.[1];
    return given ?? name!;
  }
  return null;
}

/** A place that clears counts unless it is passed once, before the loop in the same function. */
function isCleared(source: LintSource, loop: Node): boolean {
  return clearsIn(source).some(index => {
    const node = source.root.descendantForIndex(index, index + 1);
    return !node || loopAround(node) !== null || functionOf(node)?.id !== functionOf(loop)?.id;
  });
}

const CLEARED = new WeakMap<LintSource, number[]>();

function clearsIn(source: LintSource): number[] {
  let found = CLEARED.get(source);
  if (!found) {
    const clears = new RegExp(CLEARS.source, 'gi');
    found = [...source.withoutComments.matchAll(clears)].map(({ index }) => index);
    CLEARED.set(source, found);
  }
  return found;
}

function functionOf(node: Node): Node | null {
  for (let here = node.parent; here; here = here.parent) if (FUNCTIONS.has(here.type)) return here;
  return null;
}

/** What gets the optimizer may do with it what is missing here; a scheduler does not. */
const PASSED = new WeakMap<LintSource, Map<string, boolean>>();

function isPassed(source: LintSource, optimizer: string): boolean {
  const known = PASSED.get(source) ?? new Map<string, boolean>();
  PASSED.set(source, known);
  const passed = known.get(optimizer) ?? isPassedIn(source, optimizer);
  known.set(optimizer, passed);
  return passed;
}

function isPassedIn({ text, withoutComments: bare }: LintSource, optimizer: string): boolean {
  const name = optimizer.replace(/[.$]/g, '\\$&');
  const given = new RegExp(`([\\w.]+)\\s*\\((?:[^()]*,)?\\s*(?:\\w+\\s*=\\s*)?${name}\\s*[,)]`, 'g');
  return [...bare.matchAll(given)].some(
    ([, callee]) =>
      !/sched|LR$|\.step$|\.unscale_$|\.minimize$/i.test(callee!) && !isDefinition(text, callee!),
  );
}

/** `def train(model, optimizer)` gives it to nobody. */
function isDefinition(text: string, name: string): boolean {
  return new RegExp(`\\bdef\\s+${name.replace(/[.$]/g, '\\$&')}\\s*\\(`).test(text);
}

/** Behind the clipping, where it follows. */
function stepAfter(source: LintSource, node: Node, optimizer: string): TextEdit | null {
  let statement = node.parent;
  if (statement?.type !== 'expression_statement') return null;
  for (let next = statement.nextNamedSibling; next && /clip/.test(next.text); next = next.nextNamedSibling)
    statement = next;
  return addStatement(source, statement, [`${optimizer}.step()`]);
}

/** Of the same length, so that offsets stay. */
function withoutComments(text: string): string {
  return text.replace(/#[^\r\n]*/g, comment => ' '.repeat(comment.length));
}
