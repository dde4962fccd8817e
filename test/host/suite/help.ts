// What the in-host suites share: the extension's own parts, waiting, and small files.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import type { ExperimentInput } from '../../../src/experiment/schema.ts';
import type { Api } from '../../../src/extension/extension.ts';
import type { Parts } from '../../../src/extension/main.ts';
import { createRun } from '../../../src/runs/create.ts';
import type { DefinitionSource, Fix, RunStatus, WriterFile } from '../../../src/runs/format.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { endless } from '../../e2e/runs.ts';

export { endless, until } from '../../e2e/runs.ts';

export const EXTENSION = 'unroll-lab.unroll-lab';

export async function api(): Promise<Parts> {
  const extension = vscode.extensions.getExtension<Api>(EXTENSION);
  if (!extension) throw new Error(`${EXTENSION} is not installed in this host.`);
  return (await extension.activate()).ready;
}

export function workspaceFolder(): string {
  return vscode.workspace.workspaceFolders![0]!.uri.fsPath;
}

/** Shows a file of the workspace, with a text or bytes of its own where they are given; the next one takes the place of a preview. */
export async function open(
  name: string,
  content?: string | Uint8Array,
  preview = true,
): Promise<vscode.TextDocument> {
  const file = path.join(workspaceFolder(), name);
  if (content !== undefined) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const document = await vscode.workspace.openTextDocument(file);
  await vscode.window.showTextDocument(document, { preview });
  return document;
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** What Unroll says about a file, without what others say. */
export function diagnosticsOf(uri: vscode.Uri): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'Unroll');
}

/** A model in PyTorch for the adding problem. */
export const adder = `from torch import nn
class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 8, batch_first=True)
        self.out = nn.Linear(8, 1)
`;

/** As they are provided: what would be left to resolve has no title here. */
export async function lensTitles(document: vscode.TextDocument): Promise<{ line: number; titles: string[] }> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    document.uri,
  );
  return {
    line: lenses[0]?.range.start.line ?? -1,
    titles: lenses.map(({ command }) => command?.title ?? ''),
  };
}

export const tiny: ExperimentInput = {
  ...endless,
  training: { ...endless.training, steps: 60, checkpoint: { every: 20 }, validation: { every: 20 } },
};

export function textOf(experiment: ExperimentInput): string {
  return `${JSON.stringify(experiment, null, 2)}\n`;
}

const runs = () => path.join(workspaceFolder(), '.unroll', 'runs');

export function runFolders(): string[] {
  if (!existsSync(runs())) return [];
  return readdirSync(runs())
    .sort()
    .map(name => path.join(runs(), name));
}

export function statusOf(folder: string): RunStatus | null {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'status.json'), 'utf8')) as RunStatus;
  } catch {
    return null;
  }
}

export function writerOf(folder: string): WriterFile | null {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'writer.json'), 'utf8')) as WriterFile;
  } catch {
    return null;
  }
}

/** Ends what still trains, then removes all runs. */
export async function clearRuns(): Promise<void> {
  for (const folder of runFolders()) {
    const pid = writerOf(folder)?.pid;
    if (pid && pid !== process.pid)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it is gone
      }
  }
  rmSync(path.join(workspaceFolder(), '.unroll'), {
    recursive: true,
    force: true,
    maxRetries: 10,
    retryDelay: 100,
  });
  await (await api()).services.store.refresh(true);
}

/** A finished run of this definition that found its first layer's gradient to vanish. */
export function runWithFinding(
  experimentText: string,
  definition: DefinitionSource,
  message: string,
  fixes: Fix[] = [
    { title: 'Use a GRU', edits: [{ path: ['model', 'layers', 0, 'type'], value: 'gru' }] },
    { title: 'Not possible here', edits: [{ path: ['model', 'layers', 7, 'type'], value: 'gru' }] },
  ],
): void {
  const folder = workspaceFolder();
  const run = createRun(
    { workspace: folder },
    {
      name: 'found',
      experiment: parseExperiment(experimentText).experiment!,
      definition,
      group: null,
      engine: 'auto',
      threads: null,
      base: folder,
      workspace: folder,
      allowedPaths: [],
    },
  );
  const writer = RunWriter.open(run);
  writer.event({
    kind: 'finding',
    step: 40,
    time: 1,
    finding: {
      id: 'vanishing',
      severity: 'warning',
      message,
      layer: 'layers.0',
      evidence: {},
      fixes,
    },
  });
  writer.status({ state: 'finished', step: 40, steps: 40 });
  writer.close();
}

export function quickFixes(uri: vscode.Uri, range: vscode.Range): Thenable<vscode.CodeAction[]> {
  const kind = vscode.CodeActionKind.QuickFix.value;
  return vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, range, kind);
}
