// What npm start opens: a window of the host from npm, or the desktop VS Code, and a training beside it.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { beforeEnd } from './cleanup.ts';
import { HostError } from './command.ts';
import { mark } from './environment.ts';
import { useFolders } from './extensions.ts';
import { fetchHost, hostObstacle } from './fetch.ts';
import { root } from './paths.ts';
import { startServer } from './server.ts';
import { endTrainings, startTraining } from './training.ts';

interface OpenOptions {
  workspace: string;
  /** the file to open and, with `train`, to train */
  experiment: string | null;
  train: boolean;
  port: number | null;
  desktop: boolean;
  trust: boolean;
}

const opener = path.join(root, 'scripts', 'opener');

export async function openWindow(options: OpenOptions): Promise<void> {
  process.env[mark] = `start-${process.pid}`;
  const obstacle = hostObstacle();
  const desktop = options.desktop || obstacle !== null;
  const hasCode = desktop && hasDesktopCode();
  if (desktop && !hasCode && obstacle)
    throw new HostError(
      `${obstacle} The desktop VS Code is used instead, but its command "code" is not on the PATH. Get VS Code from https://code.visualstudio.com, run "Shell Command: Install 'code' command in PATH" from its Command Palette, and start again.`,
    );
  if (desktop && !hasCode) console.log('There is no "code" on the PATH: using the VS Code from npm instead.');
  beforeEnd(async () => {
    const ended = await endTrainings(process.env[mark]!);
    if (ended)
      console.log('Training was stopped with a checkpoint: choose Continue in the dashboard to go on.');
  });
  if (!hasCode) fetchHost();
  if (options.train && options.experiment) startTraining(options.experiment, options.workspace);
  if (hasCode) await openDesktop(options);
  else await openPage(options);
}

function hasDesktopCode(): boolean {
  return spawnSync('code', ['--version'], { shell: process.platform === 'win32' }).status === 0;
}

async function openDesktop(options: OpenOptions): Promise<void> {
  const args = ['--new-window', '--wait', `--extensionDevelopmentPath=${root}`];
  if (options.train) args.push(`--extensionDevelopmentPath=${opener}`);
  args.push(options.workspace);
  if (options.experiment) args.push(options.experiment);
  console.log('The desktop VS Code opens with the extension loaded. Runs go on when its window is closed.');
  const child = spawn('code', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
}

async function openPage(options: OpenOptions): Promise<void> {
  const port = options.port ?? (await firstFreePort(8200));
  if (!(await isFree(port)))
    throw new HostError(`Port ${port} is in use: choose another with --port, or leave it out.`);
  const dataFolder = path.join(root, '.vscode-test', `start-${port}`);
  const extensionsFolder = path.join(dataFolder, 'extensions');
  useFolders(extensionsFolder, options.train ? [root, opener] : [root]);
  const server = await startServer({
    port,
    dataFolder,
    extensionsFolder,
    token: randomBytes(16).toString('hex'),
    workspaceTrust: options.trust,
  });
  beforeEnd(() => server.stop());
  const url = server.url({ workspace: options.workspace, open: options.experiment ?? undefined });
  console.log(`\nVS Code with Unroll is at\n\n  ${url}\n`);
  console.log(`Only this machine can reach it; from another: ssh -L ${port}:127.0.0.1:${port} HOST`);
  console.log('Ctrl+C ends it.');
  const how = await server.gone;
  // while Ctrl+C is being served the end is expected
  await new Promise(resolve => setTimeout(resolve, 5000));
  throw new HostError(`The VS Code server ended with ${how}:\n${server.log().slice(-2000)}`);
}

async function firstFreePort(from: number): Promise<number> {
  for (let port = from; port < from + 100; port++) if (await isFree(port)) return port;
  return 0;
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
