// The kernels' pool of threads, built for itself with traps for signed overflow.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const compiler = process.env.CXX ?? 'g++';
const found = spawnSync(compiler, ['--version']).status === 0;

describe('pool of threads', () => {
  if (!found || process.platform === 'win32') {
    it(`skipped: there is no ${compiler} here`, function () {
      this.skip();
    });
    return;
  }
  let folder: string;
  let program: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'unroll-pool-'));
    program = path.join(folder, 'pool');
    const traps = ['-fsanitize=undefined', '-fsanitize-undefined-trap-on-error'];
    const flags = ['-std=c++20', '-O1', '-pthread', ...traps, '-I', 'kernels', '-Wno-psabi'];
    const built = spawnSync(compiler, [...flags, 'test/unit/kernels/pool.cpp', '-o', program], {
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stderr);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('counts its calls beyond 2^31', () => {
    const { status, signal, stdout } = spawnSync(program, ['calls'], { encoding: 'utf8', timeout: 300_000 });
    assert.deepEqual([status, signal, stdout], [0, null, '18\n']);
  });

  it('is asked for all of its threads by a team that meets', () => {
    const { signal } = spawnSync(program, ['meet'], { timeout: 300_000 });
    assert.ok(signal === 'SIGILL' || signal === 'SIGTRAP', String(signal));
  });
});
