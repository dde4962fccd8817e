// What `unroll check` knows of an experiment's data, at its place in the text: run when the file is shown or saved, and
// when the data change. A child process does it, because the extension holds no reader of data.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import type { ParsedExperiment } from '../../experiment/parse.ts';
import type { Data } from '../../experiment/schema.ts';
import { trainingSettings } from '../settings.ts';
import { plain } from '../text.ts';
import { workerEnvironment } from '../worker-environment.ts';
import { type CheckReport, placeOfFault, readReport } from './check-report.ts';
import type { ExperimentDocuments } from './documents.ts';
import { rangeOf } from './ranges.ts';

interface Checked {
  data: Data;
  report: CheckReport;
}

export class DataChecks implements vscode.Disposable {
  private readonly experiments: ExperimentDocuments;
  private readonly command: string;
  /** our own samples: a copy of a run on them names them by their whole path */
  private readonly samples: string;
  private readonly found = vscode.languages.createDiagnosticCollection('unroll-data');
  private readonly checked = new Map<string, Checked>();
  private readonly children = new Map<string, ChildProcess>();
  private readonly watchers = new Map<string, { path: string; watcher: vscode.Disposable }>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(experiments: ExperimentDocuments, engine: string, samples: string) {
    this.experiments = experiments;
    this.samples = samples;
    this.command = join(engine, 'unroll.mjs');
    this.subscriptions = [
      this.found,
      vscode.workspace.onDidOpenTextDocument(document => void this.check(document)),
      vscode.workspace.onDidSaveTextDocument(document => void this.check(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => void this.place(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri.toString())),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.all()),
      vscode.workspace.onDidChangeConfiguration(event => {
        if (event.affectsConfiguration('unroll.diagnostics.enabled')) this.all();
        if (event.affectsConfiguration('unroll.allowedPaths')) this.all();
      }),
    ];
    this.all();
  }

  dispose(): void {
    for (const child of this.children.values()) child.kill();
    for (const { watcher } of this.watchers.values()) watcher.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private all(): void {
    for (const document of vscode.workspace.textDocuments) void this.check(document);
  }

  private forget(key: string): void {
    this.children.get(key)?.kill();
    this.children.delete(key);
    this.checked.delete(key);
    this.watchers.get(key)?.watcher.dispose();
    this.watchers.delete(key);
    this.found.delete(vscode.Uri.parse(key));
  }

  /** Of the file as it is saved: data are read as its text says, so only in a trusted folder of this machine. */
  private async check(document: vscode.TextDocument): Promise<void> {
    const { uri } = document;
    if (!this.experiments.isExperiment(document) || uri.scheme !== 'file') return;
    const key = uri.toString();
    const isOn = vscode.workspace.getConfiguration('unroll', document).get('diagnostics.enabled', true);
    const { experiment } = await this.experiments.parse(document);
    const workspace = vscode.workspace.getWorkspaceFolder(uri);
    const path = experiment && 'path' in experiment.data ? experiment.data.path : null;
    if (
      !isOn ||
      !vscode.workspace.isTrusted ||
      !workspace ||
      !experiment ||
      path === null ||
      document.isDirty
    ) {
      this.checked.delete(key);
      return this.place(document);
    }
    this.watch(key, document, path);
    const report = await this.run(key, uri.fsPath, workspace.uri.fsPath);
    if (!report) return;
    this.checked.set(key, { data: experiment.data, report });
    await this.place(document);
  }

  /** Faults stand as long as the data are described as they were when they were checked. */
  private async place(document: vscode.TextDocument): Promise<void> {
    if (!this.experiments.isExperiment(document)) return;
    const key = document.uri.toString();
    const parsed = await this.experiments.parse(document);
    if (document.isClosed) return;
    const checked = this.checked.get(key);
    const stands = checked && isDeepStrictEqual(parsed.experiment?.data, checked.data);
    this.found.set(document.uri, stands ? diagnosticsOf(checked, parsed) : []);
  }

  private watch(key: string, document: vscode.TextDocument, path: string): void {
    const file = isAbsolute(path) ? path : resolve(dirname(document.uri.fsPath), path);
    if (this.watchers.get(key)?.path === file) return;
    this.watchers.get(key)?.watcher.dispose();
    const pattern = new vscode.RelativePattern(vscode.Uri.file(dirname(file)), basename(file));
    const watcher = vscode.workspace.createFileSystemWatcher(pattern);
    const again = () => void this.check(document);
    watcher.onDidChange(again);
    watcher.onDidCreate(again);
    watcher.onDidDelete(again);
    this.watchers.set(key, { path: file, watcher });
  }

  /** null: it was overtaken, or said nothing that can be read. */
  private run(key: string, file: string, workspace: string): Promise<CheckReport | null> {
    this.children.get(key)?.kill();
    const allowed = [this.samples, ...trainingSettings().allowedPaths].filter(path => existsSync(path));
    const args = ['check', '--json', '--workspace', workspace, file];
    for (const path of allowed) args.push('--allow-path', path);
    const child = spawn(process.execPath, [this.command, ...args], {
      cwd: workspace,
      env: workerEnvironment(process.env),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.children.set(key, child);
    return new Promise(done => {
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-1_000_000);
      });
      child.once('error', () => done(null));
      child.once('close', () => {
        const isNewest = this.children.get(key) === child;
        if (isNewest) this.children.delete(key);
        done(isNewest ? readReport(said) : null);
      });
    });
  }
}

function diagnosticsOf({ data, report }: Checked, parsed: ParsedExperiment): vscode.Diagnostic[] {
  const own = new Set(parsed.problems.map(({ message }) => message));
  return report.problems.flatMap(({ message, severity }) => {
    // the text's own faults are told while it is typed
    if (own.has(message)) return [];
    const place = parsed.locate(['data', ...placeOfFault(message, data)]);
    if (!place) return [];
    const found = new vscode.Diagnostic(
      rangeOf(place),
      plain(message, 500),
      severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
    );
    found.source = 'Unroll';
    return [found];
  });
}
