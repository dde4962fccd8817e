// What can be done with runs that exist: rename, delete, prune, open, export, save as an experiment.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { FILES } from '../../runs/paths.ts';
import type { Services } from '../services.ts';
import { formatBytes, plain, plural } from '../text.ts';
import { workerEnvironment } from '../workers/spawn.ts';
import { definitionText } from './as-it-was.ts';
import { cellOf, runDescription, runLabel } from './describe.ts';
import type { ListedRun, RunStore } from './store.ts';

export function isLiving({ state }: ListedRun): boolean {
  return state === 'starting' || state === 'training' || state === 'paused' || state === 'silent';
}

/** For commands from the palette, which name no run. */
export async function pickRun(
  store: RunStore,
  placeHolder: string,
  fits: (run: ListedRun) => boolean = () => true,
): Promise<ListedRun | undefined> {
  await store.refresh();
  const runs = store.runs.filter(fits);
  if (runs.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no run for this.'));
    return undefined;
  }
  if (runs.length === 1) return runs[0];
  const rows = runs.map(run => ({
    label: runLabel(run, false),
    description: runDescription(run, Date.now()),
    run,
  }));
  return (await vscode.window.showQuickPick(rows, { placeHolder, matchOnDescription: true }))?.run;
}

export async function renameRun(run: ListedRun, store: RunStore): Promise<void> {
  const value = plain(run.name, 200);
  const name = await vscode.window.showInputBox({
    prompt: vscode.l10n.t('New name of the run'),
    value,
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('A name has at least one character.') : null),
  });
  if (name === undefined || name.trim() === value) return;
  const list = await import('../../runs/list.ts');
  const runs = store.members(run).filter(member => member.name === run.name);
  for (const { folder } of runs) list.renameRun(folder, name);
  await store.refresh(true);
}

/** To the trash where there is one; a living run is stopped first. */
export async function deleteRuns(runs: readonly ListedRun[], { store }: Services): Promise<void> {
  const living = runs.find(isLiving);
  if (living) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('{0} is {1}. Stop it before it is deleted.', runLabel(living, false), living.state),
    );
    return;
  }
  const what =
    runs.length === 1
      ? vscode.l10n.t('Delete the run {0}?', runLabel(runs[0]!, false))
      : vscode.l10n.t('Delete {0}?', plural(runs.length, 'run'));
  const remove = vscode.l10n.t('Move to Trash');
  const chosen = await vscode.window.showWarningMessage(
    what,
    { modal: true, detail: vscode.l10n.t('Its curves, samples and checkpoints go with it.') },
    remove,
  );
  if (chosen !== remove) return;
  await moveToTrash(runs);
  await store.refresh(true);
}

async function moveToTrash(runs: readonly ListedRun[]): Promise<void> {
  for (const { folder } of runs) {
    const uri = vscode.Uri.file(folder);
    try {
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: true });
    } catch (cause) {
      if (!existsSync(folder)) continue;
      const forever = vscode.l10n.t('Delete Permanently');
      const chosen = await vscode.window.showWarningMessage(
        vscode.l10n.t('{0} could not be moved to the trash.', basename(folder)),
        { modal: true, detail: String(cause instanceof Error ? cause.message : cause) },
        forever,
      );
      if (chosen !== forever) return;
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
    }
  }
}

