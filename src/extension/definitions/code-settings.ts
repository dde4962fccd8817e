// The settings that a document's code trains with; of a notebook, those of all its cells together.
import * as vscode from 'vscode';
import type { TrainingSettings } from '../../definitions/training/taken.ts';
import { type CodeDocuments, cellsOf } from './documents.ts';

export interface CodeSettings {
  settings: TrainingSettings;
  /** shows the place of a line that `settings` names */
  goTo(line: number, file?: string): Promise<void>;
}

/** null where it cannot be read. */
export async function settingsOf(
  code: CodeDocuments,
  document: vscode.TextDocument,
  model: string,
): Promise<CodeSettings | null> {
  const parts = cellsOf(document).map(cell => ({ cell, text: withoutMagic(cell.getText(), document) }));
  const text = parts.map(part => part.text).join('\n');
  const language = code.languageOf(document);
  const { definitionsIn, unreadable } = await import('../../definitions/find.ts');
  const { trainingSettings } = await import('../../definitions/training/settings.ts');
  if (unreadable(text)) return null;
  const tree = await code.parseAside(text, language);
  try {
    const { models } = definitionsIn(tree, text, language);
    const found = models.find(({ name }) => name === model) ?? null;
    const settings = await code.withProject(document, surroundings =>
      trainingSettings(tree, text, language, found, surroundings),
    );
    return {
      settings,
      goTo: (line, file) => (file === undefined ? goTo(parts, line) : goToFile(file, line)),
    };
  } finally {
    tree.delete();
  }
}

/** `%matplotlib inline` and `!pip install` are no Python. */
function withoutMagic(text: string, { uri }: vscode.TextDocument): string {
  return uri.scheme === 'vscode-notebook-cell' ? text.replace(/^[ \t]*[%!?].*$/gm, 'pass') : text;
}

async function goToFile(file: string, line: number): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  const row = Math.min(line, document.lineCount) - 1;
  const selection = new vscode.Range(row, 0, row, document.lineAt(row).text.length);
  await vscode.window.showTextDocument(document, { selection });
}

async function goTo(
  parts: readonly { cell: vscode.TextDocument; text: string }[],
  line: number,
): Promise<void> {
  let rest = line - 1;
  for (const { cell, text } of parts) {
    const lines = text.split(/\r\n|\r|\n/).length;
    if (rest < lines) {
      const selection = new vscode.Range(rest, 0, rest, cell.lineAt(rest).text.length);
      await vscode.window.showTextDocument(cell, { selection });
      return;
    }
    rest -= lines;
  }
}
