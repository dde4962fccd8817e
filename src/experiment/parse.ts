// From the text of a `*.rnn.json` file to an experiment, with one problem for each fault and its place.
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { checkExperiment } from './check.ts';
import { faultsOf } from './faults.ts';
import { enclosing, keyOf, nearestNode, type Path, TextPlaces, type TextRange } from './place.ts';
import { machineMemory } from './resources.ts';
import { type Experiment, experimentSchema } from './schema.ts';
import { formatBytes } from './words.ts';

export type { Path, TextRange } from './place.ts';

export interface Problem {
  message: string;
  path: (string | number)[];
  range: TextRange;
  severity: 'error' | 'warning';
  /** what was surely meant, as text in place of `range` */
  meant?: string;
}

export interface ParsedExperiment {
  /** null if any problem is an error */
  experiment: Experiment | null;
  problems: Problem[];
  /** where the value at this path stands; the nearest value around it if it is not written */
  locate(path: (string | number)[]): TextRange | null;
  /** where the key of `path` stands; null if it is not written */
  locateKey(path: (string | number)[]): TextRange | null;
}

export interface ParseOptions {
  /** gives the experiment its name where the text gives none */
  fileName?: string;
  /** memory that training may take; default: this machine's */
  memoryBytes?: number;
}

const MAX_CHARACTERS = 1_000_000;

export function parseExperiment(text: string, options: ParseOptions = {}): ParsedExperiment {
  const places = new TextPlaces(text);
  const refuse = (message: string, offset = 0, length = 1): ParsedExperiment => ({
    experiment: null,
    problems: [{ message, path: [], range: places.range(offset, length), severity: 'error' }],
    locate: () => null,
    locateKey: () => null,
  });
  if (text.length > MAX_CHARACTERS) {
    return refuse(
      `This file has ${formatBytes(text.length)}; an experiment has at most ${formatBytes(MAX_CHARACTERS)}. Is it the data?`,
    );
  }
  const tree = readTree(text);
  if ('message' in tree) return refuse(tree.message, tree.offset, tree.length);
  return readExperiment(tree.root, places, options);
}

function readExperiment(root: Node, places: TextPlaces, options: ParseOptions): ParsedExperiment {
  const input = getNodeValue(root);
  const rangeOf = (node: Node) => places.range(node.offset, node.length);
  const problems: Problem[] = [];
  const add = (
    fault: { message: string; path: Path; ofKey?: boolean; meant?: string },
    severity: Problem['severity'],
  ) => {
    const exact = findNodeAtLocation(root, fault.path);
    const node = (fault.ofKey && exact ? keyOf(exact) : exact) ?? nearestNode(root, fault.path);
    problems.push({
      message: fault.message,
      path: fault.path,
      range: places.range(node.offset, node.length),
      severity,
      ...(fault.meant === undefined || !exact ? {} : { meant: fault.meant }),
    });
  };
  for (const { node, path } of repeatedKeys(root)) {
    const message = `\`${node.value}\` stands twice here; keep one.`;
    problems.push({ message, path, range: places.range(node.offset, node.length), severity: 'error' });
  }
  const parsed = experimentSchema.safeParse(input);
  if (!parsed.success) for (const fault of faultsOf(parsed.error, input)) add(fault, 'error');
  else {
    const memory = options.memoryBytes ?? machineMemory();
    for (const remark of checkExperiment(parsed.data, input, memory)) add(remark, remark.severity);
  }
  problems.sort((a, b) => a.range.offset - b.range.offset);
  const failed = problems.some(({ severity }) => severity === 'error');
  return {
    experiment: parsed.success && !failed ? named(parsed.data, options.fileName) : null,
    problems,
    locate: path => rangeOf(enclosing(root, path)),
    locateKey(path) {
      const node = findNodeAtLocation(root, path);
      const key = node && keyOf(node);
      return key ? rangeOf(key) : null;
    },
  };
}

