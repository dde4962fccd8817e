// The extension starts fast, and gives what its manifest promises.
import assert from 'node:assert/strict';
import path from 'node:path';
import * as vscode from 'vscode';
import { api, EXTENSION } from './help.ts';

describe('activation', () => {
  it('loads in less than 50 ms of processor time', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION)!;
    await api();
    const main = path.join(extension.extensionPath, 'dist', 'extension.cjs');
    const loads = Array.from({ length: 5 }, () => {
      delete require.cache[require.resolve(main)];
      const before = process.cpuUsage();
      require(main);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    // the least: other threads of the host compute too
    const loading = Math.min(...loads);
    assert.ok(loading < 50, `${loading.toFixed(1)} ms`);
  });

  it('registers every command of the manifest', async () => {
    await api();
    const known = new Set(await vscode.commands.getCommands(true));
    const { commands } = vscode.extensions.getExtension(EXTENSION)!.packageJSON.contributes as {
      commands: { command: string; category: string }[];
    };
    assert.ok(commands.length >= 19);
    assert.deepEqual(
      commands.filter(({ command }) => !known.has(command)),
      [],
    );
    assert.ok(commands.every(({ category }) => category === 'Unroll'));
  });

  it('keeps runs out of the watcher and the search', () => {
    const settings = vscode.workspace.getConfiguration();
    for (const name of ['files.watcherExclude', 'search.exclude'])
      assert.equal(settings.get<Record<string, boolean>>(name)?.['**/.unroll/runs/**'], true, name);
  });
});
