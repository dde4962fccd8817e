// The settings that a training takes, read when it starts.
import * as vscode from 'vscode';
import type { EngineName } from '../runs/format.ts';

export interface TrainingSettings {
  engine: EngineName;
  threads: number | null;
  maxRuns: number;
  allowedPaths: string[];
}

export type OnClose = 'keep' | 'pause' | 'ask';

export function trainingSettings(): TrainingSettings {
  const settings = vscode.workspace.getConfiguration('unroll');
  const threads = settings.get<number>('threads', 0);
  return {
    engine: settings.get<EngineName>('engine', 'auto'),
    threads: threads > 0 ? Math.floor(threads) : null,
    maxRuns: Math.max(1, Math.floor(settings.get<number>('maxRuns', 1))),
    allowedPaths: settings.get<string[]>('allowedPaths', []).filter(path => typeof path === 'string'),
  };
}

export function onClose(): OnClose {
  return vscode.workspace.getConfiguration('unroll').get<OnClose>('onClose', 'keep');
}
