// The runs of the open folders, read from their folders: what tree, lenses, status bar and dashboard are fed from.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Metric, RunRequest, RunStatus } from '../../runs/format.ts';
import type { LifeState, LifeWatch } from '../../runs/life.ts';
import type { RunLabel } from '../../runs/list.ts';
import { isRunId } from '../../runs/paths.ts';

export interface ListedRun {
  /** absolute */
  folder: string;
  id: string;
  /** the name a person gave it, else the experiment's; untrusted text */
  name: string;
  /** what a person said of it: untrusted text too */
  label: RunLabel;
  /** file system path of the workspace folder it stands in */
  workspace: string;
  request: RunRequest;
  status: RunStatus;
  /** the task's own first */
  metric: Metric | null;
  state: LifeState;
  /** seconds since this window last saw a sign of life */
  heartbeatAge: number;
}

interface Entry {
  run: ListedRun;
  watch: LifeWatch;
  statusStamp: string;
  /** polls until an ended run is looked at again, in case another window or a shell continued it */
  rest: number;
}

const VISIBLE_MILLISECONDS = 250;
const HIDDEN_MILLISECONDS = 2000;
/** An ended run is looked at this seldom. */
const ENDED_POLLS = 20;
/** A folder that holds no valid run may be one in the making. */
const REFUSED_POLLS = 4;
const READ_TOGETHER = 8;

export class RunStore implements vscode.Disposable {
  private readonly entries = new Map<string, Entry>();
  /** folders that hold no valid run, and polls until they are looked at again */
  private readonly refused = new Map<string, number>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly polled = new vscode.EventEmitter<void>();
  private readonly watchers: vscode.Disposable[] = [];
  private sorted: ListedRun[] = [];
  private viewers = 0;
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> | null = null;
  private disposed = false;
  /** true once the folders were read for the first time */
  loaded = false;

  /** Something in `runs` is another than before. */
  readonly onDidChange = this.changed.event;
  /** After every look at the disk, four times a second while somebody watches: the moment to poll a RunReader. */
  readonly onDidPoll = this.polled.event;

  /** Newest first. */
  get runs(): readonly ListedRun[] {
    return this.sorted;
  }

  get(folder: string): ListedRun | undefined {
    return this.entries.get(folder)?.run;
  }

  /** All members of the run's comparison in their order; the run alone if it is in none. */
  members(run: ListedRun): ListedRun[] {
    const group = run.request.group?.id;
    if (!group) return [run];
    return this.sorted
      .filter(other => other.request.group?.id === group && other.workspace === run.workspace)
      .sort((a, b) => a.request.group!.index - b.request.group!.index);
  }

  async start(): Promise<void> {
    this.watchers.push(vscode.workspace.onDidChangeWorkspaceFolders(() => void this.refresh()));
    await this.refresh();
  }

  /** Somebody shows runs: polls are frequent until this is disposed. */
  watch(): vscode.Disposable {
    this.viewers++;
    if (this.viewers === 1) void this.refresh();
    let released = false;
    return new vscode.Disposable(() => {
      if (!released) this.viewers--;
      released = true;
    });
  }

  /** Looks at the disk now. `thorough` also re-reads names and ended runs. */
  async refresh(thorough = false): Promise<void> {
    clearTimeout(this.timer);
    if (thorough) for (const entry of this.entries.values()) entry.rest = 0;
    // one look at a time, and one that begins after this call
    if (this.polling) await this.polling;
    this.polling ??= this.poll(thorough).finally(() => {
      this.polling = null;
    });
    await this.polling;
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    for (const watcher of this.watchers) watcher.dispose();
    this.changed.dispose();
    this.polled.dispose();
  }

