// "Train RNN" without an experiment file: data, cell and size are asked for, and the last answers offered first.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ExperimentInput } from '../../experiment/schema.ts';
import {
  CELL_OFFERS,
  type CellChoice,
  type Choices,
  type DataChoice,
  dataOffers,
  experimentOf,
  type FoundFile,
  inputSizeOf,
  numericColumns,
  sizeOffers,
} from './choices.ts';
import { askStep, BACK } from './steps.ts';
import { CannotTrain, ownFolders, type Source } from './training.ts';

const MEMORY = 'train.choices';
const MOST_FILES = 200;
const HEAD_BYTES = 65_536;

/** @returns undefined when the person left the pick */
export async function pickExperiment(state: vscode.Memento): Promise<Source | undefined> {
  const folder = await workspaceFolder();
  if (!folder) return undefined;
  const last: Partial<Choices> = { ...state.get<Partial<Choices>>(MEMORY) };
  const choices = await ask(await findData(folder), folder, last);
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

async function findData(folder: vscode.WorkspaceFolder): Promise<FoundFile[]> {
  const found = await vscode.workspace.findFiles(
    new vscode.RelativePattern(folder, '**/*.{txt,csv,tsv}'),
    '{**/node_modules/**,**/.*/**}',
    MOST_FILES,
  );
  const files = found.map(uri => ({ uri, path: vscode.workspace.asRelativePath(uri, false) }));
  const own: FoundFile[] = await sizes(files);
  const active = vscode.window.activeTextEditor?.document.uri;
  const shown = active ? vscode.workspace.asRelativePath(active, false) : '';
  const rank = ({ path }: FoundFile) => (path === shown ? -1 : path.split('/').length);
  own.sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path));
  if (own.length > 0) return own;
  const samples = ['data/emma.txt', 'data/co2-concentration.csv', 'data/seattle-weather.csv'];
  const ours = samples.map(path => ({ uri: vscode.Uri.file(join(ownFolders.samples, path)), path }));
  return (await sizes(ours)).map(file => ({ ...file, sample: true }));
}

async function sizes(files: { uri: vscode.Uri; path: string }[]): Promise<FoundFile[]> {
  const found = await Promise.all(
    files.map(async ({ uri, path }) => {
      try {
        return { path, bytes: (await vscode.workspace.fs.stat(uri)).size };
      } catch {
        return null;
      }
    }),
  );
  return found.filter(file => file !== null);
}

export interface DataAnswer {
  data: DataChoice;
  target?: string;
}

/** What a model in code learns from: asked for once, then remembered under `key`. */
export async function pickData(
  folder: vscode.WorkspaceFolder,
  state: vscode.Memento,
  key: string,
  model: string,
): Promise<DataAnswer | undefined> {
  const known = state.get<DataAnswer>(key);
  if (known) return known;
  const title = vscode.l10n.t('Train {0}', model);
  for (;;) {
    const data = await askStep<DataChoice>({
      title,
      step: 1,
      totalSteps: 1,
      placeholder: vscode.l10n.t('What should {0} learn from? Remembered for this model.', model),
      offers: dataOffers(await findData(folder)),
      isPreferred: () => false,
    });
    if (data === undefined || data === BACK) return undefined;
    const answer: DataAnswer = { data: data as DataChoice };
    if (answer.data.kind === 'table') {
      const columns = await readColumns(answer.data, folder);
      const target = await askStep<string>({
        title,
        step: 2,
        totalSteps: 2,
        placeholder: vscode.l10n.t('Which column should it predict?'),
        offers: columns.map(value => ({ label: value, value })),
        isPreferred: () => false,
      });
      if (target === BACK) continue;
      if (target === undefined) return undefined;
      answer.target = target as string;
    }
    await state.update(key, answer);
    return answer;
  }
}

export function dataOf({ data, target }: DataAnswer): ExperimentInput['data'] {
  if (data.kind === 'text') return { task: 'char-lm', path: data.path };
  if (data.kind === 'table') return { task: 'forecast', path: data.path, target: target ?? '', window: 24 };
  return data.task === 'adding' ? { task: 'adding', length: 100 } : { task: 'temporal-order', length: 50 };
}

