// What can be done with runs that exist, with every question answered: renamed, deleted, pruned, opened, saved.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as vscode from 'vscode';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { DiskUse } from '../../../src/extension/runs/disk-use.ts';
import type { ListedRun, RunStore } from '../../../src/extension/runs/store.ts';
import {
  api,
  clearRuns,
  closeAll,
  endless,
  open,
  runFolders,
  statusOf,
  textOf,
  until,
  workspaceFolder,
  writerOf,
} from './help.ts';
import { type MadeRun, makeRun } from './made-runs.ts';

type Asked = { message: string; detail: string; items: readonly string[] };
type PickRow = { label: string; picked?: boolean; run?: ListedRun };
const window = vscode.window as unknown as Record<string, (...args: never[]) => Promise<unknown>>;
const replaced = new Map<string, (typeof window)[string]>();

/** Stands in for the person: what is put here answers the next questions. */
function answer(name: string, reply: (...args: never[]) => unknown): void {
  if (!replaced.has(name)) replaced.set(name, window[name]!);
  window[name] = async (...args) => reply(...args);
}

/** Answers questions of one kind with a button of theirs, and keeps what was asked. */
function press(name: 'showWarningMessage' | 'showInformationMessage', ...buttons: (string | undefined)[]) {
  const asked: Asked[] = [];
  answer(name, (message: string, ...rest: unknown[]) => {
    const options = typeof rest[0] === 'object' ? (rest.shift() as { detail?: string }) : {};
    const items = rest as string[];
    asked.push({ message, detail: options.detail ?? '', items });
    const button = buttons.shift();
    assert.ok(button === undefined || items.includes(button), `${message}: ${items.join(', ')}`);
    return button;
  });
  return asked;
}

