// The rule of attention's masks: pairs are counted as they are, and drawn where they stand.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  checkMask,
  type MaskRule,
  maskPicture,
  maskRuleOf,
  pairsSeen,
  seesKey,
} from '../../../src/experiment/attention-mask.ts';
import { transformer } from '../../../src/experiment/layers/transformer.ts';

const SEED = 20261127;
const rules: fc.Arbitrary<MaskRule> = fc.record({
  causal: fc.boolean(),
  window: fc.integer({ min: 0, max: 12 }),
  dilation: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 0, max: 9 }),
  globals: fc.integer({ min: 0, max: 6 }),
});

function pairsOneByOne(rule: MaskRule, T: number): number {
  let pairs = 0;
  for (let t = 0; t < T; t++) for (let s = 0; s < T; s++) if (seesKey(rule, t, s)) pairs++;
  return pairs;
}

function ruleOf(fields: object): MaskRule {
  return maskRuleOf(transformer.schema.parse({ type: 'transformer', ...fields }));
}

describe('masks of attention', () => {
  it('have as many pairs as are counted one by one', () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 40 }), (rule, T) =>
        assert.equal(pairsSeen(rule, T), pairsOneByOne(rule, T)),
      ),
      { seed: SEED, numRuns: 400 },
    );
  });

  it('have the pairs of the papers’ formulas', () => {
    const [n, w, g, l] = [256, 16, 4, 16];
    // Longformer: n windows of 2w - 1, the two corners cut; and g rows and columns, less what the windows hold of them
    const window = n * (2 * w - 1) - w * (w - 1);
    assert.equal(pairsSeen(ruleOf({ causal: false, mask: { window: w } }), n), window);
    const rowsAndColumns = g * n + (n - g) * g;
    const both = ruleOf({ causal: false, mask: { window: w, global: g } });
    const windowOfThem = (() => {
      let pairs = 0;
      for (let t = 0; t < n; t++)
        for (let s = 0; s < n; s++) if ((t < g || s < g) && Math.abs(t - s) < w) pairs++;
      return pairs;
    })();
    assert.equal(pairsSeen(both, n), window + rowsAndColumns - windowOfThem);
    // Sparse Transformer, l = √n: l of a window and every l-th step further back, n·√n in order
    const strided = pairsSeen(ruleOf({ mask: { strided: l } }), n);
    const ofWindow = n * l - (l * (l - 1)) / 2;
    const ofStride = Array.from({ length: n }, (_, t) => Math.floor(t / l)).reduce((a, b) => a + b);
    assert.equal(strided, ofWindow + ofStride);
    assert.ok(strided < 2 * n * Math.sqrt(n));
  });

  it('are drawn: every cell is what the rule says of its pairs', () => {
    const { steps, picture } = maskPicture(ruleOf({ mask: { window: 2, global: 1 } }));
    assert.equal(steps, 24);
    const rows = picture.split('\n');
    assert.equal(rows.length, 24);
    assert.equal(rows[0], `■${'·'.repeat(23)}`);
    assert.equal(rows[5], `■···■■${'·'.repeat(18)}`);
    const large = maskPicture(ruleOf({ mask: { window: 128 } }));
    assert.equal(large.steps, 384);
    assert.match(large.picture.split('\n')[20]!, /^·{12}▪■{7}▪·{3}$/);
  });

  it('say what does not fit together', () => {
    const faults = (fields: object) =>
      checkMask(transformer.schema.parse({ type: 'transformer', ...fields })).map(({ message }) => message);
    assert.deepEqual(faults({ mask: { window: 3, dilation: 2, global: 1 } }), []);
    assert.match(faults({ window: 3, mask: { window: 4 } })[0]!, /stands in `mask` too/);
    assert.match(faults({ mask: { dilation: 2 } })[0]!, /add `window`/);
  });
});
