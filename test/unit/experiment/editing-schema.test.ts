// The schema that the editor completes from: every key and value is there, and none is refused.
import assert from 'node:assert/strict';
import { experimentEditingSchemaText } from '../../../src/experiment/editing-schema.ts';
import { LAYER_TYPES } from '../../../src/experiment/layers/index.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: { if: { properties: Record<string, { const: string }> }; then: Schema }[];
  examples?: unknown[];
  defaultSnippets?: { body: unknown }[];
}
const schema = JSON.parse(experimentEditingSchemaText()) as Schema;
const layer = schema.properties!['model']!.properties!['layers']!.items!;

describe('the schema of the editor', () => {
  it('refuses nothing outside of a condition', () => {
    const refusing = ['const', 'enum', 'type', 'minimum', 'required', 'oneOf', 'maxLength'];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key === 'if' || key === 'defaultSnippets' || key === 'default' || key === 'examples') continue;
        const isField = path.endsWith('.properties');
        assert.ok(isField || !refusing.includes(key), `${path}.${key}`);
        assert.ok(isField || key !== 'additionalProperties' || value !== false, `${path}.${key}`);
        visit(value, `${path}.${key}`);
      }
    };
    visit(schema, '');
  });

  it('completes the kinds, and the fields of the kind that is named', () => {
    assert.deepEqual(
      layer.properties!['type']!.defaultSnippets!.map(({ body }) => body),
      LAYER_TYPES,
    );
    const lstm = layer.allOf!.find(({ if: named }) => named.properties['type']!.const === 'lstm')!;
    assert.ok('forgetBias' in lstm.then.properties!);
    assert.ok(!('resetAfter' in lstm.then.properties!));
    assert.deepEqual(schema.properties!['model']!.properties!['convention']!.examples, [
      'pytorch',
      'keras',
      'tfjs',
    ]);
  });
});

describe('what was meant', () => {
  const meant = (text: string) => {
    const { problems } = parseExperiment(text);
    return problems.map(({ meant: right, range }) => [
      text.slice(range.offset, range.offset + range.length),
      right,
    ]);
  };
  const file = (layers: string, more = '') =>
    `{"data":{"task":"adding"},"model":{"layers":[${layers},{"type":"dense"}]}${more}}`;

  it('is told with the place that it replaces, for keys and values', () => {
    assert.deepEqual(meant(file('{"type":"lsmt","units":8}')), [['"lsmt"', '"lstm"']]);
    assert.deepEqual(
      meant(file('{"type":"lstm","unit":8}')).filter(([, right]) => right),
      [['"unit"', '"units"']],
    );
    assert.deepEqual(meant(file('{"type":"lstm","units":"8"}')), [['"8"', '8']]);
    assert.deepEqual(meant(file('{"type":"lstm","units":8}', ',"trainign":{}')), [
      ['"trainign"', '"training"'],
    ]);
    assert.deepEqual(meant(file('{"type":"lstm","units":8}', ',"model_":{"convention":"x"}')), [
      ['"model_"', '"model"'],
    ]);
  });

  it('is left open where nothing is near', () => {
    assert.deepEqual(meant(file('{"type":"xyzzy","units":8}')), [['"xyzzy"', undefined]]);
    assert.deepEqual(meant(file('{"type":"lstm","units":0}')), [['0', undefined]]);
  });
});
