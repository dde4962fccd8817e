// A lock between builds of one target: a file with the process id of the one that builds. The others wait, and find
// what they wanted when it ends; the lock of a process that is gone is taken over.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { withProgress } from './progress.mjs';

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    const holder = Number(readFileSync(file, 'utf8'));
    if (holder && !isAlive(holder)) rmSync(file, { force: true });
  } catch {
    // released meanwhile
  }
  return false;
}

export async function withLock(file, what, work) {
  await withProgress(`waiting for another build of ${what}`, async () => {
    while (!take(file)) await wait(100);
  });
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
