// The row above `"model"`: train, compare, counts, and later the last result. It stands from the first paint
// and is filled late, so that no line jumps.
import * as vscode from 'vscode';
import { plural } from '../text.ts';
import { EXPERIMENTS, type ExperimentDocuments } from './documents.ts';
import type { LastRun } from './last-run.ts';
import type { LastRuns } from './last-runs.ts';
import { lastLens, modelLine, trainLens } from './lens-text.ts';

type Part = 'train' | 'compare' | 'counts' | 'last';

class ModelLens extends vscode.CodeLens {
  readonly part: Part;
  readonly document: vscode.TextDocument;
  constructor(range: vscode.Range, part: Part, document: vscode.TextDocument) {
    super(range);
    this.part = part;
    this.document = document;
  }
}

export function registerLenses(experiments: ExperimentDocuments, lastRuns: LastRuns): vscode.Disposable {
  const provider = new ModelLenses(experiments, lastRuns);
  return vscode.Disposable.from(provider, vscode.languages.registerCodeLensProvider(EXPERIMENTS, provider));
}

/** Whether the last run trained the model that stands in the document, or last stood there without a fault. */
export async function stands(
  experiments: ExperimentDocuments,
  document: vscode.TextDocument,
  last: LastRun,
): Promise<boolean> {
  const experiment = await experiments.lastGood(document);
  const { modelsOf, wasTrained } = await import('./same-model.ts');
  return (
    experiment !== null &&
    wasTrained(
      modelsOf(experiment),
      last.runs.map(run => run.experiment),
    )
  );
}

class ModelLenses implements vscode.CodeLensProvider<ModelLens>, vscode.Disposable {
  private readonly experiments: ExperimentDocuments;
  private readonly lastRuns: LastRuns;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly lines = new Map<string, number>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(experiments: ExperimentDocuments, lastRuns: LastRuns) {
    this.experiments = experiments;
    this.lastRuns = lastRuns;
    this.subscriptions = [
      this.changed,
      lastRuns.onDidChange(() => this.changed.fire()),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.lines.delete(uri.toString())),
      vscode.workspace.onDidChangeConfiguration(event => {
        if (event.affectsConfiguration('unroll.codeLens.enabled')) this.changed.fire();
      }),
    ];
  }

  provideCodeLenses(document: vscode.TextDocument): ModelLens[] {
    const settings = vscode.workspace.getConfiguration('unroll', document);
    if (!settings.get('codeLens.enabled', true)) return [];
    const key = document.uri.toString();
    // while the file is broken the row stays where it was
    const line = modelLine(document.getText()) ?? this.lines.get(key) ?? 0;
    this.lines.set(key, line);
    const range = new vscode.Range(line, 0, line, 0);
    const parts: Part[] = ['train', 'compare', 'counts'];
    if (this.lastRuns.of(document.uri)?.runs.length) parts.push('last');
    return parts.map(part => new ModelLens(range, part, document));
  }

  async resolveCodeLens(lens: ModelLens): Promise<ModelLens> {
    lens.command = await this.command(lens);
    return lens;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  /** Of a file that was never valid since it was opened. */
  private async faults(document: vscode.TextDocument): Promise<vscode.Command> {
    const { problems } = await this.experiments.parse(document);
    const faults = problems.filter(({ severity }) => severity === 'error').length;
    return { title: `not valid: ${plural(faults, 'fault')}`, command: 'workbench.actions.view.problems' };
  }

  private async command({ part, document }: ModelLens): Promise<vscode.Command> {
    const { uri } = document;
    switch (part) {
      case 'train': {
        const experiment = await this.experiments.lastGood(document);
        const { comparisonSize } = await import('../../experiment/compare.ts');
        const { title, tooltip } = trainLens(experiment ? comparisonSize(experiment) : 1);
        return { title, tooltip, command: 'unroll.train', arguments: [uri] };
      }
      case 'compare': {
        const { compareTitle } = await import('./counts-text.ts');
        return {
          title: compareTitle(),
          tooltip: 'Train this experiment with each of these cells, side by side',
          command: 'unroll.compare',
          arguments: [uri],
        };
      }
      case 'counts': {
        const experiment = await this.experiments.lastGood(document);
        if (!experiment) return this.faults(document);
        const { countsText } = await import('./counts-text.ts');
        return { title: countsText(experiment), command: '' };
      }
      case 'last': {
        const last = this.lastRuns.of(uri);
        if (!last) return { title: '', command: '' };
        return lastLens(last, await stands(this.experiments, document, last));
      }
    }
  }
}
