// One page that shows runs, in the side panel or in a tab: it gets everything when it is ready, then what is new
// at most four times a second while it is visible, and nothing while it is hidden.
import * as vscode from 'vscode';
import { checkRequest } from '../../protocol/check.ts';
import { HostConnection, type RequestHandlers } from '../../protocol/connection.ts';
import type { PageCommand } from '../../protocol/messages.ts';
import { onOneBuffer } from '../../protocol/one-buffer.ts';
import type { Transport } from '../../protocol/transport.ts';
import { mayTrain, trainingRestriction } from '../permission.ts';
import type { ListedRun } from '../runs/store.ts';
import { askSound, startTrial, type Trial } from '../runs/trial.ts';
import type { Services } from '../services.ts';
import { saveChart } from './chart-file.ts';
import { copyComparison, saveComparison } from './comparison.ts';
import { applyFixInEditor } from './fix.ts';
import type { DashboardModel } from './model.ts';
import type { Page } from './pages.ts';

/** A WebviewView or a WebviewPanel. */
export interface Frame {
  readonly webview: vscode.Webview;
  readonly visible: boolean;
  readonly onVisibility: vscode.Event<unknown>;
  readonly page: Page;
}

const MIN_MILLISECONDS = 240;
/** what a person chose on the page, in the extension's own storage */
const CHOICES = 'dashboard.choices';

export class DashboardSession implements vscode.Disposable {
  private readonly frame: Frame;
  private readonly services: Services;
  private readonly openTab: (folders: readonly string[] | null) => Promise<void>;
  private readonly connection: HostConnection;
  private readonly subscriptions: vscode.Disposable[];
  private watching: vscode.Disposable | null = null;
  private model: DashboardModel | null = null;
  private folders: readonly string[] | null;
  private pinnedIds: readonly string[] | null = null;
  private isReady = false;
  private smoothing = 0;
  private shownKey = '';
  private sentAt = 0;
  /** reading takes turns with the rest of the extension host; one reading at a time */
  private work: Promise<void> = Promise.resolve();
  private isWorking = false;
  private offer: vscode.Uri | null = null;
  /** takes the focus once the page has what is chosen */
  private section: string | null = null;
  private trial: Trial | null = null;
  /** told when what is shown has another name */
  onTitle: (title: string | null) => void = () => {};

  constructor(
    frame: Frame,
    services: Services,
    folders: readonly string[] | null,
    kept: unknown,
    openTab: (folders: readonly string[] | null) => Promise<void>,
  ) {
    this.frame = frame;
    this.services = services;
    this.folders = folders;
    this.openTab = openTab;
    this.connection = new HostConnection(transportOf(frame), this.handlers(), checkRequest);
    this.subscriptions = [
      frame.onVisibility(() => this.watchIfVisible()),
      services.store.onDidPoll(() => void this.update()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.replace()),
      vscode.window.onDidChangeActiveTextEditor(() => {
        if (this.shownKey === '') void this.replace();
      }),
    ];
    this.restore(kept);
    void this.prepare();
    this.watchIfVisible();
  }

  show(folders: readonly string[] | null, section?: string): void {
    this.folders = folders;
    this.pinnedIds = null;
    if (section) this.section = section;
    void this.services.store.refresh().then(() => this.replace());
  }

  /** Puts the focus on a section as soon as the page shows what is chosen. */
  focus(section: string): void {
    this.section = section;
  }

  /** Folders that were chosen; null: the newest is followed. */
  get chosen(): readonly string[] | null {
    return this.pinnedIds || this.folders ? this.runs().map(({ folder }) => folder) : null;
  }

  /** As a page remembered it from before a reload. */
  private restore(kept: unknown): void {
    const { pinned, smoothing } = (kept ?? {}) as { pinned?: unknown; smoothing?: unknown };
    if (typeof smoothing === 'number' && smoothing >= 0 && smoothing < 1) this.smoothing = smoothing;
    if (!Array.isArray(pinned) || pinned.length > 1000) return;
    this.pinnedIds = pinned.filter(id => typeof id === 'string');
  }

  /** Reads while the page is loaded, so that it is answered as soon as it is ready. */
  private prepare(): Promise<void> {
    return this.inTurn(async () => {
      const { store } = this.services;
      if (!store.loaded) await store.refresh();
      const model = await this.modelOf(this.runs());
      await model.read();
    });
  }

