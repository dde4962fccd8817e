// Each finding in made-up runs, in both directions.
import assert from 'node:assert/strict';
import { Diagnosis, type Observation, type RunFacts } from '../../../src/diagnosis/diagnose.ts';
import type { Finding } from '../../../src/runs/format.ts';
import { facts, ids, run, withData } from './made-up.ts';

/** a repeatable ±1 */
const wobble = (step: number) => Math.sin(step * 12.9898);
const learning = (step: number) => 1.5 + 1.5 * Math.exp(-step / 400) + 0.02 * wobble(step);

describe('dead units', () => {
  const silent = (share: (step: number) => number) => (step: number) => ({
    trainLoss: learning(step),
    dead: [{ layer: 'layers.1', share: share(step) }],
  });

  it('are found once, when units have died for ten looks', () => {
    const found = run(
      facts(),
      400,
      silent(step => (step < 200 ? 0.25 : 0.75)),
    );
    assert.deepEqual(ids(found), ['dead-units']);
    assert.deepEqual(found[0]!.evidence, { dead: 0.75, least: 0.25, looks: 10, updates: 225 });
    assert.deepEqual(
      ids(
        run(
          facts(),
          209,
          silent(step => (step < 200 ? 0.25 : 0.75)),
        ),
      ),
      [],
    );
  });

  it('are not found where they come back, or were never alive', () => {
    for (const share of [
      (step: number) => (step % 10 === 0 ? 0.25 : 0.75),
      () => 0.6,
      (step: number) => (step < 90 ? 1 : 0.3),
      (step: number) => (step < 200 ? 0.1 : 0.45),
    ])
      assert.deepEqual(ids(run(facts(), 400, silent(share))), []);
    assert.deepEqual(
      ids(
        run(
          facts(),
          400,
          silent(() => 1),
        ),
      ),
      ['dead-units'],
    );
  });
});

describe('exploding', () => {
  const spikes = (step: number) => ({
    gradNorm: step > 400 && step % 20 === 0 ? 200 : 0.5 + 0.2 * wobble(step),
  });

  it('is found where norms leap and the loss suffers', () => {
    const found = run(facts(), 600, step => ({
      ...spikes(step),
      trainLoss: step > 400 ? 2.6 : learning(step),
    }));
    assert.deepEqual(ids(found), ['exploding']);
    assert.match(found[0]!.message, /norm of up to 200, where 0\.\d+ is usual\. Nothing clips it\./);
    assert.deepEqual(found[0]!.fixes[0]!.edits, [{ path: ['training', 'clipNorm'], value: 1 }]);
  });

  it('is not found where norms leap and the loss falls all the same', () => {
    const found = run(facts(), 600, step => ({ ...spikes(step), trainLoss: learning(step) }));
    assert.deepEqual(ids(found), []);
  });

  it('is not found in norms that are large but even', () => {
    const found = run(facts(), 600, step => ({ gradNorm: 50 + wobble(step), trainLoss: learning(step) }));
    assert.deepEqual(ids(found), []);
  });

  it('is found where the gradient grows on its way back, and names the layer', () => {
    const flow = [
      { layer: 'layers.1.0', norms: Float32Array.of(5000, 70, 1) },
      { layer: 'layers.1.1', norms: Float32Array.of(0.5, 0.7, 1) },
    ];
    const found = run(facts(), 200, step => ({ gradNorm: 0.5, trainLoss: learning(step), flow }));
    assert.deepEqual(
      found.map(({ id, layer }) => [id, layer]),
      [['exploding', 'layers.1']],
    );
  });
});

