// What is handed out works where nothing of the repository is: the VSIX in an empty VS Code, the command in an empty prefix.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { installVsix } from '../host/extensions.ts';
import { root } from '../host/paths.ts';
import { endless, runAtStep, stateOf, until, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

function run(command: string, args: string[], cwd: string): string {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.equal(result.status, 0, `${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

describe('the packages', () => {
  let folder: string;
  const file = (ending: string) =>
    path.join(folder, readdirSync(folder).find(name => name.endsWith(ending)) ?? `no ${ending}`);

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'unroll-packages-'));
    run(process.execPath, ['scripts/package.mjs', '--built', '--out', folder], root);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are small', () => {
    const made = readdirSync(folder);
    assert.ok(made.includes(path.basename(file('.vsix'))) && made.includes(path.basename(file('.tgz'))));
    for (const name of made) assert.ok(statSync(path.join(folder, name)).size < 8e6, name);
  });

  it('install a command that trains, from the archive alone', () => {
    const prefix = path.join(folder, 'prefix');
    run('npm', ['install', '--global', '--offline', '--prefix', prefix, file('.tgz')], folder);
    const unroll = path.join(prefix, 'bin', 'unroll');
    assert.match(run(unroll, ['--help'], folder), /train +Train the model/);
    writeExperiment(folder, 'quick', endless);
    const lines = run(unroll, ['train', 'quick.rnn.json', '--steps', '20', '--json'], folder)
      .trim()
      .split('\n');
    const last = JSON.parse(lines.at(-1)!);
    assert.equal(last.kind, 'ended');
    assert.equal(last.reason, 'finished');
    assert.equal(last.steps, 20);
  });

  it('install an extension that trains in an empty VS Code', async () => {
    const extensionsFolder = path.join(folder, 'extensions');
    installVsix(file('.vsix'), extensionsFolder);
    const workbench = await Workbench.start({ extensionsFolder });
    try {
      writeExperiment(workbench.folder, 'endless', endless);
      await workbench.openFile('endless.rnn.json');
      await workbench.lens('Train').click();
      const trained = await runAtStep(workbench.folder, 100);
      const stopped = () => stateOf(trained) === 'stopped';
      await workbench.runCommand('Unroll: Stop Training', stopped);
      await until('the run is stopped', stopped);
      assert.deepEqual(workbench.problems, []);
      await workbench.screenshot('vsix-in-empty-host');
    } finally {
      await workbench.stop();
    }
  });
});
