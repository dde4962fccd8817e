// The JSON schema that VS Code completes and explains from. It refuses nothing: the extension says each fault itself, in
// one sentence with its fix, and VS Code's JSON support would say most of them a second time.
import { experimentJsonSchemaText, type JsonSchema } from './schema-json.ts';

type EditingSchema = Record<string, unknown>;

export function experimentEditingSchemaText(): string {
  const schema = editing(JSON.parse(experimentJsonSchemaText()) as JsonSchema);
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** What says a value is wrong; `type` does so too, and comes back as what is inserted for a key. */
const REFUSALS = new Set([
  'required',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'type',
  'const',
  'enum',
  'oneOf',
  'anyOf',
  'properties',
  'items',
  'additionalProperties',
  'propertyNames',
]);

function editing(schema: JsonSchema): EditingSchema {
  const kept: EditingSchema = Object.fromEntries(
    Object.entries(schema).filter(([key]) => !REFUSALS.has(key)),
  );
  const values = valuesOf(schema);
  if (values.length > 0) kept['examples'] = values;
  if (schema.default === undefined && values.length === 0) insertion(schema, kept);
  if (schema.properties) kept['properties'] = fieldsOf(schema.properties);
  const { items, additionalProperties } = schema;
  if (items) kept['items'] = Array.isArray(items) ? items.map(editing) : editing(items);
  if (typeof additionalProperties === 'object') kept['additionalProperties'] = editing(additionalProperties);
  const options = schema.oneOf ?? schema.anyOf ?? [];
  const objects = options.filter(option => option.properties);
  const [key] = objects.flatMap(option => kindKey(option) ?? []);
  if (key !== undefined) Object.assign(kept, byKind(objects, key));
  else if (options.length > 0) kept['anyOf'] = options.map(editing);
  return kept;
}

function fieldsOf(properties: Record<string, JsonSchema>): EditingSchema {
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, editing(field)]));
}

/** Completed, and never refused. */
function valuesOf({ enum: values, const: value, type, oneOf, anyOf }: JsonSchema): unknown[] {
  if (values) return values;
  if (value !== undefined) return [value];
  if (type === 'boolean') return [true, false];
  return (oneOf ?? anyOf ?? []).filter(option => !option.properties).flatMap(valuesOf);
}

/** Braces and brackets come with the key. */
function insertion({ type, properties, items }: JsonSchema, kept: EditingSchema): void {
  if (type === 'object' || properties) kept['defaultSnippets'] = [{ label: '{}', body: {} }];
  else if (type === 'array' || items) kept['defaultSnippets'] = [{ label: '[]', body: [] }];
  else if (type === 'string') kept['defaultSnippets'] = [{ label: '""', body: '$1' }];
}

/** The key whose constant tells the kind of an object, such as `type`. */
function kindKey({ properties = {} }: JsonSchema): string | null {
  return Object.keys(properties).find(name => properties[name]!.const !== undefined) ?? null;
}

/** The fields of a kind are there once its name is: conditions suggest, alternatives would refuse. */
function byKind(objects: readonly JsonSchema[], key: string): EditingSchema {
  const names = objects.map(({ properties }) => properties![key]!.const);
  const descriptions = objects.map(({ description }) => description ?? '');
  return {
    properties: {
      [key]: {
        defaultSnippets: names.map((name, index) => ({
          label: JSON.stringify(name),
          description: descriptions[index],
          body: name,
        })),
      },
    },
    defaultSnippets: [{ label: '{}', body: { [key]: '$1' } }],
    allOf: objects.map(option => {
      const { [key]: own, ...fields } = option.properties!;
      return {
        if: { properties: { [key]: { const: own!.const } }, required: [key] },
        // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON schema
        then: {
          ...(option.description ? { description: option.description } : {}),
          properties: fieldsOf(fields),
        },
      };
    }),
  };
}
