// A workspace to test in: a copy of the samples, so that no run is left in the repository.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { atEnd } from './cleanup.ts';
import { root } from './paths.ts';

export interface SampleWorkspace {
  folder: string;
  remove(): void;
}

export function sampleWorkspace(): SampleWorkspace {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'unroll-workspace-'));
  const folder = path.join(parent, 'samples');
  cpSync(path.join(root, 'samples'), folder, {
    recursive: true,
    filter: source => path.basename(source) !== '.unroll',
  });
  const removeNow = () => rmSync(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const forget = atEnd(removeNow);
  const remove = () => {
    forget();
    removeNow();
  };
  return { folder, remove };
}

export async function withSampleWorkspace<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const workspace = sampleWorkspace();
  try {
    return await use(workspace.folder);
  } finally {
    workspace.remove();
  }
}
