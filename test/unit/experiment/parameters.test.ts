// Parameter counts against the exact table, and what a step will take.
import assert from 'node:assert/strict';
import { type CellName, countRecurrent, placedCell } from '../../../src/experiment/framework-cell.ts';
import { firstCell, knownSizes } from '../../../src/experiment/models.ts';
import { countAs, countModel, equalUnits } from '../../../src/experiment/parameters.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { multiplyAdds, predictMemory } from '../../../src/experiment/resources.ts';
import type { Convention, Experiment } from '../../../src/experiment/schema.ts';

function experimentOf(value: object): Experiment {
  const { experiment, problems } = parseExperiment(JSON.stringify(value), { memoryBytes: 1e15 });
  assert.deepEqual(problems, []);
  return experiment!;
}

describe('countRecurrent', () => {
  // 128 inputs, 256 units: one bias, two biases
  const table: [CellName, Convention, boolean | undefined, number, string][] = [
    ['rnn', 'keras', undefined, 98_560, '256·(128 + 256 + 1)'],
    ['rnn', 'tfjs', undefined, 98_560, '256·(128 + 256 + 1)'],
    ['rnn', 'pytorch', undefined, 98_816, '256·(128 + 256 + 2)'],
    ['lstm', 'keras', undefined, 394_240, '4·256·(128 + 256 + 1)'],
    ['lstm', 'tfjs', undefined, 394_240, '4·256·(128 + 256 + 1)'],
    ['lstm', 'pytorch', undefined, 395_264, '4·256·(128 + 256 + 2)'],
    ['gru', 'tfjs', undefined, 295_680, '3·256·(128 + 256 + 1)'],
    ['gru', 'keras', false, 295_680, '3·256·(128 + 256 + 1)'],
    ['gru', 'keras', undefined, 296_448, '3·256·(128 + 256 + 2)'],
    ['gru', 'tfjs', true, 296_448, '3·256·(128 + 256 + 2)'],
    ['gru', 'pytorch', undefined, 296_448, '3·256·(128 + 256 + 2)'],
  ];
  for (const [cell, convention, resetAfter, total, formula] of table) {
    it(`${cell} 128→256, ${convention}${resetAfter === undefined ? '' : `, resetAfter ${resetAfter}`}: ${total}`, () => {
      const count = countRecurrent({ cell, inputSize: 128, units: 256, convention, resetAfter });
      assert.equal(count.total, total);
      assert.equal(count.formula, formula);
      assert.equal(count.input + count.recurrent + count.bias, total);
    });
  }

  it('counts a stack: PyTorch, LSTM 300→512, two layers: 3,768,320', () => {
    const shape = { cell: 'lstm', inputSize: 300, units: 512, convention: 'pytorch' } as const;
    const two = countRecurrent({ ...shape, layers: 2 });
    assert.equal(two.total, 3_768_320);
    assert.equal(two.formula, '4·512·(300 + 512 + 2) + 4·512·(512 + 512 + 2)');
    const four = countRecurrent({ ...shape, layers: 4 });
    assert.equal(four.formula, '4·512·(300 + 512 + 2) + 3·4·512·(512 + 512 + 2)');
    assert.equal(four.total, two.total + 2 * 4 * 512 * (512 + 512 + 2));
  });

  it('counts both directions: PyTorch, bidirectional LSTM 300→512, two layers: 9,633,792', () => {
    const count = countRecurrent({
      cell: 'lstm',
      inputSize: 300,
      units: 512,
      layers: 2,
      directions: 2,
      convention: 'pytorch',
    });
    assert.equal(count.total, 9_633_792);
    assert.equal(count.input + count.recurrent + count.bias, count.total);
    assert.equal(count.formula, '2·4·512·(300 + 512 + 2) + 2·4·512·(1024 + 512 + 2)');
  });
});

describe('equalUnits', () => {
  it('are RNN 271 and GRU 150 for an LSTM of 128 on 32 inputs', () => {
    const lstm = placedCell({ cell: 'lstm', inputSize: 32, units: 128, convention: 'pytorch' });
    const budget = countAs(lstm, 'lstm').count;
    assert.equal(budget, 82_944);
    for (const [cell, units] of [
      ['rnn', 271],
      ['gru', 150],
      ['lstm', 128],
    ] as const) {
      assert.equal(equalUnits(lstm, cell, budget), units);
      assert.ok(countAs(lstm, cell, units).count <= budget);
      assert.ok(countAs(lstm, cell, units + 1).count > budget);
    }
    assert.equal(equalUnits(lstm, 'rnn', 0), 1);
  });
});

