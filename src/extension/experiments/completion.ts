// Completion in the `data` of an experiment: files for paths, columns of the file for what names one.
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Location } from 'jsonc-parser';
import * as vscode from 'vscode';
import { columnsIn, DATA_GLOBS, readsOf } from '../data-files.ts';
import { readFound } from '../read-head.ts';
import { EXPERIMENTS } from './documents.ts';

const MOST_FILES = 200;

export function registerDataCompletion(): vscode.Disposable {
  return vscode.languages.registerCompletionItemProvider(
    EXPERIMENTS,
    {
      async provideCompletionItems(document, position) {
        const { getLocation, parse } = await import('jsonc-parser');
        const text = document.getText();
        const location = getLocation(text, document.offsetAt(position));
        const [section, field] = location.path;
        if (section !== 'data' || typeof field !== 'string' || location.isAtPropertyKey) return [];
        const values = /path$/i.test(field)
          ? await filesFor(document)
          : await columnsFor(document, field, parse(text));
        const range = rangeOfValue(document, position, location);
        return values.map(({ value, detail }, index) => {
          const item = new vscode.CompletionItem(value, vscode.CompletionItemKind.Value);
          item.insertText = JSON.stringify(value);
          item.filterText = JSON.stringify(value);
          item.range = range;
          item.detail = detail;
          // before the empty text that the JSON service offers by itself
          item.sortText = `!${String(index).padStart(4, '0')}`;
          return item;
        });
      },
    },
    '"',
    '/',
  );
}

interface Value {
  value: string;
  detail: string;
}

function rangeOfValue(
  document: vscode.TextDocument,
  position: vscode.Position,
  { previousNode }: Location,
): vscode.Range {
  const offset = document.offsetAt(position);
  const isInside =
    previousNode && previousNode.offset <= offset && offset <= previousNode.offset + previousNode.length;
  if (!isInside) return new vscode.Range(position, position);
  return new vscode.Range(
    document.positionAt(previousNode.offset),
    document.positionAt(previousNode.offset + previousNode.length),
  );
}

/** Relative to the experiment, the nearest first. */
async function filesFor(document: vscode.TextDocument): Promise<Value[]> {
  const workspace = vscode.workspace.getWorkspaceFolder(document.uri);
  if (!workspace) return [];
  const all = await Promise.all(
    DATA_GLOBS.map(glob =>
      vscode.workspace.findFiles(
        new vscode.RelativePattern(workspace, glob),
        '{**/node_modules/**,**/.*/**}',
        MOST_FILES,
      ),
    ),
  );
  const home = dirname(document.uri.fsPath);
  return all
    .flat()
    .map(({ fsPath }) => relative(home, fsPath).replaceAll('\\', '/'))
    .filter(path => readsOf(path) !== null)
    .sort((a, b) => a.split('/').length - b.split('/').length || a.localeCompare(b))
    .map(value => ({ value, detail: readsOf(value) === 'text' ? 'text' : 'table' }));
}

/** Fields that name columns are texts or lists of them, and no choice among words. */
async function columnsFor(
  document: vscode.TextDocument,
  field: string,
  experiment: { data?: { path?: unknown } } | undefined,
): Promise<Value[]> {
  const { schemaAt } = await import('../../experiment/schema-json.ts');
  const schema = schemaAt(['data', field], experiment);
  const forms = schema?.anyOf ?? [schema];
  const takesText = forms
    .map(form => (form?.type === 'array' ? (form.items as typeof form) : form))
    .some(form => form?.type === 'string' && !form.enum && form.const === undefined);
  const path = experiment?.data?.path;
  if (!takesText || typeof path !== 'string') return [];
  if (readsOf(path) !== 'table') return [];
  const file = isAbsolute(path) ? path : resolve(dirname(document.uri.fsPath), path);
  const head = (await readFound(file, path))?.head ?? '';
  return columnsIn(head).map(({ name, isNumeric }) => ({
    value: name,
    detail: isNumeric ? 'numbers' : 'words',
  }));
}
