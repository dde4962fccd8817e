// "Train RNN" without an experiment file: data, cell and size are asked for, and the last answers offered first.
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { LossTaken } from '../../definitions/training/taken.ts';
import { FIRST_CELL } from '../../experiment/layers/starter.ts';
import { numericColumns, readsOf } from '../data-files.ts';
import { readFound } from '../read-head.ts';
import {
  CELL_OFFERS,
  type CellChoice,
  type Choices,
  type DataChoice,
  dataOffers,
  experimentOf,
  type Fit,
  type Reads,
  rememberedData,
  sizeOffers,
} from './choices.ts';
import { findData, placeOf, withTold } from './found-files.ts';
import { isMeant } from './meant.ts';
import { askStep, BACK, type Offer } from './steps.ts';
import { CannotTrain, ownFolders, type Source } from './training.ts';

const MEMORY = 'train.choices';
const BROWSE = 'browse';

/** @returns undefined when the person left the pick */
export async function pickExperiment(state: vscode.Memento): Promise<Source | undefined> {
  const folder = await workspaceFolder();
  if (!folder) return undefined;
  const stored = { ...state.get<Partial<Choices>>(MEMORY) };
  const data = rememberedData(stored.data);
  const { data: _, ...last } = stored;
  const choices = await ask(folder, data ? { ...last, data } : last);
  if (!choices) return undefined;
  await state.update(MEMORY, choices);
  return sourceOf(choices, folder);
}

async function workspaceFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const active = vscode.window.activeTextEditor?.document.uri;
  const own = active && vscode.workspace.getWorkspaceFolder(active);
  if (own && folders.includes(own)) return own;
  if (folders.length <= 1) return folders[0];
  return vscode.window.showWorkspaceFolderPick({
    placeHolder: vscode.l10n.t('Folder whose data is trained on, and that gets the run'),
  });
}

export interface DataAnswer {
  data: DataChoice;
  target?: string;
}

/** A model in code, as far as the choice of its data goes. */
export interface Learner {
  name: string;
  fits: Fit;
  /** what its loss compares; null: its code does not say */
  loss: LossTaken | null;
  /** what its code says that it reads */
  reads: Reads;
  /** the data file and the column that its code names */
  path: string | null;
  target: string | null;
}

/** What a model in code learns from: asked for once, then remembered under `key`. */
export async function pickData(
  folder: vscode.WorkspaceFolder,
  state: vscode.Memento,
  key: string,
  learner: Learner,
): Promise<DataAnswer | undefined> {
  const known = state.get<{ data: unknown; target?: string }>(key);
  const data = rememberedData(known?.data);
  if (data) return { data, ...(known?.target ? { target: known.target } : {}) };
  const answer = await askData(folder, learner);
  if (answer) await state.update(key, answer);
  return answer;
}

async function askData(
  folder: vscode.WorkspaceFolder,
  { name, fits, loss, reads, path, target }: Learner,
): Promise<DataAnswer | undefined> {
  const title = vscode.l10n.t('Train {0}', name);
  for (;;) {
    const data = await askFile(
      {
        title,
        step: 1,
        totalSteps: 1,
        placeholder: vscode.l10n.t('What should {0} learn from? Remembered for this model.', name),
        isPreferred: choice => path !== null && isMeant(choice.path ?? '', path),
      },
      folder,
      path,
      fits,
      loss,
      reads,
    );
    if (data === undefined || data === BACK) return undefined;
    if (readsOf(data.path ?? '') !== 'table' || data.fields) return { data };
    const column = await askColumn(data, folder, { title, step: 2, totalSteps: 2 }, target);
    if (column === BACK) continue;
    return column === undefined ? undefined : { data, target: column };
  }
}

interface At {
  title: string;
  step: number;
  totalSteps: number;
}

/** The files and tasks, and a file from elsewhere. */
async function askFile(
  at: At & { placeholder: string; isPreferred(value: DataChoice): boolean },
  folder: vscode.WorkspaceFolder,
  first: string | null,
  fits?: Fit,
  loss: LossTaken | null = null,
  reads?: Reads,
): Promise<DataChoice | typeof BACK | undefined> {
  const offers = dataOffers(await findData(folder, first), fits, loss, reads);
  if (offers.every(({ reason }) => reason))
    throw new CannotTrain(
      vscode.l10n.t('{0}: no task fits this model. {1}', at.title, offers.at(-1)!.reason!),
    );
  const browse: Offer<DataChoice | typeof BROWSE> = {
    label: vscode.l10n.t('$(folder-opened) Browse…'),
    description: vscode.l10n.t('a file that is not listed'),
    value: BROWSE,
  };
  const usable = offers.filter(({ reason }) => !reason).length;
  const answer = await askStep<DataChoice | typeof BROWSE>({
    ...at,
    offers: [...offers.slice(0, usable), browse, ...offers.slice(usable)],
    isPreferred: value => value !== BROWSE && at.isPreferred(value),
  });
  if (answer !== BROWSE) return answer as DataChoice | typeof BACK | undefined;
  return browseFor(folder, fits, loss, reads);
}

