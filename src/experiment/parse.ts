// From the text of a `*.rnn.json` file to an experiment: one plain sentence with its place for every fault.
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { explainIssue } from './messages.ts';
import { type Experiment, type ExperimentInput, experimentSchema } from './schema.ts';
import { validateSemantics } from './semantics.ts';

/** A stretch of text; lines and columns count from 1. */
export interface TextRange {
  offset: number;
  length: number;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export type Path = (string | number)[];

export interface Problem {
  message: string;
  path: Path;
  range: TextRange;
  severity: 'error' | 'warning';
}

export interface ParsedExperiment {
  /** null when there is any error */
  experiment: Experiment | null;
  problems: Problem[];
  /** where the value at `path` stands; the nearest enclosing value if it is not written; null for an empty file */
  locate(path: Path): TextRange | null;
  /** where the key of `path` stands, for places above which something is shown; null if it is not written */
  locateKey(path: Path): TextRange | null;
}

/** Reads an experiment; comments and trailing commas are allowed. Never throws. */
export function parseExperiment(text: string, options: { fileName?: string } = {}): ParsedExperiment {
  const source = text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text;
  const rangeOf = rangeFinder(source);
  const syntaxErrors: ParseError[] = [];
  const root = parseTree(source, syntaxErrors, { allowTrailingComma: true });
  const locate = (path: Path): TextRange | null => {
    for (let depth = path.length; root && depth >= 0; depth--) {
      const node = findNodeAtLocation(root, path.slice(0, depth));
      if (node) return rangeOf(node.offset, node.length);
    }
    return null;
  };
  const locateKey = (path: Path): TextRange | null => {
    const node = root && findNodeAtLocation(root, path);
    const key = node?.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
    return key ? rangeOf(key.offset, key.length) : null;
  };
  const fail = (problems: Problem[]): ParsedExperiment => ({ experiment: null, problems, locate, locateKey });

  if (!root)
    return fail([
      {
        message: 'The file is empty: an experiment needs at least "data" and "model".',
        path: [],
        range: rangeOf(0, 0),
        severity: 'error',
      },
    ]);
  if (syntaxErrors.length > 0)
    return fail(
      syntaxErrors.slice(0, 1).map(error => ({
        message: `Not valid JSON: ${wordsOf(printParseErrorCode(error.error))}.`,
        path: [],
        range: rangeOf(error.offset, error.length),
        severity: 'error' as const,
      })),
    );

  const place = (path: Path, onKey: boolean) =>
    (onKey ? locateKey(path) : null) ?? locate(path) ?? rangeOf(0, 0);
  const problems: Problem[] = duplicateKeys(root, rangeOf);
  const input = plainValue(root);
  const checked = experimentSchema.safeParse(input);
  if (!checked.success) {
    for (const issue of checked.error.issues)
      for (const { message, path, onKey } of explainIssue(issue, input))
        problems.push({ message, path, range: place(path, onKey), severity: 'error' });
    return fail(inOrder(problems));
  }
  const experiment = { ...checked.data, name: checked.data.name ?? nameFromFile(options.fileName) };
  for (const { message, path, severity } of validateSemantics(experiment, input as ExperimentInput))
    problems.push({ message, path, range: place(path, false), severity });
  if (problems.some(problem => problem.severity === 'error')) return fail(inOrder(problems));
  return { experiment, problems: inOrder(problems), locate, locateKey };
}

function inOrder(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.range.offset - b.range.offset);
}

function nameFromFile(fileName: string | undefined): string {
  const base = (fileName ?? 'experiment').split(/[\\/]/).pop() ?? 'experiment';
  return base.replace(/(\.rnn)?\.jsonc?$/i, '') || 'experiment';
}

function wordsOf(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

function plainValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(plainValue);
  if (node.type !== 'object') return node.value;
  // a null prototype keeps "__proto__" an ordinary, and so an unknown, key
  const value: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, child] = property.children ?? [];
    if (key && child) value[key.value as string] = plainValue(child);
  }
  return { ...value };
}

function duplicateKeys(
  node: Node,
  rangeOf: (offset: number, length: number) => TextRange,
  path: Path = [],
): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  (node.children ?? []).forEach((child, index) => {
    if (node.type === 'array') problems.push(...duplicateKeys(child, rangeOf, [...path, index]));
    if (node.type !== 'object') return;
    const [key, value] = child.children ?? [];
    if (!key) return;
    const name = key.value as string;
    if (seen.has(name))
      problems.push({
        message: `"${name}" stands here twice: remove one.`,
        path: [...path, name],
        range: rangeOf(key.offset, key.length),
        severity: 'error',
      });
    seen.add(name);
    if (value) problems.push(...duplicateKeys(value, rangeOf, [...path, name]));
  });
  return problems;
}

function rangeFinder(text: string): (offset: number, length: number) => TextRange {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  const positionOf = (offset: number): [number, number] => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return [low + 1, offset - (starts[low] ?? 0) + 1];
  };
  return (offset, length) => {
    const [line, column] = positionOf(offset);
    const [endLine, endColumn] = positionOf(offset + length);
    return { offset, length, line, column, endLine, endColumn };
  };
}
