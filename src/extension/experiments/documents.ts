// The open `*.rnn.json` documents, parsed once for each version. The parser is loaded with the first of them.
import * as vscode from 'vscode';
import type { ParsedExperiment } from '../../experiment/parse.ts';
import type { Experiment } from '../../experiment/schema.ts';

export const EXPERIMENTS: vscode.DocumentSelector = [
  { pattern: '**/*.rnn.json', scheme: 'file' },
  { pattern: '**/*.rnn.json', scheme: 'vscode-remote' },
  { pattern: '**/*.rnn.json', scheme: 'vscode-vfs' },
  { pattern: '**/*.rnn.json', scheme: 'untitled' },
];

export class ExperimentDocuments implements vscode.Disposable {
  private readonly parsed = new WeakMap<
    vscode.TextDocument,
    { version: number; result: Promise<ParsedExperiment> }
  >();
  private readonly good = new Map<string, Experiment>();
  private readonly closing = vscode.workspace.onDidCloseTextDocument(({ uri }) =>
    this.good.delete(uri.toString()),
  );

  isExperiment(document: vscode.TextDocument): boolean {
    return vscode.languages.match(EXPERIMENTS, document) > 0;
  }

  parse(document: vscode.TextDocument): Promise<ParsedExperiment> {
    const known = this.parsed.get(document);
    if (known?.version === document.version) return known.result;
    const result = this.read(document);
    this.parsed.set(document, { version: document.version, result });
    return result;
  }

  /** As it stands, or as it last was when it had no fault. */
  async lastGood(document: vscode.TextDocument): Promise<Experiment | null> {
    const { experiment } = await this.parse(document);
    return experiment ?? this.good.get(document.uri.toString()) ?? null;
  }

  /** The experiment in the active editor, if there is one. */
  get active(): vscode.TextDocument | undefined {
    const document = vscode.window.activeTextEditor?.document;
    return document && this.isExperiment(document) ? document : undefined;
  }

  dispose(): void {
    this.closing.dispose();
  }

  private async read(document: vscode.TextDocument): Promise<ParsedExperiment> {
    const text = document.getText();
    const { parseExperiment } = await import('../../experiment/parse.ts');
    const result = parseExperiment(text, { fileName: document.fileName });
    if (result.experiment) this.good.set(document.uri.toString(), result.experiment);
    return result;
  }
}

/** Path of the file relative to its workspace folder, with forward slashes; null outside of all folders. */
export function definitionPath(uri: vscode.Uri): { workspace: vscode.WorkspaceFolder; path: string } | null {
  const file = fileOf(uri);
  const workspace = vscode.workspace.getWorkspaceFolder(file);
  if (!workspace || file.scheme === 'untitled') return null;
  return { workspace, path: file.path.slice(workspace.uri.path.replace(/\/$/, '').length + 1) };
}

/** A cell of a notebook is no file; its notebook is. */
function fileOf(uri: vscode.Uri): vscode.Uri {
  if (uri.scheme !== 'vscode-notebook-cell') return uri;
  return vscode.workspace.notebookDocuments.find(notebook => notebook.uri.path === uri.path)?.uri ?? uri;
}
