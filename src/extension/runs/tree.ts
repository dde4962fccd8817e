// The view "Runs": newest first, comparisons as groups, with disk use, and several can be selected.
import { setTimeout as wait } from 'node:timers/promises';
import * as vscode from 'vscode';
import { cellColor, cellOf } from '../cells.ts';
import { formatBytes, plain, plural } from '../text.ts';
import { distinctionsOf, namesakes } from './apart.ts';
import {
  cellSummary,
  contextValue,
  groupDescription,
  groupState,
  matchesFilter,
  runDescription,
  runLabel,
  STATE_ICONS,
} from './describe.ts';
import { DiskUse } from './disk-use.ts';
import type { ListedRun, RunStore } from './store.ts';

export interface FolderNode {
  kind: 'folder';
  workspace: vscode.WorkspaceFolder;
}

export interface GroupNode {
  kind: 'group';
  id: string;
  runs: ListedRun[];
}

export interface RunNode {
  kind: 'run';
  run: ListedRun;
  inGroup: boolean;
}

export type RunTreeNode = FolderNode | GroupNode | RunNode;

/** Who starts the runs that wait. */
export interface Queue {
  isQueued(folder: string): boolean;
}

/** Ages are told in minutes. */
const AGE_MILLISECONDS = 60_000;

export class RunTree implements vscode.TreeDataProvider<RunTreeNode>, vscode.Disposable {
  readonly view: vscode.TreeView<RunTreeNode>;
  private readonly store: RunStore;
  private readonly training: Queue;
  private readonly changed = new vscode.EventEmitter<RunTreeNode[] | undefined>();
  /** by the id of the row; the objects stay, since VS Code knows a row by its object */
  private readonly nodes = new Map<string, RunTreeNode>();
  /** what each row said when it was drawn, by its id, in the order of the rows */
  private drawn = new Map<string, string>();
  private readonly subscriptions: vscode.Disposable[];
  private readonly disk: DiskUse;
  private watching: vscode.Disposable | null = null;
  private filter = '';
  /** by folder */
  /** what sets runs of one name apart, by folder */
  private apart: ReadonlyMap<string, string> = new Map();
  private apartStamp = '';
  readonly onDidChangeTreeData = this.changed.event;

  constructor(store: RunStore, training: Queue) {
    this.store = store;
    this.training = training;
    this.disk = new DiskUse(store);
    this.view = vscode.window.createTreeView<RunTreeNode>('unroll.runs', {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
    });
    const clock = setInterval(() => this.draw(), AGE_MILLISECONDS);
    this.subscriptions = [
      this.changed,
      this.view,
      this.disk,
      new vscode.Disposable(() => clearInterval(clock)),
      store.onDidChange(() => this.refresh()),
      this.disk.onDidChange(() => this.describe()),
      this.view.onDidChangeVisibility(() => this.watch()),
    ];
    this.watch();
  }

  getChildren(node?: RunTreeNode): RunTreeNode[] {
    if (!node) return this.roots();
    if (node.kind === 'folder') return this.inFolder(node.workspace.uri.fsPath);
    return node.kind === 'group' ? node.runs.map(run => this.node({ kind: 'run', run, inGroup: true })) : [];
  }

  /** The object that stands for this row, with what is new in it. */
  private node(fresh: RunTreeNode): RunTreeNode {
    const id = rowId(fresh);
    const known = this.nodes.get(id);
    if (known?.kind === fresh.kind) return Object.assign(known, fresh);
    this.nodes.set(id, fresh);
    return fresh;
  }

  /** Asks VS Code to draw only the rows that say something else, since it forgets what is selected with all of them. */
  private draw(): void {
    if (!this.view.visible) return;
    const withChildren = (node: RunTreeNode): RunTreeNode[] => [
      node,
      ...this.getChildren(node).flatMap(withChildren),
    ];
    const nodes = this.roots().flatMap(withChildren);
    const texts = new Map(nodes.map(node => [rowId(node), rowText(this.getTreeItem(node))]));
    const before = this.drawn;
    this.drawn = texts;
    if ([...texts.keys()].join('\n') !== [...before.keys()].join('\n')) {
      for (const id of this.nodes.keys()) if (!texts.has(id)) this.nodes.delete(id);
      this.changed.fire(undefined);
      return;
    }
    const others = nodes.filter(node => texts.get(rowId(node)) !== before.get(rowId(node)));
    if (others.length > 0) this.changed.fire(others);
  }

