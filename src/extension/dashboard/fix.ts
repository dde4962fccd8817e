// Makes the edits that a finding proposes in the experiment's editor; saving and training stay with the person.
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import * as vscode from 'vscode';
import type { Fix } from '../../runs/format.ts';
import type { ListedRun } from '../runs/store.ts';
import { plain } from '../text.ts';

export async function applyFixInEditor(run: ListedRun, fix: Fix): Promise<void> {
  const file = definitionFile(run);
  if (!file) {
    const what = plain(run.request.definition?.path ?? run.name);
    void vscode.window.showWarningMessage(
      vscode.l10n.t('"{0}" cannot be made: {1} is not in this workspace any more.', plain(fix.title), what),
    );
    return;
  }
  const { applyFix, canFix, difference } = await import('../experiments/edits.ts');
  const document = await vscode.workspace.openTextDocument(file);
  const text = document.getText();
  if (!canFix(text, fix)) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('"{0}" cannot be made: the experiment has changed since that run.', plain(fix.title)),
    );
    return;
  }
  const { offset, length, content } = difference(text, applyFix(text, fix));
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, content);
  await vscode.workspace.applyEdit(edit);
  const start = document.positionAt(offset);
  const selection = new vscode.Range(start, document.positionAt(offset + content.length));
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One, selection });
}

/** A run folder is untrusted: only an experiment inside its own workspace folder is edited. */
function definitionFile(run: ListedRun): string | null {
  const path = run.request.definition?.path;
  if (!path?.endsWith('.rnn.json')) return null;
  const file = join(run.workspace, path);
  if (!existsSync(file)) return null;
  const way = relative(realpathSync(run.workspace), realpathSync(file));
  return way.startsWith('..') || isAbsolute(way) ? null : file;
}
