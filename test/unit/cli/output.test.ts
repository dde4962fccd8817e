// Whatever happens to stdout and to the process, the run folder is whole, and the exit code is a documented one.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines, main, startUnroll, unroll } from './unroll.ts';

describe('unroll: stdout without a reader', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-output-'));
    writeFileSync(
      join(folder, 'e.rnn.json'),
      JSON.stringify({
        data: { task: 'adding', length: 10 },
        model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
        training: { steps: 200 },
      }),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const ended = (child: ChildProcess) =>
    new Promise<{ code: number | null; signal: string | null }>(resolve =>
      child.once('close', (code, signal) => resolve({ code, signal })),
    );
  function finishedRun(out: string) {
    const [id] = readdirSync(join(folder, out));
    const events = jsonLines(readFileSync(join(folder, out, id!, 'events.jsonl'), 'utf8'));
    return { last: events.at(-1)!, run: join(folder, out, id!) };
  }

  for (const json of [true, false])
    it(`trains to its end when the reader has gone (${json ? '--json' : 'lines'})`, async () => {
      const out = `gone-${json}`;
      const child = startUnroll(['train', 'e.rnn.json', '--out', out, ...(json ? ['--json'] : [])], folder);
      let errors = '';
      child.stderr!.on('data', chunk => {
        errors += chunk;
      });
      child.stdout!.once('data', () => child.stdout!.destroy());
      const { code, signal } = await ended(child);
      assert.equal(signal, null);
      assert.equal(code, 0, errors);
      const { last, run } = finishedRun(out);
      assert.equal(last['reason'], 'finished');
      assert.equal(last['step'], 200);
      assert.ok(existsSync(join(run, 'checkpoints', '200', 'weights.safetensors')));
      assert.match(errors, /^Nobody reads the output any more; training goes on in the run folder\.$/m);
      assert.equal(errors.match(/Nobody reads/g)!.length, 1);
    });

  it('trains to its end when both streams are closed', async () => {
    const child = startUnroll(['train', 'e.rnn.json', '--out', 'both', '--json'], folder);
    child.stderr!.destroy();
    child.stdout!.destroy();
    assert.deepEqual(await ended(child), { code: 0, signal: null });
    assert.equal(finishedRun('both').last['reason'], 'finished');
  });

  if (existsSync('/dev/full')) {
    it('trains to its end when the disk of the output is full', async () => {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [main(), 'train', 'e.rnn.json', '--out', 'full'], {
        cwd: folder,
        stdio: ['ignore', full, 'pipe'],
      });
      let errors = '';
      child.stderr!.on('data', chunk => {
        errors += chunk;
      });
      assert.deepEqual(await ended(child), { code: 0, signal: null });
      assert.match(errors, /^The disk of the output is full; training goes on in the run folder\.$/m);
      assert.equal(finishedRun('full').last['reason'], 'finished');
    });

    it('fails with a sentence where the output was all that was asked for', async () => {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [main(), 'check', 'e.rnn.json'], {
        cwd: folder,
        stdio: ['ignore', full, 'pipe'],
      });
      let errors = '';
      child.stderr!.on('data', chunk => {
        errors += chunk;
      });
      assert.deepEqual(await ended(child), { code: 3, signal: null });
      assert.equal(errors, 'The disk of the output is full.\n');
    });
  }

  it('goes on from where a signal has stopped it', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const out = `stopped-${signal}`;
      const args = ['train', 'e.rnn.json', '--out', out, '--json', '--steps', '100000000'];
      const child = startUnroll(args, folder);
      child.stderr!.resume();
      child.stdout!.once('data', () => child.kill(signal));
      child.stdout!.resume();
      assert.deepEqual(await ended(child), { code: 130, signal: null });
      const { last, run } = finishedRun(out);
      assert.equal(last['reason'], 'stopped');
      assert.ok(readdirSync(join(run, 'checkpoints')).includes(String(last['step'])));
      const shown = unroll(['show', run], { cwd: folder });
      assert.equal(shown.code, 0, shown.stderr);
    }
  });

  it('ends with 130 while the command is still loaded', async () => {
    // the signal comes with the first handler, before any module of the command
    const early = `const { on } = process;
process.on = function (name, handler) {
  const result = on.call(this, name, handler);
  if (name === process.env.EARLY) {
    process.on = on;
    process.kill(process.pid, name);
  }
  return result;
};`;
    for (const [signal, words] of [
      ['SIGINT', ['train', 'e.rnn.json', '--out', 'early']],
      ['SIGTERM', ['train', 'e.rnn.json', '--out', 'early']],
      ['SIGHUP', ['train', 'e.rnn.json', '--out', 'early']],
      ['SIGTERM', ['resume', 'early']],
    ] as const) {
      const child = spawn(
        process.execPath,
        ['--import', `data:text/javascript,${encodeURIComponent(early)}`, main(), ...words],
        { cwd: folder, stdio: 'ignore', env: { ...process.env, EARLY: signal } },
      );
      assert.deepEqual(await ended(child), { code: 130, signal: null });
      assert.equal(existsSync(join(folder, 'early')), false);
    }
  });
});
