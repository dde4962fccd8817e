// The figures of docs/findings.md: each finding from its limit on and not before, in runs without noise.
import assert from 'node:assert/strict';
import type { Observation, RunFacts } from '../../../src/diagnosis/diagnose.ts';
import type { Finding } from '../../../src/runs/format.ts';
import { facts, run, withData } from './made-up.ts';

/** At which step a finding comes; null: never. */
function stepOf(
  id: Finding['id'],
  steps: number,
  at: (step: number) => Partial<Observation>,
  what: RunFacts = facts(),
): number | null {
  const found = run(what, steps, at).find(each => each.id === id);
  return found ? Number(found.evidence['updates'] ?? steps) : null;
}

describe('limits of dead units', () => {
  const at =
    (first: number, later: number, change = 40) =>
    (step: number) => ({
      dead: [{ layer: 'layers.1', share: step < change ? first : later }],
    });

  it('half of a layer', () => {
    assert.equal(stepOf('dead-units', 100, at(0, 0.5)), 100);
    assert.equal(stepOf('dead-units', 100, at(0, 0.499)), null);
  });

  it('half of the units that were alive once', () => {
    assert.equal(stepOf('dead-units', 100, at(0.25, 0.626)), 100);
    assert.equal(stepOf('dead-units', 100, at(0.25, 0.624)), null);
  });

  it('nine of ten, whatever was before', () => {
    assert.equal(stepOf('dead-units', 100, at(0.9, 0.9)), 100);
    assert.equal(stepOf('dead-units', 100, at(0.899, 0.899)), null);
  });

  it('ten looks, and a hundred updates', () => {
    assert.equal(stepOf('dead-units', 100, at(0, 0.7, 91)), 100);
    assert.equal(stepOf('dead-units', 100, at(0, 0.7, 92)), null);
    assert.equal(stepOf('dead-units', 99, at(0, 0.7)), null);
  });
});

describe('limits of exploding', () => {
  const leaps = (usual: number, spike: number, spikes: number, harm: number) => (step: number) => ({
    trainLoss: step > 550 ? 2 * harm : 2 + 0.001 * (550 - step),
    gradNorm: step > 550 && step <= 550 + spikes ? spike : usual,
  });
  const before = 2 + (0.001 * (199 * 200)) / 2 / 200;
  const isFound = (...given: Parameters<typeof leaps>) => stepOf('exploding', 600, leaps(...given)) !== null;

  it('three spikes of more than 10, and of more than ten times the usual', () => {
    assert.ok(isFound(0.5, 10.01, 3, 1.2));
    assert.ok(!isFound(0.5, 10, 3, 1.2));
    assert.ok(!isFound(0.5, 50, 2, 1.2));
    assert.ok(isFound(2, 20.01, 3, 1.2));
    assert.ok(!isFound(2, 20, 3, 1.2));
  });

  it('a loss that is 3 % above that of the updates before', () => {
    assert.ok(isFound(1, 50, 3, (1.0301 * before) / 2));
    assert.ok(!isFound(1, 50, 3, (1.0299 * before) / 2));
  });

  it('tells the spikes, and how many updates were cut', () => {
    const [found] = run(facts({ clipNorm: 5 }), 600, step => ({
      ...leaps(1, 50, 3, 1.2)(step),
      ...(step === 560 ? { gradNorm: 5.5 } : {}),
      ...(step === 561 ? { gradNorm: 5 } : {}),
    }));
    const { message, evidence, fixes } = found!;
    const { updates, ...figures } = evidence;
    assert.deepEqual(figures, { largest: 50, median: 1, spikes: 3, clipped: 0.04 });
    assert.equal(
      message,
      `The gradient explodes: 3 of the 100 updates before step ${updates} have a norm of up to 50, where 1 is usual. Clipping at 5 cut 4 % of these updates.`,
    );
    assert.deepEqual(
      fixes.map(({ title }) => title),
      ['Clip gradients at norm 1', 'Lower the learning rate to 0.0003', 'Train on sequences of 32 steps'],
    );
  });

  const growing = (ratio: number, since = 0) =>
    stepOf('exploding', 200, step => ({
      gradNorm: 1,
      flow: [{ layer: 'layers.1.0', norms: [step > since ? ratio : 1, 1] }],
    }));

  it('a gradient that grows a thousandfold, over the last quarter', () => {
    assert.equal(growing(1001), 100);
    assert.equal(growing(999), null);
    assert.equal(growing(1001, 150), 200);
    assert.equal(growing(1001, 151), null);
  });

  it('tells by how much it grows', () => {
    const [found] = run(facts(), 200, () => ({
      gradNorm: 1,
      flow: [{ layer: 'layers.1.0', norms: [1e4, 1] }],
    }));
    assert.equal(
      found?.message,
      'The gradient grows on its way back: at the first of 64 steps its norm is 10000 times that at the last, after 100 updates.',
    );
  });
});

