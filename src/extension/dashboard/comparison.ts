// The table of a comparison, to be pasted or opened elsewhere.
import { join } from 'node:path';
import * as vscode from 'vscode';
import { bestRow, type ComparedRow, csv, markdown } from '../../runs/comparison.ts';
import { comparisonNumbers, comparisonTable } from '../../runs/comparison-text.ts';
import { plain } from '../text.ts';

/** `pinned`: a run of the row that differences are to; null: the best, as on the page. */
export async function copyComparison(rows: readonly ComparedRow[], pinned: string | null): Promise<void> {
  const baseline = rows.find(row => row.runs.some(({ id }) => id === pinned)) ?? bestRow(rows);
  const table = comparisonTable(rows, baseline);
  const text = markdown(
    table.head.map(cell => plain(cell)),
    table.rows.map(row => row.map(cell => plain(cell))),
  );
  await vscode.env.clipboard.writeText(`${text}\n`);
  void vscode.window.setStatusBarMessage(
    vscode.l10n.t('The comparison is in the clipboard, as Markdown.'),
    5000,
  );
}

export async function saveComparison(
  rows: readonly ComparedRow[],
  workspace: string | undefined,
): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    ...(workspace ? { defaultUri: vscode.Uri.file(join(workspace, 'comparison.csv')) } : {}),
    filters: { CSV: ['csv'] },
    saveLabel: vscode.l10n.t('Save Comparison'),
  });
  if (!target) return;
  const { head, rows: numbers } = comparisonNumbers(rows);
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(csv(head, numbers)));
  await vscode.window.showTextDocument(target);
}
