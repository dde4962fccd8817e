// Starts and ends one VS Code server on this machine, with its own data folder.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { atEnd } from './cleanup.ts';
import { HostError } from './command.ts';
import { serverEnvironment } from './environment.ts';
import { host } from './paths.ts';
import { quietSettings } from './settings.ts';

export interface ServerOptions {
  /** 0: any free one */
  port?: number;
  /** kept after the end if given, else a temporary folder */
  dataFolder?: string;
  extensionsFolder?: string;
  /** called with the folder of extensions before the server reads it */
  prepare?: (extensionsFolder: string) => void;
  settings?: Record<string, unknown>;
  /** required in the address of the page; without one, whoever reaches the port can use the window */
  token?: string;
  /** true: folders are not trusted until the person says so, as on a desktop */
  workspaceTrust?: boolean;
  /** obeys extensionTestsPath in the address, and shows no notifications */
  automation?: boolean;
  env?: Record<string, string>;
}

export interface PageAddress {
  workspace?: string;
  /** a file to open */
  open?: string;
  /** extension under test and its test runner; only with `automation` */
  development?: { extension: string; tests: string };
}

export interface Server {
  port: number;
  pid: number;
  dataFolder: string;
  /** resolves when the server ended, by whatever cause */
  gone: Promise<string>;
  log(): string;
  url(address: PageAddress): string;
  stop(): Promise<void>;
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  if (!existsSync(host.stamp)) throw new HostError('The VS Code host has not been fetched yet.');
  const temporary = !options.dataFolder;
  // short, since unix sockets live in it
  const dataFolder = options.dataFolder ?? mkdtempSync(path.join(os.tmpdir(), 'unroll-host-'));
  const extensionsFolder = options.extensionsFolder ?? path.join(dataFolder, 'extensions');
  const settingsFile = path.join(dataFolder, 'User', 'settings.json');
  mkdirSync(path.dirname(settingsFile), { recursive: true });
  mkdirSync(extensionsFolder, { recursive: true });
  options.prepare?.(extensionsFolder);
  if (temporary || !existsSync(settingsFile))
    writeFileSync(settingsFile, JSON.stringify({ ...quietSettings, ...options.settings }, null, 2));

  const logFile = path.join(dataFolder, 'server.log');
  const output = openSync(logFile, 'w');
  const child = spawn(
    host.node,
    [path.join(host.vscode, host.entry), ...flags(options, dataFolder, extensionsFolder)],
    {
      stdio: ['ignore', output, output],
      env: serverEnvironment({ XDG_RUNTIME_DIR: dataFolder, ...options.env }),
      detached: true, // a process group of its own, so that its children end with it
    },
  );
  closeSync(output);
  let ended: string | null = null;
  const gone = new Promise<string>(resolve =>
    child.once('exit', (code, signal) =>
      resolve((ended = signal ? `signal ${signal}` : `exit code ${code}`)),
    ),
  );
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // it is gone
    }
  };
  const removeData = () => {
    if (temporary) rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const forget = atEnd(() => {
    kill('SIGKILL');
    removeData();
  });
  const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const stop = async () => {
    kill('SIGTERM');
    await Promise.race([gone, wait(3000, undefined, { ref: false })]);
    kill('SIGKILL');
    await gone;
    forget();
    removeData();
  };

  const deadline = Date.now() + 300_000; // it takes two seconds on a quiet machine
  let listening: RegExpExecArray | null;
  while (!(listening = /Extension host agent listening on (\d+)/.exec(log()))) {
    if (ended || Date.now() > deadline) {
      const said = log().slice(-2000);
      await stop();
      throw new HostError(
        `The VS Code server did not start (${ended ?? 'not ready in 5 minutes'}):\n${said}`,
      );
    }
    await wait(50);
  }
  const port = Number(listening[1]);
  return {
    port,
    pid: child.pid!,
    dataFolder,
    gone,
    log,
    url: address => pageUrl(port, options.token, address),
    stop,
  };
}

function flags(options: ServerOptions, dataFolder: string, extensionsFolder: string): string[] {
  return [
    ...['--host', '127.0.0.1', '--port', String(options.port ?? 0)],
    ...(options.token ? ['--connection-token', options.token] : ['--without-connection-token']),
    ...(options.workspaceTrust ? [] : ['--disable-workspace-trust']),
    ...['--accept-server-license-terms', '--telemetry-level', 'off', '--reconnection-grace-time', '10'],
    ...['--user-data-dir', dataFolder, '--server-data-dir', dataFolder, '--extensions-dir', extensionsFolder],
    // a released workbench obeys extensionTestsPath only with this flag
    ...(options.automation ? ['--enable-smoke-test-driver'] : []),
  ];
}

/** The payload is the web workbench's way of passing what are command line flags on the desktop. */
function pageUrl(port: number, token: string | undefined, address: PageAddress): string {
  const remote = (file: string) =>
    `vscode-remote://127.0.0.1:${port}${path.resolve(file).split('/').map(encodeURIComponent).join('/')}`;
  const payload: [string, string][] = [
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  if (address.development) {
    payload.push(['extensionDevelopmentPath', remote(address.development.extension)]);
    payload.push(['extensionTestsPath', remote(address.development.tests)]);
  }
  if (address.open) payload.push(['openFile', remote(address.open)]);
  const query = new URLSearchParams();
  if (token) query.set('tkn', token);
  if (!address.workspace) query.set('ew', 'true');
  else
    query.set(
      address.workspace.endsWith('.code-workspace') ? 'workspace' : 'folder',
      path.resolve(address.workspace),
    );
  query.set('payload', JSON.stringify(payload));
  return `http://127.0.0.1:${port}/?${query}`;
}