describe('runs', () => {
  let store: RunStore;
  const ends: (() => void)[] = [];

  before(async () => {
    store = (await api()).services.store;
  });
  beforeEach(clearRuns);
  afterEach(async () => {
    for (const [name, original] of replaced) window[name] = original;
    for (const end of ends.splice(0)) end();
    await closeAll();
    await clearRuns();
  });

  async function made(...runs: MadeRun[]): Promise<string[]> {
    const folders = runs.map(run => {
      const { folder, end } = makeRun(workspaceFolder(), run);
      ends.push(end);
      return folder;
    });
    await store.refresh(true);
    return folders;
  }
  const command = (name: string, ...args: unknown[]) =>
    vscode.commands.executeCommand(`unroll.${name}`, ...args);
  const gone = (folder: string) => !existsSync(folder);
  const files = (folder: string) => readFileSync(path.join(folder, 'status.json'), 'utf8');

  it('are left alone by the menu of a row that VS Code has forgotten', async () => {
    const [run] = await made({ name: 'one', state: 'training' });
    const told = press('showInformationMessage');
    for (const name of ['stop', 'deleteRun', 'renameRun']) await command(name, undefined, undefined);
    assert.deepEqual(
      told.map(({ message }) => message),
      Array(3).fill('The list has just changed: choose again.'),
    );
    assert.deepEqual(readdirSync(path.join(run!, 'control')), []);
  });

  it('are measured on the disk again as soon as they have ended', async () => {
    const [run] = await made({ name: 'one', state: 'training' });
    const disk = new DiskUse(store);
    ends.push(() => disk.dispose());
    disk.enable(true);
    await until('the run is measured', () => disk.of(run!) !== undefined);
    writeFileSync(path.join(run!, 'worker.log'), 'x'.repeat(10_000));
    const status = JSON.parse(files(run!));
    const ended = { ...status, state: 'finished', heartbeat: status.heartbeat + 1 };
    writeFileSync(path.join(run!, 'status.json'), JSON.stringify(ended));
    await store.refresh(true);
    await until('the run is measured again', () => disk.of(run!)! > 10_000, 20);
  });

  describe('renamed', () => {
    it('take a name that is in use, and stay two', async () => {
      const [first, second] = await made(
        { name: 'one', state: 'finished' },
        { name: 'two', state: 'finished' },
      );
      answer('showInputBox', ({ value }: { value: string }) => {
        assert.equal(value, 'one');
        return '  two ';
      });
      await command('renameRun', first);
      assert.deepEqual(
        store.runs.map(({ folder, name }) => [folder, name]).sort(),
        [
          [first, 'two'],
          [second, 'two'],
        ].sort(),
      );
      assert.ok(gone(path.join(second!, 'label.json')));
    });

    it('refuse an empty name, and keep theirs when the question is left', async () => {
      const [run] = await made({ name: 'one', state: 'finished' });
      answer('showInputBox', ({ validateInput }: { validateInput: (text: string) => string | null }) => {
        assert.match(validateInput('  \t')!, /at least one character/);
        assert.equal(validateInput('x'), null);
        return undefined;
      });
      await command('renameRun', run);
      assert.equal(store.get(run!)!.name, 'one');
      assert.ok(gone(path.join(run!, 'label.json')));
    });

    it('are a comparison as a whole', async () => {
      const group = { id: 'g', size: 2 };
      const members = await made(
        { name: 'cells', state: 'finished', group: { ...group, index: 0, label: 'RNN' } },
        { name: 'cells', state: 'finished', group: { ...group, index: 1, label: 'GRU' } },
      );
      answer('showInputBox', () => 'both');
      await command('renameRun', members[1]);
      assert.deepEqual(
        members.map(member => store.get(member)!.name),
        ['both', 'both'],
      );
    });

    it('are told to be gone when their folder was deleted meanwhile', async () => {
      const [run] = await made({ name: 'one', state: 'finished' });
      answer('showInputBox', () => {
        rmSync(run!, { recursive: true });
        return 'other';
      });
      const told = press('showInformationMessage');
      await command('renameRun', run);
      assert.deepEqual(
        told.map(({ message }) => message),
        ['This run is not there any more.'],
      );
      assert.ok(gone(run!));
    });
  });

  describe('deleted', () => {
    it('ask first, and go for good only after a second question where there is no trash', async () => {
      const [run] = await made({ name: 'one', state: 'finished' });
      const asked = press('showWarningMessage', undefined, 'Move to Trash', 'Delete Permanently');
      await command('deleteRun', run);
      assert.ok(!gone(run!), 'cancelled');
      await command('deleteRun', run);
      assert.ok(gone(run!));
      assert.equal(store.get(run!), undefined);
      assert.equal(asked[0]!.message, 'Delete the run "one"?');
    });

    it('ask twice at most, however many there are', async () => {
      const runs = await made(...['a', 'b', 'c'].map(name => ({ name, state: 'finished' as const })));
      const asked = press('showWarningMessage', 'Move to Trash', 'Delete Permanently');
      await command('deleteRun', runs);
      assert.ok(runs.every(gone));
      assert.ok(asked.length <= 2);
      assert.equal(asked[0]!.message, 'Delete 3 runs?');
    });

    it('are left alone while they train, with all that they have', async () => {
      const document = await open('endless.rnn.json', textOf(endless));
      await command('train', document.uri);
      const [run] = runFolders();
      await until('it trains', () => (statusOf(run!)?.step ?? 0) > 20);
      await store.refresh(true);
      const asked = press('showWarningMessage');
      await command('deleteRun', run);
      assert.deepEqual(
        asked.map(({ message, items }) => [message, items]),
        [['endless is training. Stop it before it is deleted.', []]],
      );
      const { step } = statusOf(run!)!;
      await until('it goes on', () => statusOf(run!)!.step > step);
      await command('stop', run);
      await until('it is stopped', () => statusOf(run!)?.state === 'stopped' && writerOf(run!) === null);
      press('showWarningMessage', 'Move to Trash', 'Delete Permanently');
      await command('deleteRun', run);
      assert.ok(gone(run!));
    });

    it('are left alone when they went on while the question stood', async () => {
      const [run] = await made({ name: 'one', state: 'stopped' });
      const asked: string[] = [];
      answer('showWarningMessage', (message: string) => {
        asked.push(message);
        if (asked.length > 1) return undefined;
        // a shell or another window continues it
        const status = JSON.parse(files(run!)) as object;
        const { host, bootId } = JSON.parse(readFileSync(path.join(living!, 'writer.json'), 'utf8'));
        const writer = { host, bootId, pid: process.pid, processStart: '' };
        writeFileSync(path.join(run!, 'writer.json'), JSON.stringify(writer));
        writeFileSync(
          path.join(run!, 'status.json'),
          JSON.stringify({ ...status, state: 'training', heartbeat: 99 }),
        );
        return 'Move to Trash';
      });
      const [living] = await made({ name: 'living', state: 'training' });
      await command('deleteRun', run);
      assert.ok(!gone(run!));
      assert.equal(asked[1], 'one is training. Stop it before it is deleted.');
    });

    it('may be silent ones, which nobody can stop, with a warning', async () => {
      const [run] = await made({ name: 'far', state: 'silent' });
      await until('it is silent', () => store.get(run!)?.state === 'silent');
      const asked = press('showWarningMessage', 'Move to Trash', 'Delete Permanently');
      await command('deleteRun', run);
      assert.match(asked[0]!.detail, /far may still be training on another machine/);
      assert.ok(gone(run!));
    });

    it('take nothing from the other members of a comparison that waits', async () => {
      const document = await open('first.rnn.json', textOf(endless));
      await command('train', document.uri);
      const [first] = runFolders();
      await until('the first trains', () => (statusOf(first!)?.step ?? 0) > 5);
      const second = await open('second.rnn.json', textOf({ ...endless, name: 'second' }));
      await command('compare', second.uri);
      const members = runFolders().filter(folder => folder !== first);
      assert.equal(members.length, 3);
      await store.refresh(true);
      const [rnn, ...others] = store.members(store.get(members[0]!)!).map(({ folder }) => folder);
      press('showWarningMessage', 'Move to Trash', 'Delete Permanently');
      await command('deleteRun', rnn);
      assert.ok(gone(rnn!));
      await command('stop', first);
      for (const member of others) await until('the others train', () => (statusOf(member)?.step ?? 0) > 0);
      await command('stop', others);
      for (const member of others) await until('they stop', () => statusOf(member)?.state === 'stopped');
    });
  });

  describe('pruned', () => {
    const keepRuns = (value: number | undefined) =>
      vscode.workspace
        .getConfiguration('unroll')
        .update('keepRuns', value, vscode.ConfigurationTarget.Global);
    afterEach(() => keepRuns(undefined));

    it('are ended ones only, the oldest ticked, and living ones stay', async () => {
      const [training, paused, queued, ...ended] = await made(
        { name: 'training', state: 'training', minutesAgo: 1 },
        { name: 'paused', state: 'paused', minutesAgo: 2 },
        { name: 'queued', state: 'queued', minutesAgo: 3 },
        { name: 'finished', state: 'finished', minutesAgo: 4 },
        { name: 'stopped', state: 'stopped', minutesAgo: 5 },
        { name: 'failed', state: 'failed', minutesAgo: 6 },
      );
      await keepRuns(2);
      let title = '';
      answer('showQuickPick', (rows: PickRow[], options: vscode.QuickPickOptions) => {
        title = options.title!;
        assert.deepEqual(
          rows.map(({ label, picked }) => [label, picked]),
          [
            ['finished', false],
            ['stopped', false],
            ['failed', true],
          ],
        );
        return rows.filter(({ picked }) => picked);
      });
      press('showWarningMessage', 'Move to Trash', 'Delete Permanently');
      await command('pruneRuns');
      assert.match(title, /^Prune Runs: [\d.]+ [KM]?B in 3 ended runs$/);
      assert.deepEqual(ended.map(gone), [false, false, true]);
      assert.deepEqual(
        [training, paused, queued].map(folder => gone(folder!)),
        [false, false, false],
      );
    });

    it('say so when there is none', async () => {
      await made({ name: 'training', state: 'training' });
      const told = press('showInformationMessage');
      await command('pruneRuns');
      assert.equal(told[0]!.message, 'There is no ended run to delete.');
    });
  });

  describe('opened', () => {
    const python = 'import torch\nmodel = torch.nn.LSTM(2, 8)\n';
    const inPython = { path: 'model.py', line: 2, language: 'python' as const, model: 'model', text: python };

    it('show the code they were made from as that language, and save an experiment', async () => {
      const [run] = await made({ name: 'net', state: 'finished', definition: inPython });
      await command('openExperiment', run);
      const shown = vscode.window.activeTextEditor!.document;
      assert.equal(shown.getText(), python);
      assert.equal(shown.languageId, 'python');
      const target = vscode.Uri.file(path.join(workspaceFolder(), 'net.rnn.json'));
      answer('showSaveDialog', () => target);
      await command('saveExperiment', run);
      const { experiment } = parseExperiment(readFileSync(target.fsPath, 'utf8'));
      assert.deepEqual(experiment, store.get(run!)!.request.experiment);
      rmSync(target.fsPath);
    });

    it('do not write over an experiment that nobody was asked about', async () => {
      const kept = path.join(workspaceFolder(), 'kept.rnn.json');
      writeFileSync(kept, 'mine');
      const [run] = await made({ name: 'kept', state: 'finished' });
      answer('showSaveDialog', () => vscode.Uri.file(path.join(workspaceFolder(), 'kept.json')));
      const asked = press('showWarningMessage', undefined, 'Replace');
      await command('saveExperiment', run);
      assert.equal(readFileSync(kept, 'utf8'), 'mine');
      assert.equal(asked[0]!.message, 'kept.rnn.json exists already. Replace it?');
      await command('saveExperiment', run);
      assert.ok(parseExperiment(readFileSync(kept, 'utf8')).experiment);
      rmSync(kept);
    });

    it('offer to save where the paths of their data are right', async () => {
      const folder = path.join(workspaceFolder(), 'below');
      mkdirSync(folder, { recursive: true });
      const [run] = await made({ name: 'net', state: 'finished', base: folder });
      let offered: vscode.Uri | undefined;
      answer('showSaveDialog', ({ defaultUri }: vscode.SaveDialogOptions) => {
        offered = defaultUri;
      });
      await command('saveExperiment', run);
      assert.equal(offered?.fsPath, path.join(folder, 'net.rnn.json'));
      rmSync(folder, { recursive: true });
    });

    it('stand beside the file of today, or alone where there is none', async () => {
      const text = textOf(endless);
      const document = await open('today.rnn.json', text);
      const definition = {
        path: 'today.rnn.json',
        line: 1,
        language: 'rnn-json' as const,
        text: `${text}\n`,
      };
      const [run, other] = await made(
        { name: 'today', state: 'finished', definition },
        { name: 'lost', state: 'finished', definition: { ...definition, path: 'lost.rnn.json' } },
      );
      await command('diffExperiment', run);
      const tab = vscode.window.tabGroups.activeTabGroup.activeTab?.input as vscode.TabInputTextDiff;
      assert.equal(tab.original.scheme, 'unroll-run');
      assert.equal(tab.modified.fsPath, document.uri.fsPath);
      const told = press('showInformationMessage');
      await command('diffExperiment', other);
      assert.match(told[0]!.message, /^lost\.rnn\.json is not there any more\./);
      assert.equal(vscode.window.activeTextEditor!.document.getText(), definition.text);
    });
  });

  it('leave the list when their folder is deleted from outside', async () => {
    const [run, other] = await made({ name: 'one', state: 'finished' }, { name: 'two', state: 'finished' });
    rmSync(run!, { recursive: true });
    await until('it is dropped', () => store.get(run!) === undefined);
    assert.ok(store.get(other!));
    const told = press('showInformationMessage');
    const asked = press('showWarningMessage', 'Move to Trash', 'Delete Permanently');
    await command('deleteRun', run);
    assert.equal(told[0]!.message, 'This run is not there any more.');
    assert.deepEqual(asked, [], 'nothing else is deleted instead');
    assert.ok(!gone(other!));
  });
});
