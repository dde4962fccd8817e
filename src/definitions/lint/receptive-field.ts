// Keras and TensorFlow.js: a stack of 1-D convolutions whose every output sees less than the sequence.
import type { Expression } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import type { KnownCall } from '../found-layers.ts';
import { setArgument } from './edits.ts';
import type { Rule, TextFix } from './finding.ts';
import { sequenceAround } from './neighbours.ts';
import { type LintSource, rangeOf } from './source.ts';

/** layers that work on each time step by itself */
const EACH_STEP =
  /^(?:input(?:layer)?|(?:spatial)?dropout(?:1d)?|gaussiannoise|(?:batch|layer)normalization|activation|leakyrelu|relu|elu|dense|timedistributed)$/i;
const CONVOLUTION = /^conv1d$/i;

interface Convolution {
  known: KnownCall;
  kernel: number;
  stride: number;
  dilation: number;
}

export const receptiveField: Rule = source => {
  const seen = new Set<number>();
  return source.around(/\bconv1d\s*\(/gi, source.reader.dialect.calls).flatMap(node => {
    if (seen.has(node.startIndex)) return [];
    const layers = sequenceAround(source, node);
    if (!layers) return [];
    for (const layer of layers) if (layer) seen.add(layer.startIndex);
    return ofStack(source, layers) ?? [];
  });
};

function ofStack(source: LintSource, layers: readonly (Node | null)[]): ReturnType<Rule>[number] | null {
  const stack: Convolution[] = [];
  let steps: number | null = null;
  for (const layer of layers) {
    const known = layer && source.knownCall(source.expression(layer));
    if (!known || source.reader.dialect.branches(known.expression.node).length > 0) return null;
    steps ??= stepsOf(source, known);
    if (CONVOLUTION.test(known.maker.name)) {
      const found = convolution(source, known);
      if (!found) return null;
      stack.push(found);
    } else if (!EACH_STEP.test(known.maker.name)) return null;
  }
  const last = stack.at(-1);
  const field = fieldOf(stack);
  if (!last || steps === null || field >= steps) return null;
  const { callee } = last.known.expression;
  return {
    id: 'receptive-field',
    severity: 'hint',
    message: `Each output of ${stack.length === 1 ? 'this convolution sees' : `these ${stack.length} convolutions sees`} ${field} time steps of the ${steps} that come in: what lies further away cannot matter to it.`,
    range: rangeOf(callee.kind === 'member' ? callee.nameNode : callee.node),
    fixes: dilate(source, stack, steps),
  };
}

function fieldOf(stack: readonly Pick<Convolution, 'kernel' | 'stride' | 'dilation'>[]): number {
  let field = 1;
  let apart = 1;
  for (const { kernel, stride, dilation } of stack) {
    field += (kernel - 1) * dilation * apart;
    apart *= stride;
  }
  return field;
}

/** Dilations that double from layer to layer, where they reach far enough. */
function dilate(source: LintSource, stack: readonly Convolution[], steps: number): TextFix[] {
  const dilated = stack.map((each, level) => ({ ...each, dilation: 2 ** level }));
  const field = fieldOf(dilated);
  if (field < steps || stack.some(({ stride }) => stride > 1)) return [];
  const name = source.isPython ? 'dilation_rate' : 'dilationRate';
  const edits = dilated.flatMap(({ known, dilation }, level) =>
    stack[level]!.dilation === dilation
      ? []
      : [setArgument(source, known.expression, name, String(dilation))],
  );
  if (edits.length === 0 || edits.includes(null)) return [];
  const rates = dilated.map(({ dilation }) => dilation).join(', ');
  return [{ title: `Dilate by ${rates}: sees ${field} steps`, edits: edits.filter(edit => edit !== null) }];
}

// ---------------------------------------------------------------- numbers

function convolution(source: LintSource, known: KnownCall): Convolution | null {
  const { named, positional, isWhole, spreads } = known.expression;
  if (!isWhole || spreads.length > 0) return null;
  const byPlace = (index: number) => (source.isPython ? positional[index] : undefined);
  const kernel = size(
    source,
    named.get(source.isPython ? 'kernel_size' : 'kernelSize')?.value ?? byPlace(1),
    null,
  );
  const stride = size(source, named.get('strides')?.value ?? byPlace(2), 1);
  const rate = named.get(source.isPython ? 'dilation_rate' : 'dilationRate')?.value ?? byPlace(5);
  const dilation = size(source, rate, 1);
  return kernel === null || stride === null || dilation === null ? null : { known, kernel, stride, dilation };
}

/** `3` or `(3,)` */
function size(source: LintSource, given: Expression | undefined, unless: number | null): number | null {
  if (!given) return unless;
  const [made, ...others] = source.reader.resolver.definitions(given);
  const one =
    made?.kind === 'list' && made.items.length === 1 && others.length === 0 ? made.items[0]! : given;
  const value = source.reader.resolver.value(one);
  return value.kind === 'known' && typeof value.value === 'number' && value.value > 0 ? value.value : null;
}

/** The T of `input_shape=(T, C)`, `Input((T, C))`, `batchInputShape: [B, T, C]` */
function stepsOf(source: LintSource, { expression, maker }: KnownCall): number | null {
  const named = (...names: string[]) =>
    names.map(name => expression.named.get(name)?.value).find(each => each);
  const whole = named('batch_input_shape', 'batchInputShape', 'batch_shape', 'batchShape');
  const byPlace = maker.role === 'input' && source.isPython ? expression.positional[0] : undefined;
  const shape = whole ?? named('input_shape', 'inputShape', 'shape') ?? byPlace;
  const [made, ...others] = shape ? source.reader.resolver.definitions(shape) : [];
  if (made?.kind !== 'list' || others.length > 0 || made.items.length !== (whole ? 3 : 2)) return null;
  return size(source, made.items[whole ? 1 : 0], null);
}
