// The hover over a layer of an experiment.
import * as vscode from 'vscode';
import { EXPERIMENTS, type ExperimentDocuments } from './documents.ts';
import type { LastRuns } from './last-runs.ts';
import { lastLines } from './lens-text.ts';
import { stands } from './lenses.ts';
import { rangeOf } from './ranges.ts';

export function registerHover(experiments: ExperimentDocuments, lastRuns: LastRuns): vscode.Disposable {
  return vscode.languages.registerHoverProvider(EXPERIMENTS, {
    async provideHover(document, position) {
      const { experiment, locate } = await experiments.parse(document);
      if (!experiment) return null;
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
