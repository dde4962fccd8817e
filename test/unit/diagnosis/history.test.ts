// The memory of a diagnosis, against sums made by hand: means and trends of stretches, the spread of a mean, the newest
// values, and the averages of gates.
import assert from 'node:assert/strict';
import type { RunFacts } from '../../../src/diagnosis/diagnose.ts';
import { Diagnosis } from '../../../src/diagnosis/diagnose.ts';
import * as fixes from '../../../src/diagnosis/fixes.ts';
import { History, median, Recent } from '../../../src/diagnosis/history.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';

const experiment = experimentSchema.parse({
  data: { task: 'char-lm', path: 'a.txt' },
  model: { layers: [{ type: 'embedding', dim: 8 }, { type: 'lstm', units: 7 }, { type: 'dense' }] },
  training: { steps: 1000, optimizer: { type: 'adam', learningRate: 0.002 } },
});

function filled(values: readonly number[]): History {
  const history = new History();
  for (const [index, value] of values.entries()) history.push(index + 1, value);
  return history;
}

describe('the history of a diagnosis', () => {
  const squares = Array.from({ length: 40 }, (_, index) => (index + 1) ** 2);

  it('has the mean of the steps after one and up to another', () => {
    const history = filled(squares);
    const expected = squares.slice(4, 16).reduce((sum, value) => sum + value) / 12;
    assert.equal(history.mean(4, 16), expected);
    assert.equal(history.mean(39, 40), 1600);
    assert.equal(history.mean(40, 50), null);
    assert.equal(history.lastStep, 40);
  });

  it('leaves out what is not finite', () => {
    const history = filled([1, Number.NaN, 3, Number.POSITIVE_INFINITY]);
    assert.equal(history.mean(0, 4), 2);
    assert.equal(history.lastStep, 3);
  });

  it('has the trend of eight stretches, and of nothing behind them', () => {
    // stretches of 2 from step 0 to 16; what comes later falls
    const values = squares.map((value, index) => (index < 16 ? value : -1e6));
    const { tau, rise } = filled(values).trend(0, 16)!;
    assert.equal(tau, 1);
    assert.equal(rise, (15 ** 2 + 16 ** 2) / 2 - (1 + 2 ** 2) / 2);
    // one pair of eight stretches is out of order: 26 of 28 pairs agree more than disagree
    const swapped = Array.from({ length: 16 }, (_, index) => [1, 2, 4, 3, 5, 6, 7, 8][index >> 1]!);
    assert.equal(filled(swapped).trend(0, 16)!.tau, 26 / 28);
    assert.equal(filled([1, 2, 3]).trend(0, 16), null);
    assert.ok(filled([1, 2, 3, 4]).trend(0, 8), 'four stretches are enough');
  });

  it('has the mean of what was seen and its standard error', () => {
    const values = squares.slice(0, 12);
    const mean = values.reduce((sum, value) => sum + value) / 12;
    const squared = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const spread = filled(values).spread(0, 12)!;
    assert.ok(Math.abs(spread.mean - mean) < 1e-9);
    assert.ok(Math.abs(spread.error - Math.sqrt(squared / 11 / 12)) < 1e-9);
    assert.equal(filled(values).spread(5, 12), null, 'seven are too few');
    assert.ok(filled(values).spread(4, 12), 'eight are enough');
  });

  it('joins neighbours when they are many, and loses none', () => {
    const values = Array.from({ length: 5000 }, (_, index) => index % 7);
    const sum = values.reduce((total, value) => total + value);
    const history = filled(values);
    assert.ok(Math.abs(history.mean(0, 5000)! - sum / 5000) < 1e-9);
    assert.equal(history.lastStep, 5000);
    // the bins are joined when the 1025th comes, which has no neighbour
    assert.equal(filled(values.slice(0, 1024)).mean(1, 2), values[1]);
    const joined = filled(values.slice(0, 1025));
    assert.equal(joined.lastStep, 1025);
    assert.equal(joined.mean(0, 2), (values[0]! + values[1]!) / 2);
    assert.equal(joined.mean(1, 2), null, 'step 2 stands with step 1 now');
    assert.equal(joined.mean(1024, 1025), values[1024]);
  });

  it('keeps the newest values, and counts all', () => {
    const recent = new Recent(3);
    for (const value of [9, 1, 5]) recent.push(value);
    assert.deepEqual([recent.full, recent.count, recent.median], [true, 3, 5]);
    recent.push(2);
    assert.deepEqual([recent.values, recent.count, recent.median], [[1, 5, 2], 4, 2]);
    assert.ok(!new Recent(1).full);
    assert.ok(Number.isNaN(median([])));
    assert.equal(median([4, 1, 3, 2]), 3);
  });

  it('averages the units of a gate, whatever their number', () => {
    for (const units of [1, 3, 4, 7, 9]) {
      const facts: RunFacts = {
        experiment,
        task: {
          name: 'char-lm',
          lossUnit: 'nats/char',
          baseline: null,
          seqLen: 64,
          batchSize: 32,
          tokensPerStep: 2048,
          notes: [],
        },
        layers: [{ name: 'layers.1.0', units }],
      };
      const diagnosis = new Diagnosis(facts);
      const mean = Float32Array.from({ length: units }, (_, unit) => unit / 128);
      const saturation = new Float32Array(units).fill(0.984375);
      const gates = [{ layer: 'layers.1.0', gate: 'o', mean, saturation }];
      const found = Array.from({ length: 125 }, (_, index) => diagnosis.observe({ step: index + 1, gates }));
      const [finding] = found.flat();
      assert.equal(finding?.evidence['mean'], (units - 1) / 2 / 128, `${units} units`);
      assert.equal(finding?.evidence['saturated'], 0.984375);
    }
  });
});

describe('fixes', () => {
  it('tell in their title the value that they set', () => {
    assert.deepEqual(fixes.slower(experiment, 0.3), {
      title: 'Lower the learning rate to 0.0006',
      edits: [{ path: ['training', 'optimizer', 'learningRate'], value: 0.0006 }],
    });
    const odd = experimentSchema.parse({
      ...experiment,
      training: { ...experiment.training, optimizer: { type: 'adam', learningRate: 0.00123 } },
    });
    assert.equal(fixes.slower(odd, 0.3).title, 'Lower the learning rate to 0.00037');
    assert.equal(fixes.shorterWindow(experiment, 7), null);
    assert.equal(fixes.shorterWindow(experiment, 8)?.title, 'Train on sequences of 8 steps');
    const { seqLen } = experiment.training;
    assert.equal(fixes.shorterWindow(experiment, seqLen), null);
    assert.equal(fixes.shorterWindow(experiment, seqLen - 1)?.edits[0]?.value, seqLen - 1);
    assert.deepEqual(fixes.longer(experiment), {
      title: 'Train for 2,000 steps',
      edits: [{ path: ['training', 'steps'], value: 2000 }],
    });
  });
});
