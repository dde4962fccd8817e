// The hover over a layer of an experiment, and over the path of its data.
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { Data } from '../../experiment/schema.ts';
import { trainingSettings } from '../settings.ts';
import { askData } from './ask-data.ts';
import { EXPERIMENTS, type ExperimentDocuments } from './documents.ts';
import type { LastRuns } from './last-runs.ts';
import { lastLines } from './lens-text.ts';
import { stands } from './lenses.ts';
import { rangeOf } from './ranges.ts';
import { toldText } from './told.ts';

export function registerHover(experiments: ExperimentDocuments, lastRuns: LastRuns): vscode.Disposable {
  return vscode.languages.registerHoverProvider(EXPERIMENTS, {
    async provideHover(document, position) {
      const { experiment, locate } = await experiments.parse(document);
      if (!experiment) return null;
      const path = locate(['data', 'path']);
      if (path && rangeOf(path).contains(position))
        return dataHover(document, experiment.data, rangeOf(path));
      for (const index of experiment.model.layers.keys()) {
        const place = locate(['model', 'layers', index]);
        if (!place || !rangeOf(place).contains(position)) continue;
        const { layerHover } = await import('./hover-text.ts');
        const text = layerHover(experiment, index, null);
        if (!text) return null;
        const run = lastRuns.of(document.uri);
        const last = run ? lastLines(run, await stands(experiments, document, run)) : [];
        const markdown = new vscode.MarkdownString(text);
        if (last.length > 0) markdown.appendMarkdown('\n\n---\n\n').appendText(last.join('\n'));
        return new vscode.Hover(markdown, rangeOf(place));
      }
      return null;
    },
  });
}

/** As a run may read it: in a trusted folder, of that folder or of one that was allowed. */
async function dataHover(
  document: vscode.TextDocument,
  data: Data,
  range: vscode.Range,
): Promise<vscode.Hover | null> {
  const workspace = vscode.workspace.getWorkspaceFolder(document.uri);
  if (!('path' in data) || !workspace || !vscode.workspace.isTrusted || document.uri.scheme !== 'file')
    return null;
  const file = resolve(dirname(document.uri.fsPath), data.path);
  if (!isAllowed(file, [workspace.uri.fsPath, ...trainingSettings().allowedPaths])) return null;
  const told = (await askData([file])).get(file);
  if (!told) return null;
  const markdown = new vscode.MarkdownString();
  markdown.appendCodeblock(toldText(told), 'text');
  return new vscode.Hover(markdown, range);
}

/** By where the file truly stands, behind links. */
function isAllowed(file: string, folders: readonly string[]): boolean {
  const real = realOf(file);
  return (
    real !== null &&
    folders.some(folder => {
      const way = relative(realOf(folder) ?? folder, real);
      return way === '' || (!way.startsWith('..') && !isAbsolute(way));
    })
  );
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
