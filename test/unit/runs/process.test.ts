// Who a writer is: a process that started then, on this host since this boot.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';
import { isAlive, thisWriter } from '../../../src/runs/process.ts';

describe('the process of a writer', () => {
  it('is told by its host, its number and when it started', function () {
    const { host, pid, processStart } = thisWriter();
    assert.deepEqual([host, pid], [hostname(), process.pid]);
    if (process.platform !== 'linux') return this.skip();
    // hundredths of a second since the machine started
    const upTime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    const started = upTime - process.uptime();
    assert.ok(Math.abs(Number(processStart) / 100 - started) < 60, `${processStart}, ${started}`);
  });

  it('lives as itself alone', () => {
    const own = thisWriter();
    assert.equal(isAlive(own), true);
    assert.equal(isAlive({ ...own, processStart: '' }), true, 'a start that nobody could tell');
    if (own.processStart) assert.equal(isAlive({ ...own, processStart: `${own.processStart}0` }), false);
    assert.equal(isAlive({ ...own, host: 'elsewhere' }), null);
    assert.equal(isAlive({ ...own, bootId: 'before' }), false);
    const { pid } = spawnSync(process.execPath, ['--version']);
    assert.equal(isAlive({ ...own, pid }), false);
  });
});
