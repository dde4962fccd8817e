// The table of abilities: what its figures are, said once where all columns have the same.
import assert from 'node:assert/strict';
import type { RunView } from '../../../src/protocol/messages.ts';
import { abilityLegend, abilityRows, columnsOf } from '../../../src/webview/matrix-columns.ts';

function run(column: string, measure: string | null, can: boolean | null): RunView {
  const place = { row: column, column, rowTitle: column, columnTitle: column, can };
  const metrics = measure === null ? [] : [{ name: 'm', label: measure, unit: '', better: 'lower' }];
  return { matrix: place, task: { metrics }, last: { m: 2, valLoss: 3 } } as unknown as RunView;
}

const legendOf = (runs: readonly RunView[]) => abilityLegend(columnsOf(runs), abilityRows(runs, Number));

describe('the legend of the table of abilities', () => {
  it('names one measure, and the signs of theory where there are any', () => {
    assert.equal(
      legendOf([run('Parity', 'Accuracy', true), run('Dyck', 'Accuracy', null)]),
      'Accuracy of the test part, of validation until then. Theory: ✓ the layer can, ✗ it cannot.',
    );
  });

  it('names the measure of each column where they differ', () => {
    assert.equal(
      legendOf([run('Forecast', 'RMSE', null), run('Next character', null, null)]),
      'Figures of the test part, of validation until then. Forecast: RMSE, Next character: validation loss.',
    );
  });
});
