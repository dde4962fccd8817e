// From a model in code to something that can be trained: its layers and the settings of its training as they are
// written, and data that is asked for once and remembered for this model.
import * as vscode from 'vscode';
import type { FoundModel } from '../../definitions/definition.ts';
import type { Mapped } from '../../definitions/to-experiment.ts';
import type { TrainingSettings } from '../../definitions/training/taken.ts';
import type { Fix } from '../../runs/format.ts';
import { definitionPath } from '../experiments/documents.ts';
import type { Services } from '../services.ts';
import { plural } from '../text.ts';
import type { FromCode } from '../train/from-code.ts';
import type { DataAnswer, Learner } from '../train/pick.ts';
import { CannotTrain, type Source } from '../train/training.ts';
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
  const chosen = await chooseData(services, document, model, mapped, place, key);
  if (!chosen) return undefined;
  const { parseExperiment } = await import('../../experiment/parse.ts');
  const { applyFix } = await import('../experiments/edits.ts');
  const text = JSON.stringify(chosen.made.experiment, null, 2);
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
  return {
    experiment,
    definition: {
      path: place.path,
      line: model.range.line,
      language: services.code.languageOf(document),
      model: name,
      text: document.getText(),
    },
    ...chosen.base,
    workspace: place.workspace.uri.fsPath,
  };
}

type Place = NonNullable<ReturnType<typeof definitionPath>>;

/** Data, and the settings of the code with it: shown before the first run, and again once they are others. */
async function chooseData(
  services: Services,
  document: vscode.TextDocument,
  model: FoundModel,
  mapped: Mapped,
  place: Place,
  key: string,
): Promise<{ made: FromCode; base: Pick<Source, 'base' | 'allowedPaths'> } | undefined> {
  const memory = services.context.workspaceState;
  const { settingsOf } = await import('./code-settings.ts');
  const code = await settingsOf(services.code, document, model.name);
  const { baseOf, pickData } = await import('../train/pick.ts');
  for (;;) {
    const answer = await pickData(
      place.workspace,
      memory,
      key,
      await learnerOf(model, mapped, code?.settings),
    );
    if (!answer) return undefined;
    const made = await experimentOf(model, mapped, answer, place, code?.settings ?? null);
    const base = baseOf(answer.data, place.workspace);
    const says = made.notTaken.length > 0 || made.shown.some(({ line }) => line !== null);
    const summary = JSON.stringify([made.shown.map(({ what, value }) => [what, value]), made.notTaken]);
    if (!code || !says || memory.get(`${key}.shown`) === summary) return { made, base };
    const { showSettings } = await import('../train/show-settings.ts');
    const data = [answer.data.path ?? answer.data.task, answer.target].filter(Boolean).join(' · ');
    const next = await showSettings(made.experiment.name ?? model.name, made, data, code.goTo);
    if (next === undefined) return undefined;
    if (next === 'train') {
      await memory.update(`${key}.shown`, summary);
      return { made, base };
    }
    await memory.update(key, undefined);
  }
}

/** What the choice of data must know of a model. */
export async function learnerOf(
  { name }: FoundModel,
  { convention, layers }: Mapped,
  settings?: TrainingSettings,
): Promise<Learner> {
  const { fitOf } = await import('../train/choices.ts');
  return {
    name,
    fits: fitOf({ convention, layers }, settings?.inputs?.value ?? null),
    loss: settings?.loss?.value ?? null,
    reads: { inputs: settings?.inputs?.value ?? null, columns: settings?.features?.value ?? null },
    path: settings?.path?.value ?? null,
    target: settings?.target?.value ?? null,
  };
}

export async function experimentOf(
  { name }: FoundModel,
  mapped: Mapped,
  { data, target }: DataAnswer,
  { path, workspace }: Place,
  settings: TrainingSettings | null,
): Promise<FromCode> {
  const { experimentFromCode, runName } = await import('../train/from-code.ts');
  const { placeOf } = await import('../train/found-files.ts');
  const { readFound } = await import('../read-head.ts');
  const { extentOf, numericColumns, readsOf, rowsOf } = await import('../data-files.ts');
  const file = data.path ? await readFound(placeOf(data, workspace), data.path) : null;
  const isTable = readsOf(data.path ?? '') === 'table';
  return experimentFromCode(
    runName(name, path),
    mapped,
    {
      choice: data,
      target,
      columns: file && isTable && !data.fields ? numericColumns(file.head) : [],
      extent: file && extentOf(file),
      // of series in long form a sequence has many rows
      rows: file && !(data.fields && 'id' in data.fields) ? rowsOf(file) : null,
    },
    settings,
  );
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
