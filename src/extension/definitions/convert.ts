// A model in code as an experiment file, or in another framework: opened beside it, saved by nobody.
import * as vscode from 'vscode';
import { type FoundModel, FRAMEWORK_NAMES, type Framework } from '../../definitions/definition.ts';
import { definitionPath } from '../experiments/documents.ts';
import type { Services } from '../services.ts';
import { pickData } from '../train/pick.ts';
import { CannotTrain } from '../train/training.ts';
import { settingsOf } from './code-settings.ts';
import { dataKey, experimentOf, learnerOf, mappedOf, modelAtCursor, refuseKept } from './train.ts';

export async function convertToExperiment(services: Services): Promise<void> {
  const { document, model } = await modelHere(services);
  const mapped = await mappedOf(model);
  const place = definitionPath(document.uri);
  if (!place) throw new CannotTrain(vscode.l10n.t('{0} is in none of the open folders.', document.fileName));
  const key = dataKey(place.path, model.name);
  const code = await settingsOf(services.code, document, model.name);
  const learner = await learnerOf(model, mapped, code?.settings);
  const data = await pickData(place.workspace, services.context.workspaceState, key, learner);
  if (!data) return;
  const made = await experimentOf(model, mapped, data, place, code?.settings ?? null);
  const text = `${JSON.stringify(made.experiment, null, 2)}\n`;
  const uri = vscode.Uri.joinPath(
    place.workspace.uri,
    `${model.name.replace(/[^\w-]+/g, '-').toLowerCase()}.rnn.json`,
  ).with({ scheme: 'untitled' });
  const opened = await vscode.workspace.openTextDocument(uri);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(opened.uri, new vscode.Range(0, 0, opened.lineCount, 0), text);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(opened, { viewColumn: vscode.ViewColumn.Beside });
  tell([...mapped.notes, ...made.notTaken.map(({ line, value }) => `Line ${line}: ${value}`)]);
}

export async function openAs(services: Services, framework: Framework): Promise<void> {
  const { model } = await modelHere(services);
  if (model.framework === framework)
    throw new CannotTrain(
      vscode.l10n.t('{0} is written for {1} already.', model.name, FRAMEWORK_NAMES[framework]),
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
  const model = modelAtCursor(editor, models) ?? (await pickModel(models));
  if (!model) throw new CannotTrain(vscode.l10n.t('No model was chosen.'));
  refuseKept(model);
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

function tell(notes: readonly string[]): void {
  if (notes.length > 0) void vscode.window.showInformationMessage(notes.join(' '));
}
