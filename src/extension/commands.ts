// One table of commands by short name; the prefix is added in one place, and so is what happens when one fails.
import * as vscode from 'vscode';
import { triesOf } from '../experiment/tasks/index.ts';
import type { ModelTarget } from './definitions/register.ts';
import { isModelTarget, modelAtCursor, sourceOfModel } from './definitions/train.ts';
import { mayTrain } from './permission.ts';
import * as actions from './runs/actions.ts';
import { compareExperiments, compareWithNow, openAsItWas } from './runs/as-it-was.ts';
import type { ListedRun } from './runs/store.ts';
import type { RunTree, RunTreeNode } from './runs/tree.ts';
import { openSample } from './samples.ts';
import type { Dashboard, Services } from './services.ts';
import { installTensorflow } from './tensorflow/command.ts';
import { plain } from './text.ts';
import { sourceOfDocument } from './train/from-document.ts';
import { CannotTrain, comparingCells, type Source } from './train/training.ts';

/** Tree items give themselves and the selection; lenses and buttons a uri or folders; the palette nothing. */
type Target = RunTreeNode | ModelTarget | vscode.Uri | readonly string[] | string | null | undefined;
type Handler = (target: Target, selection: readonly RunTreeNode[]) => Promise<unknown>;

export interface Commands {
  names: readonly string[];
  /** @param given what VS Code gives a command's handler */
  run(name: string, given: readonly unknown[]): Promise<unknown>;
}

export function commandsOf(services: Services, dashboard: Dashboard, tree: RunTree): Commands {
  const handlers = new Map(
    Object.entries(table(services, dashboard, tree)).map(([name, handler]) => [`unroll.${name}`, handler]),
  );
  return {
    names: [...handlers.keys()],
    async run(name, given) {
      const [target, selection] = given as [Target, unknown];
      // a menu of a row gives both; VS Code does not know the row while it asks for all of them anew
      if (given.length > 1 && target === undefined) return actions.tellRedrawn();
      const byKey = target === 'selection';
      const clicked = Array.isArray(selection) ? selection.filter(isNode) : [];
      const nodes = byKey ? await tree.selection() : clicked;
      return handlers.get(name)!(byKey ? undefined : target, nodes).catch(cause => report(cause, services));
    },
  };
}

