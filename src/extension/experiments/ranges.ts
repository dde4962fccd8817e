// Places in a text, as VS Code counts them.
import * as vscode from 'vscode';
import type { TextRange } from '../../experiment/parse.ts';

export function rangeOf({ line, column, endLine, endColumn }: TextRange): vscode.Range {
  return new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1);
}
