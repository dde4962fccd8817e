// Bytes of every run, counted in the background while the tree is shown: once for an ended run.
import * as vscode from 'vscode';
import { isEnded } from '../../runs/life.ts';
import type { ListedRun, RunStore } from './store.ts';

const LIVING_MILLISECONDS = 30_000;
const BREATH_MILLISECONDS = 20;

export class DiskUse implements vscode.Disposable {
  private readonly store: RunStore;
  private readonly bytes = new Map<string, { bytes: number; countedAt: number; heartbeat: number }>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscription: vscode.Disposable;
  private enabled = false;
  private counting = false;
  readonly onDidChange = this.changed.event;

  constructor(store: RunStore) {
    this.store = store;
    this.subscription = store.onDidChange(() => void this.count());
  }

  of(folder: string): number | undefined {
    return this.bytes.get(folder)?.bytes;
  }

  /** Null until every run was counted once. */
  total(): number | null {
    let sum = 0;
    for (const { folder } of this.store.runs) {
      const known = this.of(folder);
      if (known === undefined) return null;
      sum += known;
    }
    return sum;
  }

  enable(on: boolean): void {
    this.enabled = on;
    if (on) void this.count();
  }

  /** At once, for pruning. */
  async countAll(): Promise<void> {
    const { diskUse } = await import('../../runs/list.ts');
    for (const run of this.store.runs) this.note(run, diskUse(run.folder));
  }

  dispose(): void {
    this.enabled = false;
    this.subscription.dispose();
    this.changed.dispose();
  }

  private async count(): Promise<void> {
    if (this.counting) return;
    this.counting = true;
    let any = false;
    try {
      for (const run of this.store.runs) {
        if (!this.enabled) return;
        if (!this.isDue(run)) continue;
        const { diskUse } = await import('../../runs/list.ts');
        this.note(run, diskUse(run.folder));
        any = true;
        await new Promise(resolve => setTimeout(resolve, BREATH_MILLISECONDS));
      }
    } finally {
      this.counting = false;
    }
    if (any && this.enabled) this.changed.fire();
  }

  private isDue({ folder, status, state }: ListedRun): boolean {
    const known = this.bytes.get(folder);
    if (!known) return true;
    if (known.heartbeat === status.heartbeat) return false;
    return isEnded(state) || Date.now() - known.countedAt > LIVING_MILLISECONDS;
  }

  private note({ folder, status }: ListedRun, bytes: number): void {
    this.bytes.set(folder, { bytes, countedAt: Date.now(), heartbeat: status.heartbeat });
  }
}