function table(services: Services, dashboard: Dashboard, tree: RunTree): Record<string, Handler> {
  const { store, training } = services;
  /** A run that is gone is not replaced by another. */
  const chosen = async (
    target: Target,
    selection: readonly RunTreeNode[],
    question: string,
    fits?: (run: ListedRun) => boolean,
  ): Promise<ListedRun[]> => {
    const named = runsOf(target, services, selection);
    if (named.length > 0) return named;
    if (typeof target !== 'string' && !Array.isArray(target))
      return [await actions.pickRun(store, question, fits)].filter(isRun);
    actions.tellGone();
    return [];
  };
  const one =
    (use: (run: ListedRun) => unknown, question: string, fits?: (run: ListedRun) => boolean): Handler =>
    async (target, selection) => {
      const [run] = await chosen(target, selection, question, fits);
      if (run) await use(run);
    };
  const control =
    (action: 'pause' | 'resume' | 'stop', ...states: string[]): Handler =>
    async (target, selection) => {
      const named = runsOf(target, services, selection);
      // a run that was started a moment ago may be listed as queued still
      if (named.length === 0) await store.refresh(true);
      const fits = (run: ListedRun) => states.includes(run.state);
      const runs = (named.length > 0 ? named : [...store.runs]).filter(fits);
      if (runs.length > 0) training.control(foldersOf(runs), action);
      else void vscode.window.showInformationMessage(vscode.l10n.t('Nothing to {0}.', action));
    };

  return {
    train: target => train(target, services, dashboard, false),
    compare: target => train(target, services, dashboard, true),
    pause: control('pause', 'training', 'starting'),
    resume: control('resume', 'paused'),
    stop: control('stop', 'training', 'starting', 'paused', 'queued'),
    continue: async (target, selection) => {
      if (!(await mayTrain())) return;
      const fits = (run: ListedRun) =>
        ['crashed', 'stopped', 'silent', 'queued', 'paused'].includes(run.state);
      let runs = runsOf(target, services, selection).filter(fits);
      if (runs.length === 0) {
        const run = await actions.pickRun(store, vscode.l10n.t('Run to continue'), fits);
        runs = run ? [run] : [];
      }
      const paused = runs.filter(({ state }) => state === 'paused');
      if (paused.length > 0) training.control(foldersOf(paused), 'resume');
      const ended = runs.filter(({ state }) => state !== 'paused');
      if (ended.length > 0) await training.continue(ended);
    },
    startNow: async (target, selection) => {
      if (!(await mayTrain())) return;
      const waiting = runsOf(target, services, selection).filter(({ state }) => state === 'queued');
      if (waiting.length === 0) return;
      await training.continue(waiting);
      await dashboard.show(foldersOf(waiting), { preserveFocus: true });
    },
    openDashboard: async (target, selection) =>
      // who clicks or walks through the tree stays in it, with its keys
      dashboard.show(chosenFolders(target, services, selection), { preserveFocus: isNode(target) }),
    openDashboardToSide: async (target, selection) =>
      dashboard.show(chosenFolders(target, services, selection), { tab: true }),
    compareSelected: async (target, selection) =>
      dashboard.show(chosenFolders(target, services, selection), { tab: true }),
    renameRun: one(run => actions.renameRun(run, store), vscode.l10n.t('Run to rename')),
    deleteRun: async (target, selection) => {
      const runs = await chosen(target, selection, vscode.l10n.t('Run to delete'));
      if (runs.length > 0) await actions.deleteRuns(runs, services);
    },
    openRunFolder: one(actions.openFolder, vscode.l10n.t('Run whose folder is opened')),
    openExperiment: one(openAsItWas, vscode.l10n.t('Run whose experiment is opened')),
    diffRuns: async (target, selection) => {
      const [a, b, ...more] = runsOf(target, services, selection);
      if (a && b && more.length === 0) await compareExperiments(a, b);
      else
        void vscode.window.showInformationMessage(
          vscode.l10n.t('Select two runs in the view Runs to see what differs between their experiments.'),
        );
    },
    starRun: async (target, selection) => {
      const runs = await chosen(target, selection, vscode.l10n.t('Run to star, or to take the star from'));
      if (runs.length > 0) await actions.starRuns(runs, store);
    },
    noteRun: one(run => actions.noteRun(run, store), vscode.l10n.t('Run to write a note on')),
    tagRun: async (target, selection) => {
      const runs = await chosen(target, selection, vscode.l10n.t('Run to tag'));
      if (runs.length > 0) await actions.tagRuns(runs, store);
    },
    filterRuns: () => tree.askFilter(),
    clearRunFilter: async () => tree.setFilter(''),
    diffExperiment: one(compareWithNow, vscode.l10n.t('Run whose experiment is compared with the file')),
    saveExperiment: one(actions.saveAsExperiment, vscode.l10n.t('Run whose experiment is saved')),
    pruneRuns: () => actions.pruneRuns(services),
    export: one(
      run => actions.exportRun(run, services),
      vscode.l10n.t('Run to export'),
      run => run.status.step > 0,
    ),
    tryIt: one(
      run => dashboard.show([run.folder], { section: 'try' }),
      vscode.l10n.t('Run to try'),
      run => run.status.step > 0 && triesOf(run.request.experiment.data) !== null,
    ),
    openSample,
    convertToExperiment: async () => (await import('./definitions/convert.ts')).convertToExperiment(services),
    openAsPyTorch: async () => (await import('./definitions/convert.ts')).openAs(services, 'torch'),
    openAsKeras: async () => (await import('./definitions/convert.ts')).openAs(services, 'keras'),
    openAsTensorFlowJs: async () => (await import('./definitions/convert.ts')).openAs(services, 'tfjs'),
    forgetData: async () => (await import('./definitions/train.ts')).forgetData(services),
    installTensorflow: () => installTensorflow(services),
    showLog: async target => {
      const folder = typeof target === 'string' ? target : runsOf(target, services)[0]?.folder;
      const run = folder ? undefined : (store.runs.find(actions.isLiving) ?? store.runs[0]);
      if (folder ?? run) await actions.showLog(folder ?? run!.folder, services);
      else services.log.show();
    },
    refreshRuns: () => store.refresh(true),
  };
}

