// A table of contents of the extension: makes the parts and registers them. What is heavier still (parser, run readers) is
// loaded by the part that first needs it.
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type Commands, commandsOf } from './commands.ts';
import { registerDashboard } from './dashboard/dashboard.ts';
import type { Pages } from './dashboard/pages.ts';
import { CodeDocuments } from './definitions/documents.ts';
import { registerDefinitions } from './definitions/register.ts';
import { dataTeller } from './experiments/ask-data.ts';
import { registerDataCompletion } from './experiments/completion.ts';
import { DataChecks } from './experiments/data-check.ts';
import { ExperimentDiagnostics, registerQuickFixes } from './experiments/diagnostics.ts';
import { ExperimentDocuments } from './experiments/documents.ts';
import { registerHover } from './experiments/hover.ts';
import { LastRuns } from './experiments/last-runs.ts';
import { registerLenses } from './experiments/lenses.ts';
import { registerAsItWas } from './runs/as-it-was.ts';
import { keepContextKeys } from './runs/context-keys.ts';
import { TrainingStatus } from './runs/status-bar.ts';
import { RunStore } from './runs/store.ts';
import { RunTree, registerRunColors } from './runs/tree.ts';
import type { Services } from './services.ts';
import { ownFolders, Training } from './train/training.ts';
import { Supervisor } from './workers/supervisor.ts';

export interface Parts {
  services: Services;
  commands: Commands;
}

export function start(context: vscode.ExtensionContext, pages: Pages): Parts {
  ownFolders.samples = join(context.extensionPath, 'samples');
  const log = vscode.window.createOutputChannel('Unroll', { log: true });
  const store = new RunStore();
  const experiments = new ExperimentDocuments();
  const code = new CodeDocuments(join(context.extensionPath, 'dist/engine/grammars'), log);
  const supervisor = new Supervisor(context, log, store);
  const training = new Training(store, supervisor);
  const lastRuns = new LastRuns(store, document =>
    experiments.isExperiment(document) ? [''] : code.modelNames(document),
  );
  const diagnostics = new ExperimentDiagnostics(experiments, lastRuns);
  const services: Services = { context, log, store, experiments, code, lastRuns, training };
  const engine = join(context.extensionPath, 'dist/engine');
  dataTeller.engine = engine;
  const dashboard = registerDashboard(services, pages);
  const tree = new RunTree(store, training);
  context.subscriptions.push(
    log,
    supervisor,
    store,
    experiments,
    lastRuns,
    diagnostics,
    registerQuickFixes(diagnostics),
    registerLenses(experiments, lastRuns),
    registerHover(experiments, lastRuns),
    registerDataCompletion(),
    new DataChecks(experiments, engine, ownFolders.samples),
    code,
    registerDefinitions(services),
    registerAsItWas(store),
    registerRunColors(),
    keepContextKeys(store),
    tree,
    new TrainingStatus(store),
  );
  void store.start().then(() => supervisor.askToResume());
  return { services, commands: commandsOf(services, dashboard, tree) };
}
