// Turns the schema's issues into sentences that name what was found and what would be right.
import type { z } from 'zod';
import type { Path } from './parse.ts';

type Issue = z.core.$ZodIssue;

export interface Explained {
  message: string;
  path: Path;
  /** the fault is the key, not its value */
  onKey: boolean;
}

export function explainIssue(issue: Issue, input: unknown): Explained[] {
  const path = issue.path as Path;
  const name =
    path.length > 0
      ? `"${path.filter(part => typeof part === 'string').pop() ?? path.join('.')}"`
      : 'The experiment';
  const found = at(input, path);
  const say = (message: string): Explained[] => [{ message: sentence(message), path, onKey: false }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => ({
        message: sentence(`Unknown key "${key}"${suggest(key, knownKeys(path))}`),
        path: [...path, key],
        onKey: true,
      }));
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string') return say(`${name} must not be empty.`);
      return say(
        `${name} must be ${issue.inclusive ? 'at least' : 'greater than'} ${issue.minimum}, found ${show(found)}.`,
      );
    case 'too_big':
      return say(
        `${name} must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}, found ${show(found)}.`,
      );
    case 'invalid_type':
      if (found === undefined)
        return say(`${name} is missing${parentOf(path)}: it must be ${kind(issue.expected)}.`);
      return say(`${name} must be ${kind(issue.expected)}, found ${show(found)}.`);
    case 'invalid_value':
      return say(
        `${name} must be one of ${issue.values.map(show).join(', ')}, found ${show(found)}${suggest(String(found), issue.values.map(String))}.`,
      );
    case 'invalid_union': {
      const options = (issue as { options?: unknown[] }).options?.map(String);
      if (options) {
        if (found === undefined)
          return say(`${name} is missing${parentOf(path)}: one of ${options.map(show).join(', ')}.`);
        return say(
          `${name} must be one of ${options.map(show).join(', ')}, found ${show(found)}${suggest(String(found), options)}.`,
        );
      }
      const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
      if (deepest && deepest.path.length > 0)
        return explainIssue({ ...deepest, path: [...path, ...deepest.path] } as Issue, input);
      return say(`${name} has a value of the wrong kind: found ${show(found)}.`);
    }
    default:
      return say(`${name}: ${issue.message}.`);
  }
}

function sentence(message: string): string {
  return /[.?]$/.test(message.replace(/\.$/, ''))
    ? message.replace(/\.$/, '')
    : `${message.replace(/\.$/, '')}.`;
}

function parentOf(path: Path): string {
  const parent = path.slice(0, -1);
  return parent.length > 0 ? ` in "${parent.join('.')}"` : '';
}

function kind(expected: string): string {
  const words: Record<string, string> = {
    int: 'a whole number',
    number: 'a number',
    string: 'a text in quotes',
    boolean: 'true or false',
    array: 'a list',
    tuple: 'a list',
    object: 'an object in braces',
  };
  return words[expected] ?? `of the kind ${expected}`;
}

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text === undefined ? 'nothing' : text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function at(input: unknown, path: Path): unknown {
  let value = input;
  for (const part of path) value = (value as Record<string | number, unknown> | null | undefined)?.[part];
  return value;
}

const KEYS: Record<string, string[]> = {
  '': ['name', 'data', 'model', 'training', 'compare', 'probes', 'log'],
  data: [
    'task',
    'path',
    'split',
    'minCount',
    'target',
    'features',
    'window',
    'horizon',
    'difference',
    'missing',
    'length',
  ],
  model: ['convention', 'layers'],
  layers: [
    'type',
    'units',
    'layers',
    'dropout',
    'recurrentInit',
    'activation',
    'forgetBias',
    'resetAfter',
    'dim',
    'rate',
  ],
  training: [
    'optimizer',
    'schedule',
    'steps',
    'seed',
    'batchSize',
    'seqLen',
    'bptt',
    'clipNorm',
    'l2',
    'earlyStopping',
    'validation',
    'checkpoint',
    'sample',
  ],
  optimizer: [
    'type',
    'learningRate',
    'beta1',
    'beta2',
    'epsilon',
    'weightDecay',
    'momentum',
    'nesterov',
    'decay',
  ],
  bptt: ['window', 'carryState'],
  earlyStopping: ['patience', 'minDelta'],
};

function knownKeys(path: Path): string[] {
  const room = path.filter((part): part is string => typeof part === 'string').pop() ?? '';
  return KEYS[room] ?? [];
}

function suggest(found: string, known: readonly string[]): string {
  const best = known
    .map(word => ({ word, far: distance(found.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0];
  return best && best.far > 0 && best.far <= Math.max(2, Math.floor(found.length / 3))
    ? `; did you mean "${best.word}"?`
    : '';
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (next[j - 1] ?? 0) + 1,
          (row[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
