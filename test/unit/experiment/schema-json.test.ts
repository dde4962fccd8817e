// The JSON schema that editors complete and check with.
import assert from 'node:assert/strict';
import {
  experimentJsonSchema,
  experimentJsonSchemaText,
  schemaAt,
} from '../../../src/experiment/schema-json.ts';

describe('the JSON schema of experiments', () => {
  const schema = experimentJsonSchema();

  it('asks only for what has no default', () => {
    assert.deepEqual(schema.required, ['data', 'model']);
    assert.equal(schema.additionalProperties, false);
  });

  it('describes fields and carries their defaults', () => {
    const steps = schemaAt(['training', 'steps'], {})!;
    assert.equal(steps.type, 'integer');
    assert.equal(steps.default, 1000);
    assert.equal(steps.description, 'Weight updates.');
  });

  it('follows the kind that an object names', () => {
    const value = { model: { layers: [{ type: 'lstm' }] } };
    assert.ok(schemaAt(['model', 'layers', 0, 'forgetBias'], value));
    assert.equal(schemaAt(['model', 'layers', 0, 'resetAfter'], value), null);
    assert.equal(schemaAt(['model', 'toString'], value), null);
  });

  it('is JSON without limits that only the computer knows', () => {
    const text = experimentJsonSchemaText();
    assert.ok(!text.includes(String(Number.MAX_SAFE_INTEGER)));
    const parsed = JSON.parse(text);
    assert.equal(parsed.allowComments, true);
    assert.equal(parsed.$schema, 'http://json-schema.org/draft-07/schema#');
  });
});
