// Optimizers, schedules, smoothing, clipping, decay and accumulation against torch, or against the equations of a paper.
import assert from 'node:assert/strict';
import { type Tensor, tensor, tidy, type Variable, variable } from '@tensorflow/tfjs-core';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
  type Schedule,
} from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Task } from '../../../../src/trainer/tasks/task.ts';
import { clip } from '../../../../src/trainer/training/clip.ts';
import { createOptimizer } from '../../../../src/trainer/training/optimizers.ts';
import { observePlateau, PLATEAU_START } from '../../../../src/trainer/training/plateau.ts';
import { learningRateAt } from '../../../../src/trainer/training/schedule.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

type Named = Record<string, GoldenTensor>;
type Case =
  | {
      kind: 'optimizer';
      name: string;
      spec: { learningRate: number };
      start: Named;
      gradients: Named[];
      after: Named[];
    }
  | { kind: 'one-cycle'; spec: object; steps: number; rates: GoldenTensor }
  | { kind: 'plateau'; spec: object; losses: GoldenTensor; rates: GoldenTensor }
  | {
      kind: 'smoothing';
      share: number;
      logits: GoldenTensor;
      targets: number[];
      loss: number;
      gradient: GoldenTensor;
    }
  | {
      kind: 'clipping';
      name: string;
      limits: object;
      norm: number;
      before: GoldenTensor[];
      after: GoldenTensor[];
    };

const cases = readGolden<Case>('training');
const of = <K extends Case['kind']>(kind: K) =>
  cases.filter((each): each is Extract<Case, { kind: K }> => each.kind === kind);

function trainingOf(training: object): Experiment['training'] {
  const model = { layers: [{ type: 'rnn', units: 1 }, { type: 'dense' }] };
  return experimentSchema.parse({ data: { task: 'adding' }, model, training }).training;
}

const tensorOf = ({ data, shape }: GoldenTensor) => tensor(data, shape);

