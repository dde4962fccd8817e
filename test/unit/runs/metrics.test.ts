// Metrics of a run, those that version 0.1.0 did not name, and what their values read like.
import assert from 'node:assert/strict';
import { metricText } from '../../../src/runs/metric-text.ts';
import { metricsOf } from '../../../src/runs/metrics.ts';
import { experiment, runFileOf } from './folder.ts';

describe("a task's metrics", () => {
  it('are those of run.json, else those of the kind of task', () => {
    const metric = { name: 'chrF', label: 'chrF', unit: '', better: 'higher' as const };
    const file = runFileOf({ experiment } as Parameters<typeof runFileOf>[0]);
    assert.deepEqual(metricsOf({ ...file, task: { ...file.task, metrics: [metric] } }), [metric]);
    assert.deepEqual(
      metricsOf({ ...file, task: { ...file.task, metrics: undefined } }).map(({ name }) => name),
      ['accuracy'],
    );
  });

  it('are said in three digits, a share in percent', () => {
    const said = (unit: string, value: number) => metricText({ unit }, value);
    assert.equal(said('%', 0.97531), '97.5 %');
    assert.equal(said('%', 1), '100 %');
    assert.equal(said('bits/char', 1.8349), '1.83 bits/char');
    assert.equal(said('', 6.1234), '6.12');
    assert.equal(said('', 0.00001234), '1.23e-5');
    assert.equal(said('', Number.NaN), 'NaN');
  });
});
