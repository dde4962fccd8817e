// Files that are replaced whole while another process stands in the way, or where the disk takes a part at a time.
import assert from 'node:assert/strict';
import fs, { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { renameWithRetry, replaceFile } from '../../../src/runs/json.ts';

const { renameSync, writeSync } = fs;
const { now } = Date;
const { wait } = Atomics;

describe('a file that is replaced', () => {
  let folder: string;
  let clock: number;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'unroll-replaced-'));
    clock = 1_000_000;
    Date.now = () => clock;
    // waiting moves the clock of this test, and nothing else does
    Atomics.wait = ((_array: Int32Array, _index: number, _value: number, milliseconds: number) => {
      clock += milliseconds;
      return 'timed-out';
    }) as typeof Atomics.wait;
  });
  afterEach(() => {
    Object.assign(fs, { renameSync, writeSync });
    syncBuiltinESMExports();
    Date.now = now;
    Atomics.wait = wait;
    rmSync(folder, { recursive: true });
  });

  /** Renaming fails with this code until the clock has gone on for so many milliseconds. */
  function held(code: string, milliseconds: number): { calls: number } {
    const counted = { calls: 0 };
    const until = clock + milliseconds;
    fs.renameSync = (from, to) => {
      counted.calls++;
      if (clock < until) throw Object.assign(new Error(code), { code });
      renameSync(from, to);
    };
    syncBuiltinESMExports();
    return counted;
  }

  for (const code of ['EPERM', 'EBUSY', 'EACCES'])
    it(`is tried again for two seconds after ${code}`, () => {
      const target = path.join(folder, 'status.json');
      writeFileSync(target, 'old');
      const patient = held(code, 1900);
      replaceFile(target, 'new');
      assert.equal(readFileSync(target, 'utf8'), 'new');
      assert.ok(patient.calls > 10);
      const began = clock;
      held(code, 60_000);
      assert.throws(() => replaceFile(target, 'newer'), { code });
      assert.ok(clock - began >= 2000 && clock - began < 2200, `${clock - began} ms`);
      assert.equal(readFileSync(target, 'utf8'), 'new');
      assert.deepEqual(fs.readdirSync(folder), ['status.json']);
    });

  it('is not tried again where the fault stays', () => {
    const counted = held('ENOENT', 60_000);
    assert.throws(() => renameWithRetry(path.join(folder, 'a'), path.join(folder, 'b')), { code: 'ENOENT' });
    assert.equal(counted.calls, 1);
  });

  it('holds all its bytes where the disk takes a few at a time', () => {
    let calls = 0;
    fs.writeSync = ((file: number, bytes: Uint8Array, from: number) => {
      assert.ok(++calls <= 4, 'no end');
      return writeSync(file, bytes, from, Math.min(3, bytes.length - from));
    }) as typeof fs.writeSync;
    syncBuiltinESMExports();
    replaceFile(path.join(folder, 'a.json'), '0123456789');
    assert.equal(readFileSync(path.join(folder, 'a.json'), 'utf8'), '0123456789');
    assert.equal(calls, 4);
  });
});
