// One writer a run: real processes race for it, dead ones are taken over, living and foreign ones are not.

import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs, { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import { RunBusyError } from '../../../src/runs/errors.ts';
import type { WriterFile } from '../../../src/runs/format.ts';
import { isAlive, thisWriter } from '../../../src/runs/process.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { forkChild } from './child.ts';
import { Scratch } from './folder.ts';

const RIVALS = 3;
const ROUNDS = process.env['UNROLL_TEST_DEEP'] ? 24 : 4;

describe('the lock of a run', () => {
  const scratch = new Scratch();
  const children: ChildProcess[] = [];
  afterEach(() => scratch.clean());
  after(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  const leave = (folder: string, writer: Partial<WriterFile>) =>
    writeFileSync(join(folder, 'writer.json'), JSON.stringify({ ...thisWriter(), ...writer }));
  /** of a process that has surely ended */
  const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

  it('is held until closed, and says who holds it', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    assert.throws(
      () => RunWriter.open(folder),
      (error: RunBusyError) =>
        error instanceof RunBusyError && error.message.includes(`process ${process.pid} on ${hostname()}`),
    );
    assert.throws(
      () => RunWriter.open(folder, { force: true }),
      RunBusyError,
      'a living process here is never pushed aside',
    );
    writer.close();
    RunWriter.open(folder).close();
  });

  it('stays with a rival that took it over between the look and the claim', () => {
    const folder = scratch.run();
    leave(folder, { pid: deadPid() });
    const rival = JSON.stringify({ ...thisWriter(), nonce: 'rival' });
    const { linkSync } = fs;
    fs.linkSync = (from, to) => {
      if (basename(String(to)).startsWith('.claim-')) writeFileSync(join(folder, 'writer.json'), rival);
      linkSync(from, to);
    };
    syncBuiltinESMExports();
    try {
      assert.throws(() => RunWriter.open(folder), RunBusyError);
    } finally {
      fs.linkSync = linkSync;
      syncBuiltinESMExports();
    }
    assert.equal(readFileSync(join(folder, 'writer.json'), 'utf8'), rival);
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('.claim-')),
      [],
    );
  });

  it('passes from a process that is gone, and from a pid that another process has now', () => {
    const stale: Partial<WriterFile>[] = [{ pid: deadPid() }, { bootId: 'another boot' }];
    if (process.platform === 'linux') stale.push({ processStart: '1' });
    for (const writer of stale) {
      const folder = scratch.run();
      leave(folder, writer);
      RunWriter.open(folder).close();
      assert.ok(!existsSync(join(folder, 'writer.json')));
    }
  });

  it('passes from a file that says nothing', () => {
    for (const text of ['', '{', '[]', '{"host":3}', 'x'.repeat(1000)]) {
      const folder = scratch.run();
      writeFileSync(join(folder, 'writer.json'), text);
      RunWriter.open(folder).close();
    }
  });

  it('passes from another machine only by force', () => {
    const folder = scratch.run();
    leave(folder, { host: 'elsewhere', pid: 1 });
    assert.throws(() => RunWriter.open(folder), /process 1 on elsewhere, another machine: use --force/);
    const writer = RunWriter.open(folder, { force: true });
    assert.equal(JSON.parse(readFileSync(join(folder, 'writer.json'), 'utf8')).host, hostname());
    writer.close();
  });

  it('is not released by one who lost it', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    leave(folder, { host: 'elsewhere' });
    writer.close();
    assert.ok(existsSync(join(folder, 'writer.json')));
  });

  it('knows the living from the dead', () => {
    assert.equal(isAlive(thisWriter()), true);
    assert.equal(isAlive({ ...thisWriter(), pid: deadPid() }), false);
    assert.equal(isAlive({ ...thisWriter(), host: 'elsewhere' }), null);
  });

  it(`goes to exactly one of ${RIVALS} processes, free or left by a dead one, ${ROUNDS} times`, async () => {
    for (let i = 0; i < RIVALS; i++) children.push(forkChild('race-child'));
    await Promise.all(children.map(child => once(child, 'message')));
    const pid = deadPid();
    for (let round = 0; round < ROUNDS; round++) {
      const folder = scratch.run();
      // every third round: free; every third: dead; every third: dead, and the one who took it over died in between
      if (round % 3 > 0) leave(folder, { pid });
      if (round % 3 === 2) await leaveDeadClaim(folder, pid);
      const answers = children.map(async child => {
        const answer = once(child, 'message');
        child.send(folder);
        return String((await answer)[0]);
      });
      const results = await Promise.all(answers);
      assert.deepEqual([...results].sort(), [...Array(RIVALS - 1).fill('lost'), 'won'], `round ${round}`);
      const winner = children[results.indexOf('won')]!;
      const holder = JSON.parse(readFileSync(join(folder, 'writer.json'), 'utf8'));
      assert.equal(holder.pid, winner.pid);
      assert.deepEqual(
        readdirSync(folder).filter(name => name.startsWith('.claim-')),
        [],
      );
      winner.kill('SIGKILL');
      await once(winner, 'exit');
      const fresh = forkChild('race-child');
      children[children.indexOf(winner)] = fresh;
      if (round < ROUNDS - 1) await once(fresh, 'message');
    }
  });
});

/** As a process leaves it that was killed between its claim and its takeover. */
async function leaveDeadClaim(folder: string, pid: number): Promise<void> {
  const { createHash } = await import('node:crypto');
  const content = readFileSync(join(folder, 'writer.json'), 'utf8');
  const hash = createHash('sha256').update(`writer.json ${content}`).digest('hex').slice(0, 16);
  writeFileSync(join(folder, `.claim-${hash}`), JSON.stringify({ ...thisWriter(), pid }));
}
