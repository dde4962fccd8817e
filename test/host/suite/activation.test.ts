// The extension starts fast, and gives what its manifest promises.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { api, EXTENSION } from './help.ts';

describe('activation', () => {
  it('loads what shows the last picture in less than 10 ms of processor time', async () => {
    // of what is heavy nothing may be in it
    assert.ok(statSync(fileOf('extension.cjs')).size < 20_000);
    await assertLoads('extension.cjs', 10);
  });

  it('loads the rest in less than 50 ms of processor time', () => assertLoads('main.cjs', 50));

  it('registers every command of the manifest', async () => {
    await api();
    const known = new Set(await vscode.commands.getCommands(true));
    const { commands } = vscode.extensions.getExtension(EXTENSION)!.packageJSON.contributes as {
      commands: { command: string; category: string }[];
    };
    assert.ok(commands.length >= 19);
    const { names } = (await api()).commands;
    assert.deepEqual(names.toSorted(), commands.map(({ command }) => command).toSorted());
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

function fileOf(name: string): string {
  return path.join(vscode.extensions.getExtension(EXTENSION)!.extensionPath, 'dist', name);
}

async function assertLoads(name: string, most: number): Promise<void> {
  await api();
  const loads = Array.from({ length: 5 }, () => {
    delete require.cache[require.resolve(fileOf(name))];
    const before = process.cpuUsage();
    require(fileOf(name));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  // the least: other threads of the host compute too
  const loading = Math.min(...loads);
  assert.ok(loading < most, `${loading.toFixed(1)} ms`);
}
