// Whether this window may train, and if not, the reason and the way out.
import * as vscode from 'vscode';

interface Obstacle {
  reason: string;
  action?: { title: string; command: string };
}

function obstacle(): Obstacle | null {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (!vscode.workspace.isTrusted)
    return {
      reason: vscode.l10n.t(
        'Training is off because this workspace is not trusted: it would read data and write runs as its files say. Parameter counts and finished runs can be seen.',
      ),
      action: { title: vscode.l10n.t('Manage Workspace Trust'), command: 'workbench.trust.manage' },
    };
  if (folders.length === 0)
    return {
      reason: vscode.l10n.t('Open a folder to train in: runs are written to .unroll/runs inside it.'),
      action: { title: vscode.l10n.t('Open Folder…'), command: 'vscode.openFolder' },
    };
  if (!folders.some(({ uri }) => uri.scheme === 'file'))
    return {
      reason: vscode.l10n.t(
        'Training is off in a virtual workspace ({0}:): the trainer needs files on this machine. Parameter counts can be seen; to train, open a local copy of the folder.',
        folders[0]!.uri.scheme,
      ),
    };
  return null;
}

/** One sentence why training is not possible here; null if it is. */
export function trainingRestriction(): string | null {
  return obstacle()?.reason ?? null;
}

/** Says why not, with the way out, and returns false; true if training is possible. */
export async function mayTrain(): Promise<boolean> {
  const found = obstacle();
  if (!found) return true;
  const { reason, action } = found;
  const chosen = await (action
    ? vscode.window.showWarningMessage(reason, action.title)
    : vscode.window.showWarningMessage(reason));
  if (action && chosen === action.title) await vscode.commands.executeCommand(action.command);
  return false;
}