  private async modelOf(runs: readonly ListedRun[]): Promise<DashboardModel> {
    const { DashboardModel } = await import('./model.ts');
    this.model ??= new DashboardModel();
    this.model.smoothing = this.smoothing;
    this.model.setRuns(runs);
    return this.model;
  }

  dispose(): void {
    this.watching?.dispose();
    this.trial?.end();
    for (const subscription of this.subscriptions) subscription.dispose();
    this.connection.dispose();
  }

  private watchIfVisible(): void {
    if (this.frame.visible) this.watching ??= this.services.store.watch();
    else {
      this.watching?.dispose();
      this.watching = null;
      // the page is gone; a new one will say that it is ready
      this.isReady = false;
      this.frame.page.forgetPicture();
    }
  }

  private runs(): ListedRun[] {
    const { store } = this.services;
    let chosen: ListedRun[] = [];
    if (this.pinnedIds) chosen = store.runs.filter(({ id }) => this.pinnedIds!.includes(id));
    else if (this.folders) chosen = this.folders.flatMap(folder => store.get(folder) ?? []);
    if (this.pinnedIds) chosen.sort((a, b) => this.pinnedIds!.indexOf(a.id) - this.pinnedIds!.indexOf(b.id));
    // just made, they may not be in the store yet; deleted, the newest takes their place
    if (chosen.length === 1 && chosen[0]!.request.group) return store.members(chosen[0]!);
    if (chosen.length > 0) return chosen;
    // what waits does not push what trains from view
    const newest = store.runs.find(({ state }) => state !== 'queued') ?? store.runs[0];
    return newest ? store.members(newest) : [];
  }

  private async update(): Promise<void> {
    if (!this.isReady || !this.frame.visible || this.isWorking) return;
    const runs = this.runs();
    if (keyOf(runs) !== this.shownKey) return this.replace();
    const isDue = performance.now() - this.sentAt >= MIN_MILLISECONDS;
    if (!isDue || runs.length === 0) return;
    await this.inTurn(async () => {
      const { model } = this;
      if (!model) return;
      model.setRuns(runs);
      await model.read();
      if (this.isReady && keyOf(runs) === this.shownKey) this.sendChanges();
    });
  }

  private sendChanges(): void {
    const patches = this.model?.changes() ?? [];
    const comparison = this.model?.changedComparison() ?? null;
    if (patches.length === 0 && !comparison) return;
    this.sentAt = performance.now();
    this.connection.emit('state/update', { runs: patches, ...(comparison && { comparison }) });
  }

  private replace(): Promise<void> {
    return this.inTurn(async () => {
      if (!this.isReady) return;
      const runs = this.runs();
      this.shownKey = keyOf(runs);
      if (runs.length > 0) this.offer = null;
      else void this.findOffer().catch(() => {});
      const model = await this.modelOf(runs);
      await model.read();
      const whole = model.whole();
      this.sentAt = performance.now();
      this.connection.emit('state/replace', {
        ...whole,
        pinned: this.pinnedIds || this.folders ? runs.map(({ id }) => id) : null,
        offer: this.offer?.path.split('/').at(-1) ?? null,
        restricted: trainingRestriction(),
        untrusted: !vscode.workspace.isTrusted,
      });
      this.onTitle(whole.title);
      if (this.section !== null) this.connection.emit('view/focus', { section: this.section });
      this.section = null;
    });
  }

  private inTurn(act: () => Promise<void>): Promise<void> {
    this.work = this.work.then(async () => {
      this.isWorking = true;
      try {
        await act();
      } catch (cause) {
        this.services.log.error(cause instanceof Error ? cause : String(cause));
      } finally {
        this.isWorking = false;
      }
    });
    return this.work;
  }

  /** A search of the workspace may take long: the page is shown meanwhile, and again once something was found. */
  private async findOffer(): Promise<void> {
    const active = this.services.experiments.active;
    const found = active
      ? [active.uri]
      : await vscode.workspace.findFiles('**/*.rnn.json', '**/{node_modules,.unroll}/**', 20);
    const [first = null] = [...found].sort((a, b) => (a.path < b.path ? -1 : 1));
    if (this.offer?.toString() === first?.toString() || this.runs().length > 0) return;
    this.offer = first;
    await this.replace();
  }

