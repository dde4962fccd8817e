// Squiggles in code: what its text alone tells, and what the last run of a model found, at its layer until the line
// changes; each with what mends it.
import * as vscode from 'vscode';
import type { FoundLayer, FoundModel } from '../../definitions/definition.ts';
import type { TextFinding } from '../../definitions/lint/finding.ts';
import type { Finding } from '../../runs/format.ts';
import { FindingDiagnostic } from '../experiments/diagnostics.ts';
import { rangeOf } from '../experiments/ranges.ts';
import type { Services } from '../services.ts';
import { plain } from '../text.ts';
import { CODE } from './documents.ts';

class ModelFinding extends FindingDiagnostic {
  readonly model: FoundModel;
  readonly layer: FoundLayer | null;
  constructor(
    range: vscode.Range,
    message: string,
    finding: Finding,
    model: FoundModel,
    layer: FoundLayer | null,
  ) {
    super(range, message, finding);
    this.model = model;
    this.layer = layer;
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
      { provideCodeActions: (document, range) => actions(document, range, found.get(document.uri) ?? []) },
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
  return withRuns.flatMap(model => {
    const last = lastRuns.of(document.uri, model.name)!;
    const trained = new Set(last.text.split(/\r\n|\r|\n/));
    const { origins, layers } = toExperiment(model);
    const own = new Set<string>(layers.map(({ type }) => type));
    return last.findings.flatMap(finding => {
      // what befell the RNN of a comparison is no fault of the LSTM that stands here
      if (last.runs.length > 1 && finding.cell && !own.has(finding.cell)) return [];
      const index = /^layers\.(\d+)/.exec(finding.layer ?? '')?.[1];
      const layer = index === undefined ? null : (origins[Number(index)] ?? null);
      const range = layer ? rangeOf(layer.range) : document.lineAt(model.range.line - 1).range;
      // the line was changed since it was trained: what was found is about another model
      if (!trained.has(document.lineAt(range.start.line).text)) return [];
      const name = finding.label ? `${plain(finding.label, 40)}: ` : '';
      return [new ModelFinding(range, `${name}${plain(finding.message, 500)}`, finding, model, layer)];
    });
  });
}

/** The fix in the code where it is another cell; else training again with the fix, which the code cannot say. */
function actions(
  document: vscode.TextDocument,
  range: vscode.Range,
  all: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const fromText = all
    .filter(
      (found): found is TextDiagnostic =>
        found instanceof TextDiagnostic && found.range.intersection(range) !== undefined,
    )
    .flatMap(found => textActions(document, found));
  const fromRuns = all
    .filter(
      (found): found is ModelFinding =>
        found instanceof ModelFinding && found.range.intersection(range) !== undefined,
    )
    .flatMap(diagnostic =>
      diagnostic.finding.fixes.map((fix, index) => {
        const cell = fix.edits.find(({ path }) => path.at(-1) === 'type')?.value;
        const title = plain(fix.title);
        const edit = typeof cell === 'string' && diagnostic.layer ? otherCell(diagnostic.layer, cell) : null;
        const action = new vscode.CodeAction(
          edit ? title : `${title}, and train again`,
          vscode.CodeActionKind.QuickFix,
        );
        action.diagnostics = [diagnostic];
        action.isPreferred = index === 0;
        if (edit) {
          action.edit = new vscode.WorkspaceEdit();
          action.edit.replace(document.uri, rangeOf(diagnostic.layer!.range), edit);
        } else
          action.command = {
            title,
            command: 'unroll.train',
            arguments: [{ uri: document.uri, model: diagnostic.model.name, edits: fix.edits }],
          };
        return action;
      }),
    );
  return [...fromText, ...fromRuns];
}

const NAMES: Readonly<Record<FoundLayer['framework'], Readonly<Record<string, string>>>> = {
  torch: { lstm: 'LSTM', gru: 'GRU' },
  keras: { lstm: 'LSTM', gru: 'GRU' },
  tfjs: { lstm: 'lstm', gru: 'gru' },
};

/** The other constructor's name, where the layer has no option that the other does not know. */
function otherCell({ framework, options, name }: FoundLayer, cell: string): string | null {
  const other = NAMES[framework][cell];
  const foreign = [
    'nonlinearity',
    'unit_forget_bias',
    'unitForgetBias',
    'reset_after',
    'resetAfter',
    'proj_size',
  ];
  if (!other || name.endsWith('Cell') || foreign.some(each => options.get(each)?.text)) return null;
  return other;
}