  getTreeItem(node: RunTreeNode): vscode.TreeItem {
    switch (node.kind) {
      case 'folder': {
        const item = new vscode.TreeItem(node.workspace.name, vscode.TreeItemCollapsibleState.Expanded);
        item.id = rowId(node);
        item.iconPath = vscode.ThemeIcon.Folder;
        item.contextValue = ',folder,';
        return item;
      }
      case 'group':
        return this.groupItem(node);
      case 'run':
        return this.runItem(node);
    }
  }

  /**
   * The rows that are selected, for a key. VS Code knows none in the moment in which it asks for the rows anew, and a key
   * is only heard where there is a row.
   */
  async selection(): Promise<readonly RunTreeNode[]> {
    for (let turn = 0; turn < 40 && this.view.selection.length === 0; turn++) await wait(25);
    return this.view.selection;
  }

  dispose(): void {
    this.watching?.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private roots(): RunTreeNode[] {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) =>
      this.store.runs.some(({ workspace }) => workspace === uri.fsPath),
    );
    if (folders.length > 1) return folders.map(workspace => this.node({ kind: 'folder', workspace }));
    return folders[0] ? this.inFolder(folders[0].uri.fsPath) : [];
  }

  private inFolder(workspace: string): RunTreeNode[] {
    const seen = new Set<string>();
    const nodes: RunTreeNode[] = [];
    for (const run of this.store.runs) {
      if (run.workspace !== workspace || !this.fits(run)) continue;
      const group = run.request.group?.id;
      if (!group) nodes.push(this.node({ kind: 'run', run, inGroup: false }));
      else if (!seen.has(group)) {
        seen.add(group);
        const runs = this.store.members(run).filter(each => this.fits(each));
        nodes.push(this.node({ kind: 'group', id: group, runs }));
      }
    }
    return nodes;
  }

  private groupItem(node: GroupNode): vscode.TreeItem {
    const { runs } = node;
    const first = runs[0]!;
    const state = groupState(runs.map(run => run.state));
    const item = new vscode.TreeItem(
      plain(first.name, 60) || 'comparison',
      vscode.TreeItemCollapsibleState.Expanded,
    );
    item.id = rowId(node);
    item.description = groupDescription(runs, Date.now());
    item.iconPath = iconOf(state);
    item.contextValue = contextValue(state, 'group');
    item.command = open(node);
    item.accessibilityInformation = { label: `Comparison ${item.label}, ${item.description}` };
    return item;
  }

  private runItem(node: RunNode): vscode.TreeItem {
    const { run, inGroup } = node;
    const apart = inGroup ? '' : (this.apart.get(run.folder) ?? '');
    const label = [runLabel(run, inGroup), apart].filter(Boolean).join(' · ');
    const item = new vscode.TreeItem(
      run.label.isStarred ? `★ ${label}` : label,
      vscode.TreeItemCollapsibleState.None,
    );
    item.id = rowId(node);
    const waiting = run.state !== 'queued' || this.training.isQueued(run.folder);
    item.description = [
      ...run.label.tags.map(tag => `#${plain(tag, 50)}`),
      runDescription(run, Date.now(), waiting),
    ].join(' · ');
    item.iconPath = iconOf(run.state);
    item.contextValue = contextValue(run.state, 'run');
    item.tooltip = this.tooltip(run);
    item.command = open(node);
    item.resourceUri = colorUri(run, inGroup);
    item.accessibilityInformation = { label: `Run ${item.label}, ${item.description}` };
    return item;
  }

  private tooltip(run: ListedRun): vscode.MarkdownString {
    const text = new vscode.MarkdownString();
    const line = (value: string) => text.appendText(value).appendMarkdown('\n\n');
    line(runLabel(run, false));
    if (run.label.note !== '') line(plain(run.label.note, 1000));
    line(`${runDescription(run, Date.now())}`);
    if (cellSummary(run)) line(cellSummary(run));
    if (run.status.message) line(plain(run.status.message, 400));
    const bytes = this.disk.of(run.folder);
    line(`${run.id}${bytes === undefined ? '' : ` · ${formatBytes(bytes)}`}`);
    return text;
  }

  /** Words that all stand in a run's name, cell, state, tags ("#good") or note; "★" or "star": those with a star. */
  setFilter(filter: string): void {
    this.filter = filter.trim();
    void vscode.commands.executeCommand('setContext', 'unroll.runsFiltered', this.filter !== '');
    this.view.message =
      this.filter === '' ? undefined : vscode.l10n.t('Only runs with: {0}', plain(this.filter, 100));
    this.refresh();
  }

  async askFilter(): Promise<void> {
    const typed = await vscode.window.showInputBox({
      prompt: vscode.l10n.t('Words of a name, a cell, a state, a note, #tag, or star; empty shows all runs'),
      value: this.filter,
    });
    if (typed !== undefined) this.setFilter(typed);
  }

  private fits(run: ListedRun): boolean {
    return matchesFilter(run, this.filter);
  }

  private async tellApart(): Promise<void> {
    const alike = namesakes(this.store.runs);
    const stamp = alike.map(runs => runs.map(({ folder }) => folder).join()).join('\n');
    if (stamp === this.apartStamp) return;
    this.apartStamp = stamp;
    this.apart = await distinctionsOf(alike);
    this.draw();
  }

  private refresh(): void {
    void this.tellApart();
    this.draw();
    // the badge is seen where the view is not
    this.describe();
  }

  private describe(): void {
    const { length } = this.store.runs;
    const total = this.disk.total();
    this.view.description =
      length === 0 ? '' : `${plural(length, 'run')}${total === null ? '' : ` · ${formatBytes(total)}`}`;
    const training = this.store.runs.filter(({ state }) => state === 'training').length;
    this.view.badge =
      training > 0 ? { value: training, tooltip: `${plural(training, 'run')} training` } : undefined;
  }

  private watch(): void {
    this.watching?.dispose();
    this.watching = this.view.visible ? this.store.watch() : null;
    this.disk.enable(this.view.visible);
    if (this.view.visible) this.refresh();
  }
}

