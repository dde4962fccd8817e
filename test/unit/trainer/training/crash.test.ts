// kill -9 at random instants, then resume: the same bits as a run that nobody disturbed.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { build } from 'esbuild';
import { randomStream } from '../../../../src/trainer/random.ts';
import { bitsOf, columnOf, makeRun, readRun, tinyExperiment, trainNew, useWorkspace } from './runs.ts';

/** npm run test:deep kills more often. */
const KILLS = process.env['UNROLL_TEST_DEEP'] ? 40 : 5;
const SEED = Number(process.env['UNROLL_TEST_SEED'] ?? Math.floor(Date.now() % 1e6));

describe('kill -9', () => {
  useWorkspace();
  let built = '';
  let worker = '';

  before(async () => {
    // bundled, so that twenty starts take seconds and not a minute
    built = mkdtempSync(join(tmpdir(), 'unroll-worker-'));
    worker = join(built, 'worker.mjs');
    await build({
      entryPoints: [join(import.meta.dirname, 'worker-child.ts')],
      outfile: worker,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      mainFields: ['module', 'main'], // as in esbuild.js
      define: { UNROLL_VERSION: '"test"' },
      banner: {
        js: 'import { createRequire as req } from "node:module"; const require = req(import.meta.url);',
      },
      logLevel: 'error',
    });
  });
  after(() => rmSync(built, { recursive: true, force: true }));

  it(`at ${KILLS} random instants changes no bit (UNROLL_TEST_SEED=${SEED})`, async () => {
    const spec = tinyExperiment({
      steps: 1000,
      checkpoint: { every: 9 },
      validation: { every: 21, maxBatches: 2 },
      sample: { every: 50, length: 3 },
    });
    const straight = await trainNew(spec);
    const folder = makeRun(spec);
    const random = randomStream(SEED, 'kill', 0);
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startWorker(worker, folder);
      const grown = 200 + random.int(3000);
      const { ended } = await untilGrown(folder, grown, child);
      assert.ok(!ended, `the run ended before kill ${kill + 1}: ${ended}`);
      child.kill('SIGKILL');
      await gone(child);
    }
    const last = startWorker(worker, folder);
    assert.equal(await gone(last), 0);
    const run = readRun(folder);
    assert.deepEqual(run.problems, []);
    assert.equal(run.ended?.reason, 'finished');
    assert.equal(bitsOf(folder), bitsOf(straight.folder));
    for (const name of ['trainLoss', 'gradNorm', 'valLoss'])
      assert.deepEqual(columnOf(folder, name), columnOf(straight.folder, name), name);
    const undisturbed = readRun(straight.folder);
    for (const [name, { steps, rows }] of undisturbed.series) {
      assert.deepEqual(run.series.get(name)?.steps, steps, name);
      assert.deepEqual(run.series.get(name)?.rows, rows, name);
    }
  });
});

function startWorker(worker: string, folder: string): ChildProcess {
  return spawn(process.execPath, [worker, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function gone(child: ChildProcess): Promise<number | null> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('exit', code => resolve(code));
  });
}

/** Until the run's events have grown by so many bytes. */
async function untilGrown(
  folder: string,
  bytes: number,
  child: ChildProcess,
): Promise<{ ended: string | null }> {
  const size = () => statSync(join(folder, 'events.jsonl'), { throwIfNoEntry: false })?.size ?? 0;
  const begin = size();
  while (size() < begin + bytes) {
    if (child.exitCode !== null)
      return { ended: `exit code ${child.exitCode}, ${readFileSync(join(folder, 'status.json'), 'utf8')}` };
    await wait(1);
  }
  return { ended: null };
}
