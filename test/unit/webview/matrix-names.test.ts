// Recurrent matrices have the names of their layers.
import assert from 'node:assert/strict';
import type { RunView } from '../../../src/protocol/messages.ts';
import { shortNames } from '../../../src/webview/matrix-names.ts';

function run(layers: Record<string, string>): Pick<RunView, 'series'> {
  const names = Object.keys(layers).map(name => ({ name }));
  return { series: { 'time-map': [{ layers: names, titles: Object.values(layers) }] } } as never;
}

describe('the names of recurrent matrices', () => {
  it('are gates where there is one level', () => {
    assert.deepEqual(shortNames(run({ 'layers.0.0': 'LSTM' }), ['layers.0.0 i', 'layers.0.0 f']), ['i', 'f']);
  });

  it('are the layer where a cell has one matrix, and layer and gate where there are several levels', () => {
    assert.deepEqual(shortNames(run({ 'layers.0.0': 'RNN' }), ['layers.0.0']), ['RNN']);
    const two = run({ 'layers.1.0': 'GRU', 'layers.1.0-reverse': 'GRU reverse' });
    assert.deepEqual(shortNames(two, ['layers.1.0 z', 'layers.1.0-reverse z']), ['GRU z', 'GRU reverse z']);
  });

  it('are those of the series where the run names no such level', () => {
    assert.deepEqual(shortNames(run({}), ['layers.0.0']), ['layers.0.0']);
  });
});
