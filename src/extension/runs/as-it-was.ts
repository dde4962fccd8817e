// The definition a run was made from, as a read-only document: to read, and to compare with the file of today.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { plain } from '../text.ts';
import { runLabel } from './describe.ts';
import type { ListedRun, RunStore } from './store.ts';

const SCHEME = 'unroll-run';

export function registerAsItWas(store: RunStore): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: async ({ query }) => {
      const [folder = '', other] = query.split('\n');
      const run = store.get(folder);
      const compared = other === undefined ? undefined : store.get(other);
      if (run && compared) return differencesOf(run, compared);
      return run ? definitionText(run) : vscode.l10n.t('This run is not there any more.');
    },
  });
}

function definitionText(run: ListedRun): string {
  return run.request.definition?.text ?? experimentText(run);
}

/** As a person wrote it; of a model in code, or of no file, with all defaults. */
export function experimentText({ request: { definition, experiment } }: ListedRun): string {
  if (definition?.language === 'rnn-json') return definition.text;
  return `${JSON.stringify(experiment, null, 2)}\n`;
}

function uriOf(run: ListedRun): vscode.Uri {
  const name = (run.request.definition?.path?.split('/').at(-1) ?? `${plain(run.name, 60)}.json`)
    .replace(/[/\\?#%]/g, ' ')
    // the read-only text shows neither lenses nor faults
    .replace(/\.rnn\.json$/, '.json');
  return vscode.Uri.from({ scheme: SCHEME, path: `/${run.id}/${name}`, query: run.folder });
}

export async function openAsItWas(run: ListedRun): Promise<void> {
  const uri = uriOf(run);
  const document = await vscode.workspace.openTextDocument(uri);
  if (uri.path.endsWith('.json')) await vscode.languages.setTextDocumentLanguage(document, 'jsonc');
  await vscode.window.showTextDocument(document, { preview: true });
}

async function differencesOf(run: ListedRun, other: ListedRun): Promise<string> {
  const { onlyDifferences } = await import('../../runs/differences.ts');
  const [own] = onlyDifferences(run.request.experiment, other.request.experiment);
  return `${JSON.stringify(own, null, 2)}\n`;
}

/** Of two runs only the fields in which their experiments differ. */
export async function compareExperiments(a: ListedRun, b: ListedRun): Promise<void> {
  const uri = (run: ListedRun, other: ListedRun) =>
    vscode.Uri.from({
      scheme: SCHEME,
      path: `/${run.id}/${plain(runLabel(run, false), 60).replace(/[/\\?#%]/g, ' ')}.json`,
      query: `${run.folder}\n${other.folder}`,
    });
  const title = vscode.l10n.t('{0} ↔ {1}: what differs', runLabel(a, false), runLabel(b, false));
  await vscode.commands.executeCommand('vscode.diff', uri(a, b), uri(b, a), title);
}

export async function compareWithNow(run: ListedRun): Promise<void> {
  const path = run.request.definition?.path;
  const inside = path && !path.split('/').includes('..') ? join(run.workspace, path) : null;
  if (!inside || !existsSync(inside)) {
    const why = path
      ? vscode.l10n.t('{0} is not there any more.', plain(path, 200))
      : vscode.l10n.t('This run was not made from a file.');
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} The experiment as it was is shown alone.', why),
    );
    return openAsItWas(run);
  }
  const title = vscode.l10n.t('{0}: as it was ↔ now', plain(path!.split('/').at(-1)!));
  await vscode.commands.executeCommand('vscode.diff', uriOf(run), vscode.Uri.file(inside), title);
}
