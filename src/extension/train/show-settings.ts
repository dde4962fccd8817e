// The settings that a run of a model in code is about to take, shown before it starts; each row leads to its line.
import * as vscode from 'vscode';
import type { FromCode } from './from-code.ts';

interface Row extends vscode.QuickPickItem {
  answer?: 'train' | 'data';
  place?: { line: number; file?: string | undefined };
}

/** @returns what was chosen; undefined when it was left, or a line was gone to */
export async function showSettings(
  name: string,
  { shown, notTaken }: FromCode,
  data: string,
  goTo: (line: number, file?: string) => Promise<void>,
): Promise<'train' | 'data' | undefined> {
  const kind = vscode.QuickPickItemKind.Separator;
  const line = (number: number, file?: string) =>
    file === undefined
      ? vscode.l10n.t('line {0}', number)
      : vscode.l10n.t('{0}, line {1}', vscode.workspace.asRelativePath(file), number);
  const taken = shown.filter(each => each.line !== null);
  const own = shown.filter(each => each.line === null);
  const rows: Row[] = [
    { label: vscode.l10n.t('$(play) Train {0}', name), description: data, answer: 'train' },
    { label: vscode.l10n.t('$(database) Choose Other Data…'), answer: 'data' },
  ];
  if (notTaken.length > 0) rows.push({ label: vscode.l10n.t('not taken from the code'), kind });
  for (const { value, line: at, file } of notTaken)
    rows.push({ label: `$(warning) ${value}`, description: line(at, file), place: { line: at, file } });
  if (taken.length > 0) rows.push({ label: vscode.l10n.t('taken from the code'), kind });
  for (const { what, value, line: at, file } of taken)
    rows.push({ label: `${what}: ${value}`, description: line(at!, file), place: { line: at!, file } });
  if (own.length > 0) rows.push({ label: vscode.l10n.t('not said in the code'), kind });
  for (const { what, value } of own) rows.push({ label: `${what}: ${value}` });
  const chosen = await vscode.window.showQuickPick(rows, {
    title: vscode.l10n.t('Train {0}', name),
    placeHolder: vscode.l10n.t('It trains with these settings. Enter starts; a setting leads to its line.'),
    matchOnDescription: true,
  });
  if (chosen?.place) await goTo(chosen.place.line, chosen.place.file);
  return chosen?.answer;
}
