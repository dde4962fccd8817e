// A command of the command line: its options as data, from which parsing and --help come.
import { parseArgs } from 'node:util';
import { nearest } from '../../experiment/words.ts';
import { CommandError, type ExitCode } from './exit.ts';
import { screenOf, shellCommand, wrap } from './terminal.ts';

export interface OptionSpec {
  /** what stands for the value in the help; a flag has none */
  value?: string;
  help: string;
  /** may be given several times */
  multiple?: boolean;
}

export interface Arguments {
  positionals: string[];
  /** whether a flag was given */
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): string[];
  /** a number within the limits, or undefined if the option was not given */
  number(name: string, limits?: { min?: number; max?: number; whole?: boolean }): number | undefined;
}

export interface Command {
  name: string;
  /** such as "FILE" or "RUN…" */
  operands: string;
  /** fewest and most operands */
  count: [min: number, max: number];
  summary: string;
  details?: string;
  options: Record<string, OptionSpec>;
  examples?: string[];
  /** left out of the list of commands: started by the extension, not by people */
  hidden?: boolean;
  run(args: Arguments): Promise<ExitCode>;
}

const HELP: Record<string, OptionSpec> = { help: { help: 'Show this text.' } };

export const JSON_OPTION: Record<string, OptionSpec> = {
  json: { help: 'Write JSON lines to stdout and nothing else there.' },
};

export const WORKSPACE_OPTIONS: Record<string, OptionSpec> = {
  workspace: {
    value: 'DIR',
    help: 'Folder that data must stay inside and runs are kept in; default: the nearest folder above the file with .unroll, .git or .vscode, else the folder of the file.',
  },
  'allow-path': { value: 'DIR', multiple: true, help: 'A further folder that data may come from.' },
};

/** null: help was asked for. */
export function parseArguments(command: Command, argv: string[]): Arguments | null {
  const options: Record<string, OptionSpec> = { ...command.options, ...HELP };
  const { tokens, positionals } = parseArgs({
    args: argv,
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value }]) => [
        name,
        { type: value ? 'string' : 'boolean', ...(name === 'help' ? { short: 'h' } : {}) },
      ]),
    ),
  });
  if (tokens.some(token => token.kind === 'option' && token.name === 'help')) return null;
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    checkOption(command, options, token);
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? '']);
  }
  checkOperands(command, positionals);
  return argumentsOf(given, positionals);
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function checkOption(command: Command, options: Record<string, OptionSpec>, token: OptionToken): void {
  const spec = Object.hasOwn(options, token.name) ? options[token.name]! : null;
  if (!spec) {
    const meant = nearest(token.name, Object.keys(options));
    const hint = meant ? `did you mean --${meant}?` : `unroll ${command.name} --help lists them.`;
    throw new CommandError(`\`unroll ${command.name}\` has no option ${token.rawName}; ${hint}`);
  }
  if (!spec.value && token.value !== undefined) {
    throw new CommandError(`--${token.name} takes no value, found ${JSON.stringify(token.value)}.`);
  }
  const swallowed = !token.inlineValue && /^--[a-z]/.test(token.value ?? '');
  if (spec.value && (token.value === undefined || token.value === '' || swallowed)) {
    throw new CommandError(`--${token.name} needs a value: --${token.name} ${spec.value}.`);
  }
}

function checkOperands({ name, operands, count: [min, max] }: Command, found: readonly unknown[]): void {
  if (found.length < min) {
    throw new CommandError(`\`unroll ${name}\` needs ${operands}: unroll ${name} ${operands}.`);
  }
  if (found.length > max) {
    throw new CommandError(
      `\`unroll ${name}\` takes ${operands}, but also found ${JSON.stringify(found[max])}.`,
    );
  }
}

function argumentsOf(given: Map<string, string[]>, positionals: string[]): Arguments {
  const text = (name: string) => given.get(name)?.at(-1);
  return {
    positionals,
    flag: name => given.has(name),
    text,
    texts: name => given.get(name) ?? [],
    number(name, limits = {}) {
      const value = text(name);
      return value === undefined ? undefined : readNumber(`--${name}`, value, limits);
    },
  };
}

function readNumber(
  name: string,
  text: string,
  { min = -Infinity, max = Infinity, whole = false }: { min?: number; max?: number; whole?: boolean },
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value)))
    return value;
  const ends = [
    min > -Infinity ? ` of at least ${min}` : '',
    max < Infinity ? `${min > -Infinity ? ' and' : ' of'} at most ${max}` : '',
  ].join('');
  throw new CommandError(
    `${name} must be a ${whole ? 'whole ' : ''}number${ends}, found ${JSON.stringify(text)}.`,
  );
}

/** The text of `unroll COMMAND --help`. */
export function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...HELP }).map(([name, { value, help }]) => [
    `  --${name}${value ? ` ${value}` : ''}`,
    help,
  ]);
  return [
    `unroll ${command.name} ${command.operands}`.trim(),
    '',
    wrap(command.summary, helpColumns()),
    ...(command.details ? ['', wrap(command.details, helpColumns())] : []),
    '',
    'Options:',
    columns(options as [string, string][]),
    ...(command.examples ? ['', 'Examples:', ...command.examples.map(exampleLine)] : []),
    '',
  ].join('\n');
}

function exampleLine(example: string): string {
  return shellCommand(example.split(/ (?=--)/), screenOf().textColumns, 2);
}

/** Two columns, the second wrapped. */
export function columns(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => wrap(`${left.padEnd(width)}${right}`, helpColumns(), width)).join('\n');
}

/** Lines that are longer are tiring to read; a pipe has people at its end too. */
export function helpColumns(): number {
  return Math.min(100, screenOf().textColumns);
}
