// An open `*.rnn.json` becomes what can be trained; its faults are shown where they stand.
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Experiment } from '../../experiment/schema.ts';
import { definitionPath, type ExperimentDocuments } from '../experiments/documents.ts';
import { modelLine } from '../experiments/lens-text.ts';
import { plural } from '../text.ts';
import { CannotTrain, ownFolders, type Source } from './training.ts';

/** @returns undefined after the faults were shown */
export async function sourceOfDocument(
  document: vscode.TextDocument,
  experiments: ExperimentDocuments,
): Promise<Source | undefined> {
  const { experiment, problems } = await experiments.parse(document);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (!experiment) {
    const [first] = errors;
    if (!first) throw new CannotTrain(vscode.l10n.t('The experiment is not valid.'));
    const { line, column, endLine, endColumn } = first.range;
    const range = new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1);
    await vscode.window.showTextDocument(document, { selection: range });
    const more = errors.length > 1 ? vscode.l10n.t(' ({0} in all)', plural(errors.length, 'fault')) : '';
    throw new CannotTrain(vscode.l10n.t('Line {0}: {1}{2}', line, first.message, more), {
      title: vscode.l10n.t('Show Problems'),
      command: 'workbench.actions.view.problems',
    });
  }
  const place = definitionPath(document.uri);
  const workspace = place?.workspace ?? onlyFolder();
  if (!workspace)
    throw new CannotTrain(
      vscode.l10n.t(
        'This experiment is in none of the open folders, and runs are written into one. Open its folder, or save it into an open one.',
      ),
    );
  const text = document.getText();
  return {
    experiment,
    definition: {
      path: place?.path ?? null,
      line: (modelLine(text) ?? -1) + 1,
      language: 'rnn-json',
      text,
    },
    base: document.uri.scheme === 'file' ? dirname(document.uri.fsPath) : workspace.uri.fsPath,
    workspace: workspace.uri.fsPath,
    // a copy of a run on our own samples names them by their whole path
    allowedPaths: isOwnSample(experiment) ? [ownFolders.samples] : [],
  };
}

function isOwnSample({ data }: Experiment): boolean {
  return 'path' in data && ownFolders.samples !== '' && data.path.startsWith(`${ownFolders.samples}/`);
}

/** For documents that are not saved yet. */
function onlyFolder(): vscode.WorkspaceFolder | undefined {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  return folders.length === 1 ? folders[0] : undefined;
}