  private async poll(thorough: boolean): Promise<void> {
    try {
      const found = await findRunFolders();
      let changed = this.dropMissing(found);
      const due = [...found].filter(([folder]) => this.isDue(folder));
      for (let i = 0; i < due.length; i += READ_TOGETHER) {
        const part = due.slice(i, i + READ_TOGETHER);
        const answers = await Promise.all(
          part.map(([folder, workspace]) => this.read(folder, workspace, thorough)),
        );
        changed = answers.some(Boolean) || changed;
      }
      changed = !this.loaded || changed;
      this.loaded = true;
      if (this.disposed) return;
      if (changed) {
        this.sorted = [...this.entries.values()]
          .map(({ run }) => run)
          .sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
        this.changed.fire();
      }
      this.polled.fire();
    } finally {
      this.schedule();
    }
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.disposed) return;
    const wait = this.viewers > 0 ? VISIBLE_MILLISECONDS : HIDDEN_MILLISECONDS;
    this.timer = setTimeout(() => void this.refresh(), wait);
  }

  private dropMissing(found: ReadonlyMap<string, string>): boolean {
    let dropped = false;
    for (const folder of this.entries.keys())
      if (!found.has(folder)) dropped = this.entries.delete(folder) || dropped;
    return dropped;
  }

  private isDue(folder: string): boolean {
    const entry = this.entries.get(folder);
    if (entry) return entry.rest-- <= 0;
    const rest = this.refused.get(folder) ?? 0;
    this.refused.set(folder, rest - 1);
    return rest <= 0;
  }

  /** @returns whether anything about the run changed */
  private async read(folder: string, workspace: string, thorough: boolean): Promise<boolean> {
    const entry = this.entries.get(folder);
    if (!entry || thorough) return this.readWhole(folder, workspace, entry);
    const stamp = await stampOf(folder);
    const { run } = entry;
    if (stamp !== entry.statusStamp) {
      const status = await readStatus(folder);
      if (!status) return false;
      entry.statusStamp = stamp;
      entry.run = { ...run, status };
    }
    return (await this.judge(entry)) || entry.run !== run;
  }

  private async readWhole(folder: string, workspace: string, old: Entry | undefined): Promise<boolean> {
    const { readSummary } = await import('../../runs/list.ts');
    const { LifeWatch } = await import('../../runs/life.ts');
    const statusStamp = await stampOf(folder);
    const summary = readSummary(folder);
    if (!summary) {
      this.refused.set(folder, REFUSED_POLLS);
      return this.entries.delete(folder);
    }
    this.refused.delete(folder);
    const entry: Entry = {
      run: { ...summary, workspace, state: summary.status.state, heartbeatAge: 0 },
      watch: old?.watch ?? new LifeWatch(),
      statusStamp,
      rest: 0,
    };
    this.entries.set(folder, entry);
    await this.judge(entry);
    return true;
  }

  private async judge(entry: Entry): Promise<boolean> {
    const { isEnded } = await import('../../runs/life.ts');
    const { state, heartbeatAge } = entry.watch.judge(entry.run.folder, entry.run.status);
    const changed = state !== entry.run.state;
    entry.run = changed ? { ...entry.run, state, heartbeatAge } : entry.run;
    entry.run.heartbeatAge = heartbeatAge;
    entry.rest = isEnded(state) ? ENDED_POLLS : 0;
    return changed;
  }
}

async function findRunFolders(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
    if (uri.scheme !== 'file') continue;
    const runs = join(uri.fsPath, '.unroll', 'runs');
    const names = await readdir(runs).catch(() => []);
    for (const name of names) if (isRunId(name)) found.set(join(runs, name), uri.fsPath);
  }
  return found;
}

async function stampOf(folder: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(join(folder, 'status.json'));
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return '';
  }
}

async function readStatus(folder: string): Promise<RunStatus | null> {
  try {
    const { checkStatus } = await import('../../runs/validate.ts');
    const text = await readFile(join(folder, 'status.json'), 'utf8');
    const checked = checkStatus(JSON.parse(text));
    return checked.ok ? checked.value : null;
  } catch {
    return null;
  }
}
