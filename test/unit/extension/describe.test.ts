// How runs and comparisons read in the tree and the status bar.
import assert from 'node:assert/strict';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import {
  contextValue,
  type Described,
  groupDescription,
  groupState,
  matchesFilter,
  runDescription,
  runLabel,
  statusText,
} from '../../../src/extension/runs/describe.ts';
import type { RunStatus } from '../../../src/runs/format.ts';

const { experiment } = parseExperiment(
  '{"data":{"task":"adding"},"model":{"layers":[{"type":"lstm","units":8},{"type":"dense"}]}}',
);
const NOW = Date.parse('2026-11-21T12:00:00Z');

function run(state: Described['state'], status: Partial<RunStatus> = {}, label?: string): Described {
  return {
    name: 'emma',
    request: {
      experiment: experiment!,
      createdAt: '2026-11-21T11:57:00Z',
      group: label ? { id: 'g', index: 0, size: 3, label } : null,
    },
    status: {
      state: 'training',
      heartbeat: 1,
      step: 840,
      steps: 2000,
      eta: 109,
      last: {},
      message: null,
      ...status,
    },
    state,
    metric: { name: 'accuracy', label: 'Accuracy', unit: '%', better: 'higher' },
  };
}

describe('the filter of the tree', () => {
  const label = { name: null, note: 'Clipped harder', isStarred: true, tags: ['Good', 'paper'] };
  const emma = { ...run('diverged'), label };

  it('takes runs in which all of its words stand', () => {
    const table: [string, boolean][] = [
      ['', true],
      ['EMMA', true],
      ['lstm diverged', true],
      ['harder', true],
      ['#good star', true],
      ['★', true],
      ['paper', true],
      ['#goo', false],
      ['emma finished', false],
    ];
    for (const [filter, fits] of table) assert.equal(matchesFilter(emma, filter), fits, filter);
    assert.equal(matchesFilter({ ...emma, label: { ...label, isStarred: false } }, 'star'), false);
  });
});

describe('runs in words', () => {
  it('say what is going on, and the loss', () => {
    const table: [Described, string][] = [
      [run('training', { last: { valLoss: 1.67, trainLoss: 1 } }), 'step 840 / 2,000 · val 1.67'],
      [run('training', { last: { trainLoss: 1.234 } }), 'step 840 / 2,000 · train 1.23'],
      [run('crashed'), 'crashed at step 840 · 3 min ago'],
      [run('paused'), 'paused at step 840'],
      [run('diverged', { last: { valLoss: 'NaN' } }), 'diverged at step 840 · val NaN · 3 min ago'],
      [run('finished', { last: { valLoss: 1.5 } }), 'finished · val 1.50 · 3 min ago'],
      [
        run('finished', { last: { valLoss: 1.5, bestValLoss: 1.42 } }),
        'finished · val 1.50 (best 1.42) · 3 min ago',
      ],
      [run('finished', { last: { valLoss: 1.42, bestValLoss: 1.42 } }), 'finished · val 1.42 · 3 min ago'],
      [run('queued'), 'queued'],
      [
        run('finished', { last: { valLoss: 0.01, accuracy: 0.975 } }),
        'finished · val 0.0100 · accuracy 97.5 % · 3 min ago',
      ],
    ];
    for (const [described, text] of table) assert.equal(runDescription(described, NOW), text);
    assert.equal(runDescription(run('queued'), NOW, false), 'not started');
  });

  it('name members by what sets them apart', () => {
    assert.equal(runLabel(run('finished', {}, 'GRU'), true), 'GRU');
    assert.equal(runLabel(run('finished', {}, 'GRU'), false), 'emma GRU');
    assert.equal(runLabel({ ...run('finished'), name: '\u0007' }, false), 'run');
  });

  it('show of a comparison what wants attention', () => {
    assert.equal(groupState(['finished', 'training', 'diverged']), 'training');
    assert.equal(groupState(['finished', 'crashed']), 'crashed');
    assert.equal(groupState(['finished', 'finished']), 'finished');
    const members = [
      run('finished', { last: { valLoss: 1.7 } }, 'RNN'),
      run('finished', { last: { valLoss: 1.56 } }, 'GRU'),
    ];
    assert.equal(groupDescription(members, NOW), '2 runs · finished · best GRU 1.56 · 3 min ago');
  });

  it('give menus the words they look for', () => {
    assert.match(contextValue('training', 'run'), /,pausable,/);
    assert.match(contextValue('crashed', 'run'), /,continuable,/);
    assert.doesNotMatch(contextValue('finished', 'run'), /,(pausable|stoppable|continuable),/);
  });

  it('fill one item of the status bar', () => {
    assert.equal(statusText([]), null);
    const text = statusText([run('training', { last: { valLoss: 1.67 } }, 'GRU')]);
    assert.equal(text?.text, '$(loading~spin) emma 42 %');
    assert.equal(text?.tooltip, 'emma GRU: step 840 / 2,000 · val 1.67 · 1:49 left');
    assert.match(statusText([run('paused')])!.text, /^\$\(debug-pause\)/);
  });
});