describe('vanishing', () => {
  const vanished = { layer: 'layers.1.0', norms: Float32Array.of(1e-9, 1e-5, 1) };
  const open = { layer: 'layers.1.1', norms: Float32Array.of(0.1, 0.4, 1) };
  const stuck = (step: number) => 3 + 0.02 * wobble(step);

  it('is found when nothing arrives and nothing is learned', () => {
    assert.ok(
      ids(run(facts(), 400, step => ({ trainLoss: stuck(step), flow: [vanished] }))).includes('vanishing'),
    );
  });

  it('tells how much arrives now and arrived at first, of the level through which most does', () => {
    const level = (layer: string, first: number, later: number) => (step: number) => ({
      layer,
      norms: Float32Array.of(step <= 20 ? first : later, 1e-3, 1),
    });
    const levels = [level('layers.1.0', 1e-3, 1e-6), level('layers.1.1', 1e-2, 1e-5)];
    const found = run(facts(), 400, step => ({ trainLoss: stuck(step), flow: levels.map(of => of(step)) }));
    const { layer, evidence, message } = found.find(({ id }) => id === 'vanishing')!;
    assert.equal(layer, 'layers.1');
    assert.ok(Math.abs(Number(evidence['ratio']) / 1e-5 - 1) < 1e-3, `${evidence['ratio']}`);
    assert.ok(Math.abs(Number(evidence['initialRatio']) / 1e-2 - 1) < 1e-3, `${evidence['initialRatio']}`);
    assert.match(message, /is 0\.00001 of that|is 1e-5 of that|is 1\.0+e-5 of that/);
  });

  it('names the first of the levels through which equally much arrives', () => {
    const flow = ['layers.1.0', 'layers.2.0'].map(layer => ({ ...vanished, layer }));
    const found = run(facts(), 400, step => ({ trainLoss: stuck(step), flow }));
    assert.equal(found.find(({ id }) => id === 'vanishing')?.layer, 'layers.1');
  });

  it('is not found when one level lets the gradient through', () => {
    const found = run(facts(), 400, step => ({ trainLoss: stuck(step), flow: [vanished, open] }));
    assert.ok(!ids(found).includes('vanishing'));
  });

  it('is not found when the loss has left the baseline: short dependencies are enough for that', () => {
    const found = run(facts(), 1000, step => ({ trainLoss: learning(step), flow: [vanished] }));
    assert.ok(!ids(found).includes('vanishing'));
  });

  it('is not found once a validation was good', () => {
    const found = run(facts(), 1000, step => ({
      trainLoss: stuck(step),
      flow: [vanished],
      ...(step === 100 ? { valLoss: 2 } : {}),
    }));
    assert.ok(!ids(found).includes('vanishing'));
  });

  it('measures a forecast by the mean, not by persistence', () => {
    const forecast: RunFacts = {
      ...withData({ task: 'forecast', path: 'a.csv', target: 'y' }),
      task: { ...facts().task, name: 'forecast', baseline: { loss: 0.1, name: 'persistence' } },
    };
    const found = run(forecast, 400, step => ({ trainLoss: 0.3 + 0.01 * wobble(step), flow: [vanished] }));
    assert.ok(!ids(found).includes('vanishing'));
  });

  it('proposes the whole window where the gradient was cut', () => {
    const cut = facts({ bptt: { window: 8 } });
    const [found] = run(cut, 400, step => ({ trainLoss: stuck(step), flow: [vanished] }));
    assert.ok(found!.fixes.some(({ title }) => title === 'Let the gradient flow back through all 64 steps'));
  });
});

describe('overfitting', () => {
  const everyTwenty = (step: number, valLoss: number) => (step % 20 === 0 ? { valLoss } : {});

  it('is looked for where data are read from a file, and not where they are drawn anew', () => {
    const rising = (step: number) => ({
      trainLoss: learning(step),
      ...everyTwenty(step, step < 200 ? 3 - step / 200 : 1.6 + step / 400),
    });
    const read = withData({ task: 'forecast', path: 'a.csv', target: 'y' });
    assert.ok(ids(run(read, 800, rising)).includes('overfitting'));
    assert.ok(!ids(run(withData({ task: 'adding' }), 800, rising)).includes('overfitting'));
  });

  it('is found once, with dropout between stacked layers among its fixes', () => {
    const found = run(facts(), 800, step => ({
      trainLoss: learning(step),
      ...everyTwenty(step, 1.9 + (1e-5 * (step - 200) ** 2) / 2 + 0.01 * wobble(step)),
    }));
    assert.deepEqual(ids(found), ['overfitting']);
    assert.ok(found[0]!.fixes.some(({ edits }) => edits[0]!.path.join('.') === 'model.layers.1.dropout'));
  });

  it('remembers the best of more validations than are kept', () => {
    const found = run(facts(), 560, step => ({
      trainLoss: learning(step),
      valLoss: step === 1 ? 1.5 : step <= 520 ? 1.51 : 1.8,
    }));
    const [overfitting] = found.filter(({ id }) => id === 'overfitting');
    assert.deepEqual([overfitting?.evidence['bestStep'], overfitting?.evidence['bestValLoss']], [1, 1.5]);
  });

  it('is not found where validation only wobbles', () => {
    const found = run(facts(), 1000, step => ({
      trainLoss: learning(step),
      ...everyTwenty(step, learning(step) + 0.1 + 0.03 * wobble(step)),
    }));
    assert.deepEqual(ids(found), []);
  });

  it('is not found where training gets worse too', () => {
    const found = run(facts(), 800, step => ({
      trainLoss: 2 + step / 1000,
      ...everyTwenty(step, 2 + step / 1000),
    }));
    assert.ok(!ids(found).includes('overfitting'));
  });
});