type Question = 'data' | 'target' | 'cell' | 'size';

async function ask(
  files: readonly FoundFile[],
  folder: vscode.WorkspaceFolder,
  last: Partial<Choices>,
): Promise<Choices | undefined> {
  const { countRecurrent } = await import('../../experiment/parameters.ts');
  const chosen: Partial<Choices> = { ...last };
  const title = vscode.l10n.t('Train RNN');
  const questions = (): Question[] =>
    chosen.data?.kind === 'table' ? ['data', 'target', 'cell', 'size'] : ['data', 'cell', 'size'];
  for (let at = 0; at < questions().length; ) {
    const common = { title, step: at + 1, totalSteps: questions().length };
    const question = questions()[at];
    let answer: unknown;
    if (question === 'data') {
      const same = JSON.stringify(last.data);
      answer = await askStep<DataChoice>({
        ...common,
        placeholder: vscode.l10n.t('What should it learn from?'),
        offers: dataOffers(files),
        isPreferred: value => JSON.stringify(value) === same,
      });
      if (typeof answer === 'object') chosen.data = answer as DataChoice;
    } else if (question === 'target') {
      const columns = await readColumns(chosen.data!, folder);
      answer = await askStep<string>({
        ...common,
        placeholder: vscode.l10n.t('Which column should it predict?'),
        offers: columns.map(value => ({ label: value, value })),
        isPreferred: value => value === last.target,
      });
      if (typeof answer === 'string') chosen.target = answer;
    } else if (question === 'cell') {
      answer = await askStep<CellChoice>({
        ...common,
        placeholder: vscode.l10n.t('Which cell?'),
        offers: CELL_OFFERS,
        isPreferred: value => value === (last.cell ?? 'lstm'),
      });
      if (typeof answer === 'string') chosen.cell = answer as CellChoice;
    } else {
      const inputSize = inputSizeOf(chosen.data!);
      answer = await askStep<number>({
        ...common,
        placeholder: vscode.l10n.t('How many hidden units? Any number can be typed.'),
        offers: typed =>
          sizeOffers(
            chosen.cell!,
            (cell, units) => countRecurrent({ cell, inputSize, units, convention: 'pytorch' }).total,
            // a size that was typed the last time is offered again
            typed || String(last.units ?? ''),
          ),
        isPreferred: value => value === (last.units ?? 128),
      });
      if (typeof answer === 'number') chosen.units = answer;
    }
    if (answer === undefined) return undefined;
    at += answer === BACK ? -1 : 1;
  }
  if (chosen.data?.kind !== 'table') delete chosen.target;
  return chosen as Choices;
}

async function readColumns(data: DataChoice, folder: vscode.WorkspaceFolder): Promise<string[]> {
  if (data.kind !== 'table') return [];
  const path = join(data.sample ? ownFolders.samples : folder.uri.fsPath, data.path);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const columns = numericColumns(buffer.subarray(0, bytesRead).toString('utf8'));
    if (columns.length > 0) return columns;
  } finally {
    await file.close();
  }
  throw new CannotTrain(
    vscode.l10n.t(
      '{0} has no column of numbers under a header line, so there is nothing to forecast.',
      data.path,
    ),
  );
}

async function sourceOf(choices: Choices, folder: vscode.WorkspaceFolder): Promise<Source> {
  const { parseExperiment } = await import('../../experiment/parse.ts');
  const text = `${JSON.stringify(experimentOf(choices), null, 2)}\n`;
  const { experiment, problems } = parseExperiment(text);
  if (!experiment) throw new CannotTrain(problems[0]?.message ?? 'The experiment is not valid.');
  const { data } = choices;
  const isSample = data.kind !== 'generated' && data.sample === true;
  const base = isSample ? ownFolders.samples : folder.uri.fsPath;
  return {
    experiment,
    definition: { path: null, line: 0, language: 'rnn-json', text },
    base,
    workspace: folder.uri.fsPath,
    allowedPaths: isSample ? [base] : [],
  };
}
