import assert from 'node:assert/strict';
import { parseExperiment } from '../../../src/experiment/parse.ts';

const HUGE_MACHINE = 1e15;

function problems(change: { data?: object; layers?: object[]; training?: object }): string {
  const text = JSON.stringify({
    data: change.data ?? { task: 'adding' },
    model: { layers: change.layers ?? [{ type: 'gru', units: 1 }, { type: 'dense' }] },
    training: change.training ?? {},
  });
  const parsed = parseExperiment(text, { memoryBytes: HUGE_MACHINE });
  return parsed.problems
    .filter(({ severity }) => severity === 'error')
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('\n');
}

describe('bounds of an experiment', () => {
  const dense = { type: 'dense' };
  const refused: [name: string, change: Parameters<typeof problems>[0], message: RegExp][] = [
    [
      'a million stacked layers',
      { layers: [{ type: 'lstm', units: 4, layers: 1_000_000 }, dense] },
      /^model\.layers\.0\.layers: This model has 1,000,001 layers, stacked ones counted; at most 1,000 are allowed\.$/,
    ],
    [
      'stacks that are too deep together',
      { layers: [{ type: 'gru', units: 4, layers: 600 }, { type: 'rnn', units: 4, layers: 601 }, dense] },
      /^model\.layers\.1\.layers: This model has 1,202 layers/,
    ],
    [
      'a long list of layers',
      { layers: [...Array(1000).fill({ type: 'gru', units: 1 }), dense] },
      /^model\.layers: This model has 1,001 layers/,
    ],
    [
      'a million Transformer blocks',
      { layers: [{ type: 'transformer', layers: 1e6, heads: 1 }, dense] },
      /1,000,001 layers/,
    ],
    [
      'a sequence of 10⁷ steps',
      { data: { task: 'adding', length: 1e7 }, training: { batchSize: 1 } },
      /^data\.length: A training sequence has 10,000,000 steps \(`length`\); at most 1,000,000 are allowed\.$/,
    ],
    [
      'the same of a text',
      { data: { task: 'char-lm', path: 'a.txt' }, training: { seqLen: 1e7, batchSize: 1 } },
      /^training\.seqLen: A training sequence has 10,000,000 steps \(`seqLen`\)/,
    ],
    [
      'the same of a table',
      { data: { task: 'forecast', path: 'a.csv', target: 'y', window: 1e7 }, training: { batchSize: 1 } },
      /^data\.window: A training sequence has 10,000,000 steps \(`window`\)/,
    ],
    [
      'a batch whose steps cannot be counted',
      { data: { task: 'adding', length: 1e6 }, training: { batchSize: 10_000 } },
      /^training\.batchSize: A batch of 10,000 sequences of 1,000,000 steps has 1\.0e\+10|^training\.batchSize: A batch of 10,000 sequences/,
    ],
    [
      '32 dilated blocks',
      { layers: [{ type: 'tcn', units: 4, layers: 32 }, dense] },
      /^model\.layers\.0\.layers: The last convolution of this layer would look .* steps back; at most 19 blocks of this kernel size are allowed\.$/,
    ],
    ['64 dilated blocks', { layers: [{ type: 'tcn', units: 4, layers: 64 }, dense] }, /at most 19 blocks/],
    [
      'a kernel of 10⁹ steps',
      { layers: [{ type: 'tcn', units: 1, kernelSize: 1e9 }, dense] },
      /^model\.layers\.0\.kernelSize: .* look 999,999,999 steps back/,
    ],
    [
      '10⁹ units',
      { layers: [{ type: 'gru', units: 1e9 }, dense] },
      /^model\.layers\.0\.units: Training this would take about .* of memory/,
    ],
    [
      '10⁹ units of a Transformer',
      { layers: [{ type: 'transformer', heads: 1, hidden: 2 ** 52 }, dense] },
      /of memory/,
    ],
  ];
  for (const [name, change, message] of refused)
    it(`refuses ${name}`, () => assert.match(problems(change), message));

  it('allows what is at the bound', () => {
    assert.equal(problems({ layers: [{ type: 'gru', units: 1, layers: 999 }, dense] }), '');
    assert.equal(problems({ layers: [{ type: 'tcn', units: 4, layers: 19 }, dense] }), '');
    assert.equal(problems({ data: { task: 'adding', length: 1e6 }, training: { batchSize: 1 } }), '');
    assert.equal(problems({ layers: [{ type: 'tcn', units: 4, kernelSize: 1, layers: 30 }, dense] }), '');
  });
});
