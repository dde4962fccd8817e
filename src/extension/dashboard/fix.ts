// Makes the edits that a finding proposes: in the experiment's editor, in the code where the code can say it, else in a
// new experiment file. Saving and training stay with the person.
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { Fix } from '../../runs/format.ts';
import { rangeOf } from '../experiments/ranges.ts';
import { experimentText } from '../runs/as-it-was.ts';
import type { ListedRun } from '../runs/store.ts';
import type { Services } from '../services.ts';
import { plain } from '../text.ts';

export async function applyFixInEditor(run: ListedRun, fix: Fix, services: Services): Promise<void> {
  const file = definitionFile(run);
  if (!file) return openAsNew(run, fix);
  const document = await vscode.workspace.openTextDocument(file);
  const edit = file.endsWith('.rnn.json')
    ? await experimentEdit(document, fix)
    : await codeEdit(document, run, fix, services);
  if (!edit) return openAsNew(run, fix);
  const changes = new vscode.WorkspaceEdit();
  for (const { range, text } of edit) changes.replace(document.uri, range, text);
  await vscode.workspace.applyEdit(changes);
  const [first] = edit;
  const start = first!.range.start;
  const selection = new vscode.Range(
    start,
    document.positionAt(document.offsetAt(start) + first!.text.length),
  );
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One, selection });
}

type Edit = { range: vscode.Range; text: string }[];

/** null: the place of the edit is not in the file any more. */
async function experimentEdit(document: vscode.TextDocument, fix: Fix): Promise<Edit | null> {
  const { applyFix, canFix, difference } = await import('../experiments/edits.ts');
  const text = document.getText();
  if (!canFix(text, fix)) return null;
  const { offset, length, content } = difference(text, applyFix(text, fix));
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
  return [{ range, text: content }];
}

/** null: the code cannot say it. */
async function codeEdit(
  document: vscode.TextDocument,
  run: ListedRun,
  { edits }: Fix,
  { code }: Services,
): Promise<Edit | null> {
  const model = run.request.definition?.model;
  if (!model || !code.isCode(document)) return null;
  const [edit] = await code.mend(document, model, [edits]);
  return edit && edit.length > 0 ? edit.map(each => ({ range: rangeOf(each.range), text: each.text })) : null;
}

/** What the run trained, with the edit made, as a file that is not saved yet. */
async function openAsNew(run: ListedRun, fix: Fix): Promise<void> {
  const { applyFix } = await import('../experiments/edits.ts');
  const name = (plain(run.name, 60) || 'experiment').replace(/[^\p{L}\p{N}._-]+/gu, '-').toLowerCase();
  const path = join(run.workspace, `${name}.rnn.json`);
  const uri = vscode.Uri.file(path).with({ scheme: 'untitled' });
  const document = await vscode.workspace.openTextDocument(uri);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(uri, new vscode.Range(0, 0, document.lineCount, 0), applyFix(textFor(run), fix));
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One });
  const save = vscode.l10n.t('Save as Experiment…');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('"{0}" is made in a copy of what {1} trained.', plain(fix.title), plain(run.name)),
    save,
  );
  if (chosen !== save) return;
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.action.files.saveAs');
}

/** The experiment of the run; its paths hold from the workspace folder. */
function textFor(run: ListedRun): string {
  const text = experimentText(run);
  const { base } = run.request;
  const { data } = run.request.experiment;
  if (!('path' in data) || isAbsolute(data.path) || resolve(base) === resolve(run.workspace)) return text;
  const path = resolve(base, data.path);
  const way = relative(run.workspace, path);
  const isInside = !way.startsWith('..') && !isAbsolute(way);
  const value = (isInside ? way : path).replaceAll('\\', '/');
  return text.replace(JSON.stringify(data.path), JSON.stringify(value));
}

/** A run folder is untrusted: only a definition inside its own workspace folder is edited. */
function definitionFile(run: ListedRun): string | null {
  const path = run.request.definition?.path;
  if (!path || path.endsWith('.ipynb')) return null;
  const file = join(run.workspace, path);
  if (!existsSync(file)) return null;
  const way = relative(realpathSync(run.workspace), realpathSync(file));
  return way.startsWith('..') || isAbsolute(way) ? null : file;
}