function rowId(node: RunTreeNode): string {
  if (node.kind === 'folder') return `folder ${node.workspace.uri}`;
  return node.kind === 'run' ? node.run.folder : `group ${node.runs[0]!.workspace} ${node.id}`;
}

/** All that is seen of a row. */
function rowText(item: vscode.TreeItem): string {
  const icon = item.iconPath instanceof vscode.ThemeIcon ? item.iconPath.id : '';
  const tooltip = item.tooltip instanceof vscode.MarkdownString ? item.tooltip.value : '';
  return [item.label, item.description, item.contextValue, icon, tooltip, item.resourceUri].join('\n');
}

function iconOf(state: ListedRun['state']): vscode.ThemeIcon {
  const { icon, color } = STATE_ICONS[state];
  return new vscode.ThemeIcon(icon, color ? new vscode.ThemeColor(color) : undefined);
}

function open(node: RunTreeNode): vscode.Command {
  return { title: 'Open Dashboard', command: 'unroll.openDashboard', arguments: [node] };
}

const COLOR_SCHEME = 'unroll-run-color';

/** Members of a comparison carry the colour of their cell, as their curves do. */
function colorUri(run: ListedRun, inGroup: boolean): vscode.Uri | undefined {
  const cell = inGroup ? cellOf(run.request.experiment) : null;
  return cell
    ? vscode.Uri.from({ scheme: COLOR_SCHEME, path: `/${run.id}`, query: cellColor(cell) })
    : undefined;
}

export function registerRunColors(): vscode.Disposable {
  return vscode.window.registerFileDecorationProvider({
    provideFileDecoration({ scheme, query }) {
      return scheme === COLOR_SCHEME ? { color: new vscode.ThemeColor(query) } : undefined;
    },
  });
}
