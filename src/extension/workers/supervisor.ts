// Keeps the workers going: takes runs from the queue when there is a slot, sees workers end, says why one died.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { requestControl } from '../../runs/control.ts';
import type { ListedRun, RunStore } from '../runs/store.ts';
import { onClose, trainingSettings } from '../settings.ts';
import { tensorflowPlaces } from '../tensorflow/places.ts';
import { plain } from '../text.ts';
import { copyEngine, noteUser, removeOldEngines } from './engine-copy.ts';
import { Queue, type Ticket } from './queue.ts';
import { lastWords, startWorker, type Worker } from './spawn.ts';

/** A worker that has not said anything for so long is not going to. */
const START_MILLISECONDS = 20_000;

export class Supervisor implements vscode.Disposable {
  private readonly context: vscode.ExtensionContext;
  private readonly log: vscode.LogOutputChannel;
  private readonly store: RunStore;
  private readonly queue: Queue;
  private readonly subscriptions: vscode.Disposable[] = [];
  private engine: Promise<string> | null = null;
  /** runs that were seen alive */
  private readonly living = new Set<string>();
  private pumping: Promise<void> | null = null;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel, store: RunStore) {
    this.context = context;
    this.log = log;
    this.store = store;
    const storage = context.storageUri ?? context.globalStorageUri;
    this.queue = new Queue(join(storage.fsPath, 'queue'));
    this.subscriptions.push(
      store.onDidChange(() => {
        void this.pump();
        this.tellCrashes();
      }),
    );
  }

  /** Also of workers that another window, or this one before a reload, has started. */
  private tellCrashes(): void {
    const crashed = this.store.runs.filter(
      ({ folder, state }) => state === 'crashed' && this.living.has(folder),
    );
    for (const { folder, state } of this.store.runs)
      if (isRunning({ state })) this.living.add(folder);
      else this.living.delete(folder);
    // members of one comparison share a worker
    const [first, ...more] = crashed;
    if (first) void this.complainOfCrash(first, [first, ...more]);
  }

  private async complainOfCrash(first: ListedRun, runs: readonly ListedRun[]): Promise<void> {
    const { step } = first.status;
    const resume = vscode.l10n.t('Resume');
    const showDashboard = vscode.l10n.t('Open Dashboard');
    const chosen = await vscode.window.showErrorMessage(
      vscode.l10n.t('{0} ended unexpectedly at step {1}.', nameOf(first), step.toLocaleString('en-US')),
      resume,
      showDashboard,
    );
    const folders = runs.map(({ folder }) => folder);
    if (chosen === resume) await vscode.commands.executeCommand('unroll.continue', folders);
    if (chosen === showDashboard) await vscode.commands.executeCommand('unroll.openDashboard', folders);
  }

  /** Starts them now if there is a slot, else when one is free. @returns whether they wait */
  async enqueue(folders: readonly string[]): Promise<'started' | 'waiting'> {
    const ticket = this.queue.add(folders);
    await this.store.refresh();
    await this.pump();
    return this.isWaiting(ticket) ? 'waiting' : 'started';
  }

  /** Does not wait for a slot. */
  async startNow(folders: readonly string[]): Promise<void> {
    const ticket = this.ticketOf(folders[0]!) ?? this.queue.add(folders);
    if (this.queue.claim(ticket)) await this.start(ticket);
  }

  isQueued(folder: string): boolean {
    return this.ticketOf(folder) !== undefined;
  }

  /** Takes runs out of the queue; the folders stay. */
  cancel(folder: string): void {
    const ticket = this.ticketOf(folder);
    if (ticket) this.queue.remove(ticket);
  }

  /** The window closes: no time for anything but small files. */
  close(): void {
    if (onClose() === 'keep') return;
    for (const { folders } of this.queue.started())
      for (const folder of folders) {
        const run = this.store.get(folder);
        if (run?.state !== 'training' && run?.state !== 'starting') continue;
        try {
          requestControl(folder, 'pause');
        } catch (cause) {
          this.log.warn(`Could not pause ${folder}: ${cause}`);
        }
      }
  }

  /** After `unroll.onClose: ask`: what was paused when the window closed can go on. */
  async askToResume(): Promise<void> {
    if (onClose() !== 'ask') return;
    const own = new Set(this.queue.started().flatMap(({ folders }) => folders));
    const paused = this.store.runs.filter(({ folder, state }) => state === 'paused' && own.has(folder));
    if (paused.length === 0) return;
    const resume = vscode.l10n.t('Resume');
    const chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t('{0} was paused when the window closed.', plain(paused[0]!.name)),
      resume,
    );
    if (chosen === resume) for (const { folder } of paused) requestControl(folder, 'resume');
  }

  dispose(): void {
    this.close();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private ticketOf(folder: string): Ticket | undefined {
    return this.queue.waiting().find(({ folders }) => folders.includes(folder));
  }

  private isWaiting(ticket: Ticket): boolean {
    return this.queue.waiting().some(({ id }) => id === ticket.id);
  }

  private async pump(): Promise<void> {
    this.pumping ??= this.startNext().finally(() => {
      this.pumping = null;
    });
    await this.pumping;
  }

  private async startNext(): Promise<void> {
    if (!this.store.loaded || !vscode.workspace.isTrusted) return;
    this.forgetEnded();
    for (const ticket of this.queue.waiting()) {
      if (!ticket.folders.some(folder => existsSync(folder))) this.queue.remove(ticket);
      else if (this.isOurs(ticket) && this.slotsTaken() < trainingSettings().maxRuns) {
        if (this.queue.claim(ticket)) await this.start(ticket);
      }
    }
  }

  /** Tickets of a folder that this window does not show are left to the window that does. */
  private isOurs(ticket: Ticket): boolean {
    return ticket.folders.every(folder => this.store.get(folder) ?? !existsSync(folder));
  }

  /** Comparisons count once; a paused run keeps its slot, since its memory stays. */
  private slotsTaken(): number {
    const taken = new Set<string>();
    for (const run of this.store.runs) if (isRunning(run)) taken.add(run.request.group?.id ?? run.id);
    for (const ticket of this.queue.started()) {
      const run = ticket.folders.map(folder => this.store.get(folder)).find(Boolean);
      if (run?.state === 'queued' && this.queue.age(ticket) < START_MILLISECONDS)
        taken.add(run.request.group?.id ?? run.id);
    }
    return taken.size;
  }

  private forgetEnded(): void {
    for (const ticket of this.queue.started()) {
      if (this.queue.age(ticket) < START_MILLISECONDS) continue;
      const living = ticket.folders.some(folder => {
        const run = this.store.get(folder);
        return run && isRunning(run);
      });
      if (!living) this.queue.remove(ticket);
    }
  }

  private async start({ id, folders }: Ticket): Promise<void> {
    // members of a comparison that were deleted while it waited
    const ticket = { id, folders: folders.filter(folder => existsSync(folder)) };
    if (ticket.folders.length === 0) return this.queue.remove(ticket);
    const workspace = this.store.get(ticket.folders[0]!)?.workspace ?? process.cwd();
    try {
      const engine = await this.engineFolder();
      const worker = await startWorker(
        engine,
        ticket.folders,
        workspace,
        tensorflowPlaces(this.context, workspace),
      );
      this.log.info(`Worker ${worker.pid} trains ${ticket.folders.join(', ')}`);
      await noteUser(engine, worker.pid);
      void this.watch(ticket, worker);
      await this.store.refresh();
    } catch (cause) {
      this.queue.remove(ticket);
      this.log.error(cause instanceof Error ? cause : String(cause));
      const why = cause instanceof Error ? cause.message : String(cause);
      void this.complain(vscode.l10n.t('The trainer could not be started: {0}', why), ticket.folders);
    }
  }

  private async watch(ticket: Ticket, worker: Worker): Promise<void> {
    const { code, signal } = await worker.ended;
    this.log.info(`Worker ${worker.pid} ended with ${signal ?? code}`);
    this.queue.remove(ticket);
    // of processes side by side one may have been killed, which was told then
    const told = ticket.folders.filter(folder => this.store.get(folder)?.state === 'crashed');
    // one that ended by itself says why below
    if (signal === null) for (const folder of ticket.folders) this.living.delete(folder);
    await this.store.refresh(true);
    const folders = ticket.folders.filter(folder => !told.includes(folder));
    const runs = folders.flatMap(folder => this.store.get(folder) ?? []);
    const failed = runs.find(({ state }) => state === 'failed' || state === 'diverged');
    if (failed) {
      const verb = failed.state === 'failed' ? 'failed' : 'diverged';
      const why = failed.status.message ?? lastWords(ticket.folders[0]!);
      void this.complain(`${nameOf(failed)} ${verb}: ${plain(why, 400)}`, ticket.folders);
    } else if (signal === null && code !== 0 && runs.some(({ state }) => !isOver(state)))
      void this.complain(
        vscode.l10n.t(
          '{0} did not go on: {1}',
          nameOf(runs[0]!),
          plain(lastWords(ticket.folders[0]!), 400) || `the worker ended with code ${code}`,
        ),
        ticket.folders,
      );
  }

  private async complain(message: string, folders: readonly string[]): Promise<void> {
    const showLog = vscode.l10n.t('Show Log');
    const showDashboard = vscode.l10n.t('Open Dashboard');
    const chosen = await vscode.window.showErrorMessage(message, showDashboard, showLog);
    if (chosen === showLog) await vscode.commands.executeCommand('unroll.showLog', folders[0]);
    if (chosen === showDashboard) await vscode.commands.executeCommand('unroll.openDashboard', folders);
  }

  private engineFolder(): Promise<string> {
    const storage = join(this.context.globalStorageUri.fsPath, 'engine');
    const { version } = this.context.extension.packageJSON as { version: string };
    this.engine ??= copyEngine(join(this.context.extensionPath, 'dist', 'engine'), storage, version).then(
      folder => {
        void removeOldEngines(storage, folder).catch(cause => this.log.warn(String(cause)));
        return folder;
      },
    );
    // a copy that failed once is tried again with the next run
    this.engine.catch(() => {
      this.engine = null;
    });
    return this.engine;
  }

  /** The command line, for exports: from the same copy that trains. */
  commandLine(): Promise<string> {
    return this.engineFolder().then(folder => join(folder, 'unroll.mjs'));
  }
}

function isRunning({ state }: Pick<ListedRun, 'state'>): boolean {
  return state === 'starting' || state === 'training' || state === 'paused';
}

function isOver(state: ListedRun['state']): boolean {
  return state === 'finished' || state === 'early-stopped' || state === 'stopped';
}

function nameOf(run: ListedRun): string {
  const label = run.request.group?.label;
  return plain(label ? `${run.name} ${label}` : run.name);
}
