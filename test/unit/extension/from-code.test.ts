// The experiment that a model in code trains as, and what a person is shown of it.
import assert from 'node:assert/strict';
import type { TrainingSettings } from '../../../src/definitions/training/taken.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import {
  type ChosenData,
  experimentFromCode,
  type FromCode,
  runName,
} from '../../../src/extension/train/from-code.ts';

const NOTHING: TrainingSettings = {
  optimizer: null,
  batchSize: null,
  epochs: null,
  steps: null,
  clipNorm: null,
  seed: null,
  window: null,
  inputs: null,
  path: null,
  features: null,
  target: null,
  loss: null,
  notTaken: [],
};
const at = <T>(line: number, value: T) => ({ line, value });
const mapped = {
  convention: 'pytorch' as const,
  layers: [{ type: 'lstm' as const, units: 8 }, { type: 'dense' as const }],
};
const table: ChosenData = {
  choice: { task: 'forecast', path: 'co2.csv' },
  target: 'co2',
  columns: ['co2', 'half'],
  extent: 1000,
};

function made(chosen: ChosenData, settings: Partial<TrainingSettings> = {}): FromCode {
  const result = experimentFromCode('Net', mapped, chosen, { ...NOTHING, ...settings });
  const { problems } = parseExperiment(JSON.stringify(result.experiment));
  assert.deepEqual(problems, []);
  return result;
}
const shown = ({ shown: all }: FromCode) =>
  all.map(({ what, value, line }) => `${line ?? '–'} ${what}: ${value}`);

describe('a model in code becomes an experiment', () => {
  it('with the settings of its code, epochs as updates', () => {
    const result = made(table, {
      optimizer: at(3, { type: 'adam', learningRate: 0.01 }),
      batchSize: at(4, 16),
      epochs: at(5, 20),
      clipNorm: at(6, null),
      window: at(7, 12),
      seed: at(8, 7),
    });
    // 700 training rows less a window of 12, in batches of 16
    assert.deepEqual(result.experiment.training, {
      optimizer: { type: 'adam', learningRate: 0.01 },
      batchSize: 16,
      steps: 20 * 43,
      clipNorm: null,
      seed: 7,
    });
    assert.deepEqual(result.experiment.data, {
      task: 'forecast',
      path: 'co2.csv',
      target: 'co2',
      window: 12,
    });
    assert.deepEqual(shown(result), [
      '3 Optimizer: Adam, learning rate 0.01',
      '4 Batch: 16 sequences',
      '6 Clipping: none',
      '7 Window: 12 steps',
      '5 Length: 20 epochs of 43 updates: 860',
      '8 Seed: 7',
    ]);
    assert.deepEqual(result.notTaken, []);
  });

  it('with Unroll’s own where the code says nothing', () => {
    const result = made(table);
    assert.ok(result.shown.every(({ line }) => line === null));
    assert.deepEqual(result.experiment.training, {
      optimizer: { type: 'adam', learningRate: 0.003 },
      batchSize: 32,
      steps: 1000,
    });
  });

  it('on as many columns as its model reads, or with a word that it is not', () => {
    const two = made(table, { inputs: at(2, 2) });
    assert.deepEqual((two.experiment.data as { features?: string[] }).features, ['co2', 'half']);
    const named = made(
      { ...table, columns: ['a', 'co2', 'half'] },
      {
        inputs: at(2, 2),
        features: at(9, ['half', 'a']),
      },
    );
    assert.deepEqual((named.experiment.data as { features?: string[] }).features, ['half', 'a']);
    const three = made(table, { inputs: at(2, 3), features: at(9, ['co2', 'gone']) });
    assert.deepEqual(three.notTaken, [
      at(2, 'The model reads 3 numbers a step; it is trained on one, the column co2.'),
      at(9, 'The file has no column of numbers named gone.'),
    ]);
    assert.equal((three.experiment.data as { features?: string[] }).features, undefined);
  });

  it('on a text with its window as the sequence, and on drawn data without epochs', () => {
    const text: ChosenData = {
      choice: { task: 'char-lm', path: 'a.txt' },
      columns: [],
      extent: 100_000,
    };
    const { experiment } = made(text, { window: at(1, 50), epochs: at(2, 3), batchSize: at(3, 20) });
    assert.equal(experiment.training?.seqLen, 50);
    assert.equal(experiment.training?.steps, 3 * 90);
    const drawn = made({ choice: { task: 'adding' }, columns: [], extent: null }, { epochs: at(2, 3) });
    assert.equal(drawn.experiment.training?.steps, 1500);
    assert.match(
      drawn.notTaken[0]!.value,
      /^3 epochs: data that are drawn anew have no end, so 1,500 updates/,
    );
    const rows: ChosenData = {
      choice: {
        task: 'classify',
        path: 'a.jsonl',
        fields: { label: 'kind', values: ['x'] },
        isWhole: true,
        vectors: true,
      },
      columns: [],
      extent: 9000,
      rows: 400,
    };
    const pairs = made(rows, { epochs: at(2, 20), batchSize: at(3, 32) });
    // 400 · 0.8 sequences by 32
    assert.equal(pairs.experiment.training?.steps, 20 * 10);
    const unknown = made({ ...rows, rows: null }, { epochs: at(2, 20) });
    assert.match(unknown.notTaken[0]!.value, /^20 epochs: how many updates one takes is not known yet, so/);
    const counted = made({ choice: { task: 'adding' }, columns: [], extent: null }, { steps: at(2, 77) });
    assert.equal(counted.experiment.training?.steps, 77);
  });

  it('under the name of its class, or of its file where that says nothing', () => {
    assert.equal(runName('CharModel', 'models/torch_model.py'), 'CharModel');
    assert.equal(runName('model', 'models/weather.py'), 'weather');
    assert.equal(runName('buildModel', 'forecast.ts'), 'forecast');
    assert.equal(runName('build', 'course.ipynb'), 'course');
    assert.equal(runName('buildForecaster', 'a.ts'), 'buildForecaster');
  });
});
