// What the editor shows of models in code: lenses above them, hovers on their layers, shapes behind them.
import * as vscode from 'vscode';
import type { FoundLayer, FoundModel, Origin } from '../../definitions/definition.ts';
import type { LastRun } from '../experiments/last-run.ts';
import { keptText, lastLens, lastLines } from '../experiments/lens-text.ts';
import { rangeOf } from '../experiments/ranges.ts';
import type { Services } from '../services.ts';
import { registerCodeDiagnostics } from './diagnostics.ts';
import { CODE } from './documents.ts';

export function registerDefinitions(services: Services): vscode.Disposable {
  const lenses = new CodeLenses(services);
  const inlays = new ShapeInlays(services);
  return vscode.Disposable.from(
    lenses,
    inlays,
    vscode.languages.registerCodeLensProvider(CODE, lenses),
    vscode.languages.registerInlayHintsProvider(CODE, inlays),
    vscode.languages.registerHoverProvider(CODE, {
      provideHover: (document, position) => hover(services, document, position),
    }),
    registerCodeDiagnostics(services),
  );
}

/** What a lens hands to a command: the document and the model's name. */
export type ModelTarget = { uri: vscode.Uri; model: string };

class CodeLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly services: Services;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(services: Services) {
    this.services = services;
    this.subscriptions = [
      this.changed,
      services.code.onDidChange(() => this.changed.fire()),
      services.lastRuns.onDidChange(() => this.changed.fire()),
      vscode.workspace.onDidChangeConfiguration(event => {
        if (event.affectsConfiguration('unroll.codeLens.enabled')) this.changed.fire();
      }),
    ];
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    if (!vscode.workspace.getConfiguration('unroll', document).get('codeLens.enabled', true)) return [];
    const { models } = await this.services.code.read(document);
    if (models.length === 0) return [];
    const { modelCounts } = await import('./texts.ts');
    const rows = models.map(model => this.row(document, model, modelCounts(model)));
    return (await Promise.all(rows)).flat();
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async row(
    document: vscode.TextDocument,
    model: FoundModel,
    counts: string,
  ): Promise<vscode.CodeLens[]> {
    const line = Math.min(model.range.line, document.lineCount) - 1;
    const at = new vscode.Range(line, 0, line, 0);
    const target: ModelTarget = { uri: document.uri, model: model.name };
    const lens = (command: vscode.Command) => new vscode.CodeLens(at, command);
    // without a command it is dim text: the row stands, and no one trains what is not there
    if (model.isKept) return [lens({ ...keptText(model.name, counts), command: '' })];
    const { compareTitle } = await import('../experiments/counts-text.ts');
    const row = [
      lens({
        title: '▶ Train',
        tooltip: `Train ${model.name} in Unroll`,
        command: 'unroll.train',
        arguments: [target],
      }),
      lens({
        title: compareTitle(),
        tooltip: `Train ${model.name} with each of these cells, side by side`,
        command: 'unroll.compare',
        arguments: [target],
      }),
      lens({ title: counts || '…', command: '' }),
    ];
    const last = this.services.lastRuns.of(document.uri, model.name);
    if (last) row.push(lens(lastLens(last, await stands(model, last))));
    return row;
  }
}

/** Whether the last run trained the model as it stands in the code. */
async function stands(model: FoundModel, last: LastRun): Promise<boolean> {
  const { toExperiment } = await import('../../definitions/to-experiment.ts');
  const { modelOfCode, wasTrained } = await import('../experiments/same-model.ts');
  const { convention, layers } = toExperiment(model);
  return wasTrained(
    modelOfCode({ convention, layers }),
    last.runs.map(({ experiment }) => experiment),
  );
}

async function hover(
  { code, lastRuns }: Services,
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.Hover | null> {
  const { layers, others, models } = await code.read(document);
  const found = layers.find(({ range }) => rangeOf(range).contains(position));
  if (!found) {
    const named = others.find(({ range }) => rangeOf(range).contains(position));
    if (!named) return null;
    const { namedHover } = await import('./texts.ts');
    const text = namedHover(named, origin => linkTo(document, origin));
    return new vscode.Hover(new vscode.MarkdownString(text), rangeOf(named.range));
  }
  const { layerHover } = await import('./texts.ts');
  const counted = inModel(models, found) ?? found;
  const model = models.find(({ layers: own }) =>
    own.some(({ range }) => range.offset === found.range.offset),
  );
  const text = layerHover(counted, model?.layers, origin => linkTo(document, origin));
  if (!text) return null;
  const markdown = new vscode.MarkdownString(text);
  const run = model ? lastRuns.of(document.uri, model.name) : null;
  const last = model && run ? lastLines(run, await stands(model, run)) : [];
  if (last.length > 0) markdown.appendMarkdown('\n\n---\n\n').appendText(last.join('\n'));
  return new vscode.Hover(markdown, rangeOf(found.range));
}

/** `on line 7`, as a link that leads there; what earlier cells of a notebook bind stands behind the cell's own lines. */
function linkTo({ uri, lineCount }: vscode.TextDocument, { file, line }: Origin): string {
  if (file === null && line > lineCount) return vscode.l10n.t('in an earlier cell');
  const target = file === null ? uri : vscode.Uri.file(file);
  const name = file === null ? `line ${line}` : `${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
  return `${file === null ? 'on' : 'in'} [${name}](${target.with({ fragment: `L${line}` }).toString()})`;
}

/** The layer as its model knows it: with the width of its input. */
function inModel(models: readonly FoundModel[], layer: FoundLayer): FoundLayer | undefined {
  return models.flatMap(({ layers }) => layers).find(({ range }) => range.offset === layer.range.offset);
}

class ShapeInlays implements vscode.InlayHintsProvider, vscode.Disposable {
  private readonly services: Services;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeInlayHints = this.changed.event;

  constructor(services: Services) {
    this.services = services;
    this.subscriptions = [
      this.changed,
      services.code.onDidChange(() => this.changed.fire()),
      vscode.workspace.onDidChangeConfiguration(event => {
        if (event.affectsConfiguration('unroll.inlayHints.enabled')) this.changed.fire();
      }),
    ];
  }

  async provideInlayHints(document: vscode.TextDocument, visible: vscode.Range): Promise<vscode.InlayHint[]> {
    if (!vscode.workspace.getConfiguration('unroll', document).get('inlayHints.enabled', true)) return [];
    const { models } = await this.services.code.read(document);
    if (models.length === 0) return [];
    const { shapeHints } = await import('./texts.ts');
    return models.flatMap(shapeHints).flatMap(({ layer, text }) => {
      const { end } = rangeOf(layer.callRange);
      if (!visible.contains(end)) return [];
      const hint = new vscode.InlayHint(end, text, vscode.InlayHintKind.Type);
      hint.paddingLeft = true;
      hint.tooltip = `Shape of what ${layer.name} gives: B sequences of T steps`;
      return [hint];
    });
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }
}
