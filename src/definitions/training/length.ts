// How long code trains, and the shape of what its model reads.
import type { Node } from '../code/syntax.ts';
import type { FoundModel } from '../definition.ts';
import { INPUT_SHAPES } from '../found-layers.ts';
import { isSize } from './batches.ts';
import { argument, type CodeReader, lineOf } from './reader.ts';
import type { Taken } from './taken.ts';

type Length = { epochs: Taken<number> } | { steps: Taken<number> };

const EPOCHS = /(?:n_|num_|max_|N_|NUM_|MAX_)?(?:epochs|EPOCHS|n_epoch|numEpochs)/;
/** Without `n_steps`, which mostly counts those of a sequence. */
const STEPS =
  /(?:num_|max_|train_|training_|NUM_|MAX_|TRAIN_)(?:steps|STEPS|iters|ITERS|iterations|ITERATIONS)|STEPS|ITERATIONS|n_iters?/;

export function lengthOf(code: CodeReader): Length | null {
  for (const call of code.calls(/fit|fitDataset/)) {
    const value = code.number(argument(call, 'epochs'));
    if (isSize(value)) return { epochs: { value, line: call.line } };
  }
  for (const call of code.calls(/Trainer|(?:Seq2Seq)?TrainingArguments/)) {
    const steps = code.number(argument(call, 'max_steps'));
    if (isSize(steps)) return { steps: { value: steps, line: call.line } };
    const epochs = code.number(argument(call, 'max_epochs') ?? argument(call, 'num_train_epochs'));
    if (isSize(epochs)) return { epochs: { value: epochs, line: call.line } };
    // transformers' own
    if (/Arguments/.test(call.name) && !call.named.has('num_train_epochs'))
      return { epochs: { value: 3, line: call.line } };
  }
  for (const call of code.calls(/backward|minimize/)) {
    const found = loopsOf(code, call.node);
    if (found) return found;
  }
  const epochs = code.constant(EPOCHS);
  if (epochs && isSize(epochs.value)) return { epochs };
  const steps = code.constant(STEPS);
  if (steps && isSize(steps.value)) return { steps };
  const [fit] = code.calls(/fit/);
  return fit && code.calls(/compile/).length > 0 ? { epochs: { value: 1, line: fit.line } } : null;
}

/** One loop counts updates; with one inside it, the outer counts epochs. */
function loopsOf(code: CodeReader, update: Node): Length | null {
  const loops: Node[] = [];
  for (let here = update.parent; here; here = here.parent) {
    if (
      /^(function_definition|lambda|function_declaration|arrow_function|method_definition)$/.test(here.type)
    ) {
      if (loops.length > 0) break;
      continue;
    }
    if (/^(for|while|for_in)_statement$/.test(here.type)) loops.unshift(here);
  }
  const [outer, inner] = loops;
  const times = outer && timesOf(code, outer);
  if (!outer || !isSize(times ?? null)) return null;
  const line = lineOf(outer);
  if (!inner) return { steps: { value: times!, line } };
  const within = timesOf(code, inner);
  return isSize(within) ? { steps: { value: times! * within, line } } : { epochs: { value: times!, line } };
}

/** `for i in range(n)`, also through `tqdm`; `for (let i = 0; i < n; i++)` */
function timesOf(code: CodeReader, loop: Node): number | null {
  if (!code.isPython) {
    const condition = loop.childForFieldName('condition');
    const comparison = condition?.type === 'expression_statement' ? condition.namedChild(0) : condition;
    const right = comparison?.type === 'binary_expression' ? comparison.childForFieldName('right') : null;
    const limit = right ? code.number(code.expression(right)) : null;
    return limit === null ? null : /<=/.test(comparison!.text) ? limit + 1 : limit;
  }
  const over = loop.childForFieldName('right');
  const [range] = over ? code.calls(/range|trange/).filter(({ node }) => isWithin(node, over)) : [];
  if (!range || /enumerate|zip/.test(over!.text)) return null;
  const [start, end] = range.positional.map(each => code.number(each));
  if (range.positional.length === 1) return start ?? null;
  return start !== null && end !== null ? end! - start! : null;
}

function isWithin(node: Node, around: Node): boolean {
  return node.startIndex >= around.startIndex && node.endIndex <= around.endIndex;
}

const WINDOWS =
  /(?:SEQ_?LEN(?:GTH)?|seq_?len(?:gth)?|seqLen(?:gth)?|sequence_length|sequenceLength|SEQUENCE_LENGTH|window(?:_?size|Size)?|WINDOW(?:_SIZE)?|look_?back|lookBack|LOOK_?BACK|time_?steps|timeSteps|TIME_?STEPS|n_steps|N_STEPS|block_size|context_length|n_past|history)/;

/** From the model's own input shape, else from what the file calls so. */
export function shapeOf(
  code: CodeReader,
  model: FoundModel | null,
): { window: Taken<number> | null; inputs: Taken<number> | null } {
  const taken = (value: number | null | undefined, line: number) =>
    isSize(value ?? null) ? { value: value!, line } : null;
  let window: Taken<number> | null = null;
  let inputs: Taken<number> | null = null;
  for (const layer of model?.layers ?? []) {
    for (const name of INPUT_SHAPES) {
      const given = layer.options.get(name);
      const sizes = given?.sizes;
      if (!given || !sizes) continue;
      // with the batch where the option says so
      const own = /batch/i.test(name) ? sizes.slice(1) : sizes;
      if (own.length !== 2) continue;
      const line = given.range?.line ?? layer.range.line;
      window ??= taken(own[0], line);
      inputs ??= taken(own[1], line);
    }
    if (/^embedding$/i.test(layer.name)) break;
    if (!layer.recurrent) continue;
    const { inputSize } = layer.recurrent;
    inputs ??= taken(inputSize.value ?? inputSize.fallback, layer.range.line);
    break;
  }
  const named = code.constant(WINDOWS);
  return { window: window ?? (named && isSize(named.value) ? named : null), inputs };
}
