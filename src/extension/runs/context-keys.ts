// The context keys that `when` clauses hang on: what runs there are, and whether training is possible.
import * as vscode from 'vscode';
import { trainingRestriction } from '../permission.ts';
import type { RunStore } from './store.ts';

export function keepContextKeys(store: RunStore): vscode.Disposable {
  const known = new Map<string, boolean>();
  const set = (key: string, value: boolean) => {
    if (known.get(key) === value) return;
    known.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  // a tree that is shown before it has a provider says so after two seconds
  set('unroll.ready', true);
  const update = () => {
    const has = (...states: string[]) => store.runs.some(({ state }) => states.includes(state));
    set('unroll.hasRuns', store.runs.length > 0);
    set('unroll.training', has('training', 'starting'));
    set('unroll.paused', has('paused'));
    set('unroll.living', has('training', 'starting', 'paused', 'queued'));
    set('unroll.continuable', has('crashed', 'stopped', 'silent', 'paused'));
    set('unroll.mayTrain', trainingRestriction() === null);
  };
  update();
  return vscode.Disposable.from(
    store.onDidChange(update),
    vscode.workspace.onDidGrantWorkspaceTrust(update),
    vscode.workspace.onDidChangeWorkspaceFolders(update),
  );
}
