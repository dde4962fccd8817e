// One item in the status bar while something trains, and for a moment how it ended.
import * as vscode from 'vscode';
import { loss } from '../text.ts';
import { runLabel, statusText } from './describe.ts';
import type { ListedRun, RunStore } from './store.ts';

const ENDING_MILLISECONDS = 20_000;

export class TrainingStatus implements vscode.Disposable {
  private readonly store: RunStore;
  private readonly item = vscode.window.createStatusBarItem(
    'unroll.training',
    vscode.StatusBarAlignment.Left,
    -1,
  );
  private readonly subscription: vscode.Disposable;
  private readonly seen = new Set<string>();
  private ending: { text: string; until: number; folders: string[] } | null = null;

  constructor(store: RunStore) {
    this.store = store;
    this.item.name = vscode.l10n.t('Unroll: Training');
    this.subscription = store.onDidPoll(() => this.update());
  }

  dispose(): void {
    this.subscription.dispose();
    this.item.dispose();
  }

  private update(): void {
    const living = this.store.runs.filter(isLiving);
    this.noteEndings(living);
    const now = statusText(living);
    if (now) this.show(now.text, now.tooltip, this.groupOf(living));
    else if (this.ending && Date.now() < this.ending.until)
      this.show(this.ending.text, vscode.l10n.t('Show in the dashboard'), this.ending.folders);
    else this.item.hide();
  }

  private noteEndings(living: readonly ListedRun[]): void {
    for (const folder of this.seen) {
      const run = this.store.get(folder);
      if (run && isLiving(run)) continue;
      this.seen.delete(folder);
      if (run)
        this.ending = { text: endingText(run), until: Date.now() + ENDING_MILLISECONDS, folders: [folder] };
    }
    for (const { folder } of living) this.seen.add(folder);
  }

  private groupOf(living: readonly ListedRun[]): string[] {
    const first = living.find(({ state }) => state === 'training') ?? living[0]!;
    return this.store.members(first).map(({ folder }) => folder);
  }

  private show(text: string, tooltip: string, folders: string[]): void {
    if (this.item.text !== text) this.item.text = text;
    if (this.item.tooltip !== tooltip) {
      this.item.tooltip = tooltip;
      this.item.accessibilityInformation = { label: `Unroll: ${tooltip.replaceAll('\n', ', ')}` };
    }
    const shown = (this.item.command as vscode.Command | undefined)?.arguments?.[0] as string[] | undefined;
    if (shown?.join() !== folders.join())
      this.item.command = { title: 'Open Dashboard', command: 'unroll.openDashboard', arguments: [folders] };
    this.item.show();
  }
}

function isLiving({ state }: ListedRun): boolean {
  return state === 'training' || state === 'starting' || state === 'paused';
}

function endingText(run: ListedRun): string {
  const good = run.state === 'finished' || run.state === 'early-stopped';
  const value = run.status.last['valLoss'];
  const icon = good ? '$(pass)' : run.state === 'stopped' ? '$(circle-slash)' : '$(error)';
  return `${icon} ${runLabel(run, false)} ${run.state}${value === undefined ? '' : ` · val ${loss(value)}`}`;
}
