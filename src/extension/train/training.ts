// From an experiment to runs, and what can be asked of runs that exist.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { Experiment } from '../../experiment/schema.ts';
import { requestControl } from '../../runs/control.ts';
import { createRun } from '../../runs/create.ts';
import type { DefinitionSource } from '../../runs/format.ts';
import { newRunId } from '../../runs/paths.ts';
import { whyOf } from '../../runs/system-errors.ts';
import type { ListedRun, RunStore } from '../runs/store.ts';
import { trainingSettings } from '../settings.ts';
import { plain } from '../text.ts';
import type { Supervisor } from '../workers/supervisor.ts';

export interface Source {
  experiment: Experiment;
  definition: DefinitionSource;
  /** absolute folder that data paths are relative to */
  base: string;
  /** absolute path of the workspace folder that gets the runs */
  workspace: string;
  /** folders data may come from, beside those of the settings: our own samples */
  allowedPaths?: string[];
}

/** A reason that is told to the person as it is, with what helps next; left out: to choose again. */
export class CannotTrain extends Error {
  readonly next: { title: string; command: string } | undefined;
  constructor(message: string, next?: CannotTrain['next']) {
    super(message);
    this.next = next;
  }
}

export class Training {
  private readonly store: RunStore;
  private readonly supervisor: Supervisor;

  constructor(store: RunStore, supervisor: Supervisor) {
    this.store = store;
    this.supervisor = supervisor;
  }

  /** Makes the run folders, and starts or queues them. @throws CannotTrain */
  async start(source: Source): Promise<string[]> {
    checkData(source);
    const { expandComparison } = await import('../../experiment/compare.ts');
    const members = expandComparison(source.experiment);
    const { engine, threads, allowedPaths } = trainingSettings();
    const name = source.experiment.name ?? 'experiment';
    const groupId = newRunId(name, new Date());
    const folders: string[] = [];
    try {
      for (const [index, { label, experiment }] of members.entries())
        folders.push(
          createRun(
            { workspace: source.workspace },
            {
              name,
              experiment,
              definition: source.definition,
              group: members.length > 1 ? { id: groupId, index, size: members.length, label } : null,
              engine,
              threads,
              base: source.base,
              workspace: source.workspace,
              allowedPaths: [...(source.allowedPaths ?? []), ...allowedPaths],
            },
          ),
        );
    } catch (cause) {
      throw cannotWrite(source.workspace, cause);
    }
    const outcome = await this.supervisor.enqueue(folders);
    if (outcome === 'waiting') void this.offerToStartNow(name, folders);
    return folders;
  }

  /** Asks the workers of these runs; a run that waits in the queue is taken out of it instead. */
  control(folders: readonly string[], action: 'pause' | 'resume' | 'stop' | 'checkpoint'): void {
    for (const folder of folders) {
      if (action === 'stop') this.supervisor.cancel(folder);
      if (existsSync(folder)) requestControl(folder, action);
    }
    void this.store.refresh();
  }

  /** Goes on from the last checkpoint; members of one comparison share a worker. @throws CannotTrain */
  async continue(runs: readonly ListedRun[]): Promise<void> {
    for (const run of runs) checkOrigin(run);
    if (runs.some(({ state }) => state === 'silent') && !(await this.confirmSilent(runs))) return;
    const byGroup = new Map<string, string[]>();
    for (const { folder, request, id } of runs) {
      const key = request.group?.id ?? id;
      byGroup.set(key, [...(byGroup.get(key) ?? []), folder]);
    }
    for (const folders of byGroup.values()) await this.supervisor.startNow(folders);
    await this.store.refresh(true);
  }

  /** Past the limit of `unroll.maxRuns`. */
  startNow(folders: readonly string[]): Promise<void> {
    return this.supervisor.startNow(folders);
  }

  isQueued(folder: string): boolean {
    return this.supervisor.isQueued(folder);
  }

  commandLine(): Promise<string> {
    return this.supervisor.commandLine();
  }

