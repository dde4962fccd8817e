// The JSON schema of `*.rnn.json`, made from the zod source: completion and squiggles in the editor, and
// the walk from a place in an experiment to what may stand there.
import * as z from 'zod';
import { experimentSchema } from './schema.ts';

/** The part of JSON schema (draft 7) that zod writes for us. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema | JsonSchema[];
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
}

let cached: JsonSchema | undefined;

/** Of the experiment as people write it: what has a default may be left out. */
export function experimentJsonSchema(): JsonSchema {
  cached ??= withoutIntegerEnds(
    z.toJSONSchema(experimentSchema, { io: 'input', target: 'draft-7' }) as JsonSchema,
  );
  return cached;
}

/** The text that the build writes; VS Code's own keywords allow comments in these files. */
export function experimentJsonSchemaText(): string {
  const schema = {
    ...experimentJsonSchema(),
    title: 'Unroll experiment',
    allowComments: true,
    allowTrailingCommas: true,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** What may stand at `path` in this value; null where the schema has no such place. */
export function schemaAt(path: readonly (string | number)[], value: unknown): JsonSchema | null {
  let schema: JsonSchema | null = experimentJsonSchema();
  let here = value;
  for (const key of path) {
    schema = schema && child(chooseOption(schema, here), key);
    if (!schema) return null;
    here = property(here, key);
  }
  return chooseOption(schema, here);
}

function child(schema: JsonSchema, key: string | number): JsonSchema | null {
  if (typeof key === 'number') {
    if (Array.isArray(schema.items)) return schema.items[key] ?? null;
    return schema.items ?? null;
  }
  const known = schema.properties;
  if (known && Object.hasOwn(known, key)) return known[key]!;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : null;
}

/** Of several shapes, the one that the value's `type` or `task` names, or the only one of its kind. */
function chooseOption(schema: JsonSchema, value: unknown): JsonSchema {
  const options = schema.oneOf ?? schema.anyOf;
  if (!options) return schema;
  const objects = options.filter(option => option.properties);
  if (typeof value !== 'object' || value === null || objects.length === 0) return schema;
  const named = objects.find(option =>
    Object.entries(option.properties!).some(
      ([key, field]) => field.const !== undefined && field.const === property(value, key),
    ),
  );
  return named ?? (objects.length === 1 ? objects[0]! : schema);
}

function property(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}

/** The ends of the safe integers are no limits that anyone should read. */
function withoutIntegerEnds<T>(node: T): T {
  if (Array.isArray(node)) return node.map(withoutIntegerEnds) as T;
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([, value]) => Math.abs(value) !== Number.MAX_SAFE_INTEGER);
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutIntegerEnds(value)])) as T;
}
