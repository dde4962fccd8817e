// What the parts of the extension share. Each is made once, in extension.ts.
import type * as vscode from 'vscode';
import type { CodeDocuments } from './definitions/documents.ts';
import type { ExperimentDocuments } from './experiments/documents.ts';
import type { LastRuns } from './experiments/last-runs.ts';
import type { RunStore } from './runs/store.ts';
import type { Training } from './train/training.ts';

export interface Services {
  context: vscode.ExtensionContext;
  log: vscode.LogOutputChannel;
  /** every run of the open folders, newest first */
  store: RunStore;
  /** parsed `*.rnn.json` documents */
  experiments: ExperimentDocuments;
  /** models in TypeScript, JavaScript and Python documents */
  code: CodeDocuments;
  /** what the last run of an open experiment found */
  lastRuns: LastRuns;
  /** starts, controls and continues runs */
  training: Training;
}

export interface ShowOptions {
  /** true: the editor tab beside the code; false: the side panel */
  tab?: boolean;
  preserveFocus?: boolean;
  /** a section of the page that takes the focus */
  section?: string;
}

/** What the rest of the extension asks of the dashboard; `registerDashboard(services)` returns it. */
export interface Dashboard {
  /** Shows these run folders (several: side by side); null: the newest run or comparison. */
  show(folders: readonly string[] | null, options?: ShowOptions): Promise<void>;
}
