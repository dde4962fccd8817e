// What can be done with runs that exist: rename, delete, prune, open, export, save as an experiment.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, isAbsolute, join, relative } from 'node:path';
import * as vscode from 'vscode';
import { FILES } from '../../runs/paths.ts';
import { cellOf } from '../cells.ts';
import type { Services } from '../services.ts';
import { formatBytes, plain, plural } from '../text.ts';
import { workerEnvironment } from '../worker-environment.ts';
import { pickRows } from './apart.ts';
import { experimentText } from './as-it-was.ts';
import { runDescription, runLabel } from './describe.ts';
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
  const rows = await pickRows(runs, Date.now());
  return (await vscode.window.showQuickPick(rows, { placeHolder, matchOnDescription: true }))?.run;
}

export function tellGone(): void {
  void vscode.window.showInformationMessage(vscode.l10n.t('This run is not there any more.'));
}

export function tellRedrawn(): void {
  void vscode.window.showInformationMessage(vscode.l10n.t('The list has just changed: choose again.'));
}

export async function renameRun(run: ListedRun, store: RunStore): Promise<void> {
  const value = plain(run.name, 200);
  const group = run.request.group !== null;
  const name = await vscode.window.showInputBox({
    prompt: group ? vscode.l10n.t('New name of the comparison') : vscode.l10n.t('New name of the run'),
    value,
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('A name has at least one character.') : null),
  });
  if (name === undefined || name.trim() === value) return;
  const list = await import('../../runs/list.ts');
  const [now] = await asTheyAre([run], store);
  if (!now) return tellGone();
  const runs = store.members(now).filter(member => member.name === now.name);
  for (const { folder } of runs) list.renameRun(folder, name);
  await store.refresh(true);
}

export async function starRuns(runs: readonly ListedRun[], store: RunStore): Promise<void> {
  await labelAll(runs, { isStarred: !runs.every(({ label }) => label.isStarred) }, store);
}

export async function noteRun(run: ListedRun, store: RunStore): Promise<void> {
  const note = await vscode.window.showInputBox({
    prompt: vscode.l10n.t('Note on {0}', runLabel(run, false)),
    value: run.label.note,
  });
  if (note === undefined) return;
  await labelAll([run], { note: note.trim() }, store);
}

