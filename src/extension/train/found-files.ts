// The data files of a folder, each with its beginning; our own samples where it has none.
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { DATA_GLOBS, type FoundFile, isData, readsOf } from '../data-files.ts';
import { askData } from '../experiments/ask-data.ts';
import { readFound } from '../read-head.ts';
import { isMeant } from './meant.ts';
import { ownFolders } from './training.ts';

const MOST_FILES = 200;
const MOST_TOLD = 30;

/** `first`: the path that the code reads, which then comes first; else the file in front. */
export async function findData(folder: vscode.WorkspaceFolder, first: string | null): Promise<FoundFile[]> {
  const all = await Promise.all(
    DATA_GLOBS.map(glob =>
      vscode.workspace.findFiles(
        new vscode.RelativePattern(folder, glob),
        '{**/node_modules/**,**/.*/**}',
        MOST_FILES,
      ),
    ),
  );
  const uris = all.flat();
  const found = await Promise.all(
    uris.map(uri => readFound(uri.fsPath, vscode.workspace.asRelativePath(uri, false))),
  );
  const own = found.filter(file => file !== null).filter(isData);
  const active = vscode.window.activeTextEditor?.document.uri;
  const shown = active ? vscode.workspace.asRelativePath(active, false) : '';
  const rank = ({ path }: FoundFile) =>
    first !== null && isMeant(path, first) ? -2 : path === shown ? -1 : path.split('/').length;
  own.sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path));
  if (own.length > 0) return withTold(own, file => join(folder.uri.fsPath, file.path));
  const samples = ['data/emma.txt', 'data/co2-concentration.csv', 'data/seattle-weather.csv'];
  const ours = await Promise.all(samples.map(path => readFound(join(ownFolders.samples, path), path)));
  return ours.filter(file => file !== null).map(file => ({ ...file, sample: true }));
}

/** Files of formats that only the trainer reads, with what it tells of them. */
export async function withTold(
  files: readonly FoundFile[],
  placeOf: (file: FoundFile) => string,
): Promise<FoundFile[]> {
  const typed = files.filter(({ path }) => readsOf(path) === 'arrays').slice(0, MOST_TOLD);
  if (typed.length === 0) return [...files];
  const told = await askData(typed.map(placeOf));
  return files.map(file => ({ ...file, told: told.get(placeOf(file)) }));
}

/** Where a chosen file stands. */
export function placeOf(
  { path, sample }: { path?: string; sample?: boolean },
  folder: vscode.WorkspaceFolder,
): string {
  return isAbsolute(path ?? '') ? path! : join(sample ? ownFolders.samples : folder.uri.fsPath, path ?? '');
}
