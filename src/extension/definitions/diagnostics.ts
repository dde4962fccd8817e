// Squiggles in code: what its text alone tells, and what the last run of a model found, at its layer until the line
// changes; each with what mends it.
import * as vscode from 'vscode';
import type { FoundModel } from '../../definitions/definition.ts';
import type { TextFinding } from '../../definitions/lint/finding.ts';
import type { Finding } from '../../runs/format.ts';
import { FindingDiagnostic } from '../experiments/diagnostics.ts';
import { rangeOf } from '../experiments/ranges.ts';
import type { Services } from '../services.ts';
import { plain } from '../text.ts';
import { CODE } from './documents.ts';

class ModelFinding extends FindingDiagnostic {
  readonly model: FoundModel;
  constructor(range: vscode.Range, message: string, finding: Finding, model: FoundModel) {
    super(range, message, finding);
    this.model = model;
  }
}

export function registerCodeDiagnostics(services: Services): vscode.Disposable {
  const found = vscode.languages.createDiagnosticCollection('unroll-models');
  const check = async (document: vscode.TextDocument) => {
    if (!services.code.isCode(document)) return;
    const isOn = vscode.workspace.getConfiguration('unroll', document).get('diagnostics.enabled', true);
    const all = isOn
      ? [...(await textFindings(services, document)), ...(await findingsOf(services, document))]
      : [];
    if (!document.isClosed) found.set(document.uri, all);
  };
  const checkAll = () => {
    for (const document of vscode.workspace.textDocuments) void check(document);
  };
  checkAll();
  return vscode.Disposable.from(
    found,
    services.code.onDidChange(document => void check(document)),
    vscode.workspace.onDidOpenTextDocument(document => void check(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => found.delete(uri)),
    services.lastRuns.onDidChange(uri => {
      const document = vscode.workspace.textDocuments.find(open => open.uri.toString() === uri.toString());
      if (document) void check(document);
    }),
    vscode.workspace.onDidChangeConfiguration(event => {
      if (event.affectsConfiguration('unroll.diagnostics.enabled')) checkAll();
    }),
    vscode.languages.registerCodeActionsProvider(
      CODE,
      {
        provideCodeActions: (document, range) =>
          actions(services, document, range, found.get(document.uri) ?? []),
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
  );
}

// ---------------------------------------------------------------- from the text

class TextDiagnostic extends vscode.Diagnostic {
  readonly finding: TextFinding;
  constructor(finding: TextFinding, pages: vscode.Uri) {
    super(rangeOf(finding.range), finding.message, SEVERITIES[finding.severity]);
    this.finding = finding;
    this.source = 'Unroll';
    const [page, fragment] = finding.page.split('#');
    this.code = {
      value: finding.id,
      target: vscode.Uri.joinPath(pages, page!).with({ fragment: fragment ?? '' }),
    };
  }
}

const SEVERITIES = {
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};

async function textFindings(
  { code, context }: Services,
  document: vscode.TextDocument,
): Promise<vscode.Diagnostic[]> {
  return (await code.findings(document)).map(finding => new TextDiagnostic(finding, context.extensionUri));
}

function textActions(document: vscode.TextDocument, diagnostic: TextDiagnostic): vscode.CodeAction[] {
  return diagnostic.finding.fixes.map(({ title, edits }, index) => {
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
    action.edit = new vscode.WorkspaceEdit();
    for (const { range, text } of edits) action.edit.replace(document.uri, rangeOf(range), text);
    action.diagnostics = [diagnostic];
    action.isPreferred = index === 0;
    return action;
  });
}

// ---------------------------------------------------------------- from runs

async function findingsOf(
  { code, lastRuns }: Services,
  document: vscode.TextDocument,
): Promise<vscode.Diagnostic[]> {
  const { models } = await code.read(document);
  const withRuns = models.filter(({ name }) => (lastRuns.of(document.uri, name)?.findings.length ?? 0) > 0);
  if (withRuns.length === 0) return [];
  const { toExperiment } = await import('../../definitions/to-experiment.ts');
  const { firstCell } = await import('../../experiment/models.ts');
  const { layerIndexOf, layerStands, modelOfCode } = await import('../experiments/same-model.ts');
  return withRuns.flatMap(model => {
    const last = lastRuns.of(document.uri, model.name)!;
    const { convention, origins, layers } = toExperiment(model);
    const now = modelOfCode({ convention, layers });
    const own = new Set<string>(layers.map(({ type }) => type));
    return last.findings.flatMap(finding => {
      // what befell the RNN of a comparison is no fault of the LSTM that stands here
      const run = last.runs.find(({ folder }) => folder === finding.folder);
      const cell = run && firstCell(run.experiment)?.layer.type;
      if (last.runs.length > 1 && cell && !own.has(cell)) return [];
      const index = layerIndexOf(finding.layer);
      // another model stands here than the one it was found in
      if (!run || !layerStands(now, run.experiment, index)) return [];
      const layer = index === null ? null : (origins[index] ?? null);
      const range = layer ? rangeOf(layer.range) : wordsOf(document, model.range.line - 1);
      const name = finding.label ? `${plain(finding.label, 40)}: ` : '';
      return [new ModelFinding(range, `${name}${plain(finding.message, 500)}`, finding, model)];
    });
  });
}

/** A line without what stands before and behind its text. */
function wordsOf(document: vscode.TextDocument, line: number): vscode.Range {
  const { firstNonWhitespaceCharacterIndex: start, text } = document.lineAt(line);
  return new vscode.Range(line, start, line, text.trimEnd().length);
}

/** The fix in the code where the code can say it; else training again with the fix. */
async function actions(
  services: Services,
  document: vscode.TextDocument,
  range: vscode.Range,
  all: readonly vscode.Diagnostic[],
): Promise<vscode.CodeAction[]> {
  const here = all.filter(found => found.range.intersection(range) !== undefined);
  const fromText = here
    .filter(found => found instanceof TextDiagnostic)
    .flatMap(found => textActions(document, found));
  const fromRuns: vscode.CodeAction[] = [];
  for (const found of here)
    if (found instanceof ModelFinding) fromRuns.push(...(await runActions(services, document, found)));
  return [...fromText, ...fromRuns];
}

async function runActions(
  { code }: Services,
  document: vscode.TextDocument,
  diagnostic: ModelFinding,
): Promise<vscode.CodeAction[]> {
  const { model, finding } = diagnostic;
  const edits = await code.mend(
    document,
    model.name,
    finding.fixes.map(fix => fix.edits),
  );
  return finding.fixes.map((fix, index) => {
    const title = plain(fix.title);
    const edit = edits[index];
    const action = new vscode.CodeAction(
      edit ? title : `${title}, and train again`,
      vscode.CodeActionKind.QuickFix,
    );
    action.diagnostics = [diagnostic];
    action.isPreferred = index === 0;
    if (edit) {
      action.edit = new vscode.WorkspaceEdit();
      for (const each of edit) action.edit.replace(document.uri, rangeOf(each.range), each.text);
    } else
      action.command = {
        title,
        command: 'unroll.train',
        arguments: [{ uri: document.uri, model: model.name, edits: fix.edits }],
      };
    return action;
  });
}