describe('limits of vanishing', () => {
  const at = (ratio: number, trainLoss = 3) => ({
    trainLoss,
    flow: [{ layer: 'layers.1.0', norms: [ratio, 1] }],
  });

  it('a gradient of a ten thousandth', () => {
    assert.equal(
      stepOf('vanishing', 400, () => at(0.99e-4)),
      300,
    );
    assert.equal(
      stepOf('vanishing', 400, () => at(1.01e-4)),
      null,
    );
  });

  it('a loss above 90 % of that of knowing nothing, of training and of every validation', () => {
    assert.equal(
      stepOf('vanishing', 400, () => at(1e-9, 2.701)),
      300,
    );
    assert.equal(
      stepOf('vanishing', 400, () => at(1e-9, 2.699)),
      null,
    );
    const validated = (valLoss: number) => (step: number) => ({
      ...at(1e-9),
      ...(step === 90 ? { valLoss } : {}),
    });
    assert.equal(stepOf('vanishing', 400, validated(2.701)), 300);
    assert.equal(stepOf('vanishing', 400, validated(2.699)), null);
  });

  it('300 updates, and 15 % of the run', () => {
    assert.equal(
      stepOf('vanishing', 800, () => at(1e-9), facts({ steps: 4000 })),
      600,
    );
    assert.equal(
      stepOf('vanishing', 599, () => at(1e-9), facts({ steps: 4000 })),
      null,
    );
  });

  it('waits while the gradient comes further back', () => {
    // first and last of eight stretches, over 85 % of 400 steps
    const rise = (exponent: number) => (step: number) =>
      at(10 ** (-9 + (exponent * step) / (0.85 * 400 * (7 / 8))));
    const what = facts({ steps: 2600 });
    assert.equal(stepOf('vanishing', 400, rise(0.149), what), 400);
    assert.equal(stepOf('vanishing', 400, rise(0.155), what), null);
  });

  it('ratios too small for float32 count as the smallest', () => {
    const [found] = run(facts(), 300, () => at(1e-60));
    assert.ok(Math.abs(Number(found?.evidence['ratio']) / 1e-45 - 1) < 1e-9);
  });
});

describe('limits of overfitting', () => {
  interface Given {
    best?: number;
    rises?: readonly number[];
    fall?: number;
    from?: number;
  }
  const given =
    ({ best = 1.5, rises = [1], fall = 0.5, from = 20 }: Given) =>
    (step: number) => {
      const trainLoss = step <= 200 ? 1 : fall;
      if (step % 20 !== 0 || step < from) return { trainLoss };
      const since = (step - 200) / 20;
      const rise = rises[Math.min(since, rises.length) - 1] ?? rises.at(-1)!;
      return { trainLoss, valLoss: since < 0 ? best + 0.3 : since === 0 ? best : best + rise };
    };
  const isFound = (what: Given, steps = 300) =>
    run(facts(), steps, given(what)).some(({ id }) => id === 'overfitting');

  it('a rise of 4 % of the best, and of 1.5 % of the loss of knowing nothing', () => {
    assert.ok(isFound({ rises: [0.0601] }));
    assert.ok(!isFound({ rises: [0.0599] }));
    assert.ok(isFound({ best: 0.5, rises: [0.0451] }));
    assert.ok(!isFound({ best: 0.5, rises: [0.0449] }));
  });

  it('five validations since the best, and eight in all', () => {
    const firstOf = (what: Given) => [299, 300, 319, 320].find(steps => isFound(what, steps));
    assert.equal(firstOf({}), 300);
    assert.equal(firstOf({ from: 160 }), 300);
    assert.equal(firstOf({ from: 180 }), 320);
  });

  it('a training loss that has fallen by 3 %', () => {
    assert.ok(isFound({ fall: 0.969 }));
    assert.ok(!isFound({ fall: 0.971 }));
  });

  it('tells the mean of the last three validations', () => {
    const [found] = run(facts(), 300, given({ rises: [9, 9, 0.5, 0.25, 0.75] }));
    assert.deepEqual(found?.evidence, {
      bestValLoss: 1.5,
      bestStep: 200,
      valLoss: 2,
      trainThen: 1,
      trainNow: 0.5,
    });
    assert.equal(
      found?.message,
      'Overfitting: validation loss was best, 1.5, at step 200 and 2 at step 300 (+33 %), while training loss fell from 1 to 0.5. The best checkpoint is kept.',
    );
    assert.deepEqual(
      found?.fixes.map(({ title }) => title),
      [
        'Stop when validation no longer improves',
        'Drop 20 % between the stacked layers',
        'Penalise large weights (l2 0.0001)',
        'Use 16 units',
      ],
    );
  });
});

