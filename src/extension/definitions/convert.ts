// A model in code as an experiment file, or in another framework: opened beside it, saved by nobody.
import * as vscode from 'vscode';
import type { FoundModel, Framework } from '../../definitions/definition.ts';
import type { Mapped } from '../../definitions/to-experiment.ts';
import type { Services } from '../services.ts';
import { dataOf, pickData } from '../train/pick.ts';
import { CannotTrain } from '../train/training.ts';
import { frameworkName } from './texts.ts';
import { experimentOf } from './train.ts';

export async function convertToExperiment(services: Services): Promise<void> {
  const { document, model } = await modelHere(services);
  const mapped = await mappedOf(model);
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  if (!folder) throw new CannotTrain(vscode.l10n.t('{0} is in none of the open folders.', document.fileName));
  const data = await pickData(
    folder,
    services.context.workspaceState,
    `convert.${document.uri}#${model.name}`,
    model.name,
  );
  if (!data) return;
  const text = `${JSON.stringify(experimentOf(model.name, mapped, dataOf(data)), null, 2)}\n`;
  const uri = vscode.Uri.joinPath(
    folder.uri,
    `${model.name.replace(/[^\w-]+/g, '-').toLowerCase()}.rnn.json`,
  ).with({ scheme: 'untitled' });
  const made = await vscode.workspace.openTextDocument(uri);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(made.uri, new vscode.Range(0, 0, made.lineCount, 0), text);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(made, { viewColumn: vscode.ViewColumn.Beside });
  tell(mapped.notes);
}

export async function openAs(services: Services, framework: Framework): Promise<void> {
  const { model } = await modelHere(services);
  if (model.framework === framework)
    throw new CannotTrain(
      vscode.l10n.t('{0} is written for {1} already.', model.name, frameworkName(framework)),
    );
  const mapped = await mappedOf(model);
  const { writeAs } = await import('../../definitions/write/write.ts');
  const { language, text } = writeAs(framework, model.name, mapped);
  const made = await vscode.workspace.openTextDocument({ language, content: text });
  await vscode.window.showTextDocument(made, { viewColumn: vscode.ViewColumn.Beside });
  tell(mapped.notes);
}

async function modelHere({ code }: Services): Promise<{ document: vscode.TextDocument; model: FoundModel }> {
  const editor = vscode.window.activeTextEditor;
  const models = editor ? (await code.read(editor.document)).models : [];
  if (!editor || models.length === 0)
    throw new CannotTrain(
      vscode.l10n.t(
        'Open a file with a recurrent model in TensorFlow.js, Keras or PyTorch, and put the cursor into it.',
      ),
    );
  const line = editor.selection.active.line + 1;
  const around = models.filter(({ range }) => range.line <= line && line <= range.endLine).at(-1);
  const model = around ?? (models.length === 1 ? models[0] : await pickModel(models));
  if (!model) throw new CannotTrain(vscode.l10n.t('No model was chosen.'));
  return { document: editor.document, model };
}

async function pickModel(models: readonly FoundModel[]): Promise<FoundModel | undefined> {
  const picked = await vscode.window.showQuickPick(
    models.map(model => ({
      label: model.name,
      description: vscode.l10n.t('line {0}', model.range.line),
      model,
    })),
    { placeHolder: vscode.l10n.t('Which model?') },
  );
  return picked?.model;
}

async function mappedOf(model: FoundModel): Promise<Mapped> {
  const { toExperiment } = await import('../../definitions/to-experiment.ts');
  const mapped = toExperiment(model);
  const [first] = mapped.obstacles;
  if (first) throw new CannotTrain(vscode.l10n.t('Line {0}: {1}', first.line, first.message));
  return mapped;
}

function tell(notes: readonly string[]): void {
  if (notes.length > 0) void vscode.window.showInformationMessage(notes.join(' '));
}