async function train(
  target: Target,
  services: Services,
  dashboard: Dashboard,
  allCells: boolean,
): Promise<void> {
  if (!(await mayTrain())) return;
  let source = await sourceOf(target, services, allCells);
  if (!source) return;
  if (allCells) source = { ...source, experiment: await comparingCells(source.experiment) };
  const folders = await services.training.start(source);
  // what waits does not push what trains from view
  const waits = folders.every(folder => services.training.isQueued(folder));
  if (waits && services.store.runs.some(({ state }) => state === 'training' || state === 'starting')) return;
  await dashboard.show(folders, { preserveFocus: true });
}

/** What the target names; from the palette what stands in front, once it was confirmed, or what is chosen. */
async function sourceOf(target: Target, services: Services, allCells: boolean): Promise<Source | undefined> {
  const { experiments, context } = services;
  if (isModelTarget(target)) return sourceOfModel(target, services);
  if (target instanceof vscode.Uri) return sourceOfDocument(await openDocument(target), experiments);
  const model = await modelInEditor(services);
  const document = experiments.active;
  const uri = model?.uri ?? document?.uri;
  const { pickExperiment } = await import('./train/pick.ts');
  if (!uri) return pickExperiment(context.workspaceState);
  const { askFront } = await import('./train/front.ts');
  const file = vscode.workspace.asRelativePath(uri);
  const front = await askFront(
    allCells ? vscode.l10n.t('Compare Cells') : vscode.l10n.t('Train RNN'),
    model?.model ?? file.split('/').at(-1)!,
    file,
    model ? null : uri,
  );
  if (front?.kind === 'new') return pickExperiment(context.workspaceState);
  if (front?.kind === 'file') return sourceOfDocument(await openDocument(front.uri), experiments);
  if (!front) return undefined;
  return model ? sourceOfModel(model, services) : sourceOfDocument(document!, experiments);
}

async function modelInEditor({ code }: Services): Promise<ModelTarget | null> {
  const editor = vscode.window.activeTextEditor;
  if (!editor || !code.isCode(editor.document)) return null;
  const model = modelAtCursor(editor, (await code.read(editor.document)).models);
  return model ? { uri: editor.document.uri, model: model.name } : null;
}

async function openDocument(uri: vscode.Uri): Promise<vscode.TextDocument> {
  return vscode.workspace.openTextDocument(uri);
}

/** The runs that a command was asked for, each once; a selection in the tree counts if it holds the clicked item. */
function runsOf(target: Target, { store }: Services, selection?: readonly RunTreeNode[]): ListedRun[] {
  if (Array.isArray(selection) && selection.length > 0)
    return [...new Map(selection.flatMap(nodeRuns).map(run => [run.folder, run])).values()];
  if (typeof target === 'string') return [store.get(target)].filter(isRun);
  if (Array.isArray(target)) return target.map(folder => store.get(String(folder))).filter(isRun);
  return isNode(target) ? nodeRuns(target) : [];
}

function chosenFolders(
  target: Target,
  services: Services,
  selection?: readonly RunTreeNode[],
): readonly string[] | null {
  // just made, they may not be in the store yet
  if (Array.isArray(target) && target.every(folder => typeof folder === 'string') && target.length > 0)
    return target;
  const runs = runsOf(target, services, selection);
  return runs.length > 0 ? foldersOf(runs) : null;
}

function isRun(run: ListedRun | undefined): run is ListedRun {
  return run !== undefined;
}

function isNode(target: unknown): target is RunTreeNode {
  const kind = (target as { kind?: unknown } | null)?.kind;
  return kind === 'run' || kind === 'group' || kind === 'folder';
}

function nodeRuns(node: RunTreeNode): ListedRun[] {
  if (node.kind === 'run') return [node.run];
  return node.kind === 'group' ? node.runs : [];
}

function foldersOf(runs: readonly ListedRun[]): string[] {
  return runs.map(({ folder }) => folder);
}

/** A person gets one sentence; the stack goes to the log. */
async function report(cause: unknown, { log }: Services): Promise<void> {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof CannotTrain) {
    // a message without a button is cut to one line; the command has ended, whatever a person does with it
    const { title, command } = cause.next ?? {
      title: vscode.l10n.t('Choose Again'),
      command: 'unroll.train',
    };
    void vscode.window
      .showErrorMessage(message, title)
      .then(answer => (answer === title ? vscode.commands.executeCommand(command) : undefined));
    return;
  }
  log.error(cause instanceof Error ? cause : message);
  const showLog = vscode.l10n.t('Show Log');
  const chosen = await vscode.window.showErrorMessage(`Unroll: ${plain(message, 400)}`, showLog);
  if (chosen === showLog) log.show();
}
