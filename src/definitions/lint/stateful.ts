// Keras and TensorFlow.js: a layer that keeps its state from batch to batch has to know how large a batch is.
import type { CallExpression } from '../found-layers.ts';
import { replace, setArgument } from './edits.ts';
import type { Rule, TextFix } from './finding.ts';
import { type LintSource, nameOf, rangeOf } from './source.ts';

const FITTED = /\bfit\s*\([^)]*?\b(?:batch_size\s*=|batchSize\s*:)\s*(\d+)/;

export const statefulBatchSize: Rule = source =>
  [...source.of('keras'), ...source.of('tfjs')].flatMap(({ layer, call }) => {
    const stateful = layer.options.get('stateful');
    if (stateful?.value !== true || layer.recurrent?.isCell || !layer.isWhole) return [];
    const maker = source.shapesAround(layer)?.makerBefore(call.node);
    const known = maker ? source.reader.known(maker) : null;
    if (!maker || !known || (known.maker.role !== 'input' && maker !== call.node)) return [];
    const { named, isWhole, spreads } = known.expression;
    if ([...named.keys()].some(name => /^batch/i.test(name)) || !isWhole) return [];
    if (source.isPython && spreads.length > 0) return [];
    const shape = named.get('input_shape') ?? named.get('inputShape') ?? named.get('shape');
    if (!shape && !named.has('input_dim')) return [];
    const sized = shape
      ? withBatch(source, shape.node, shape.value.node.text, known.maker.role === 'input')
      : [];
    return {
      id: 'stateful-batch-size',
      severity: 'warning',
      message: `This ${nameOf(layer)} is stateful and line ${maker.startPosition.row + 1} does not say how large a batch is: its state has one row for each sequence of a batch, so building the model fails.`,
      range: stateful.range ?? rangeOf(call.callee.node),
      fixes: sized.length > 0 ? sized : withoutState(source, call),
    };
  });

function withoutState(source: LintSource, call: CallExpression): TextFix[] {
  const edit = setArgument(source, call, 'stateful', source.isPython ? 'False' : 'false');
  return edit && call.named.has('stateful')
    ? [{ title: 'Begin each batch with an empty state: no stateful', edits: [edit] }]
    : [];
}

/** By the batch size that the file trains with. */
function withBatch(
  source: LintSource,
  argument: Parameters<typeof replace>[1],
  sizes: string,
  isInput: boolean,
): TextFix[] {
  const batch = FITTED.exec(source.text)?.[1];
  const inner = /^[([](.*?),?\s*[)\]]$/s.exec(sizes)?.[1];
  if (!batch || inner === undefined) return [];
  const text = source.isPython
    ? `${isInput ? 'batch_shape' : 'batch_input_shape'}=(${batch}, ${inner})`
    : `${isInput ? 'batchShape' : 'batchInputShape'}: [${batch}, ${inner}]`;
  // an Input takes its shape by place too
  if (isInput && !/[=:]/.test(argument.text.slice(0, argument.text.search(/[([]/)))) return [];
  return [{ title: `Say the batch size that fit uses: ${text}`, edits: [replace(source, argument, text)] }];
}
