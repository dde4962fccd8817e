// The row above `"model"`: train, compare, counts, and later the last result. Lenses are given with their commands: of
// those that are filled late, VS Code keeps the texts and forgotten commands where they change meanwhile.
import * as vscode from 'vscode';
import { plural } from '../text.ts';
import { EXPERIMENTS, type ExperimentDocuments } from './documents.ts';
import type { LastRun } from './last-run.ts';
import type { LastRuns } from './last-runs.ts';
import { lastLens, modelLine, trainLens } from './lens-text.ts';

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

class ModelLenses implements vscode.CodeLensProvider, vscode.Disposable {
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

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const settings = vscode.workspace.getConfiguration('unroll', document);
    if (!settings.get('codeLens.enabled', true)) return [];
    const key = document.uri.toString();
    // while the file is broken the row stays where it was
    const line = modelLine(document.getText()) ?? this.lines.get(key) ?? 0;
    this.lines.set(key, line);
    const range = new vscode.Range(line, 0, line, 0);
    return (await this.commands(document)).map(command => new vscode.CodeLens(range, command));
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

  private async commands(document: vscode.TextDocument): Promise<vscode.Command[]> {
    const { uri } = document;
    const experiment = await this.experiments.lastGood(document);
    const { comparisonSize } = await import('../../experiment/compare.ts');
    const { compareTitle, countsText } = await import('./counts-text.ts');
    const last = this.lastRuns.of(uri);
    const row: vscode.Command[] = [
      {
        ...trainLens(experiment ? comparisonSize(experiment) : 1),
        command: 'unroll.train',
        arguments: [uri],
      },
      {
        title: compareTitle(),
        tooltip: 'Train this experiment with each of these cells, side by side',
        command: 'unroll.compare',
        arguments: [uri],
      },
      experiment ? { title: countsText(experiment), command: '' } : await this.faults(document),
    ];
    if (last?.runs.length) row.push(lastLens(last, await stands(this.experiments, document, last)));
    return row;
  }
}