describe('options of training', () => {
  before(() => startEngine('reference', null));

  for (const { name, spec, start, gradients, after } of of('optimizer')) {
    const optimizer = trainingOf({ optimizer: spec }).optimizer;
    const begin = (values: Named) => {
      const weights = new Map<string, Variable>(
        Object.entries(values).map(([key, value]) => [key, variable(tensorOf(value))]),
      );
      return { weights, made: createOptimizer(optimizer, weights) };
    };
    const step = ({ made }: ReturnType<typeof begin>, index: number) =>
      made.step(
        new Map<string, Tensor>(
          Object.entries(gradients[index]!).map(([key, value]) => [key, tensorOf(value)]),
        ),
        spec.learningRate,
      );

    it(`${name} is its reference, step by step`, () => {
      const run = begin(start);
      for (const [index, expected] of after.entries()) {
        const size = step(run, index);
        let sum = 0;
        for (const [key, value] of Object.entries(expected)) {
          assertClose(run.weights.get(key)!.dataSync(), value.data, `${key} after step ${index + 1}`, 5e-6);
          sum += value.data.reduce((total, one) => total + Math.abs(one), 0);
        }
        assert.ok(Math.abs(size - sum) < 1e-3 * sum, `${size} is Σ |w| = ${sum}`);
      }
    });

    it(`${name} goes on from a saved state to the bit`, () => {
      const through = begin(start);
      for (let index = 0; index < 6; index++) step(through, index);
      const first = begin(start);
      for (let index = 0; index < 3; index++) step(first, index);
      const values = [...first.weights].map(([key, weight]): [string, GoldenTensor] => [
        key,
        { data: [...weight.dataSync()], shape: weight.shape },
      ]);
      const second = begin(Object.fromEntries(values));
      second.made.restore(first.made.state());
      for (let index = 3; index < 6; index++) step(second, index);
      for (const [key, weight] of second.weights)
        assert.deepEqual(weight.dataSync(), through.weights.get(key)!.dataSync(), key);
    });
  }

  for (const { spec, steps, rates } of of('one-cycle'))
    it(`the schedule is OneCycleLR's: ${JSON.stringify(spec)}`, () => {
      const { schedule } = trainingOf({ schedule: spec });
      const made = Array.from({ length: steps }, (_, step) => learningRateAt(schedule, 2, step + 1, steps));
      assertClose(made, rates.data, 'learning rate', 1e-8);
    });

  it('the schedule of one cycle holds with very few steps', () => {
    const { schedule } = trainingOf({ schedule: { type: 'one-cycle' } });
    for (const steps of [1, 2, 3])
      for (let step = 1; step <= steps; step++) {
        const rate = learningRateAt(schedule, 2, step, steps);
        assert.ok(rate > 0 && rate <= 2, `${rate} at step ${step} of ${steps}`);
      }
  });

  for (const { spec, losses, rates } of of('plateau'))
    it(`the schedule is ReduceLROnPlateau's: ${JSON.stringify(spec)}`, () => {
      const schedule = trainingOf({ schedule: spec }).schedule as Extract<Schedule, { type: 'plateau' }>;
      let state = PLATEAU_START;
      const made = losses.data.map(loss => {
        state = observePlateau(schedule, 2, state, loss);
        return learningRateAt(schedule, 2, 5, 100, state.scale);
      });
      assertClose(made, rates.data, 'learning rate', 1e-8);
    });

  for (const { share, logits, targets, loss, gradient } of of('smoothing'))
    it(`label smoothing by ${share} is torch's`, () => {
      const x = variable(tensorOf(logits));
      const { value, gradients } = gradientsOf(
        () => softmaxCrossEntropy(x as never, Int32Array.from(targets), null, share),
        [x],
      );
      assertClose(value.dataSync(), [loss], 'loss', 1e-6);
      assertClose(gradients[0]!.dataSync(), gradient.data, 'gradient', 1e-6);
    });

  for (const { name, limits, norm, before: given, after } of of('clipping'))
    it(`clipping ${name} is torch's`, () => {
      const gradients = new Map(given.map((value, index) => [`g${index}`, tensorOf(value)]));
      const told = clip(gradients, trainingOf(limits));
      assertClose([told.norm], [norm], 'norm', 1e-6);
      assert.equal(told.clipped, JSON.stringify(given) !== JSON.stringify(after));
      for (const [index, value] of after.entries())
        assertClose(gradients.get(`g${index}`)!.dataSync(), value.data, `g${index}`, 1e-6);
    });
});

const DATA = { task: 'temporal-order', length: 20 } as const;
const LAYERS: ExperimentInput['model']['layers'] = [
  { type: 'embedding', dim: 4 },
  { type: 'lstm', units: 5 },
  { type: 'dense' },
];

async function trainerOf(training: object, data: object = DATA, layers: object[] = LAYERS): Promise<Trainer> {
  const experiment = experimentSchema.parse({ data, model: { layers }, training });
  const place = { base: '/', workspace: '/', allowedPaths: [] } as never;
  const task: Task = await openTask(experiment, place, null);
  return new Trainer(experiment, task);
}

const weightsOf = ({ model }: Trainer) =>
  new Map(
    [...model.variables].map(([name, { shape, dataSync }], index) => {
      void dataSync;
      return [name, { shape, values: [...model.variables.values()][index]!.dataSync().slice() }] as const;
    }),
  );