describe('countModel', () => {
  it('counts every layer, and tokens without an embedding as one-hot', () => {
    const layers = [
      { type: 'embedding', dim: 32 },
      { type: 'lstm', units: 128 },
      { type: 'dropout', rate: 0.1 },
      { type: 'dense' },
    ];
    const experiment = experimentOf({ data: { task: 'char-lm', path: 't.txt' }, model: { layers } });
    const sizes = { input: { kind: 'tokens', vocabulary: 65 }, outputs: 65 } as const;
    assert.deepEqual(countModel(experiment, sizes), {
      total: 65 * 32 + 82_944 + 129 * 65,
      layers: [
        { name: 'layers.0', type: 'embedding', count: 2080, formula: '65·32' },
        { name: 'layers.1', type: 'lstm', count: 82_944, formula: '4·128·(32 + 128 + 2)' },
        { name: 'layers.2', type: 'dropout', count: 0, formula: '0' },
        { name: 'layers.3', type: 'dense', count: 8385, formula: '(128 + 1)·65' },
      ],
    });
    const bare = experimentOf({
      data: { task: 'char-lm', path: 't.txt' },
      model: { layers: layers.slice(1) },
    });
    assert.equal(countModel(bare, sizes).layers[0]!.formula, '4·128·(65 + 128 + 2)');
  });

  it('agrees with measured models: temporal order, LSTM 32, one bias: 5124', () => {
    const model = { convention: 'tfjs', layers: [{ type: 'lstm', units: 32 }, { type: 'dense' }] };
    const experiment = experimentOf({ data: { task: 'temporal-order' }, model });
    assert.equal(countModel(experiment, knownSizes(experiment)!).total, 5124);
  });

  it('knows the first cell before the data is read where an embedding gives its width', () => {
    const data = { task: 'char-lm', path: 't.txt' };
    const gru = { type: 'gru', units: 8 };
    const withEmbedding = experimentOf({
      data,
      model: { layers: [{ type: 'embedding', dim: 5 }, gru, { type: 'dense' }] },
    });
    assert.equal(firstCell(withEmbedding)?.at.inputs, 5);
    const without = experimentOf({ data, model: { layers: [gru, { type: 'dense' }] } });
    assert.equal(firstCell(without)?.at.inputs, Number.NaN);
  });
});

describe('resources', () => {
  it('multiply-adds know the sequence length: PyTorch LSTM 300→512, two layers, T=100: 376,012,800', () => {
    const experiment = experimentOf({
      data: { task: 'forecast', path: 't.csv', target: 'y', window: 100 },
      model: { layers: [{ type: 'lstm', units: 512, layers: 2 }, { type: 'dense' }] },
    });
    const sizes = { input: { kind: 'vectors', features: 300 }, outputs: 1 } as const;
    assert.equal(multiplyAdds(experiment, sizes).forward, 376_012_800 + 512);
  });

  it('memory grows with the batch and holds the weights several times', () => {
    const of = (batchSize: number) =>
      predictMemory(
        experimentOf({
          data: { task: 'adding' },
          model: { layers: [{ type: 'lstm', units: 64 }, { type: 'dense' }] },
          training: { batchSize },
        }),
        { input: { kind: 'vectors', features: 2 }, outputs: 1 },
      );
    const part = (prediction: ReturnType<typeof of>, name: string) =>
      prediction.parts.find(candidate => candidate.name === name)!.bytes;
    assert.equal(part(of(64), 'activations'), 2 * part(of(32), 'activations'));
    assert.equal(part(of(32), 'optimizer'), 2 * part(of(32), 'weights'));
    assert.equal(part(of(32), 'weights'), 4 * (4 * 64 * (2 + 64 + 2) + 65));
  });

  it('memory holds no logits of a step where the loss takes the last dense layer along', () => {
    const of = (task: 'temporal-order' | 'adding') =>
      predictMemory(
        experimentOf({
          data: { task, length: 10 },
          model: { layers: [{ type: 'rnn', units: 8 }, { type: 'dense' }] },
          training: { batchSize: 4 },
        }),
        { input: { kind: 'vectors', features: 3 }, outputs: 50 },
      );
    const part = (prediction: ReturnType<typeof of>, name: string) =>
      prediction.parts.find(candidate => candidate.name === name)!.bytes;
    const [crossEntropy, squares] = [of('temporal-order'), of('adding')];
    const logits = 40 * 50 * 4;
    assert.equal(part(squares, 'activations') - part(crossEntropy, 'activations'), 2 * logits);
    assert.equal(part(crossEntropy, 'outputs'), 4 * 50 * 4);
    assert.equal(part(squares, 'outputs'), 3 * 4 * 50 * 4);
  });

  it('memory of a long sequence whose gradient is cut grows with its data alone', () => {
    const of = (seqLen: number, window?: number) =>
      predictMemory(
        experimentOf({
          data: { task: 'char-lm', path: 't.txt' },
          model: { layers: [{ type: 'lstm', units: 64 }, { type: 'dense' }] },
          training: { batchSize: 8, seqLen, bptt: { window } },
        }),
        { input: { kind: 'tokens', vocabulary: 50 }, outputs: 50 },
      );
    assert.ok(of(10_000).bytes > 2 * of(100).bytes);
    assert.equal(of(10_000, 100).bytes - of(100).bytes, 9900 * 8 * 2 * 4);
  });

  it('memory of batches that are cut is that of the longest sequence, or of as many steps as a pass may have', () => {
    const of = (batchSize: number, maxTokens?: number) =>
      predictMemory(
        experimentOf({
          data: { task: 'seq2seq', path: 'pairs.tsv' },
          model: {
            encoder: [{ type: 'gru', units: 8 }],
            layers: [{ type: 'gru', units: 8 }, { type: 'attention' }, { type: 'dense' }],
          },
          training: { batchSize },
        }),
        {
          input: { kind: 'tokens', vocabulary: 20 },
          source: { kind: 'tokens', vocabulary: 20 },
          outputs: 20,
          steps: 10_001,
        },
        maxTokens,
      ).parts.find(({ name }) => name === 'activations')!.bytes;
    assert.equal(of(32, 7424), of(1));
    assert.equal(of(32, 3 * 10_001), 3 * of(1));
    assert.equal(of(32, 1e9), of(32));
    // shares of all pairs of steps stand in memory
    assert.ok(of(1) > 10_001 ** 2 * 4);
  });
});
