// "Train RNN" from the palette, with an experiment or a model in front: which one it starts, and everything else.
import { basename } from 'node:path';
import * as vscode from 'vscode';

export type Front =
  | { kind: 'front' }
  | { kind: 'file'; uri: vscode.Uri }
  /** data, cell and size are asked for */
  | { kind: 'new' };

const MOST_FILES = 50;

interface Row extends vscode.QuickPickItem {
  front?: Front;
}

/** `name`: of what stands in front. @returns undefined when the person left the pick */
export async function askFront(
  title: string,
  name: string,
  description: string,
  own: vscode.Uri | null,
): Promise<Front | undefined> {
  const found = await vscode.workspace.findFiles(
    '**/*.rnn.json',
    '{**/node_modules/**,**/.*/**}',
    MOST_FILES,
  );
  const others = found
    .filter(uri => uri.toString() !== own?.toString())
    .sort((a, b) => a.path.localeCompare(b.path));
  const rows: Row[] = [
    {
      label: vscode.l10n.t('$(play) Train {0}', name),
      ...beside(name, description),
      front: { kind: 'front' },
    },
    {
      label: vscode.l10n.t('$(add) Something else…'),
      description: vscode.l10n.t('choose data, a cell and a size'),
      front: { kind: 'new' },
    },
  ];
  if (others.length > 0)
    rows.push({ label: vscode.l10n.t('other experiments'), kind: vscode.QuickPickItemKind.Separator });
  for (const uri of others)
    rows.push({
      label: `$(beaker) ${basename(uri.path)}`,
      ...beside(basename(uri.path), vscode.workspace.asRelativePath(uri)),
      front: { kind: 'file', uri },
    });
  const chosen = await vscode.window.showQuickPick(rows, {
    title,
    placeHolder: vscode.l10n.t('Enter trains what stands in the editor.'),
    matchOnDescription: true,
  });
  return chosen?.front;
}

/** A path is told where it says more than the name. */
function beside(name: string, path: string): { description?: string } {
  return path === name ? {} : { description: path };
}
