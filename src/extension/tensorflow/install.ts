// npm install of tfjs-node into a folder of ours, with what npm says, and why it failed in one sentence. No `vscode`.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const PACKAGE = '@tensorflow/tfjs-node@4.22.0';

/** The sentence is for a person; all else has gone to the output. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

export interface InstallOptions {
  onOutput(text: string): void;
  signal: AbortSignal;
  /** the program, for tests */
  npm?: string;
}

/** What was installed before stays until the new one is whole. @returns false when it was cancelled */
export async function installTfjsNode(folder: string, options: InstallOptions): Promise<boolean> {
  const half = `${folder}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  writeFileSync(join(half, 'package.json'), '{ "private": true }\n');
  try {
    await runNpm(['install', PACKAGE, '--no-audit', '--no-fund', '--foreground-scripts'], half, options);
    rmSync(folder, { recursive: true, force: true });
    renameSync(half, folder);
    return true;
  } catch (cause) {
    rmSync(half, { recursive: true, force: true });
    if (options.signal.aborted) return false;
    throw cause;
  }
}

function runNpm(args: string[], cwd: string, { onOutput, signal, npm }: InstallOptions): Promise<void> {
  const windows = process.platform === 'win32';
  const command = npm ?? (windows ? 'npm.cmd' : 'npm');
  // a group of its own, so that a cancellation ends the download too
  const child = spawn(command, args, { cwd, shell: windows, detached: !windows, windowsHide: true });
  const stop = () => end(child);
  signal.addEventListener('abort', stop);
  let said = '';
  const listen = (text: string) => {
    said = (said + text).slice(-50_000);
    onOutput(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen);
  return new Promise<void>((resolve, reject) => {
    child.once('error', cause => reject(new InstallError(notStarted(command, cause))));
    child.once('close', code => (code === 0 ? resolve() : reject(new InstallError(whyFailed(said, code)))));
  }).finally(() => signal.removeEventListener('abort', stop));
}

function end(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) child.kill();
  else process.kill(-child.pid, 'SIGTERM');
}

function notStarted(command: string, cause: Error): string {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? `${command} was not found; it comes with Node.js.`
    : `${command} could not be started: ${cause.message}.`;
}

/** What npm failed at, from its own words. */
export function whyFailed(said: string, code: number | null): string {
  const offline = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/.exec(said)?.[1];
  if (/libtensorflow|storage\.googleapis\.com/.test(said))
    return `TensorFlow's library could not be downloaded from storage.googleapis.com${offline ? ` (${offline})` : ''}.`;
  if (offline) return `The npm registry is out of reach (${offline}).`;
  if (/\bENOSPC\b/.test(said)) return 'The disk is full.';
  return `npm ended with code ${code}.`;
}
