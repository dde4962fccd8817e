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
    // vectors of one float and no optimisation: seconds to compile instead of half a minute
    const flags = ['-std=c++20', '-O0', '-pthread', ...traps, '-DUNROLL_WIDTH=1', '-I', 'kernels', '-w'];
    const built = spawnSync(compiler, [...flags, 'test/unit/kernels/pool.cpp', '-o', program], {
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stderr);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const cases: [what: string, name: string, says: string][] = [
    ['counts its calls beyond 2^31', 'calls', '18'],
    ['lets the caller do the shares of threads that do not come', 'never', '12'],
    ['lets the caller do all where a thread loses its processor amid its shares', 'processor', '20 alone'],
    ['gives a recurrent layer the same bits whenever threads come', 'bits', '0'],
  ];
  for (const [what, name, says] of cases)
    it(what, () => {
      const { status, signal, stdout } = spawnSync(program, [name], { encoding: 'utf8', timeout: 300_000 });
      assert.deepEqual([status, signal, stdout], [0, null, `${says}\n`]);
    });
});
