// Follows, for every visible experiment and model in code, its newest run: only what was appended since is read.
import * as vscode from 'vscode';
import { sinceThen, stillHolds } from '../../diagnosis/since.ts';
import { mainLevel } from '../../runs/levels.ts';
import type { RunReader } from '../../runs/reader.ts';
import { SERIES } from '../../runs/series-names.ts';
import { firstMetric } from '../runs/describe.ts';
import type { ListedRun, RunStore } from '../runs/store.ts';
import { pollByTurns } from '../runs/turns.ts';
import { definitionPath } from './documents.ts';
import { type LastRun, type Reach, reachOf } from './last-run.ts';

const MIN_MILLISECONDS = 1000;

/** The models of a document by name, "" for an experiment file; none where it defines nothing. */
export type ModelsOf = (document: vscode.TextDocument) => readonly string[];

export class LastRuns implements vscode.Disposable {
  private readonly store: RunStore;
  private readonly modelsOf: ModelsOf;
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  private readonly readers = new Map<string, RunReader>();
  private readonly found = new Map<string, LastRun>();
  private readonly shown = new Map<string, string>();
  private reading = false;
  private readAt = 0;

  /** What is known of the last run of this document is another than before. */
  readonly onDidChange = this.changed.event;

  constructor(store: RunStore, modelsOf: ModelsOf) {
    this.store = store;
    this.modelsOf = modelsOf;
    this.subscriptions = [
      this.changed,
      store.onDidPoll(() => void this.update()),
      vscode.window.onDidChangeVisibleTextEditors(() => void this.update(true)),
      vscode.window.onDidChangeVisibleNotebookEditors(() => void this.update(true)),
    ];
  }

  of(uri: vscode.Uri, model = ''): LastRun | null {
    return this.found.get(keyOf(uri, model)) ?? null;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async update(now = false): Promise<void> {
    if (this.reading || (!now && performance.now() - this.readAt < MIN_MILLISECONDS)) return;
    const shown = visibleDocuments().flatMap(document =>
      this.modelsOf(document).map(model => ({ uri: document.uri, model })),
    );
    if (shown.length === 0 && this.readers.size === 0) return;
    this.reading = true;
    try {
      const wanted = new Set<string>();
      for (const { uri, model } of shown) await this.updateOne(uri, model, wanted);
      for (const folder of this.readers.keys()) if (!wanted.has(folder)) this.readers.delete(folder);
    } finally {
      this.reading = false;
      this.readAt = performance.now();
    }
  }

  private async updateOne(uri: vscode.Uri, model: string, wanted: Set<string>): Promise<void> {
    const runs = this.runsOf(uri, model);
    const key = keyOf(uri, model);
    const newest = runs[0];
    if (!newest) {
      if (this.found.delete(key)) this.changed.fire(uri);
      this.shown.delete(key);
      return;
    }
    const members = this.store.members(newest);
    const readers: RunReader[] = [];
    for (const { folder } of members) readers.push(await this.reader(folder, wanted));
    const last = describe(members, readers, runs.length);
    this.found.set(key, last);
    // steps move all the time and are not shown
    const shown = JSON.stringify({ ...last, runs: last.runs.map(run => ({ ...run, step: 0 })) });
    if (shown === this.shown.get(key)) return;
    this.shown.set(key, shown);
    this.changed.fire(uri);
  }

  private runsOf(uri: vscode.Uri, model: string): ListedRun[] {
    const place = definitionPath(uri);
    if (!place) return [];
    // a run that waits has no result yet
    return this.store.runs.filter(
      ({ workspace, request, state }) =>
        state !== 'queued' &&
        workspace === place.workspace.uri.fsPath &&
        request.definition?.path === place.path &&
        (request.definition.model ?? '') === model,
    );
  }

  private async reader(folder: string, wanted: Set<string>): Promise<RunReader> {
    wanted.add(folder);
    let reader = this.readers.get(folder);
    if (!reader) {
      const { RunReader } = await import('../../runs/reader.ts');
      reader = new RunReader(folder);
      this.readers.set(folder, reader);
    }
    await pollByTurns(reader);
    return reader;
  }
}

/** Cells of a notebook have editors only now and then. */
function visibleDocuments(): vscode.TextDocument[] {
  const cells = vscode.window.visibleNotebookEditors.flatMap(({ notebook }) =>
    notebook.getCells().map(({ document }) => document),
  );
  return [...new Set([...vscode.window.visibleTextEditors.map(({ document }) => document), ...cells])];
}

function keyOf(uri: vscode.Uri, model: string): string {
  return `${uri.toString()}#${model}`;
}

function describe(members: readonly ListedRun[], readers: readonly RunReader[], total: number): LastRun {
  const label = (run: ListedRun) => run.request.group?.label ?? '';
  return {
    runs: members.map(run => ({
      folder: run.folder,
      label: label(run),
      state: run.state,
      step: run.status.step,
      steps: run.status.steps,
      valLoss: run.status.last['valLoss'],
      trainLoss: run.status.last['trainLoss'],
      metric: firstMetric(run),
      experiment: run.request.experiment,
    })),
    total,
    findings: readers.flatMap((reader, index) => findingsOf(reader, members[index]!, label(members[index]!))),
    reach: reach(readers[0]),
  };
}

/** What still holds, each followed by what came after it. */
function findingsOf(reader: RunReader, run: ListedRun, label: string): LastRun['findings'] {
  return reader.findings
    .filter(finding => stillHolds(finding, run.status))
    .map(finding => ({
      ...finding,
      message: [finding.message, sinceThen(finding, run.status)].filter(Boolean).join(' '),
      label,
      folder: run.folder,
    }));
}

function reach(reader: RunReader | undefined): Reach | null {
  const flow = reader?.series.get(SERIES.gradientFlow);
  return flow ? reachOf(flow.rows, flow.sidecar.layers.length, mainLevel(flow.sidecar.layers)) : null;
}