describe('plateau', () => {
  it('is a note where the loss stands far above zero, and proposes smaller steps', () => {
    const found = run(facts(), 800, step => ({
      trainLoss: Math.max(1.8, 3 - step / 100) + 0.02 * wobble(step),
    }));
    assert.deepEqual(
      found.map(({ id, severity }) => [id, severity]),
      [['plateau', 'info']],
    );
    assert.equal(found[0]!.fixes[0]!.title, 'Let the learning rate fall (cosine schedule)');
  });

  it('is a warning where nothing was learned', () => {
    const [found] = run(facts(), 800, step => ({ trainLoss: 3 + 0.02 * wobble(step) }));
    assert.equal(found?.severity, 'warning');
    assert.match(found!.message, /which is that of character frequencies alone/);
  });

  it('is not found while the loss falls slowly, nor where the task is solved', () => {
    assert.deepEqual(ids(run(facts(), 1000, step => ({ trainLoss: learning(step) }))), []);
    assert.deepEqual(ids(run(facts(), 1000, step => ({ trainLoss: 0.001 + 0.0005 * wobble(step) }))), []);
  });

  it('waits while the gradient comes further back from step to step', () => {
    const grows = (step: number) => [
      { layer: 'layers.1.0', norms: Float64Array.of(10 ** (-9 + step / 300), 1) },
    ];
    const found = run(facts(), 900, step => ({ trainLoss: 3 + 0.02 * wobble(step), flow: grows(step) }));
    assert.deepEqual(ids(found), []);
  });
});