function named(experiment: Experiment, fileName: string | undefined): Experiment {
  const name = experiment.name ?? nameOfFile(fileName);
  return name ? { ...experiment, name } : experiment;
}

/** "samples/emma.rnn.json" → "emma". */
export function nameOfFile(fileName: string | undefined): string | undefined {
  const base = fileName?.split(/[/\\]/).at(-1) ?? '';
  return base.replace(/(\.rnn)?\.jsonc?$/i, '').slice(0, 200) || undefined;
}

// ---------------------------------------------------------------- syntax

type Tree = { root: Node } | { message: string; offset: number; length: number };

function readTree(text: string): Tree {
  // a byte order mark is no part of the text, but offsets must stay what the editor shows
  const body = text.charCodeAt(0) === 0xfeff ? ` ${text.slice(1)}` : text;
  if (body.trim() === '') return { message: `The file is empty; ${START}.`, offset: 0, length: 0 };
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(body, errors, { allowTrailingComma: true, disallowComments: false });
  } catch {
    return { message: 'The file is nested too deeply to be an experiment.', offset: 0, length: 1 };
  }
  const [first] = errors;
  if (first) return { message: syntaxMessage(first, body), offset: first.offset, length: first.length };
  if (!root) return { message: `The file holds only comments; ${START}.`, offset: 0, length: 1 };
  if (root.type !== 'object') {
    return {
      message: `An experiment is an object in braces { }, found ${article(root.type)}; ${START}.`,
      offset: root.offset,
      length: root.length,
    };
  }
  return { root };
}

const START = 'an experiment starts with { "data": …, "model": … }';

function article(type: string): string {
  if (type === 'null') return 'null';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** jsonc-parser's codes as sentences; later errors mostly follow from the first, so only that one is told. */
function syntaxMessage({ error, offset, length }: ParseError, text: string): string {
  const found =
    offset >= text.length
      ? 'the end of the file'
      : JSON.stringify(text.slice(offset, offset + Math.max(1, Math.min(length, 30))));
  const sentences: Record<string, string> = {
    InvalidSymbol: `${found} is not a value; texts stand in double quotes, other values are numbers, true, false and null.`,
    InvalidNumberFormat: `${found} is not a number.`,
    PropertyNameExpected: `A key in double quotes is expected here, found ${found}.`,
    ValueExpected: `A value is expected here, found ${found}.`,
    ColonExpected: `A colon is expected between key and value, found ${found}.`,
    CommaExpected: `A comma is missing before ${found}.`,
    CloseBraceExpected: `A closing brace } is missing, found ${found}.`,
    CloseBracketExpected: `A closing bracket ] is missing, found ${found}.`,
    EndOfFileExpected: `The experiment ends before this; found ${found} after it.`,
    UnexpectedEndOfComment: 'This comment is not closed; end it with */.',
    UnexpectedEndOfString: 'This text is not closed; end it with a double quote.',
    UnexpectedEndOfNumber: `${found} is not a whole number or fraction.`,
    InvalidUnicode: 'The \\u escape needs four hexadecimal digits.',
    InvalidEscapeCharacter: 'This escape is not known; write \\\\ for a backslash.',
    InvalidCharacter:
      'This text holds a character that must be escaped, such as a line break (\\n) or a tab (\\t).',
  };
  return sentences[printParseErrorCode(error)] ?? `The text is not valid JSON here, found ${found}.`;
}

function* repeatedKeys(node: Node, path: Path = []): Generator<{ node: Node; path: Path }> {
  if (node.type === 'array') {
    for (const [index, child] of (node.children ?? []).entries())
      yield* repeatedKeys(child, [...path, index]);
  }
  if (node.type !== 'object') return;
  const seen = new Set<string>();
  for (const { children = [] } of node.children ?? []) {
    const [key, value] = children;
    if (!key || !value) continue;
    if (seen.has(key.value)) yield { node: key, path: [...path, key.value] };
    seen.add(key.value);
    yield* repeatedKeys(value, [...path, key.value]);
  }
}