describe('limits of a plateau', () => {
  const steps =
    (before: number, now: number, middle = 300) =>
    (step: number) => ({
      trainLoss: step <= middle ? before : now,
    });
  const found = (at: (step: number) => Partial<Observation>, until = 400, what = facts()) =>
    run(what, until, at).find(({ id }) => id === 'plateau') ?? null;

  it('400 updates, and 40 % of the run', () => {
    assert.equal(found(steps(2, 2))?.evidence['updates'], 400);
    assert.equal(found(steps(2, 2), 1000, facts({ steps: 2000 }))?.evidence['updates'], 800);
  });

  it('a fall of 0.3 % from the first to the second half of the stretch', () => {
    assert.ok(found(steps(2, 2 * 0.9971)));
    assert.equal(found(steps(2, 2 * 0.9969)), null);
    assert.equal(found(steps(2, 2.0001)), null, 'without noise any rise is one');
  });

  it('a fall that is within the noise, and a rise of three times that', () => {
    // 100 values of ±0.1: the standard error of one half is 0.1/√99, of the difference √2 times that
    const noise = (0.1 / Math.sqrt(99)) * Math.SQRT2;
    const noisy = (change: number) => (step: number) => ({
      trainLoss: 2 + (step % 2 ? 0.1 : -0.1) + (step > 300 ? change : 0),
    });
    const fallen = found(noisy(-0.99 * noise));
    assert.ok(Math.abs(Number(fallen?.evidence['noise']) - noise) < 1e-6);
    assert.equal(found(noisy(-1.01 * noise)), null);
    assert.ok(found(noisy(2.99 * noise)));
    assert.equal(found(noisy(3.01 * noise)), null);
  });

  it('5 % of the loss of knowing nothing, below which a task is solved', () => {
    assert.ok(found(steps(0.151, 0.151)));
    assert.equal(found(steps(0.149, 0.149)), null);
  });

  it('97 % of it, above which nothing was learned', () => {
    assert.equal(found(steps(2.911, 2.911))?.severity, 'warning');
    assert.equal(found(steps(2.909, 2.909))?.severity, 'info');
    const stuck = found(steps(2.9375, 2.9375));
    assert.equal(
      stuck?.message,
      'Training loss has stood at 2.94, which is that of character frequencies alone (3) since about step 200, for 200 updates.',
    );
    assert.deepEqual(stuck?.evidence, {
      trainLoss: 2.9375,
      before: 2.9375,
      noise: 0,
      since: 200,
      updates: 400,
    });
    assert.deepEqual(
      stuck?.fixes.map(({ title }) => title),
      [
        'Start with the forget gate open (forgetBias 1)',
        'Use a GRU',
        'Lower the learning rate to 0.0003',
        'Train for 2,000 steps',
      ],
    );
    assert.equal(
      found(steps(2.5, 2.5))?.message,
      'Training loss has stood at 2.5 since about step 200, for 200 updates.',
    );
  });

  it('a best validation that is 0.6 % below that of before', () => {
    const validated = (best: number) => (step: number) => ({
      trainLoss: 2,
      ...(step % 50 === 0 ? { valLoss: step > 200 ? best : 2 } : {}),
    });
    assert.equal(found(validated(2 * 0.9939)), null);
    assert.ok(found(validated(2 * 0.9941)));
  });

  it('95 % of the run, before which a gradient that comes further back is waited for', () => {
    const grows = (step: number) => ({
      trainLoss: 3,
      flow: [{ layer: 'layers.1.0', norms: [10 ** (-9 + step / 300), 1] }],
    });
    assert.equal(found(grows, 949), null);
    assert.equal(found(grows, 950)?.evidence['updates'], 950);
  });
});

describe('limits of a diagnosis', () => {
  it('the loss before it diverged is that of the last five updates', async () => {
    const { Diagnosis } = await import('../../../src/diagnosis/diagnose.ts');
    const diagnosis = new Diagnosis(facts());
    for (let step = 1; step <= 10; step++) diagnosis.observe({ step, trainLoss: 2 ** step });
    const [found] = diagnosis.diverged({ step: 11, message: 'NaN in layers.12.0 and layers.3' });
    assert.deepEqual(found?.evidence, {
      step: 11,
      trainLoss: (64 + 128 + 256 + 512 + 1024) / 5,
      learningRate: 0.001,
    });
    assert.equal(found?.layer, 'layers.12');
  });

  it('of persistence it knows that the mean is worse', () => {
    const forecast = withData({ task: 'forecast', path: 'a.csv', target: 'y' });
    const stuck = run(forecast, 400, () => ({ trainLoss: 0.971 })).find(({ id }) => id === 'plateau');
    assert.match(stuck!.message, /which is that of always predicting the mean \(1\)/);
    const learned = run(forecast, 400, () => ({ trainLoss: 0.969 })).find(({ id }) => id === 'plateau');
    assert.equal(learned?.severity, 'info');
  });
});

