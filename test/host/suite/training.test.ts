// Training as commands do it: workers that are started, paused, stopped, killed, continued and queued.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunStore } from '../../../src/extension/runs/store.ts';
import type { RunState } from '../../../src/runs/format.ts';
import {
  api,
  clearRuns,
  closeAll,
  endless,
  lensTitles,
  open,
  runFolders,
  statusOf,
  textOf,
  tiny,
  until,
  writerOf,
} from './help.ts';

describe('training', () => {
  let store: RunStore;

  before(async () => {
    store = (await api()).services.store;
  });
  beforeEach(clearRuns);
  afterEach(async () => {
    await closeAll();
    await clearRuns();
  });

  const state = (folder: string, wanted: RunState, seconds?: number) =>
    until(`${path.basename(folder)} is ${wanted}`, () => statusOf(folder)?.state === wanted, seconds);
  const step = (folder: string, least: number) =>
    until(`step ${least}`, () => (statusOf(folder)?.step ?? 0) >= least);

  async function train(name: string, experiment = endless, command = 'unroll.train'): Promise<string[]> {
    const document = await open(`${name}.rnn.json`, textOf(experiment));
    const before = new Set(runFolders());
    await vscode.commands.executeCommand(command, document.uri);
    return runFolders().filter(folder => !before.has(folder));
  }

  it('goes from the click to the end, and the lens tells the result', async () => {
    const [run] = await train('tiny', tiny);
    await state(run!, 'finished');
    const { step: last, last: values } = statusOf(run!)!;
    assert.equal(last, 60);
    assert.equal(typeof values['valLoss'], 'number');
    const document = await open('tiny.rnn.json');
    const titles = await until('the lens tells it', async () => {
      const found = (await lensTitles(document)).titles;
      return found.some(title => title.startsWith('last: ')) && found;
    });
    assert.ok(
      titles.some(title => /^last: val \d.* · 1 run$/.test(title)),
      titles.join('\n'),
    );
  });

  it('pauses, resumes and stops', async () => {
    const [run] = await train('endless');
    await step(run!, 20);
    const turn = async (command: string, wanted: RunState) => {
      await vscode.commands.executeCommand(command);
      await state(run!, wanted);
    };
    await turn('unroll.pause', 'paused');
    await until('the list says so', () => store.get(run!)?.state === 'paused');
    await turn('unroll.resume', 'training');
    await until('the list says so', () => store.get(run!)?.state === 'training');
    await turn('unroll.stop', 'stopped');
    await until('the worker is gone', () => writerOf(run!) === null);
  });

  it('shows a killed worker as crashed at its step, and continues it', async () => {
    const [run] = await train('crash');
    await step(run!, 250);
    process.kill(writerOf(run!)!.pid, 'SIGKILL');
    await until('the list says crashed', () => store.get(run!)?.state === 'crashed');
    const at = store.get(run!)!.status.step;
    await vscode.commands.executeCommand('unroll.continue', run);
    // until then the status is that of the killed worker, and a request would be cleared with what was meant for it
    await until('the new worker has gone on', () =>
      readFileSync(path.join(run!, 'events.jsonl'), 'utf8').includes('"resumed"'),
    );
    await state(run!, 'training');
    await step(run!, at + 50);
    await vscode.commands.executeCommand('unroll.stop', run);
    await state(run!, 'stopped');
  });

  it('compares the three cells side by side, a process a core', async () => {
    const runs = await train('cells', endless, 'unroll.compare');
    assert.equal(runs.length, 3);
    for (const run of runs) await step(run, 20);
    const processes = new Set(runs.map(run => writerOf(run)!.pid));
    assert.equal(processes.size, Math.min(runs.length, os.availableParallelism()));
    assert.deepEqual(
      store.members(store.get(runs[0]!)!).map(({ request }) => request.group!.label),
      ['RNN', 'GRU', 'LSTM'],
    );
    await vscode.commands.executeCommand('unroll.stop', runs);
    for (const run of runs) await state(run, 'stopped');
  });

  it('lets a second run wait, and starts it when the first ends', async () => {
    const [first] = await train('first');
    await step(first!, 5);
    const [second] = await train('second');
    const begun = statusOf(first!)!.step;
    await until('the first has gone on', () => (statusOf(first!)?.step ?? 0) > begun + 500);
    assert.equal(statusOf(second!)?.state, 'queued');
    await vscode.commands.executeCommand('unroll.stop', first);
    await state(first!, 'stopped');
    await state(second!, 'training');
    await vscode.commands.executeCommand('unroll.stop', second);
    await state(second!, 'stopped');
  });

  it('survives that the folder of a living run is deleted', async () => {
    const [run] = await train('deleted');
    await step(run!, 5);
    const { pid } = writerOf(run!)!;
    // Node takes a file that the worker renames just then for the end of it all
    while (existsSync(run!)) rmSync(run!, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    await until('the list drops it', () => store.get(run!) === undefined);
    await until('the worker ends', () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    assert.ok(!existsSync(run!), 'it is not made again');
  });

  it('does not start from a broken file, and writes nothing', async () => {
    const document = await open('broken.rnn.json', '{ "data": { "task": "adding" } }');
    await vscode.commands.executeCommand('unroll.train', document.uri);
    assert.deepEqual(runFolders(), []);
  });

  it('does not start without its data, and writes nothing', async () => {
    const data = { task: 'char-lm' as const, path: 'nowhere.txt' };
    assert.deepEqual(await train('nodata', { ...endless, data }), []);
  });
});
