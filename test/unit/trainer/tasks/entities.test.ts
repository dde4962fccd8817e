// Entities and their F1 against conlleval's counts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  areEntityTags,
  countEntities,
  entitiesIn,
  entityFigures,
} from '../../../../src/trainer/tasks/entities.ts';

interface Golden {
  name: string;
  truth: string[][];
  prediction: string[][];
  right: number;
  there: number;
  found: number;
  precision: number;
  recall: number;
  f1: number;
}

const file = new URL('../../../golden/entities.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Golden[] };

describe('entities', () => {
  for (const { name, truth, prediction, right, there, found, precision, recall, f1 } of cases)
    it(`are counted as by conlleval: ${name}`, () => {
      const sums = { found: 0, there: 0, right: 0 };
      truth.forEach((tags, at) => {
        const own = countEntities(tags, prediction[at]!);
        for (const part of ['found', 'there', 'right'] as const) sums[part] += own[part];
      });
      assert.deepEqual(sums, { found, there, right });
      const figures = entityFigures(sums);
      for (const [part, value] of Object.entries({ precision, recall, f1 }))
        assert.ok(Math.abs(figures[part as keyof typeof figures] - value) < 1e-12, part);
    });

  it('begin and end where the scheme says', () => {
    assert.deepEqual(entitiesIn(['I-PER', 'I-PER', 'B-PER', 'O', 'S-LOC', 'B-ORG', 'E-ORG', 'I-ORG']), [
      '0-1 PER',
      '2-2 PER',
      '4-4 LOC',
      '5-6 ORG',
      '7-7 ORG',
    ]);
  });

  it('are looked for in tags of entities alone', () => {
    assert.ok(areEntityTags(['O', 'B-PER', 'I-PER']));
    assert.ok(!areEntityTags(['O']));
    assert.ok(!areEntityTags(['NOUN', 'VERB']));
  });
});