describe('saturated gates', () => {
  const gate = (name: string, mean: number, saturation: number) => ({
    gates: [
      {
        layer: 'layers.1.0',
        gate: name,
        mean: new Float32Array(4).fill(mean),
        saturation: new Float32Array(4).fill(saturation),
      },
    ],
  });
  const foundIn = (gates: Observation['gates']) =>
    run(facts(), 200, step => ({ trainLoss: learning(step), ...(step % 5 === 0 ? { gates } : {}) }));
  const found = (name: string, mean: number, saturation: number) =>
    foundIn(gate(name, mean, saturation).gates);

  it('have the mean of all steps that there are, however many', () => {
    for (const means of [
      [0.01, 0.05, 0.02, 0.09, 0.04, 0.07, 0.03],
      [Number.NaN, Number.NaN, 0.05, 0.02, 0.09, 0.04],
      [0.02, 0.06, 0.01, 0.05],
      [0.03],
    ]) {
      const [output] = foundIn([
        { layer: 'layers.1.0', gate: 'o', mean: means, saturation: means.map(() => 0.98) },
      ]);
      const seen = means.filter(mean => !Number.isNaN(mean));
      const expected = seen.reduce((sum, mean) => sum + mean, 0) / seen.length;
      const actual = Number(output?.evidence['mean']);
      assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} of ${means}`);
    }
  });

  it('are told from the bound of a gate on, not at it', () => {
    const at = (name: string, mean: number, saturation: number) =>
      ids(foundIn([{ layer: 'layers.1.0', gate: name, mean: [mean], saturation: [saturation] }]));
    assert.deepEqual(at('f', 0.1, 0.99), []);
    assert.deepEqual(at('f', 0.0999, 0.99), ['saturated-gates']);
    assert.deepEqual(at('z', 0.9, 0.99), []);
    assert.deepEqual(at('z', 0.9001, 0.99), ['saturated-gates']);
    assert.deepEqual(at('o', 0.5, 0.95), ['saturated-gates']);
    assert.deepEqual(at('o', 0.5, 0.9499), []);
    assert.deepEqual(at('g', 0.5, 0.97), ['saturated-gates']);
    assert.deepEqual(at('g', 0.5, 0.9699), []);
  });

  it('are found in the last ten looks at a gate, whatever was before', () => {
    const looks = (count: number) =>
      run(facts(), 225, step => {
        const look = step % 20 === 0 ? step / 20 : 0;
        if (look < 1 || look > count) return { trainLoss: learning(step) };
        const { gates } = gate('o', 0.5, look === 1 ? 0.5 : 0.99);
        return { trainLoss: learning(step), gates };
      });
    assert.deepEqual(ids(looks(10)), []);
    assert.deepEqual(ids(looks(11)), ['saturated-gates']);
  });

  it('are found when nearly all units stand at an end', () => {
    const [output] = found('o', 0.02, 0.98);
    assert.equal(output?.id, 'saturated-gates');
    assert.equal(output?.layer, 'layers.1');
    assert.match(output!.message, /^The output gate o is saturated: 98 % /);
  });

  it('of a shut forget gate tell the half-life', () => {
    const [forget] = found('f', 0.05, 0.99);
    assert.match(forget!.message, /half of the memory is gone after 0\.231 steps/);
    assert.equal(forget!.fixes[0]!.title, 'Start with the forget gate open (forgetBias 1)');
  });

  it('are no fault of an open forget gate, nor of candidates in a healthy language model', () => {
    assert.deepEqual(found('f', 0.98, 0.99), []);
    assert.deepEqual(found('g', 0.1, 0.87), []);
  });
});

describe('diverged', () => {
  it('repeats the loop, names the layer, and proposes clipping and a lower rate', () => {
    const diagnosis = new Diagnosis(facts());
    for (let step = 1; step <= 10; step++) diagnosis.observe({ step, trainLoss: 2.5, gradNorm: 10 ** step });
    const [found] = diagnosis.diverged({
      step: 11,
      message:
        'The loss became NaN at step 11: the first tensor that is not finite is the output of layers.1.',
      tensor: 'the output of layers.1',
    });
    assert.equal(found!.severity, 'error');
    assert.equal(found!.layer, 'layers.1');
    assert.match(
      found!.message,
      /not finite is the output of layers\.1\. The last finite gradient norm was 1e\+10\.$/,
    );
    assert.deepEqual(
      found!.fixes.map(({ edits }) => edits[0]),
      [
        { path: ['training', 'clipNorm'], value: 1 },
        { path: ['training', 'optimizer', 'learningRate'], value: 0.0001 },
      ],
    );
    assert.deepEqual(diagnosis.diverged({ step: 11, message: 'again', tensor: 'layers.1' }), []);
  });
});

describe('a diagnosis', () => {
  it('does not repeat what a resumed run already has', () => {
    const known = new Diagnosis(facts(), [{ id: 'plateau', layer: null }]);
    const found: Finding[] = [];
    for (let step = 1; step <= 900; step++)
      found.push(...known.observe({ step, trainLoss: 3 + 0.02 * wobble(step) }));
    assert.deepEqual(found, []);
  });

  it('lives with numbers that are not finite', () => {
    const found = run(facts(), 300, step => ({
      trainLoss: step % 3 ? Number.NaN : 2.5,
      gradNorm: step % 5 ? Number.POSITIVE_INFINITY : 1,
      flow: [{ layer: 'layers.1.0', norms: Float32Array.of(Number.NaN, 0) }],
      ...(step % 50 === 0 ? { valLoss: Number.NaN } : {}),
    }));
    assert.deepEqual(found, []);
  });
});
