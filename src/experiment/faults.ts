// From zod's issues to one plain sentence a fault: which key, what would be right, what was found.
import type * as z from 'zod';
import { type Path, shortName } from './place.ts';
import { type JsonSchema, schemaAt } from './schema-json.ts';
import { count, either, nearest, shown } from './words.ts';

export interface Fault {
  message: string;
  path: Path;
  /** the fault is the key itself, not its value */
  ofKey: boolean;
  /** what was surely meant, as text in place of the key or value */
  meant?: string;
}

/** One fault for each place, whatever number of issues zod reports there. */
export function faultsOf(error: z.ZodError, input: unknown): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const add = (fault: Fault) => {
    const place = JSON.stringify(fault.path);
    if (!seen.has(place)) faults.push(fault);
    seen.add(place);
  };
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) add(unknownKey([...(issue.path as Path), key], input));
    } else add(wrongValue(issue, innermost(issue), input));
  }
  return faults;
}

/** Inside a union with one object shape, the fault is where that object is wrong. */
function innermost(issue: z.core.$ZodIssue): Path {
  if (issue.code === 'invalid_union') {
    for (const option of issue.errors) {
      const [first] = option;
      if (first && first.path.length > 0) return [...issue.path, ...innermost(first)] as Path;
    }
  }
  return issue.path as Path;
}

/** Words that may stand in one place, of which all are told beside the one that was meant. */
const MOST_WORDS = 12;

function unknownKey(path: Path, input: unknown): Fault {
  const key = String(path.at(-1));
  const fields = schemaAt(path.slice(0, -1), input)?.properties ?? {};
  const known = Object.keys(fields);
  const meant = nearest(key, known);
  const kind = Object.values(fields).find(field => field.const !== undefined)?.const;
  const place =
    path.length > 1 ? `${shortName(path.slice(0, -1))}${kind ? ` ("${kind}")` : ''}` : 'an experiment';
  const hint = meant ? `did you mean \`${meant}\`?` : `it may hold ${listed(known)}.`;
  return { message: `\`${key}\` is not a key of ${place}; ${hint}`, path, ofKey: true, ...meantAs(meant) };
}

function listed(keys: readonly string[]): string {
  const shownKeys = keys.filter(key => !key.startsWith('$')).map(key => `\`${key}\``);
  return shownKeys.length > 0 ? shownKeys.join(', ') : 'no keys';
}

function wrongValue(issue: z.core.$ZodIssue, path: Path, input: unknown): Fault {
  const found = valueAt(input, path);
  const name = shortName(path);
  if (issue.code === 'custom') {
    return { message: `${name}: ${issue.message}, found ${shown(found)}.`, path, ofKey: false };
  }
  const kinds = 'options' in issue && Array.isArray(issue.options) ? issue.options : null;
  const schema = kinds ? { enum: kinds } : schemaAt(path, input);
  const right = schema ? expectation(schema) : null;
  if (found === undefined) {
    const be = right ? `; it must be ${right}` : '';
    return { message: `${name} is missing${inPlace(path)}${be}.`, path, ofKey: false };
  }
  if (!right) return { message: `${name}: ${issue.message}, found ${shown(found)}.`, path, ofKey: false };
  const must = isTooLarge(found, schema!) ? `a whole number below ${count(2 ** 53)}` : right;
  const meant = meantBy(found, schema!);
  const hint =
    meant === null
      ? '.'
      : typeof meant === 'number'
        ? '; leave out the quotes.'
        : `; did you mean "${meant}"?`;
  // a list that nobody reads to its end would hide what was meant
  const says =
    meant !== null && wordsOf(schema!).length > MOST_WORDS
      ? `cannot be ${shown(found)}`
      : `must be ${must}, found ${shown(found)}`;
  return {
    message: `${name} ${says}${hint}`,
    path,
    ofKey: false,
    ...meantAs(meant),
  };
}

/** The number in quotes, or the nearest of the words that may stand here. */
function meantBy(found: unknown, schema: JsonSchema): string | number | null {
  if (typeof found !== 'string') return null;
  const isNumber = schema.type === 'integer' || schema.type === 'number';
  if (isNumber && found.trim() !== '' && Number.isFinite(Number(found))) return Number(found);
  return nearest(found, wordsOf(schema)) ?? null;
}

function meantAs(value: string | number | null | undefined): { meant?: string } {
  return value === null || value === undefined ? {} : { meant: JSON.stringify(value) };
}

function isTooLarge(found: unknown, { type }: JsonSchema): boolean {
  return type === 'integer' && typeof found === 'number' && found >= 2 ** 53;
}

function inPlace(path: Path): string {
  return path.length > 1 ? ` in ${shortName(path.slice(0, -1))}` : '';
}

/** The strings that may stand here. */
function wordsOf(schema: JsonSchema): string[] {
  const options = [schema.const, ...(schema.enum ?? []), ...(schema.anyOf ?? []).flatMap(wordsOf)];
  return options.filter(option => typeof option === 'string');
}

/** What would be right, as the rest of "must be …". */
export function expectation(schema: JsonSchema): string {
  if (schema.const !== undefined) return either([schema.const]);
  if (schema.enum) return schema.enum.length > 1 ? `one of ${either(schema.enum)}` : either(schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set(options.map(expectation))].join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map(type => expectation({ type })).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `a whole number${limits(schema)}`;
    case 'number':
      return `a number${limits(schema)}`;
    case 'string':
      return `a text${schema.maxLength ? ` of 1 to ${count(schema.maxLength)} characters` : ''} in quotes`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return listExpectation(schema);
    default:
      return 'an object in braces { }';
  }
}

function listExpectation(schema: JsonSchema): string {
  if (schema.minItems !== undefined && schema.minItems === schema.maxItems) {
    return `a list of ${schema.minItems} numbers, such as ${JSON.stringify(schema.default ?? [])}`;
  }
  return schema.minItems ? 'a list [ ] with at least one entry' : 'a list [ ]';
}

function limits(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const parts: string[] = [];
  if (minimum !== undefined && maximum !== undefined)
    return ` between ${count(minimum)} and ${count(maximum)}`;
  if (minimum !== undefined) parts.push(`of at least ${count(minimum)}`);
  if (exclusiveMinimum !== undefined) parts.push(`above ${count(exclusiveMinimum)}`);
  if (maximum !== undefined) parts.push(`of at most ${count(maximum)}`);
  if (exclusiveMaximum !== undefined) parts.push(`below ${count(exclusiveMaximum)}`);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string | number, unknown>)[key];
  }
  return here;
}