async function browseFor(
  folder: vscode.WorkspaceFolder,
  fits?: Fit,
  loss: LossTaken | null = null,
  reads?: Reads,
): Promise<DataChoice | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      defaultUri: folder.uri,
      openLabel: vscode.l10n.t('Train on This File'),
      title: vscode.l10n.t('Data to learn from: text, CSV or TSV'),
    })) ?? [];
  if (!uri) return undefined;
  const isInside = vscode.workspace.getWorkspaceFolder(uri) === folder;
  const path = isInside ? vscode.workspace.asRelativePath(uri, false) : uri.fsPath.replaceAll('\\', '/');
  const file = await readFound(uri.fsPath, path);
  const [told] = file ? await withTold([file], () => uri.fsPath) : [];
  const offer = told && dataOffers([told], fits, loss, reads).find(({ value }) => value.path === path);
  const reason = file ? offer?.reason : vscode.l10n.t('it cannot be read');
  if (!offer || reason)
    throw new CannotTrain(vscode.l10n.t('{0} cannot be learned from: {1}', basename(path), reason ?? ''));
  if (!isInside && !(await mayReadFrom(dirname(uri.fsPath)))) return undefined;
  return offer.value;
}

/** Data outside of the workspace is read only from folders that a person has allowed. */
async function mayReadFrom(path: string): Promise<boolean> {
  const settings = vscode.workspace.getConfiguration('unroll');
  const allowed = settings.get<string[]>('allowedPaths', []);
  if (allowed.includes(path)) return true;
  const allow = vscode.l10n.t('Allow This Folder');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} is outside of this workspace.', path),
    {
      modal: true,
      detail: vscode.l10n.t('Runs may then read data from it: it is added to unroll.allowedPaths.'),
    },
    allow,
  );
  if (chosen !== allow) return false;
  await settings.update('allowedPaths', [...allowed, path], vscode.ConfigurationTarget.Workspace);
  return true;
}

async function askColumn(
  data: DataChoice,
  folder: vscode.WorkspaceFolder,
  at: At,
  preferred: string | null | undefined,
): Promise<string | typeof BACK | undefined> {
  const columns = await readColumns(data, folder);
  return askStep<string>({
    ...at,
    placeholder: vscode.l10n.t('Which column should it predict?'),
    offers: columns.map(value => ({ label: value, value })),
    isPreferred: value => value === preferred,
  });
}

type Question = 'data' | 'target' | 'cell' | 'size';

async function ask(folder: vscode.WorkspaceFolder, last: Partial<Choices>): Promise<Choices | undefined> {
  const chosen: Partial<Choices> = { ...last };
  const title = vscode.l10n.t('Train RNN');
  const questions = (): Question[] =>
    readsOf(chosen.data?.path ?? '') === 'table' && chosen.data?.path && !chosen.data.fields
      ? ['data', 'target', 'cell', 'size']
      : ['data', 'cell', 'size'];
  for (let at = 0; at < questions().length; ) {
    const common = { title, step: at + 1, totalSteps: questions().length };
    const question = questions()[at];
    let answer: unknown;
    if (question === 'data') {
      const same = JSON.stringify(last.data);
      answer = await askFile(
        {
          ...common,
          placeholder: vscode.l10n.t('What should it learn from?'),
          isPreferred: value => JSON.stringify(value) === same,
        },
        folder,
        null,
      );
      if (typeof answer === 'object') chosen.data = answer as DataChoice;
    } else if (question === 'target') {
      answer = await askColumn(chosen.data!, folder, common, last.target);
      if (typeof answer === 'string') chosen.target = answer;
    } else if (question === 'cell') {
      answer = await askStep<CellChoice>({
        ...common,
        placeholder: vscode.l10n.t('Which cell?'),
        offers: CELL_OFFERS,
        isPreferred: value => value === (last.cell ?? FIRST_CELL),
      });
      if (typeof answer === 'string') chosen.cell = answer as CellChoice;
    } else {
      answer = await askStep<number>({
        ...common,
        placeholder: vscode.l10n.t('How many hidden units? Any number can be typed.'),
        // a size that was typed the last time is offered again
        offers: typed => sizeOffers(chosen.cell!, chosen.data!, typed || String(last.units ?? '')),
        isPreferred: value => value === (last.units ?? 128),
      });
      if (typeof answer === 'number') chosen.units = answer;
    }
    if (answer === undefined) return undefined;
    at += answer === BACK ? -1 : 1;
  }
  if (!questions().includes('target')) delete chosen.target;
  return chosen as Choices;
}

export async function readColumns(data: DataChoice, folder: vscode.WorkspaceFolder): Promise<string[]> {
  const path = data.path ?? '';
  const columns = numericColumns((await readFound(placeOf(data, folder), path))?.head ?? '');
  if (columns.length > 0) return columns;
  throw new CannotTrain(
    vscode.l10n.t('{0} has no column of numbers under a header line, so there is nothing to forecast.', path),
  );
}

async function sourceOf(choices: Choices, folder: vscode.WorkspaceFolder): Promise<Source> {
  const text = `${JSON.stringify(experimentOf(choices), null, 2)}\n`;
  return { ...(await parsed(text)), ...baseOf(choices.data, folder), workspace: folder.uri.fsPath };
}

async function parsed(text: string): Promise<Pick<Source, 'experiment' | 'definition'>> {
  const { parseExperiment } = await import('../../experiment/parse.ts');
  const { experiment, problems } = parseExperiment(text);
  if (!experiment) throw new CannotTrain(problems[0]?.message ?? 'The experiment is not valid.');
  return { experiment, definition: { path: null, line: 0, language: 'rnn-json', text } };
}

/** What the path of the chosen data is relative to. */
export function baseOf(
  { sample }: DataChoice,
  folder: vscode.WorkspaceFolder,
): Pick<Source, 'base' | 'allowedPaths'> {
  const base = sample ? ownFolders.samples : folder.uri.fsPath;
  return { base, allowedPaths: sample ? [base] : [] };
}
