// Sequence layers that are named and counted, not trained from code: where a text makes them, and what they hold.
import type { Expression } from './code/expression.ts';
import type { Node } from './code/node.ts';
import type { FoundLayer, FoundSequenceLayer, Given } from './definition.ts';
import type { KnownCall, SourceReader } from './found-layers.ts';
import { Open, SEQUENCE_LAYERS, type SequenceLayer, type Sizes } from './frameworks/sequence-layers.ts';
import type { Steps } from './steps.ts';

const CALLED = /([A-Za-z_$][\w$]*)\s*(?:<[\w\s,.[\]]*>)?\(/g;

/** In the order of the text. */
export function* sequenceLayers(reader: SourceReader): Steps<FoundSequenceLayer[]> {
  const found = new Map<number, FoundSequenceLayer>();
  const names = reader.namesBeside(SEQUENCE_NAMES);
  for (const { 1: name, index } of reader.text.matchAll(CALLED)) {
    if (!names.has(name!)) continue;
    const node = reader.callThatEndsIn(index + name!.length);
    const known = node && reader.known(node);
    if (known?.maker.role !== 'sequence') continue;
    found.set(known.expression.node.id, described(reader, known));
    yield;
  }
  return [...found.values()];
}

const SEQUENCE_NAMES = new RegExp(`\\b(?:${Object.keys(SEQUENCE_LAYERS).join('|')})\\b`);

function described(reader: SourceReader, call: KnownCall): FoundSequenceLayer {
  const rules = SEQUENCE_LAYERS[call.maker.name]!;
  const layer = reader.inContexts(call);
  const given = rules.width ? layer.options.get(rules.width) : undefined;
  const inner = rules.inner ? innerCall(reader, call, rules.inner) : null;
  const innerRules = inner ? SEQUENCE_LAYERS[inner.maker.name] : undefined;
  const innerLayer = inner && reader.inContexts(inner);
  const count = (read: Read) => {
    const each = innerRules && innerLayer ? countOf(innerRules, innerLayer, read, null) : null;
    return countOf(rules, layer, read, each);
  };
  const parameters = count(known);
  return {
    ...layer,
    width: given ? numeric(given) : NOT_GIVEN,
    parameters,
    parametersDefault: parameters === null ? count(usual) : null,
  };
}

function innerCall(reader: SourceReader, { expression, maker }: KnownCall, name: string): KnownCall | null {
  const place = maker.positional.indexOf(name);
  const given: Expression | undefined = expression.named.get(name)?.value ?? expression.positional[place];
  const [made, ...more] = given ? reader.resolver.definitions(given) : [];
  const node: Node | undefined = made?.kind === 'call' && more.length === 0 ? made.node : undefined;
  return node ? reader.known(node) : null;
}

type Read = (given: Given<number | string | boolean>) => number | string | boolean | null;
const known: Read = given => given.value;
const usual: Read = given => given.value ?? given.fallback;

/** null where a size is not known, or none that a layer can have */
function countOf(
  { parameters }: SequenceLayer,
  { options, isWhole }: FoundLayer,
  read: Read,
  inner: number | null,
): number | null {
  if (!parameters || !isWhole) return null;
  const sizes: Sizes = {
    size(name, otherwise) {
      const given = options.get(name);
      const value = given ? read(given) : otherwise;
      if (typeof value !== 'number' || value <= 0) throw new Open();
      return value;
    },
    flag(name, otherwise) {
      const given = options.get(name);
      const value = given ? read(given) : otherwise;
      if (typeof value !== 'boolean') throw new Open();
      return value;
    },
    isGiven(name) {
      const given = options.get(name);
      return given !== undefined && given.text !== 'None';
    },
  };
  try {
    const count = parameters(sizes, inner);
    return count !== null && Number.isInteger(count) ? count : null;
  } catch (error) {
    if (error instanceof Open) return null;
    throw error;
  }
}

const NOT_GIVEN: Given<number> = { value: null, fallback: null, text: '', range: null };

function numeric(given: Given<number | string | boolean>): Given<number> {
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  const { called: _, ...rest } = given;
  return { ...rest, value: number(given.value), fallback: number(given.fallback) };
}