/** Offers the runs that can go, the oldest beyond `unroll.keepRuns` ticked. */
export async function pruneRuns(services: Services): Promise<void> {
  const { store } = services;
  await store.refresh(true);
  const { diskUse } = await import('../../runs/list.ts');
  const keep = vscode.workspace.getConfiguration('unroll').get<number>('keepRuns', 0);
  const ended = store.runs.filter(run => !isLiving(run) && run.state !== 'queued');
  if (ended.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no ended run to delete.'));
    return;
  }
  const rows = ended.map((run, index) => {
    const bytes = diskUse(run.folder);
    return {
      label: runLabel(run, false),
      description: `${formatBytes(bytes)} · ${runDescription(run, Date.now())}`,
      picked: keep > 0 && index >= keep,
      run,
      bytes,
    };
  });
  const total = formatBytes(rows.reduce((sum, { bytes }) => sum + bytes, 0));
  const chosen = await vscode.window.showQuickPick(rows, {
    canPickMany: true,
    matchOnDescription: true,
    title: vscode.l10n.t('Prune Runs: {0} in {1}', total, plural(rows.length, 'ended run')),
    placeHolder: vscode.l10n.t('Runs to move to the trash'),
  });
  if (chosen?.length)
    await deleteRuns(
      chosen.map(({ run }) => run),
      services,
    );
}

export async function openFolder({ folder }: ListedRun): Promise<void> {
  // a browser has no file manager to reveal a folder in
  if (vscode.env.uiKind === vscode.UIKind.Desktop && !vscode.env.remoteName)
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(join(folder, FILES.request)));
  else await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(folder));
}

export async function showLog(folder: string, { store, log }: Services): Promise<void> {
  const run = store.get(folder);
  const candidates = run ? store.members(run).map(member => member.folder) : [folder];
  const path = [folder, ...candidates].map(each => join(each, FILES.log)).find(file => existsSync(file));
  if (path) await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: true });
  else log.show();
}

export async function saveAsExperiment(run: ListedRun): Promise<void> {
  const name = (plain(run.name, 60) || 'experiment').replace(/[^\p{L}\p{N}._-]+/gu, '-').toLowerCase();
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(run.workspace, `${name}.rnn.json`)),
    filters: { 'Unroll experiment': ['rnn.json'] },
    saveLabel: vscode.l10n.t('Save Experiment'),
  });
  if (!target) return;
  const path = target.path.endsWith('.rnn.json')
    ? target
    : target.with({ path: target.path.replace(/(\.json)?$/, '.rnn.json') });
  await vscode.workspace.fs.writeFile(path, new TextEncoder().encode(definitionText(run)));
  await vscode.window.showTextDocument(path);
}

interface Format {
  label: string;
  description: string;
  name: string;
}

const FORMATS: readonly Format[] = [
  { label: 'PyTorch', description: 'safetensors and the model as a Python module', name: 'pytorch' },
  { label: 'safetensors', description: 'the weights alone', name: 'safetensors' },
  { label: 'CSV', description: 'all curves, one row a step', name: 'csv' },
];

export async function exportRun(run: ListedRun, services: Services): Promise<void> {
  const format = await vscode.window.showQuickPick(FORMATS, {
    placeHolder: vscode.l10n.t('Export {0} as', runLabel(run, false)),
  });
  if (!format) return;
  const [target] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.file(run.workspace),
      openLabel: vscode.l10n.t('Export Here'),
    })) ?? [];
  if (!target) return;
  const command = await services.training.commandLine();
  const cell = cellOf(run);
  const out = join(
    target.fsPath,
    [plain(run.name, 40).replace(/[^\w.-]+/g, '-'), cell].filter(Boolean).join('-'),
  );
  const args = [command, 'export', run.folder, '--format', format.name, '--out', out];
  const title = vscode.l10n.t('Exporting {0}', runLabel(run, false));
  const { code, said } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title },
    () => runCommand(args, run.workspace),
  );
  if (code !== 0) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t('The export failed: {0}', plain(said.trim().split('\n').at(-1) ?? '', 400)),
    );
    return;
  }
  const show = vscode.l10n.t('Show');
  const chosen = await vscode.window.showInformationMessage(vscode.l10n.t('Exported to {0}', out), show);
  if (chosen === show) await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(out));
}

function runCommand(args: string[], cwd: string): Promise<{ code: number | null; said: string }> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd, env: workerEnvironment(process.env) });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-10_000);
      });
    child.once('error', cause => resolve({ code: null, said: cause.message }));
    child.once('close', code => resolve({ code, said }));
  });
}