describe('a step of training', () => {
  before(() => startEngine('reference', null));

  for (const [data, layers] of [
    [DATA, LAYERS],
    [{ task: 'adding', length: 15 }, [{ type: 'gru', units: 5 }, { type: 'dense' }]],
    // answers are asked for at some steps alone, and sequences are of unequal lengths
    [{ task: 'dyck', length: 12 }, LAYERS],
    [{ task: 'copy-memory', length: 9, items: 3 }, LAYERS],
    // labels without places
    [{ task: 'morse', length: 3 }, [{ type: 'gru', units: 5 }, { type: 'dense' }]],
  ] as const)
    it(`with accumulated gradients is that of the large batch: ${data.task}`, async () => {
      const spec = { optimizer: { type: 'sgd', learningRate: 0.5 }, l2: 1e-3, recurrentL2: 1e-2 };
      const large = await trainerOf({ ...spec, batchSize: 12 }, data, [...layers]);
      const parts = await trainerOf({ ...spec, batchSize: 4, accumulate: 3 }, data, [...layers]);
      for (let step = 0; step < 3; step++) {
        const [a, b] = [large.advance(), parts.advance()];
        for (const name of ['trainLoss', 'gradNorm', 'penalty', 'recurrentPenalty'] as const)
          assertClose([b[name]!], [a[name]!], name, 1e-6);
      }
      for (const [name, { values }] of weightsOf(large))
        assertClose(weightsOf(parts).get(name)!.values, values, name, 1e-6, 1);
      assert.equal(large.tokens, parts.tokens);
      large.dispose();
      parts.dispose();
    });

  it('penalises recurrent weights and others by themselves: λ Σ w² to 1e-6', async () => {
    const trainer = await trainerOf({ l2: 0.01, recurrentL2: 0.3, batchSize: 4 });
    const squares = { kernel: 0, recurrent: 0 };
    for (const [name, { values }] of weightsOf(trainer)) {
      if (name.includes('bias')) continue;
      const part = name.includes('weight_hh') ? 'recurrent' : 'kernel';
      for (const value of values) squares[part] += value * value;
    }
    assert.ok(squares.kernel > 0 && squares.recurrent > 0);
    const { penalty, recurrentPenalty } = trainer.advance();
    assertClose([recurrentPenalty!], [0.3 * squares.recurrent], 'recurrent', 1e-6);
    assertClose([penalty!], [0.3 * squares.recurrent + 0.01 * squares.kernel], 'both', 1e-6);
    trainer.dispose();
  });

  it('decays recurrent weights and others by themselves, whatever the gradient is, and no bias', async () => {
    const common = { batchSize: 4, optimizer: { type: 'adam', learningRate: 0.1 } };
    const plain = await trainerOf(common);
    const decayed = await trainerOf({ ...common, weightDecay: { kernel: 0.5, recurrent: 2 } });
    const start = weightsOf(plain);
    plain.advance();
    decayed.advance();
    for (const [name, { values }] of weightsOf(plain)) {
      const decay = name.includes('bias') ? 0 : name.includes('weight_hh') ? 2 : 0.5;
      const expected = values.map((value, i) => value - 0.1 * decay * start.get(name)!.values[i]!);
      assertClose(weightsOf(decayed).get(name)!.values, expected, name, 1e-6, 1);
    }
    plain.dispose();
    decayed.dispose();
  });

  it('says whether the gradient was clipped, and nothing without limits', async () => {
    for (const [limits, clipped] of [
      [{ clipNorm: 1e-6 }, 1],
      [{ clipNorm: 1e6 }, 0],
      [{ clipNorm: null, clipValue: 1e-9 }, 1],
      [{ clipNorm: null, clipTensorNorm: 1e-9 }, 1],
      [{ clipNorm: null }, undefined],
    ] as const) {
      const trainer = await trainerOf({ batchSize: 4, ...limits });
      assert.equal(trainer.advance().clipped, clipped, JSON.stringify(limits));
      trainer.dispose();
    }
  });

  it('smooths labels in training and not in what is scored', async () => {
    const plain = await trainerOf({ batchSize: 4 });
    const smoothed = await trainerOf({ batchSize: 4, labelSmoothing: 0.4 });
    const [a, b] = [plain.advance(), smoothed.advance()];
    const logits = await trainerOf({ batchSize: 4 });
    const expected = tidy(() => {
      const { task, model } = logits;
      const batch = task.trainingBatch(1);
      const options = {
        training: true,
        step: 1,
        lengths: batch.lengths,
        state: null,
        outputs: 'last-step',
      } as const;
      const { outputs } = model.forward(tensor(batch.input, [batch.seqLen, 4], 'int32'), options);
      return [0, 0.4].map(
        share => softmaxCrossEntropy(outputs, batch.targets as Int32Array, null, share).dataSync()[0]!,
      );
    });
    assertClose([a.trainLoss, b.trainLoss], expected, 'loss', 1e-6);
    assert.notEqual(expected[0], expected[1]);
    for (const trainer of [plain, smoothed, logits]) trainer.dispose();
  });
});