describe('at the very limit', () => {
  const has = (
    id: Finding['id'],
    steps: number,
    at: (step: number) => Partial<Observation>,
    what: RunFacts = facts(),
  ) => run(what, steps, at).some(each => each.id === id);
  const flow = (ratio: number) => [{ layer: 'layers.1.0', norms: [ratio, 1] }];

  it('a gradient vanishes', () => {
    const of = (ratio: number, trainLoss: number, valLoss: number) => (step: number) => ({
      trainLoss,
      flow: flow(ratio),
      ...(step === 90 ? { valLoss } : {}),
    });
    assert.ok(has('vanishing', 300, of(1e-4, 10, 10), facts({}, 10)));
    assert.ok(has('vanishing', 300, of(1e-9, 9, 10), facts({}, 10)));
    assert.ok(has('vanishing', 300, of(1e-9, 10, 9), facts({}, 10)));
  });

  it('a gradient whose stretches rise in three of four pairs comes further back', () => {
    // 7 of the 28 pairs are out of order
    const order = [3, 2, 1, 6, 5, 4, 8, 7];
    const rising = (step: number) => ({
      trainLoss: 3,
      flow: flow(10 ** (-9 + 0.1 * order[Math.min(7, Math.max(0, Math.ceil((step - 60) / 42.5) - 1))]!)),
    });
    assert.ok(!has('vanishing', 400, rising, facts({ steps: 2600 })));
  });

  it('a gradient does not explode', () => {
    assert.ok(!has('exploding', 200, () => ({ gradNorm: 1, flow: flow(1000) })));
    assert.ok(
      !has('exploding', 600, step => ({
        gradNorm: step > 550 && step < 554 ? 50 : 1,
        trainLoss: step > 550 ? 103 : 100,
      })),
    );
  });

  it('gates are saturated from the hundredth update on', () => {
    const gates = [{ layer: 'layers.1.0', gate: 'o', mean: [0.5], saturation: [0.99] }];
    assert.ok(!has('saturated-gates', 99, () => ({ gates })));
    assert.ok(has('saturated-gates', 100, () => ({ gates })));
  });

  it('a run overfits, since the first of equally good validations', () => {
    const of =
      (best: number, rise: number, then: number, now: number, again = 0) =>
      (step: number) => ({
        trainLoss: step <= 200 ? then : now,
        ...(step % 20 === 0
          ? { valLoss: step === 200 || step === again ? best : step < 200 ? best + 9 : best + rise }
          : {}),
      });
    assert.ok(has('overfitting', 300, of(25, 1, 10, 1)));
    assert.ok(has('overfitting', 300, of(2, 3, 10, 1), facts({}, 200)));
    assert.ok(has('overfitting', 300, of(2, 3, 100, 97)));
    const [found] = run(facts(), 300, of(2, 3, 10, 1, 240));
    assert.equal(found?.evidence['bestStep'], 200);
  });

  it('a loss stands still', () => {
    const still = (before: number, now: number) => (step: number) => ({
      trainLoss: step <= 300 ? before : now,
    });
    assert.ok(has('plateau', 400, still(1000, 997)));
    assert.ok(has('plateau', 400, still(0.5, 0.5), facts({}, 10)));
    const [learned] = run(facts({}, 100), 400, still(97, 97));
    assert.equal(learned?.severity, 'info');
  });

  it('validation does not improve', () => {
    const validated = (losses: Readonly<Record<number, number>>) => (step: number) => ({
      trainLoss: 2,
      ...(losses[step] === undefined ? {} : { valLoss: losses[step] }),
    });
    assert.ok(has('plateau', 400, validated({ 50: 1000, 150: 1000, 300: 994, 400: 994 })));
    assert.ok(has('plateau', 400, validated({ 50: 2, 150: 2, 200: 1.5, 300: 1.495 })), 'at the middle');
    assert.ok(!has('plateau', 400, validated({ 50: 2, 150: 2, 300: 1.5, 400: 1.5 })), 'four are enough');
    assert.ok(has('plateau', 400, validated({ 50: 2, 300: 1.5, 400: 1.5 })), 'three are not');
  });
});
