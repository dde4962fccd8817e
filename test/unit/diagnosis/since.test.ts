// What came after a finding: followed where its loss moved, withdrawn where it no longer holds.
import assert from 'node:assert/strict';
import { type Found, sinceThen, stillHolds } from '../../../src/diagnosis/since.ts';

const overfitting: Found = {
  id: 'overfitting',
  step: 144,
  evidence: { bestValLoss: 0.04, bestStep: 60, valLoss: 0.0497, trainThen: 0.05, trainNow: 0.01 },
};
const vanishing: Found = { id: 'vanishing', step: 300, evidence: { trainLoss: 0.17, baseline: 1 / 6 } };
const plateau: Found = { id: 'plateau', step: 400, evidence: { trainLoss: 2 } };

describe('a finding later on', () => {
  it('is followed by the loss that it is about', () => {
    assert.equal(
      sinceThen(overfitting, { step: 1200, last: { valLoss: 0.117, trainLoss: 0.001 } }),
      'Since then the validation loss went to 0.117 (step 1,200).',
    );
    assert.equal(
      sinceThen(plateau, { step: 500, last: { valLoss: 9, trainLoss: 1.8 } }),
      'Since then the training loss went to 1.8 (step 500).',
    );
  });

  it('stands alone where nothing came after, or nothing changed', () => {
    assert.equal(sinceThen(overfitting, { step: 144, last: { valLoss: 0.117 } }), null);
    assert.equal(sinceThen(overfitting, { step: 1200, last: { valLoss: 0.05 } }), null);
    assert.equal(sinceThen(overfitting, { step: 1200, last: { valLoss: 'NaN' } }), null);
    assert.equal(sinceThen({ ...overfitting, evidence: {} }, { step: 1200, last: { valLoss: 1 } }), null);
  });

  it('is withdrawn once the run has got past it, and not before', () => {
    const holds = (found: Found, last: Record<string, number>, step = 5000) =>
      stillHolds(found, { step, last });
    assert.equal(holds(overfitting, { valLoss: 0.039 }), false);
    assert.equal(holds(overfitting, { valLoss: 0.041 }), true);
    assert.equal(holds(overfitting, { valLoss: 0.04 }), true);
    assert.equal(holds(vanishing, { valLoss: 0.01 }), false);
    assert.equal(holds(vanishing, { valLoss: 0.16 }), true);
    assert.equal(holds(plateau, { trainLoss: 1.5 }), false);
    assert.equal(holds(plateau, { trainLoss: 1.9 }), true);
    assert.equal(holds(vanishing, { valLoss: 0.01 }, 300), true, 'seen at that very step');
    assert.equal(holds({ id: 'diverged', step: 3, evidence: {} }, { valLoss: 0 }), true);
  });
});
