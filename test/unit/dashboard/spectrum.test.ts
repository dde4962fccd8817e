// The spectra of a run as the page gets them: thinned, with the first and the newest row.
import assert from 'node:assert/strict';
import { spectrumView } from '../../../src/extension/dashboard/views/spectrum.ts';

function source(count: number, width = 6, maps: string[] = ['layers.0.0 r', 'layers.0.0 z']) {
  return {
    sidecar: {
      name: 'spectrum',
      view: 'spectrum',
      width,
      axes: [
        { name: 'map', size: maps.length, labels: maps },
        { name: 'figure', size: 3, labels: ['radius', 'sigma', 'condition'] },
      ],
      layers: [],
      unit: '',
    },
    steps: Array.from({ length: count }, (_, row) => 10 * (row + 1)),
    rows: Array.from({ length: count }, (_, row) =>
      Float32Array.from({ length: width }, (__, at) => row + at / 8),
    ),
  };
}

describe('the view of a spectrum', () => {
  it('has each row of a short run', () => {
    const view = spectrumView(source(3))!;
    assert.deepEqual(view.maps, ['layers.0.0 r', 'layers.0.0 z']);
    assert.deepEqual([...view.steps], [10, 20, 30]);
    assert.deepEqual([...view.figures.slice(6, 12)], [1, 1.125, 1.25, 1.375, 1.5, 1.625]);
  });

  it('has 200 rows of a long one, the first and the newest among them, in order', () => {
    const view = spectrumView(source(5000))!;
    assert.equal(view.steps.length, 200);
    assert.equal(view.steps[0], 10);
    assert.equal(view.steps[199], 50_000);
    assert.ok(view.steps.every((step, row) => row === 0 || step > view.steps[row - 1]!));
    assert.equal(view.figures[199 * 6], 4999);
  });

  it('is nothing before the first row, or where the sidecar does not fit its rows', () => {
    assert.equal(spectrumView(source(0)), null);
    assert.equal(spectrumView(source(2, 5)), null);
    assert.equal(spectrumView(source(2, 6, [])), null);
  });
});