export async function tagRuns(runs: readonly ListedRun[], store: RunStore): Promise<void> {
  const known = [...new Set(store.runs.flatMap(({ label }) => label.tags))].sort();
  const typed = await vscode.window.showInputBox({
    prompt:
      known.length === 0
        ? vscode.l10n.t('Tags, with spaces between them')
        : vscode.l10n.t('Tags, with spaces between them; used so far: {0}', known.slice(0, 12).join(' ')),
    value: runs[0]!.label.tags.join(' '),
  });
  if (typed === undefined) return;
  const tags = typed
    .split(/[\s,]+/)
    .map(tag => tag.replace(/^#/, ''))
    .filter(tag => tag !== '');
  await labelAll(runs, { tags: [...new Set(tags)] }, store);
}

async function labelAll(
  runs: readonly ListedRun[],
  change: Partial<ListedRun['label']>,
  store: RunStore,
): Promise<void> {
  const { labelRun } = await import('../../runs/list.ts');
  const now = await asTheyAre(runs, store);
  if (now.length === 0) return tellGone();
  for (const { folder } of now) labelRun(folder, change);
  await store.refresh(true);
}

/** What was chosen may have gone, or gone on, while a question stood. */
async function asTheyAre(runs: readonly ListedRun[], store: RunStore): Promise<ListedRun[]> {
  await store.refresh(true);
  return runs.flatMap(({ folder }) => store.get(folder) ?? []);
}

/** To the trash where there is one. A run that trains must be stopped first. */
export async function deleteRuns(asked: readonly ListedRun[], { store }: Services): Promise<void> {
  const runs = await asTheyAre(asked, store);
  if (runs.length === 0) return tellGone();
  if (isRefused(runs)) return;
  const what =
    runs.length === 1
      ? vscode.l10n.t('Delete the run "{0}"?', runLabel(runs[0]!, false))
      : vscode.l10n.t('Delete {0}?', plural(runs.length, 'run'));
  const parts = [
    runs.length === 1
      ? vscode.l10n.t('Its curves, samples and checkpoints go with it.')
      : vscode.l10n.t('Their curves, samples and checkpoints go with them.'),
  ];
  const silent = runs.find(({ state }) => state === 'silent');
  if (silent)
    parts.push(vscode.l10n.t('{0} may still be training on another machine.', runLabel(silent, false)));
  const remove = vscode.l10n.t('Move to Trash');
  const options = { modal: true, detail: parts.join(' ') };
  if ((await vscode.window.showWarningMessage(what, options, remove)) !== remove) return;
  const now = await asTheyAre(runs, store);
  if (isRefused(now)) return;
  await moveToTrash(now).finally(() => store.refresh(true));
}

/** A silent run can be asked nothing, so that it is never stopped. */
function isRefused(runs: readonly ListedRun[]): boolean {
  const living = runs.find(run => isLiving(run) && run.state !== 'silent');
  if (!living) return false;
  void vscode.window.showWarningMessage(
    vscode.l10n.t('{0} is {1}. Stop it before it is deleted.', runLabel(living, false), living.state),
  );
  return true;
}

async function moveToTrash(runs: readonly ListedRun[]): Promise<void> {
  let useTrash = true;
  const remove = (folder: string) =>
    vscode.workspace.fs.delete(vscode.Uri.file(folder), { recursive: true, useTrash });
  for (const [index, { folder }] of runs.entries())
    try {
      await remove(folder);
    } catch (cause) {
      if (!existsSync(folder)) continue;
      if (!useTrash) throw cause;
      // another machine's files have none: asked once for all of them
      if (!(await mayDeleteForever(runs.slice(index), cause))) return;
      useTrash = false;
      await remove(folder);
    }
}

async function mayDeleteForever(runs: readonly ListedRun[], cause: unknown): Promise<boolean> {
  const forever = vscode.l10n.t('Delete Permanently');
  const what = runs.length === 1 ? `"${runLabel(runs[0]!, false)}"` : plural(runs.length, 'run');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} could not be moved to the trash.', what),
    { modal: true, detail: cause instanceof Error ? cause.message : String(cause) },
    forever,
  );
  return chosen === forever;
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
    defaultUri: vscode.Uri.file(join(homeOf(run), `${name}.rnn.json`)),
    filters: { 'Unroll experiment': ['rnn.json'] },
    saveLabel: vscode.l10n.t('Save Experiment'),
  });
  if (!target) return;
  const path = target.path.endsWith('.rnn.json')
    ? target
    : target.with({ path: target.path.replace(/(\.json)?$/, '.rnn.json') });
  // the dialog has asked about the name that was typed only
  if (path !== target && existsSync(path.fsPath) && !(await mayReplace(path))) return;
  await vscode.workspace.fs.writeFile(path, new TextEncoder().encode(experimentText(run)));
  await vscode.window.showTextDocument(path);
}

/** Where the paths of its data are right. */
function homeOf({ request, workspace }: ListedRun): string {
  const way = relative(workspace, request.base);
  return way.startsWith('..') || isAbsolute(way) || !existsSync(request.base) ? workspace : request.base;
}

async function mayReplace({ path }: vscode.Uri): Promise<boolean> {
  const replace = vscode.l10n.t('Replace');
  const what = vscode.l10n.t('{0} exists already. Replace it?', basename(path));
  return (await vscode.window.showWarningMessage(what, { modal: true }, replace)) === replace;
}

interface Format {
  label: string;
  description: string;
  name: string;
}

const FORMATS: readonly Format[] = [
  { label: 'PyTorch', description: 'safetensors and the model as a Python module', name: 'pytorch' },
  { label: 'ONNX', description: 'a graph for any runtime, opset 17', name: 'onnx' },
  { label: 'Keras', description: 'a .keras archive for keras.saving.load_model', name: 'keras' },
  { label: 'TensorFlow.js', description: 'a layers model, model.json and weights.bin', name: 'tfjs' },
  { label: 'safetensors', description: 'the weights alone', name: 'safetensors' },
  { label: 'CSV', description: 'all curves, one row a step', name: 'csv' },
  { label: 'TensorBoard', description: 'all curves as event files', name: 'tensorboard' },
  { label: 'JSON lines', description: 'all events, one a line', name: 'jsonl' },
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
  const cell = cellOf(run.request.experiment)?.type;
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
