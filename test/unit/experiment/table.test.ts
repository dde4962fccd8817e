// Counts, costs and messages of many experiments stand as they stood; test/golden/experiment_table.ts writes them anew.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { table } from './table.ts';

describe('golden table of experiments', () => {
  const golden = JSON.parse(readFileSync('test/golden/experiment_table.json', 'utf8'));
  const rows = table();

  it('holds the same experiments', () => {
    assert.deepEqual(Object.keys(rows), Object.keys(golden));
  });

  for (const [name, row] of Object.entries(rows))
    it(name, () => {
      assert.deepEqual(row, golden[name]);
    });
});