  private async offerToStartNow(name: string, folders: readonly string[]): Promise<void> {
    const now = vscode.l10n.t('Start Now');
    const show = vscode.l10n.t('Open Dashboard');
    const chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t('{0} is queued: it starts when a run before it ends.', plain(name)),
      now,
      show,
    );
    if (chosen === now && this.supervisor.isQueued(folders[0]!)) await this.supervisor.startNow(folders);
    if (chosen) await vscode.commands.executeCommand('unroll.openDashboard', folders);
  }

  private async confirmSilent(runs: readonly ListedRun[]): Promise<boolean> {
    const go = vscode.l10n.t('Continue Here');
    const chosen = await vscode.window.showWarningMessage(
      vscode.l10n.t('{0} may still be training on another machine.', plain(runs[0]!.name)),
      {
        modal: true,
        detail: vscode.l10n.t(
          'It was started on another host and has been silent for {0} seconds. If that process still lives, two would write into one folder.',
          Math.round(Math.max(...runs.map(({ heartbeatAge }) => heartbeatAge))),
        ),
      },
      go,
    );
    return chosen === go;
  }
}

/** The same experiment over the classic cells; other fields that it compares stay. */
export async function comparingCells(experiment: Experiment): Promise<Experiment> {
  const { CLASSIC_CELLS } = await import('../../experiment/layers/index.ts');
  return {
    ...experiment,
    compare: { ...experiment.compare, cell: [...CLASSIC_CELLS] } as Experiment['compare'],
  };
}

/** What is missing is said before anything is written. */
function checkData({ experiment, base }: Source): void {
  const { data } = experiment;
  if (!('path' in data)) return;
  const path = isAbsolute(data.path) ? data.path : resolve(base, data.path);
  let problem: string | null = null;
  try {
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) problem = vscode.l10n.t('is neither a file nor a folder');
    else if (found.isFile() && found.size === 0) problem = vscode.l10n.t('is empty');
  } catch (cause) {
    problem =
      (cause as NodeJS.ErrnoException).code === 'ENOENT'
        ? vscode.l10n.t('is not there')
        : vscode.l10n.t('cannot be read ({0})', whyOf(cause));
  }
  if (problem)
    throw new CannotTrain(
      vscode.l10n.t('The data file "{0}" {1}: looked for at {2}.', plain(data.path), problem, path),
    );
}

/** A run folder that came with a clone could name any path of this machine as its data. */
function checkOrigin({ request, workspace, name }: ListedRun): void {
  const here = realpathSync(workspace);
  const inside = (path: string) => {
    const way = relative(here, safeRealpath(path));
    return !way.startsWith('..') && !isAbsolute(way);
  };
  const allowed = new Set(trainingSettings().allowedPaths);
  const foreign = request.allowedPaths.find(path => !allowed.has(path) && !isOwnSample(path));
  if (
    safeRealpath(request.workspace) !== here ||
    (!inside(request.base) && !isOwnSample(request.base)) ||
    foreign
  )
    throw new CannotTrain(
      vscode.l10n.t(
        '{0} cannot be continued here: it was made for {1}{2}. Train its experiment anew instead.',
        plain(name),
        plain(request.workspace, 200),
        foreign ? vscode.l10n.t(' with data from {0}', plain(foreign, 200)) : '',
      ),
    );
}

function isOwnSample(path: string): boolean {
  const { samples } = ownFolders;
  return samples !== '' && safeRealpath(path) === safeRealpath(samples);
}

/** Set at activation. */
export const ownFolders = { samples: '' };

function safeRealpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function cannotWrite(workspace: string, cause: unknown): CannotTrain {
  const { code, message } = cause as NodeJS.ErrnoException;
  const folder = join(workspace, '.unroll');
  if (code === 'ENOSPC')
    return new CannotTrain(vscode.l10n.t('The disk that holds {0} is full: no run could be made.', folder));
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new CannotTrain(
      vscode.l10n.t(
        'Runs are written to {0}, and that cannot be written ({1}). Make the folder writable, or open a copy of it.',
        folder,
        code,
      ),
    );
  return new CannotTrain(vscode.l10n.t('No run could be made in {0}: {1}', folder, message));
}
