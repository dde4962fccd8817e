// From a model in code to something that can be trained: its layers as they are written, and data that is asked for
// once and remembered for this model.
import * as vscode from 'vscode';
import type { FoundModel } from '../../definitions/definition.ts';
import type { Mapped } from '../../definitions/to-experiment.ts';
import type { ExperimentInput } from '../../experiment/schema.ts';
import type { Fix } from '../../runs/format.ts';
import { definitionPath } from '../experiments/documents.ts';
import type { Services } from '../services.ts';
import { plural } from '../text.ts';
import { dataOf, pickData } from '../train/pick.ts';
import { CannotTrain, ownFolders, type Source } from '../train/training.ts';
import type { ModelTarget } from './register.ts';

const MEMORY = 'train.definitions';

export function isModelTarget(target: unknown): target is ModelTarget & { edits?: Fix['edits'] } {
  return typeof target === 'object' && target !== null && 'model' in target && 'uri' in target;
}

/** @returns undefined when the person left the pick */
export async function sourceOfModel(
  { uri, model: name, edits }: ModelTarget & { edits?: Fix['edits'] },
  services: Services,
): Promise<Source | undefined> {
  const document = await vscode.workspace.openTextDocument(uri);
  const model = await modelNamed(services, document, name);
  const place = definitionPath(document.uri);
  if (!place)
    throw new CannotTrain(
      vscode.l10n.t('{0} is not saved in an open folder, and runs are written into one.', document.fileName),
    );
  const mapped = await mappedOf(model);
  const memory = services.context.workspaceState;
  const key = dataKey(place.path, name);
  const data = await pickData(place.workspace, memory, key, name);
  if (!data) return undefined;
  const { parseExperiment } = await import('../../experiment/parse.ts');
  const { applyFix } = await import('../experiments/edits.ts');
  const text = JSON.stringify(experimentOf(name, mapped, dataOf(data)), null, 2);
  const { experiment, problems } = parseExperiment(applyFix(text, { title: '', edits: edits ?? [] }));
  if (!experiment) {
    await memory.update(key, undefined);
    throw new CannotTrain(
      vscode.l10n.t(
        '{0} does not fit this data: {1}',
        name,
        problems.find(({ severity }) => severity === 'error')?.message ?? '',
      ),
    );
  }
  if (mapped.notes.length > 0) services.log.info(`${name}: ${mapped.notes.join(' ')}`);
  const ownSample = data.data.kind !== 'generated' && data.data.sample === true;
  return {
    experiment,
    definition: {
      path: place.path,
      line: model.range.line,
      language: services.code.languageOf(document),
      model: name,
      text: document.getText(),
    },
    base: ownSample ? ownFolders.samples : place.workspace.uri.fsPath,
    workspace: place.workspace.uri.fsPath,
    ...(ownSample ? { allowedPaths: [ownFolders.samples] } : {}),
  };
}

/** Data of the model at the cursor is asked for again the next time. */
export async function forgetData(services: Services): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const place = document && definitionPath(document.uri);
  if (!place) return;
  const state = services.context.workspaceState;
  for (const key of state.keys())
    if (key.startsWith(dataKey(place.path, ''))) await state.update(key, undefined);
  void vscode.window.showInformationMessage(
    vscode.l10n.t('The data of the models in {0} will be asked for again.', place.path),
  );
}

async function modelNamed(
  services: Services,
  document: vscode.TextDocument,
  name: string,
): Promise<FoundModel> {
  const { models } = await services.code.read(document);
  const model = models.find(each => each.name === name);
  if (!model)
    throw new CannotTrain(vscode.l10n.t('{0} is not defined in {1} any more.', name, document.fileName));
  refuseKept(model);
  return model;
}

/** @throws CannotTrain where a syntax error stands in the way of the model that is meant */
export function refuseKept({ isKept, name }: FoundModel): void {
  if (isKept)
    throw new CannotTrain(vscode.l10n.t('{0} cannot be read: mend the syntax error in it first.', name));
}

/** @throws CannotTrain where the model has what Unroll has no counterpart of */
export async function mappedOf(model: FoundModel): Promise<Mapped> {
  const { toExperiment } = await import('../../definitions/to-experiment.ts');
  const mapped = toExperiment(model);
  const [first, ...more] = mapped.obstacles;
  if (!first) return mapped;
  const all = more.length > 0 ? vscode.l10n.t(' ({0} in all)', plural(more.length + 1, 'obstacle')) : '';
  throw new CannotTrain(vscode.l10n.t('Line {0}: {1}{2}', first.line, first.message, all));
}

/** The model that the cursor stands in, or the only one. */
export function modelAtCursor(
  editor: vscode.TextEditor,
  models: readonly FoundModel[],
): FoundModel | undefined {
  const line = editor.selection.active.line + 1;
  const around = models.filter(({ range }) => range.line <= line && line <= range.endLine);
  return around.at(-1) ?? (models.length === 1 ? models[0] : undefined);
}

/** Where the workspace remembers what a model learns from. */
export function dataKey(path: string, model: string): string {
  return `${MEMORY}.${path}#${model}`;
}

export function experimentOf(
  name: string,
  { convention, layers }: Mapped,
  data: ExperimentInput['data'],
): ExperimentInput {
  return {
    name,
    data,
    model: { convention, layers },
    training: { optimizer: { type: 'adam', learningRate: 0.003 }, batchSize: 32, steps: 1500 },
  };
}