  private handlers(): RequestHandlers {
    const { training, store } = this.services;
    return {
      'page/ready': async ({ smoothing }) => {
        this.isReady = true;
        this.smoothing = smoothing;
        if (!store.loaded) await store.refresh();
        await this.replace();
        return null;
      },
      'curve/smooth': async ({ smoothing }) => {
        this.smoothing = smoothing;
        await this.inTurn(async () => {
          // while it waited, the slider went on
          if (!this.model || this.smoothing !== smoothing) return;
          this.model.smoothing = smoothing;
          await this.model.read();
          this.sendChanges();
        });
        return null;
      },
      'curve/range': ({ runId, curve, from, to, points }) => {
        if (!this.model) throw new Error('Nothing is shown yet.');
        return this.model.range(runId, curve, from, to, points);
      },
      'comparison/pin': async ({ runId }) => {
        await this.inTurn(async () => {
          if (!this.model) return;
          this.model.baseline = runId;
          this.sendChanges();
        });
        return null;
      },
      'choices/load': () => this.services.context.globalState.get<string>(CHOICES) ?? null,
      'choices/save': async ({ choices }) => {
        await this.services.context.globalState.update(CHOICES, choices);
        return null;
      },
      'chart/save': async chart => {
        await this.guarded(() => saveChart(chart, this.runs()[0]?.workspace));
        return null;
      },
      'run/control': ({ runIds, action }) => {
        training.control(
          this.listed(runIds).map(({ folder }) => folder),
          action,
        );
        return null;
      },
      'run/continue': async ({ runIds }) => {
        if (await mayTrain()) await this.guarded(() => training.continue(this.listed(runIds)));
        return null;
      },
      'finding/fix': async ({ runId, fix }) => {
        const run = this.listed([runId])[0];
        if (run) await this.guarded(() => applyFixInEditor(run, fix, this.services));
        return null;
      },
      'run/try': async ({ runId, given }) => {
        const run = this.listed([runId])[0];
        if (!run) throw new Error('This run is not shown any more.');
        const restriction = trainingRestriction();
        if (restriction) throw new Error(restriction);
        const { sound, ...rest } = given;
        const file = sound ? await askSound(run) : null;
        if (sound && file === null) return null;
        const engine = await training.commandLine();
        this.trial?.end();
        this.trial = startTrial(engine, run, file === null ? rest : { ...rest, sound: file });
        return this.trial.answer;
      },
      'command/run': async ({ command, runId }) => {
        await this.command(command, runId);
        return null;
      },
    };
  }

  private listed(runIds: readonly string[]): ListedRun[] {
    return runIds.flatMap(id => {
      const folder = this.model?.folderOf(id);
      return (folder && this.services.store.get(folder)) || [];
    });
  }

  /** What cannot be done is told where the person looks, not in the page. */
  private async guarded(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      this.services.log.error(cause instanceof Error ? cause : String(cause));
      void vscode.window.showErrorMessage(cause instanceof Error ? cause.message : String(cause));
    }
  }

  private async command(command: PageCommand, runId: string | undefined): Promise<void> {
    const folder = runId === undefined ? undefined : (this.model?.folderOf(runId) ?? undefined);
    const execute = vscode.commands.executeCommand;
    switch (command) {
      case 'train':
      case 'compare':
        await execute(`unroll.${command}`, this.offer ?? undefined);
        break;
      case 'openSample':
        await execute('unroll.openSample');
        break;
      case 'openTab':
        await this.openTab(this.chosen);
        break;
      case 'followNewest':
        this.show(null);
        break;
      case 'copyComparison':
        await this.guarded(async () =>
          copyComparison(this.model?.comparison() ?? [], this.model?.baseline ?? null),
        );
        break;
      case 'saveComparison':
        await this.guarded(() => saveComparison(this.model?.comparison() ?? [], this.runs()[0]?.workspace));
        break;
      case 'export':
      case 'openExperiment':
        await execute(`unroll.${command}`, folder);
        break;
      case 'openFolder':
        await execute('unroll.openRunFolder', folder);
        break;
      case 'trust':
        await execute('workbench.trust.manage');
        break;
      default:
        command satisfies never;
    }
  }
}

function keyOf(runs: readonly ListedRun[]): string {
  return runs.map(({ folder, name }) => `${folder}\n${name}`).join('\n');
}

function transportOf({ webview, page }: Frame): Transport {
  return {
    post: message => void webview.postMessage(onOneBuffer(message)),
    listen: take => page.listen(take),
    dispose: () => page.dispose(),
  };
}
