// Where the engine "tfjs-node" may be taken from: what this machine's settings name, what the command installed, and
// the workspace, whose native code runs only where it is trusted.
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { TFJS_NODE_FOLDERS, TFJS_NODE_PATH } from '../../runs/tfjs-node.ts';

/** The folder that the command installs into. */
export function tensorflowStorage({ globalStorageUri }: vscode.ExtensionContext): string {
  return join(globalStorageUri.fsPath, 'tensorflow');
}

/** As environment variables of a worker. */
export function tensorflowPlaces(context: vscode.ExtensionContext, workspace: string): NodeJS.ProcessEnv {
  const named = vscode.workspace.getConfiguration('unroll').get<string>('tensorflow.path', '').trim();
  const folders = [tensorflowStorage(context)];
  if (vscode.workspace.isTrusted) folders.push(workspace);
  return { ...(named && { [TFJS_NODE_PATH]: named }), [TFJS_NODE_FOLDERS]: folders.join(delimiter) };
}
