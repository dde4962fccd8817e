// A writer killed at random instants: nothing complete is lost, readers see no fault, and the next one goes on.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { latestCheckpoint } from '../../../src/runs/checkpoints.ts';
import { createRun } from '../../../src/runs/create.ts';
import { DiskFullError } from '../../../src/runs/errors.ts';
import { LifeWatch } from '../../../src/runs/life.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { forkChild } from './child.ts';
import { requestOf, Scratch, scalars, sidecar } from './folder.ts';

/** npm run test:deep kills more often. */
const KILLS = process.env['UNROLL_TEST_DEEP'] ? 40 : 6;
/** of events between two kills: some hundred steps, a checkpoint after every twentieth */
const MOST_BYTES = 50_000;
const seed = Number(process.env['UNROLL_SEED'] ?? Date.now() % 1e6);

/** Mulberry32: small, and replayable by its seed. */
function random(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a writer that is killed', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  it(`${KILLS} times at random instants (UNROLL_SEED=${seed})`, async () => {
    const draw = random(seed);
    const folder = scratch.run();
    const live = new RunReader(folder);
    let least = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = forkChild('crash-child', [folder]);
      await once(child, 'message');
      // an instant is a size of what was written, since a busy machine makes any time too short
      const events = join(folder, 'events.jsonl');
      const until = (statSync(events, { throwIfNoEntry: false })?.size ?? 0) + draw() * MOST_BYTES;
      while ((statSync(events, { throwIfNoEntry: false })?.size ?? 0) < until) {
        live.poll();
        await wait(1);
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      live.poll();
      for (const reader of [live, readNew(folder)]) checkWhole(reader, least);
      const checkpoint = latestCheckpoint(folder);
      if (checkpoint) checkCheckpoint(checkpoint.folder, checkpoint.step);
      assert.ok((checkpoint?.step ?? 0) >= least, `checkpoint ${checkpoint?.step} after ${least}`);
      least = checkpoint?.step ?? 0;
      const watch = new LifeWatch();
      assert.equal(watch.judge(folder, { ...live.status!, state: 'training' }).state, 'crashed');
    }
    assert.ok(least > 0, 'no checkpoint was ever reached');
    RunWriter.open(folder).close();
    assert.deepEqual(
      readdirSync(join(folder, 'checkpoints')).filter(name => name.startsWith('.')),
      [],
    );
  });

  function readNew(folder: string): RunReader {
    const reader = new RunReader(folder);
    reader.poll();
    return reader;
  }

  /** Steps 1 … n without gap in scalars and series, at least up to the last checkpoint. */
  function checkWhole(reader: RunReader, least: number): void {
    assert.deepEqual(reader.problems, []);
    const loss = reader.scalars.get('trainLoss');
    const steps = [...(loss?.steps.values() ?? [])];
    assert.deepEqual(
      steps,
      Array.from({ length: steps.length }, (_, i) => i + 1),
    );
    assert.deepEqual([...(loss?.mean.values() ?? [])], steps);
    assert.ok(steps.length >= least);
    const series = reader.series.get(sidecar.name);
    assert.deepEqual(
      series?.steps ?? [],
      Array.from({ length: series?.steps.length ?? 0 }, (_, i) => i + 1),
    );
    assert.ok(series === undefined || series.rows.every((row, i) => row.every(value => value === i + 1)));
  }

  function checkCheckpoint(folder: string, step: number): void {
    const weights = readFileSync(join(folder, 'weights.safetensors'));
    assert.equal(weights.length, 50_000);
    assert.ok(weights.every(byte => byte === step % 251));
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')), { step });
  }
});

describe('a full disk', () => {
  const scratch = new Scratch();
  let mounted: string | null = null;
  afterEach(() => {
    if (mounted) execFileSync('umount', [mounted]);
    mounted = null;
    scratch.clean();
  });

  it('is told as such, leaves whole lines and rows, and writing goes on when there is space again', function () {
    const disk = join(scratch.folder(), 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'ignore' });
      mounted = disk;
    } catch {
      // no rights to mount a small disk here
      this.skip();
    }
    const folder = createRun({ out: disk }, requestOf(disk));
    const writer = RunWriter.open(folder);
    const series = writer.series(sidecar.name, {
      ...sidecar,
      width: 600,
      axes: [
        { name: 'layer', size: 2 },
        { name: 't', size: 300 },
      ],
    });
    let step = 0;
    assert.throws(() => {
      for (step = 1; ; step++) {
        series.row(step, new Float32Array(600).fill(step));
        writer.event(scalars(step, { trainLoss: step }));
      }
    }, DiskFullError);
    assert.throws(
      () =>
        writer.checkpoint(step, new Map([['weights.safetensors', Buffer.alloc(100_000)]]), { best: false }),
      DiskFullError,
    );
    const warnings: string[] = [];
    writer.onWarning = warning => warnings.push(warning);
    writer.status({ state: 'paused' });
    const file = join(folder, 'series', `${sidecar.name}.f32`);
    assert.equal(statSync(file).size % (4 + 600 * 4), 0, 'a torn row was left');
    assert.ok(readFileSync(join(folder, 'events.jsonl'), 'utf8').endsWith('}\n'));
    assert.ok(!existsSync(join(folder, 'checkpoints', `.tmp-${step}`)));
    execFileSync('mount', ['-o', 'remount,size=2m', disk]);
    writer.status({ state: 'training' });
    series.row(step + 1, new Float32Array(600));
    writer.checkpoint(step + 1, new Map([['weights.safetensors', Buffer.alloc(100_000)]]), { best: false });
    writer.close();
    const reader = new RunReader(folder);
    reader.poll();
    assert.deepEqual(reader.problems, []);
    assert.equal(reader.status?.state, 'training');
    assert.equal(latestCheckpoint(folder)?.step, step + 1);
  });
});
