// Members of a comparison.
import assert from 'node:assert/strict';
import { expandComparison } from '../../../src/experiment/compare.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';

const base = {
  data: { task: 'adding' },
  model: {
    layers: [{ type: 'rnn', units: 8, layers: 2, dropout: 0.1, activation: 'relu' }, { type: 'dense' }],
  },
  training: { seed: 5 },
};

function members(compare: object | undefined, rest: object = {}) {
  const { experiment, problems } = parseExperiment(JSON.stringify({ ...base, ...rest, compare }));
  assert.deepEqual(
    problems.map(problem => problem.message),
    [],
  );
  return expandComparison(experiment!);
}

describe('expandComparison', () => {
  it('is one member without a label where nothing is compared', () => {
    const all = members(undefined);
    assert.deepEqual(
      all.map(member => member.label),
      [''],
    );
    assert.equal(all[0]!.experiment.training.seed, 5);
  });

  it('changes the cell of every recurrent layer and keeps what cells share', () => {
    const all = members({ cell: ['rnn', 'gru', 'lstm'] });
    assert.deepEqual(
      all.map(member => member.label),
      ['RNN', 'GRU', 'LSTM'],
    );
    const layers = all.map(member => member.experiment.model.layers[0]!);
    assert.ok(
      layers.every(
        layer => 'recurrentInit' in layer && layer.units === 8 && layer.layers === 2 && layer.dropout === 0.1,
      ),
    );
    assert.equal('activation' in layers[0]! && layers[0]!.activation, 'relu');
    assert.ok(!('activation' in layers[2]!));
    for (const { experiment } of all) {
      assert.ok(!('compare' in experiment));
      assert.deepEqual(experimentSchema.parse(experiment), experiment);
    }
  });

  it('gives cells equal parameters where that is asked, within the count of the largest', () => {
    const model = {
      layers: [{ type: 'embedding', dim: 32 }, { type: 'lstm', units: 128 }, { type: 'dense' }],
    };
    const data = { task: 'char-lm', path: 'a.txt' };
    const all = members({ cell: ['rnn', 'gru', 'lstm'], equal: 'parameters' }, { model, data });
    const units = all.map(({ experiment }) => (experiment.model.layers[1] as { units: number }).units);
    // PyTorch: gates·units·(input + units + 2 biases) of an LSTM of 128 on 32 inputs is 82,944
    const countOf = (gates: number, n: number) => gates * n * (32 + n + 2);
    for (const [index, gates] of [1, 3, 4].entries()) {
      assert.ok(countOf(gates, units[index]!) <= 82_944 && countOf(gates, units[index]! + 1) > 82_944);
    }
    assert.equal(units[2], 128);
    const apart = members({ cell: ['rnn', { type: 'gru', units: 7 }], equal: 'parameters' }, { model, data });
    assert.equal((apart[1]!.experiment.model.layers[1] as { units: number }).units, 7);
  });

  it('refuses equal parameters where only the data tell the width of the input', () => {
    const { problems } = parseExperiment(
      JSON.stringify({
        data: { task: 'char-lm', path: 'a.txt' },
        model: { layers: [{ type: 'lstm', units: 8 }, { type: 'dense' }] },
        compare: { cell: ['rnn', 'gru'], equal: 'parameters' },
      }),
    );
    assert.match(problems[0]!.message, /depends on its input here, which only the data tell/);
  });

  it('multiplies axes, cells slowest and seeds fastest', () => {
    const all = members({ cell: ['gru', 'lstm'], 'training.optimizer.learningRate': [0.1, 0.2], seeds: 2 });
    assert.deepEqual(
      all.map(member => member.label),
      [
        'GRU · lr 0.1 · seed 5',
        'GRU · lr 0.1 · seed 6',
        'GRU · lr 0.2 · seed 5',
        'GRU · lr 0.2 · seed 6',
        'LSTM · lr 0.1 · seed 5',
        'LSTM · lr 0.1 · seed 6',
        'LSTM · lr 0.2 · seed 5',
        'LSTM · lr 0.2 · seed 6',
      ],
    );
    assert.equal(all[3]!.experiment.training.optimizer.learningRate, 0.2);
    assert.equal(all[3]!.experiment.training.seed, 6);
  });

  it('changes only the kind of optimizer; fields that the kind lacks go', () => {
    const all = members({ 'training.optimizer.type': ['adam', 'sgd'] });
    assert.deepEqual(
      all.map(member => member.label),
      ['type adam', 'type sgd'],
    );
    assert.deepEqual(all[1]!.experiment.training.optimizer, {
      type: 'sgd',
      learningRate: 0.001,
      momentum: 0,
      nesterov: false,
    });
  });

  it('reaches layers by number and fields that are not written', () => {
    const all = members({ 'model.layers[0].units': [4, 16], 'training.bptt.window': [10] });
    assert.deepEqual(
      all.map(member => member.label),
      ['units 4 · window 10', 'units 16 · window 10'],
    );
    const [layer] = all[1]!.experiment.model.layers;
    assert.equal('recurrentInit' in layer! && layer.units, 16);
    assert.equal(all[1]!.experiment.training.bptt.window, 10);
  });

  it('names two axes apart that end alike', () => {
    const layers = [{ type: 'rnn', units: 8 }, { type: 'gru', units: 8 }, { type: 'dense' }];
    const all = members({ 'model.layers.0.units': [4], 'model.layers.1.units': [6] }, { model: { layers } });
    assert.deepEqual(
      all.map(member => member.label),
      ['model.layers[0].units 4 · model.layers[1].units 6'],
    );
  });

  it('compares data, slowest, each with its own fields; cells may have fields of their own', () => {
    const all = members(
      {
        data: [
          { task: 'parity', length: 8, testLength: 32 },
          { task: 'parity', length: 16 },
          { task: 'adding', length: 20 },
        ],
        cell: ['gru', { type: 'tcn', layers: 4 }, { type: 'tcn', layers: 5, kernelSize: 2 }],
      },
      { model: { layers: [{ type: 'dense', units: 8 }, { type: 'rnn', units: 8 }, { type: 'dense' }] } },
    );
    assert.deepEqual(
      all.map(member => member.label),
      ['Parity, length 8, testLength 32', 'Parity, length 16', 'The adding problem'].flatMap(task =>
        ['GRU', 'TCN, layers 4', 'TCN, layers 5, kernelSize 2'].map(cell => `${task} · ${cell}`),
      ),
    );
    assert.deepEqual(all[0]!.experiment.data, { task: 'parity', length: 8, testLength: 32 });
    const { data, model } = all[8]!.experiment;
    assert.deepEqual(data, { task: 'adding', length: 20 });
    const [, cell] = model.layers;
    assert.ok(cell?.type === 'tcn' && cell.layers === 5 && cell.kernelSize === 2 && cell.units === 8);
    for (const { experiment } of all) assert.deepEqual(experimentSchema.parse(experiment), experiment);
  });

  it('says which of the data or cells does not fit the model', () => {
    const said = (compare: object) =>
      parseExperiment(
        JSON.stringify({
          data: { task: 'parity' },
          model: { layers: [{ type: 'embedding', dim: 6 }, { type: 'rnn', units: 8 }, { type: 'dense' }] },
          compare,
        }),
      ).problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
    assert.deepEqual(said({ data: [{ task: 'parity' }, { task: 'adding' }] }), [
      'compare.data.1: An embedding needs symbols, but the task "adding" gives vectors; leave it out.',
    ]);
    assert.match(
      said({ data: [{ task: 'parity', length: 0 }] })[0]!,
      /^compare\.data\.0\.length: `length` must be/,
    );
    assert.match(said({ cell: ['gru', 'transformer'] })[0]!, /^compare\.cell\.1: The 6 numbers .* 4 heads/);
    assert.match(
      said({ cell: [{ type: 'tcn', layer: 3 }] })[0]!,
      /^compare\.cell\.0\.layer: `layer` is not a key/,
    );
    assert.match(said({ cell: ['gpt'] })[0]!, /^compare\.cell\.0/);
    assert.deepEqual(said({ cell: [{ type: 'transformer', heads: 2 }] }), []);
  });

  it('gives members that share nothing', () => {
    const [first, second] = members({ seeds: 2 });
    first!.experiment.model.layers.length = 0;
    assert.equal(second!.experiment.model.layers.length, 2);
  });
});
