// The ability matrix of runs on several data.
import assert from 'node:assert/strict';
import { expandComparison } from '../../../src/experiment/compare.ts';
import { LAYER_TYPES } from '../../../src/experiment/layers/index.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { TASK_KINDS, taskOf } from '../../../src/experiment/tasks/index.ts';
import { theorySays } from '../../../src/experiment/tasks/theory.ts';
import { matrixOf, matrixPlaces, matrixTable } from '../../../src/runs/matrix.ts';

const experiment = experimentSchema.parse({
  data: { task: 'parity' },
  model: { layers: [{ type: 'gru', units: 8 }, { type: 'dense' }] },
  compare: {
    data: [
      { task: 'parity', length: 8 },
      { task: 'parity', length: 16 },
      { task: 'copy-memory', length: 9 },
    ],
    cell: ['rnn', 'lru', { type: 'mamba', expand: 2 }],
    seeds: 2,
  },
});
const members = expandComparison(experiment).map(member => member.experiment);

describe('the ability matrix', () => {
  it('is none where all runs learn from the same data', () => {
    const one = { ...experiment, compare: { cell: ['rnn' as const, 'gru' as const] } };
    assert.equal(matrixPlaces(expandComparison(one).map(member => member.experiment)), null);
    assert.equal(matrixPlaces([]), null);
  });

  it('has a row a model and a column for each of the data, with the mean over seeds and what theory says', () => {
    const places = matrixPlaces(members)!;
    const runs = members.map(({ data, training, model }, index) => {
      const values: Record<string, number> = { accuracy: 0.1, valLoss: 3 };
      if (data.task === 'parity') values['testAccuracy'] = training.seed === 1 ? 0.5 : 0.7;
      if (model.layers[0]!.type === 'lru' && data.task === 'copy-memory') delete values['accuracy'];
      return {
        place: places[index]!,
        metrics: taskOf(data).metrics,
        last: (name: string) => values[name] ?? null,
      };
    });
    // one run is not there yet
    const matrix = matrixOf(runs.filter((_, index) => index !== 0 && index !== 1));
    const { head, rows } = matrixTable(matrix);
    assert.deepEqual(head, ['layer', 'Parity · length 8', 'Parity · length 16', 'Copy memory']);
    assert.deepEqual(
      [...rows].sort(),
      [
        ['LRU', '60 % ✗', '60 % ✗', '– ✓'],
        ['Mamba', '60 % ✗', '60 % ✗', '10 % ✓'],
        ['RNN', '', '60 % ✓', '10 % ✗'],
      ].sort(),
    );
    assert.deepEqual(
      matrix.columns.map(({ measure }) => measure),
      ['Answers right', 'Answers right', 'Symbols right'],
    );
  });

  it('names the rows of runs that were trained apart by their names, where each has its own', () => {
    const other = experimentSchema.parse({
      data: { task: 'copy-memory' },
      model: { layers: [{ type: 'embedding', dim: 4 }, { type: 'lstm', units: 8 }, { type: 'dense' }] },
    });
    const runs = [{ ...experiment, compare: undefined }, other];
    const named = (names?: string[]) => matrixPlaces(runs, names)!.map(({ rowTitle }) => rowTitle);
    assert.deepEqual(named(['weather', 'emma']), ['weather', 'emma']);
    // nothing is said of a layer that one of two models does not have
    assert.deepEqual(named(), ['GRU · Dense', 'Embedding · LSTM · Dense']);
    assert.deepEqual(named(['same', 'same']), named());
  });

  it('says of a layer that it can or that it cannot, never both, and of none that there is not', () => {
    for (const task of Object.values(TASK_KINDS))
      for (const layer of LAYER_TYPES) assert.notEqual(theorySays(layer, task), undefined);
    assert.equal(theorySays('s-lstm', TASK_KINDS.parity), true);
    assert.equal(theorySays('mamba', TASK_KINDS.parity), false);
    assert.equal(theorySays('s4d', TASK_KINDS['selective-copy']), false);
    assert.equal(theorySays('mamba', TASK_KINDS['selective-copy']), true);
    assert.equal(theorySays('deltanet', TASK_KINDS['associative-recall']), true);
    assert.equal(theorySays('conv1d', TASK_KINDS.parity), null);
    assert.equal(theorySays('gru', TASK_KINDS['char-lm']), null);
  });
});
