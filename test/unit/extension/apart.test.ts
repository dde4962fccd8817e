// The rows of a pick of runs: stars are seen, and runs of one name are told apart.
import assert from 'node:assert/strict';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { pickRows } from '../../../src/extension/runs/apart.ts';
import type { ListedRun } from '../../../src/extension/runs/store.ts';

function run(name: string, units: number, seed: number, isStarred = false): ListedRun {
  const { experiment } = parseExperiment(
    JSON.stringify({
      data: { task: 'adding' },
      model: { layers: [{ type: 'gru', units }, { type: 'dense' }] },
      training: { seed },
    }),
  );
  return {
    folder: `/${name}-${units}-${seed}`,
    name,
    workspace: '/',
    label: { note: '', tags: [], isStarred },
    request: { experiment, group: null, createdAt: '2026-01-01T00:00:00Z' },
    status: { step: 5, steps: 9, last: { valLoss: 0.5 } },
    state: 'finished',
    metric: null,
  } as unknown as ListedRun;
}

describe('a pick of runs', () => {
  it('shows stars, and tells runs of one name apart', async () => {
    const runs = [run('a', 8, 1), run('b', 8, 1, true), run('b', 16, 1), run('b', 16, 2)];
    const rows = await pickRows(runs, Date.parse('2026-01-01T00:02:00Z'));
    assert.deepEqual(
      rows.map(({ label }) => label),
      ['a', '★ b · 8 units · seed 1', 'b · 16 units · seed 1', 'b · 16 units · seed 2'],
    );
    assert.equal(rows[0]!.description, 'finished · val 0.50 · 2 min ago');
    assert.equal(rows[3]!.run, runs[3]);
  });
});
