// Squiggles in `*.rnn.json`: faults while typing, and what the last run found, at the layer it is about.
import * as vscode from 'vscode';
import type { ParsedExperiment, Problem } from '../../experiment/parse.ts';
import type { Finding } from '../../runs/format.ts';
import { DocumentTimers } from '../document-timers.ts';
import { plain } from '../text.ts';
import { EXPERIMENTS, type ExperimentDocuments } from './documents.ts';
import type { LastRuns } from './last-runs.ts';
import { rangeOf } from './ranges.ts';

const TYPING_MILLISECONDS = 250;
const SOURCE = 'Unroll';

export class FindingDiagnostic extends vscode.Diagnostic {
  readonly finding: Finding;
  constructor(range: vscode.Range, message: string, finding: Finding) {
    super(range, message, severityOf(finding.severity));
    this.finding = finding;
    this.source = SOURCE;
    this.code = finding.id;
  }
}

/** A fault of the text, with what was surely meant. */
class FaultDiagnostic extends vscode.Diagnostic {
  readonly meant: string | undefined;
  constructor({ message, range, severity, meant }: Problem) {
    super(
      rangeOf(range),
      message,
      severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
    );
    this.source = SOURCE;
    this.meant = meant;
  }
}

export class ExperimentDiagnostics implements vscode.Disposable {
  private readonly experiments: ExperimentDocuments;
  private readonly lastRuns: LastRuns;
  private readonly faults = vscode.languages.createDiagnosticCollection('unroll');
  private readonly findings = vscode.languages.createDiagnosticCollection('unroll-runs');
  private readonly timers = new DocumentTimers();
  private readonly subscriptions: vscode.Disposable[];

