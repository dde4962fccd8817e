// Is somebody writing? And what lists show of runs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRun } from '../../../src/runs/create.ts';
import type { RunStatus } from '../../../src/runs/format.ts';
import { LifeWatch } from '../../../src/runs/life.ts';
import { diskUse, labelRun, listRuns, renameRun } from '../../../src/runs/list.ts';
import { isRunId, newRunId } from '../../../src/runs/paths.ts';
import { thisWriter } from '../../../src/runs/process.ts';
import { requestOf, Scratch } from './folder.ts';

const training: RunStatus = {
  state: 'training',
  heartbeat: 1,
  step: 5,
  steps: 10,
  eta: null,
  last: {},
  message: null,
};

describe('LifeWatch', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;
  const hold = (folder: string, writer: object) =>
    writeFileSync(join(folder, 'writer.json'), JSON.stringify({ ...thisWriter(), ...writer }));

  /** A watch on a clock of our own. */
  function watched(writer: object | null) {
    const folder = scratch.run();
    if (writer) hold(folder, writer);
    const clock = { now: 0 };
    const watch = new LifeWatch(() => clock.now);
    const at = (seconds: number, heartbeat: number, state: RunStatus['state'] = 'training') => {
      clock.now = seconds * 1000;
      return watch.judge(folder, { ...training, state, heartbeat });
    };
    return { folder, at };
  }

  it('a process of this machine that lives is never crashed, however silent', () => {
    const { at } = watched({});
    assert.deepEqual(at(0, 1), { state: 'training', heartbeatAge: 0 });
    assert.deepEqual(at(3600, 1), { state: 'training', heartbeatAge: 3600 });
  });

  it('a process of this machine that is gone is crashed at the first look', () => {
    assert.equal(watched({ pid: deadPid() }).at(0, 1).state, 'crashed');
    assert.equal(watched({ pid: deadPid() }).at(0, 1, 'paused').state, 'crashed');
  });

  it('a heartbeat seen to change is proof for two seconds', () => {
    const { at, folder } = watched({});
    at(0, 1);
    hold(folder, { pid: deadPid() });
    assert.equal(at(1, 2).state, 'training');
    assert.equal(at(2.5, 2).state, 'training');
    assert.equal(at(3.5, 2).state, 'crashed');
  });

  it('the first heartbeat of a run counts as one that was seen', () => {
    const { at } = watched({ pid: deadPid() });
    assert.equal(at(0, 0).state, 'crashed');
    assert.equal(at(1, 1).state, 'training');
  });

  it('another machine is silent after ten seconds without a change, and back with the next', () => {
    const { at } = watched({ host: 'elsewhere' });
    assert.equal(at(0, 1).state, 'training');
    assert.equal(at(9.9, 1).state, 'training');
    assert.equal(at(10.1, 1).state, 'silent');
    assert.equal(at(11, 2).state, 'training');
    assert.equal(at(20.9, 2).state, 'training');
    assert.equal(at(21.1, 2).state, 'silent');
  });

  it('without a writer a run that should be written is crashed after ten seconds', () => {
    const { at } = watched(null);
    assert.equal(at(0, 1).state, 'training');
    assert.equal(at(10.1, 1).state, 'crashed');
  });

  it('what has ended or waits stays what it is', () => {
    for (const state of ['queued', 'finished', 'stopped', 'diverged', 'failed', 'early-stopped'] as const) {
      assert.equal(watched({ pid: deadPid() }).at(100, 1, state).state, state);
    }
  });
});

describe('names and lists of runs', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  it('ids are legal everywhere, short, and sort by time', () => {
    const now = new Date('2026-11-21T03:56:00.123Z');
    for (const [name, start] of [
      ['shakespeare', '20261121T035600Z-shakespeare-'],
      ['Größe: 3/4 "x" <y>?', '20261121T035600Z-gro-e-3-4-x-y-'],
      ['唐诗', '20261121T035600Z-run-'],
      ['../../etc', '20261121T035600Z-etc-'],
      ['a'.repeat(200), `20261121T035600Z-${'a'.repeat(40)}-`],
      [`${'a'.repeat(39)} b`, `20261121T035600Z-${'a'.repeat(39)}-`],
    ] as const) {
      const id = newRunId(name, now);
      assert.ok(id.startsWith(start), id);
      assert.ok(isRunId(id) && id.length === start.length + 6, id);
    }
    assert.ok(newRunId('z', now) < newRunId('a', new Date('2026-11-21T03:56:01Z')));
  });

  it('lists newest first, with names that people gave, and leaves out what is no run', async () => {
    const workspace = scratch.folder();
    const later = createRun({ workspace }, requestOf(workspace));
    // a run's name begins with its second
    const first = join(dirname(later), newRunId('adding', new Date('2026-01-01')));
    renameSync(later, first);
    const second = createRun({ workspace }, requestOf(workspace));
    writeFileSync(join(dirname(first), 'notes.txt'), 'x');
    renameRun(first, `  mine${'!'.repeat(300)}`);
    const runs = listRuns(dirname(first));
    assert.deepEqual(
      runs.map(({ folder }) => folder),
      [second, first],
    );
    assert.equal(runs[1]!.name.length, 200);
    assert.equal(runs[0]!.name, 'adding');
    assert.ok(diskUse(first) > 500);
    assert.deepEqual(listRuns(join(workspace, 'nowhere')), []);
    // a note and a star stay when the name changes, and a file that is broken is none
    labelRun(first, { note: 'kept', isStarred: true, tags: ['a'] });
    renameRun(first, 'again');
    const { label } = listRuns(join(first, '..')).find(({ folder }) => folder === first)!;
    assert.deepEqual(label, { name: 'again', note: 'kept', isStarred: true, tags: ['a'] });
    writeFileSync(join(first, 'label.json'), '{"name":3,"tags":"x","isStarred":"yes"');
    const broken = listRuns(join(first, '..')).find(({ folder }) => folder === first)!;
    assert.deepEqual(broken.label, { name: null, note: '', isStarred: false, tags: [] });
  });
});
