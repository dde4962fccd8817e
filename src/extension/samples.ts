// A sample experiment with its data, copied into the workspace so that it can be changed and trained there.
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { ownFolders } from './train/training.ts';

const SAMPLES = [
  { file: 'emma.rnn.json', label: 'Emma', description: 'a character model of a novel, three cells compared' },
  { file: 'adding.rnn.json', label: 'Adding problem', description: 'why the plain RNN cannot remember' },
  { file: 'temporal-order.rnn.json', label: 'Temporal order', description: 'which symbol came first' },
  { file: 'co2.rnn.json', label: 'CO₂', description: 'forecast the monthly CO₂ concentration' },
  { file: 'entities.rnn.json', label: 'Entities', description: 'names in sentences, by a CRF' },
  { file: 'morse.rnn.json', label: 'Morse code', description: 'letters without their places (CTC)' },
  { file: 'weather.rnn.json', label: 'Weather', description: 'forecast the temperature of Seattle' },
  { file: 'abilities.rnn.json', label: 'Abilities', description: 'twelve layers by six tasks, as a matrix' },
  { file: 'reversal.rnn.json', label: 'Reversal', description: 'an encoder, a decoder and what it looks at' },
];

export async function openSample(): Promise<void> {
  const chosen = await vscode.window.showQuickPick(SAMPLES, {
    placeHolder: vscode.l10n.t('Sample to copy into this workspace'),
  });
  if (!chosen) return;
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  const source = vscode.Uri.file(join(ownFolders.samples, chosen.file));
  if (!folder) {
    await vscode.window.showTextDocument(source);
    return;
  }
  const target = vscode.Uri.joinPath(folder.uri, chosen.file);
  if (!(await exists(target))) {
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(source));
    const { data } = JSON.parse(text) as { data: { path?: string } };
    if (data.path) await copyData(data.path, folder.uri);
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  }
  await vscode.window.showTextDocument(target);
}

async function copyData(path: string, folder: vscode.Uri): Promise<void> {
  const target = vscode.Uri.joinPath(folder, path);
  if (await exists(target)) return;
  await vscode.workspace.fs.createDirectory(vscode.Uri.joinPath(folder, dirname(path)));
  await vscode.workspace.fs.copy(vscode.Uri.file(join(ownFolders.samples, path)), target);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