  constructor(experiments: ExperimentDocuments, lastRuns: LastRuns) {
    this.experiments = experiments;
    this.lastRuns = lastRuns;
    this.subscriptions = [
      this.faults,
      this.findings,
      vscode.workspace.onDidOpenTextDocument(document => this.later(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.later(document, TYPING_MILLISECONDS)),
      vscode.workspace.onDidCloseTextDocument(document => this.forget(document.uri)),
      vscode.workspace.onDidChangeConfiguration(event => {
        if (event.affectsConfiguration('unroll.diagnostics.enabled')) this.all();
      }),
      vscode.languages.onDidChangeDiagnostics(({ uris }) => this.onOthers(uris)),
      lastRuns.onDidChange(uri => this.laterByUri(uri)),
    ];
    this.all();
  }

  /** What runs found at this place. */
  findingsAt(uri: vscode.Uri, range: vscode.Range): FindingDiagnostic[] {
    return (this.findings.get(uri) ?? []).filter(
      (found): found is FindingDiagnostic =>
        found instanceof FindingDiagnostic && found.range.intersection(range) !== undefined,
    );
  }

  /** Faults here of which the right word is known. */
  faultsAt(uri: vscode.Uri, range: vscode.Range): { diagnostic: vscode.Diagnostic; meant: string }[] {
    return (this.faults.get(uri) ?? []).flatMap(diagnostic =>
      diagnostic instanceof FaultDiagnostic &&
      diagnostic.meant !== undefined &&
      diagnostic.range.intersection(range) !== undefined
        ? { diagnostic, meant: diagnostic.meant }
        : [],
    );
  }

  dispose(): void {
    this.timers.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private all(): void {
    for (const document of vscode.workspace.textDocuments) this.later(document, 0);
  }

  private laterByUri(uri: vscode.Uri): void {
    const document = vscode.workspace.textDocuments.find(open => open.uri.toString() === uri.toString());
    if (document) this.later(document, 0);
  }

  private later(document: vscode.TextDocument, wait: number): void {
    if (!this.experiments.isExperiment(document)) return;
    this.timers.set(document.uri, wait, () => void this.check(document));
  }

  private forget(uri: vscode.Uri): void {
    this.timers.clear(uri);
    this.faults.delete(uri);
    this.findings.delete(uri);
  }

  private onOthers(uris: readonly vscode.Uri[]): void {
    for (const uri of uris) if (this.faults.has(uri)) this.laterByUri(uri);
  }

  private async check(document: vscode.TextDocument): Promise<void> {
    const { uri, version } = document;
    if (!vscode.workspace.getConfiguration('unroll', document).get('diagnostics.enabled', true)) {
      this.faults.delete(uri);
      this.findings.delete(uri);
      return;
    }
    const parsed = await this.experiments.parse(document);
    if (document.isClosed || document.version !== version) return;
    // JSON support says what is no JSON; that is not said twice
    const known = vscode.languages.getDiagnostics(uri).filter(({ source }) => source !== SOURCE);
    const faults = parsed.problems
      .map(problem => new FaultDiagnostic(problem))
      .filter(({ range }) => !known.some(other => other.range.intersection(range)));
    set(this.faults, uri, faults);
    const found = await this.findingsOf(document, parsed);
    if (!document.isClosed && document.version === version) set(this.findings, uri, found);
  }

  /** None while the text has a fault: what it says of the model cannot be compared then. */
  private async findingsOf(
    document: vscode.TextDocument,
    { experiment, locate, locateKey }: ParsedExperiment,
  ): Promise<FindingDiagnostic[]> {
    const last = this.lastRuns.of(document.uri);
    if (!last || !experiment || last.findings.length === 0) return [];
    const { isMended, layerIndexOf, layerStands, modelsOf } = await import('./same-model.ts');
    const { firstCell } = await import('../../experiment/models.ts');
    const now = modelsOf(experiment);
    const newest = new Map<string, FindingDiagnostic>();
    const cells = new Set<string>(experiment.model.layers.map(({ type }) => type));
    for (const finding of last.findings) {
      // what befell the RNN of a comparison is no fault of the LSTM that stands here
      const run = last.runs.find(({ folder }) => folder === finding.folder);
      const cell = run && firstCell(run.experiment)?.layer.type;
      if (last.runs.length > 1 && cell && !cells.has(cell)) continue;
      const index = layerIndexOf(finding.layer);
      // another model stands here than the one it was found in
      if (!run || !layerStands(now, run.experiment, index) || isMended(experiment, finding.fixes)) continue;
      const place = index === null ? locateKey(['model']) : locate(['model', 'layers', index, 'type']);
      if (!place) continue;
      const name = finding.label ? `${plain(finding.label, 40)}: ` : '';
      const found = new FindingDiagnostic(rangeOf(place), `${name}${plain(finding.message, 500)}`, finding);
      newest.set(`${finding.folder} ${finding.id} ${finding.layer}`, found);
    }
    return [...newest.values()];
  }
}

/** Setting what already stands would make VS Code tell everybody again, us included. */
function set(collection: vscode.DiagnosticCollection, uri: vscode.Uri, found: vscode.Diagnostic[]): void {
  const same = (all: readonly vscode.Diagnostic[]) =>
    JSON.stringify(all.map(({ range, message, severity }) => [range, message, severity]));
  if (same(collection.get(uri) ?? []) !== same(found)) collection.set(uri, found);
}

function severityOf(severity: Finding['severity']): vscode.DiagnosticSeverity {
  if (severity === 'error') return vscode.DiagnosticSeverity.Error;
  return severity === 'warning' ? vscode.DiagnosticSeverity.Warning : vscode.DiagnosticSeverity.Information;
}

export function registerQuickFixes(diagnostics: ExperimentDiagnostics): vscode.Disposable {
  const provider: vscode.CodeActionProvider = {
    async provideCodeActions(document, range) {
      const words = diagnostics.faultsAt(document.uri, range).map(({ diagnostic, meant }) => {
        const action = new vscode.CodeAction(
          vscode.l10n.t('Change to {0}', meant),
          vscode.CodeActionKind.QuickFix,
        );
        action.edit = new vscode.WorkspaceEdit();
        action.edit.replace(document.uri, diagnostic.range, meant);
        action.diagnostics = [diagnostic];
        action.isPreferred = true;
        return action;
      });
      const found = diagnostics.findingsAt(document.uri, range);
      if (found.length === 0) return words;
      const { applyFix, canFix, difference } = await import('./edits.ts');
      const text = document.getText();
      const fixes = found.flatMap(diagnostic =>
        diagnostic.finding.fixes
          .filter(fix => canFix(text, fix))
          .map((fix, index) => {
            const action = new vscode.CodeAction(plain(fix.title), vscode.CodeActionKind.QuickFix);
            const { offset, length, content } = difference(text, applyFix(text, fix));
            const where = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
            action.edit = new vscode.WorkspaceEdit();
            action.edit.replace(document.uri, where, content);
            action.diagnostics = [diagnostic];
            action.isPreferred = index === 0;
            return action;
          }),
      );
      return [...words, ...fixes];
    },
  };
  return vscode.languages.registerCodeActionsProvider(EXPERIMENTS, provider, {
    providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
  });
}
