// Equal seeds give equal bits, whatever happens in between: pause, stop, probes, logging, company.
import assert from 'node:assert/strict';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { requestControl } from '../../../../src/runs/control.ts';
import type { RunEvent } from '../../../../src/runs/format.ts';
import { trainRuns } from '../../../../src/trainer/training/work.ts';
import {
  bitsOf,
  columnOf,
  eventsOf,
  makeRun,
  readRun,
  tinyExperiment,
  train,
  trainNew,
  useWorkspace,
} from './runs.ts';

/** Asks for something when the run has written the row of a step. */
function atStep(step: number, ask: () => void) {
  return (_: number, event: RunEvent) => {
    if (event.kind === 'scalars' && event.step === step) ask();
  };
}

describe('equal bits', () => {
  useWorkspace();
  // slow enough for requests, which are looked for every 100 ms
  const long = { steps: 400, checkpoint: { every: 90 }, validation: { every: 100, maxBatches: 3 } };

  it('of a run made twice, and other bits of another seed', async () => {
    const first = await trainNew(tinyExperiment());
    const second = await trainNew(tinyExperiment());
    const other = await trainNew(tinyExperiment({ seed: 2 }));
    assert.equal(first.outcome.reason, 'finished');
    assert.equal(bitsOf(first.folder), bitsOf(second.folder));
    assert.notEqual(bitsOf(first.folder), bitsOf(other.folder));
    assert.deepEqual(columnOf(first.folder, 'trainLoss'), columnOf(second.folder, 'trainLoss'));
  });

  it('with a pause in between', async () => {
    const straight = await trainNew(tinyExperiment(long));
    const folder = makeRun(tinyExperiment(long));
    const outcome = await train(folder, {
      onEvent: atStep(33, () => requestControl(folder, 'pause')),
      onStatus(_, { state }) {
        if (state === 'paused') requestControl(folder, 'resume');
      },
    });
    const kinds = eventsOf(folder).map(event => event.kind);
    assert.ok(kinds.includes('paused') && kinds.includes('resumed'));
    assert.equal(outcome.reason, 'finished');
    assert.equal(bitsOf(folder), bitsOf(straight.folder));
  });

  it('with a stop and a resume in between, by request and by signal', async () => {
    const straight = await trainNew(tinyExperiment(long));
    const folder = makeRun(tinyExperiment(long));
    const first = await train(folder, { onEvent: atStep(21, () => requestControl(folder, 'stop')) });
    assert.equal(first.reason, 'stopped');
    assert.ok(first.steps >= 21 && first.steps < 400, `stopped at ${first.steps}`);
    const controller = new AbortController();
    const second = await train(folder, {
      onEvent: atStep(first.steps + 30, () => controller.abort()),
      signal: controller.signal,
    });
    assert.equal(second.reason, 'stopped');
    assert.ok(second.steps > first.steps);
    const third = await train(folder);
    assert.equal(third.reason, 'finished');
    assert.equal(bitsOf(folder), bitsOf(straight.folder));
    assert.deepEqual(columnOf(folder, 'trainLoss'), columnOf(straight.folder, 'trainLoss'));
    assert.deepEqual(columnOf(folder, 'valLoss'), columnOf(straight.folder, 'valLoss'));
    const series = (of: string) =>
      [...readRun(of).series].map(([name, { steps, rows }]) => ({ name, steps, rows }));
    assert.deepEqual(series(folder), series(straight.folder));
  });

  it('with early stopping that was interrupted', async () => {
    const spec = tinyExperiment({
      ...long,
      steps: 4000,
      validation: { every: 10, maxBatches: 3 },
      earlyStopping: { patience: 4 },
      optimizer: { type: 'sgd', learningRate: 4, momentum: 0.5, nesterov: true },
      schedule: { type: 'cosine', warmup: 5, final: 0.1 },
      l2: 1e-4,
    });
    const straight = await trainNew(spec);
    assert.equal(straight.outcome.reason, 'early-stopped');
    const folder = makeRun(spec);
    const controller = new AbortController();
    await train(folder, {
      onEvent: atStep(Math.min(15, straight.outcome.steps - 1), () => controller.abort()),
      signal: controller.signal,
    });
    const outcome = await train(folder);
    assert.deepEqual(
      [outcome.reason, outcome.steps, outcome.valLoss],
      [straight.outcome.reason, straight.outcome.steps, straight.outcome.valLoss],
    );
    assert.equal(bitsOf(folder), bitsOf(straight.folder));
  });

  const variants: [string, (input: ExperimentInput) => ExperimentInput][] = [
    ['probes off', input => ({ ...input, probes: { gradientFlow: false, gates: false } })],
    [
      'probes at every step',
      input => ({ ...input, probes: { gradientFlow: { every: 1 }, gates: { every: 1 } } }),
    ],
    ['rows written rarely', input => ({ ...input, log: { every: 13 } })],
    [
      'samples at every step',
      input => ({ ...input, training: { ...input.training, sample: { every: 1, length: 3 } } }),
    ],
    [
      'checkpoints at every step',
      input => ({ ...input, training: { ...input.training, checkpoint: { every: 1 } } }),
    ],
    [
      'validation at every step',
      input => ({ ...input, training: { ...input.training, validation: { every: 1, maxBatches: 1 } } }),
    ],
  ];
  for (const [name, change] of variants)
    it(`with ${name}`, async () => {
      const plain = await trainNew(tinyExperiment());
      const changed = await trainNew(change(tinyExperiment()));
      assert.equal(bitsOf(changed.folder), bitsOf(plain.folder));
    });

  it('in company: members of a comparison are what they are alone', async () => {
    const cells = ['rnn', 'gru', 'lstm'] as const;
    const withCell = (type: (typeof cells)[number]): ExperimentInput => ({
      ...tinyExperiment({ steps: 300 }),
      model: { layers: [{ type: 'embedding', dim: 4 }, { type, units: 24 }, { type: 'dense' }] },
    });
    const together = cells.map(cell => makeRun(withCell(cell)));
    const turns: number[] = [];
    const outcomes = await trainRuns(together, {
      onEvent: (index, event) => event.kind === 'scalars' && turns.push(index),
    });
    assert.deepEqual(
      outcomes.map(({ reason }) => reason),
      ['finished', 'finished', 'finished'],
    );
    const switches = turns.filter((turn, i) => i > 0 && turn !== turns[i - 1]).length;
    assert.ok(switches > cells.length, `the members took turns ${switches} times`);
    for (const [index, cell] of cells.entries()) {
      const alone = await trainNew(withCell(cell));
      assert.equal(bitsOf(together[index]!), bitsOf(alone.folder), cell);
    }
  });
});
