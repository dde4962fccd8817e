// Every layer and task is named where people look for it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { LAYER_TYPES } from '../../../src/experiment/layers/index.ts';
import { TASK_NAMES } from '../../../src/experiment/tasks/index.ts';

describe('layers and tasks in the documentation', () => {
  for (const page of ['README.md', 'docs/systems.md', 'docs/experiment.md']) {
    it(page, () => {
      const text = readFileSync(page, 'utf8');
      const absent = [...LAYER_TYPES, ...TASK_NAMES].filter(name => !text.includes(`\`${name}\``));
      assert.deepEqual(absent, []);
    });
  }
});
