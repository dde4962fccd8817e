// Log-mel features against librosa's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fewerMelsNote, logMel, melPlan } from '../../../../src/trainer/data/log-mel.ts';

interface Golden {
  name: string;
  rate: number;
  mels: number;
  windowMs: number;
  hopMs: number;
  samples: number[];
  features: number[][];
}

const file = new URL('../../../golden/log_mel.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Golden[] };

describe('log-mel features', () => {
  for (const { name, rate, mels, windowMs, hopMs, samples, features } of cases)
    it(`are librosa's within 1e-3: ${name}`, () => {
      const plan = melPlan(rate, { mels, windowMs, hopMs });
      assert.equal(plan.mels, mels);
      const made = logMel(
        Float32Array.from(samples, sample => sample / 8192),
        plan,
      );
      assert.equal(made.length, features.length * mels);
      features.flat().forEach((value, i) => {
        assert.ok(Math.abs(made[i]! - value) < 1e-3, `${i}: ${made[i]}, librosa ${value}`);
      });
    });

  it('have fewer bands where some would hold no bin, and say so', () => {
    const asked = { mels: 256, windowMs: 25, hopMs: 10 };
    const plan = melPlan(8000, asked);
    assert.ok(plan.mels < 256 && plan.bands.every(({ weights }) => weights.length > 0));
    assert.match(
      fewerMelsNote(plan, asked)!,
      /^256 mel bands would leave some empty at 8,000 samples a second and windows of 25 ms; \d+ are used\.$/,
    );
    assert.equal(fewerMelsNote(melPlan(8000, { ...asked, mels: 40 }), { ...asked, mels: 40 }), null);
  });

  it('a hop of no sample is refused', () => {
    assert.throws(
      () => melPlan(8000, { mels: 40, windowMs: 25, hopMs: 0.01 }),
      /a hop of 0\.01 ms 0 samples; make them longer/,
    );
  });
});
