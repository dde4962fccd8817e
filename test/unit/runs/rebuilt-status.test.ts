// The status of a run whose status.json is lost, made from what else its folder holds; and how much of a folder is kept.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent, RunRequest } from '../../../src/runs/format.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { runFileOf, Scratch, scalars, sidecar } from './folder.ts';

const checkpoint = (step: number): RunEvent => ({
  kind: 'checkpoint',
  step,
  time: step,
  best: false,
  valLoss: 1,
});
const ended = (
  step: number,
  reason: 'finished' | 'stopped' | 'failed' | 'diverged',
  message: string,
): RunEvent => ({
  kind: 'ended',
  step,
  time: step,
  reason,
  message,
  trainLoss: null,
  valLoss: null,
  seconds: 1,
});

describe('a run without status.json', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  /** A folder with these events and no status. */
  function lost(events: readonly RunEvent[]): string {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    writer.writeRun(runFileOf(writer.request as RunRequest));
    for (const event of events) writer.event(event);
    writer.close();
    rmSync(join(folder, 'status.json'), { force: true });
    return folder;
  }

  function statusOf(folder: string) {
    const reader = new RunReader(folder);
    reader.poll();
    return reader.status;
  }

  it('is queued until run.json is there', () => {
    const folder = scratch.run();
    rmSync(join(folder, 'status.json'));
    assert.deepEqual(statusOf(folder), {
      state: 'queued',
      heartbeat: 0,
      step: 0,
      steps: 100,
      eta: null,
      last: {},
      message: null,
    });
  });

  it('stands at the last of its scalars, checkpoints and end', () => {
    const rows = [scalars(4, { trainLoss: 1 }), scalars(9, { trainLoss: 1 })];
    for (const [events, state, step] of [
      [[], 'training', 0],
      [rows, 'training', 9],
      [[...rows, checkpoint(3), checkpoint(9), checkpoint(12)], 'training', 12],
      [[checkpoint(3), checkpoint(8), ...rows], 'training', 9],
      [[...rows, ended(15, 'finished', '')], 'finished', 15],
    ] as const) {
      const status = statusOf(lost(events));
      assert.deepEqual([status?.state, status?.step, status?.heartbeat], [state, step, 0]);
    }
  });

  it('says why it failed or diverged, and nothing where it was stopped', () => {
    for (const [reason, message] of [
      ['failed', 'The disk is full.'],
      ['diverged', 'The loss is NaN.'],
      ['stopped', null],
    ] as const) {
      const status = statusOf(lost([ended(7, reason, message ?? 'by hand')]));
      assert.deepEqual([status?.state, status?.message], [reason, message]);
    }
  });

  it('goes on with its events, tells each change once, and gives way to a status that is written', () => {
    const folder = lost([scalars(4, { trainLoss: 1 })]);
    const reader = new RunReader(folder);
    assert.equal(reader.poll(), true);
    assert.equal(reader.poll(), false);
    const writer = RunWriter.open(folder);
    rmSync(join(folder, 'status.json'), { force: true });
    writer.event(scalars(6, { trainLoss: 1 }));
    assert.equal(reader.poll(), true);
    assert.deepEqual([reader.status?.step, reader.status?.heartbeat], [6, 0]);
    writer.status({ state: 'training', step: 7 });
    assert.equal(reader.poll(), true);
    assert.equal(reader.status?.step, 7);
    assert.ok(reader.status!.heartbeat > 0);
    writer.event(scalars(8, { trainLoss: 1 }));
    reader.poll();
    assert.equal(reader.status?.step, 7, 'the written one counts');
    writer.close();
  });
});

describe('findings of a folder', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  it('are the newest 200', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    for (let step = 1; step <= 202; step++)
      writer.event({
        kind: 'finding',
        step,
        time: step,
        finding: { id: 'plateau', severity: 'info', message: 'm', layer: null, evidence: {}, fixes: [] },
      });
    writer.close();
    const reader = new RunReader(folder);
    reader.poll();
    assert.deepEqual(
      reader.findings.map(({ step }) => step),
      Array.from({ length: 200 }, (_, i) => i + 3),
    );
  });
});

describe('series of a folder', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  /** One row in a series of its own. */
  function put(folder: string, name: string): void {
    const row = Buffer.alloc(28);
    row.writeUInt32LE(1);
    mkdirSync(join(folder, 'series'), { recursive: true });
    writeFileSync(join(folder, 'series', `${name}.f32`), row);
    writeFileSync(join(folder, 'series', `${name}.json`), JSON.stringify({ ...sidecar, name }));
  }

  it('are found also where the clock of the file system does not tell them from those before', () => {
    const folder = scratch.run();
    put(folder, 'first');
    const reader = new RunReader(folder);
    const now = new Date();
    utimesSync(join(folder, 'series'), now, now);
    reader.poll();
    put(folder, 'second');
    utimesSync(join(folder, 'series'), now, now);
    reader.poll();
    assert.deepEqual([...reader.series.keys()].sort(), ['first', 'second']);
  });

  it('are read up to 32, and what one cannot be read for is said once', () => {
    const folder = scratch.run();
    for (let i = 0; i < 33; i++) put(folder, `series-${i}`);
    const reader = new RunReader(folder);
    reader.poll();
    assert.equal(reader.series.size, 32);

    const damaged = scratch.run();
    put(damaged, 'cut');
    const file = join(damaged, 'series', 'cut.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
    const other = new RunReader(damaged);
    other.poll();
    other.poll();
    assert.equal(other.problems.length, 1);
    assert.match(other.problems[0]!, /"cut" is left out/);
  });
});
