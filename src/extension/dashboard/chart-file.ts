// A picture or the table of a chart, saved where the person says.
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ChartFormat } from '../../protocol/messages.ts';
import { plain } from '../text.ts';

export async function saveChart(
  { name, format, content }: { name: string; format: ChartFormat; content: string },
  workspace: string | undefined,
): Promise<void> {
  const file = `${plain(name, 60).replace(/[^\p{L}\p{N}._-]+/gu, '-') || 'chart'}.${format}`;
  const target = await vscode.window.showSaveDialog({
    ...(workspace ? { defaultUri: vscode.Uri.file(join(workspace, file)) } : {}),
    filters: { [format.toUpperCase()]: [format] },
    saveLabel: vscode.l10n.t('Save Chart'),
  });
  if (!target) return;
  const bytes = format === 'png' ? Buffer.from(content, 'base64') : new TextEncoder().encode(content);
  await vscode.workspace.fs.writeFile(target, bytes);
  await vscode.commands.executeCommand('vscode.open', target);
}
