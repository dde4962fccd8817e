// `unroll params` of models of every kind.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines, unroll } from './unroll.ts';

interface Counts {
  layer: string | null;
  total: number;
  layers: { count: number }[];
  cells: { cell: string; units: number | null; total: number; equalParameters: { units: number | null } }[];
}

function paramsOf(layers: object[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-params-'));
  const file = join(folder, 'e.rnn.json');
  writeFileSync(
    file,
    JSON.stringify({ data: { task: 'adding' }, model: { layers: [...layers, { type: 'dense' }] } }),
  );
  const { code, stdout, stderr } = unroll(['params', file, '--json']);
  assert.equal(code, 0, stderr);
  const text = unroll(['params', file]);
  assert.equal(text.code, 0, text.stderr);
  return jsonLines(stdout)[0] as unknown as Counts;
}

describe('unroll params', () => {
  it('counts a model without a recurrent layer, beside the cells that could take its place', () => {
    const { layer, cells, total, layers } = paramsOf([
      { type: 'dense', units: 8 },
      { type: 'transformer', heads: 2, positions: 'none' },
    ]);
    assert.equal(layer, 'layers.1');
    // 4·8² + 4·8 for the attention, 2·8·32 + 32 + 8 for the dense parts, 4·8 for two norms
    const transformer = cells.find(({ cell }) => cell === 'transformer')!;
    assert.equal(transformer.total, 256 + 32 + 512 + 40 + 32);
    assert.equal(transformer.equalParameters.units, null);
    assert.equal(layers[1]!.count, transformer.total);
    assert.equal(
      total,
      layers.reduce((sum, { count }) => sum + count, 0),
    );
    // cells in its place keep its width: 4·8·(8 + 8 + 2)
    const lstm = cells.find(({ cell }) => cell === 'lstm')!;
    assert.deepEqual([lstm.units, lstm.total], [8, 576]);
  });

  it('puts the layer of an experiment beside the classic cells', () => {
    const { cells } = paramsOf([{ type: 'tcn', units: 6 }]);
    assert.deepEqual(
      cells.map(({ cell }) => cell),
      ['rnn', 'gru', 'lstm', 'tcn'],
    );
  });
});
