// Brings a real VS Code (server and web workbench) into .vscode-test/, from the npm registry only.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { HostError, npmInstall, npmPack, run, unpack } from './command.ts';
import { serverEnvironment } from './environment.ts';
import { codeServerVersion, host, nodeVersion, stampText } from './paths.ts';
import { shimmed, writeShims } from './shims.ts';

/** Dependencies the workbench, the extension host, search and watching do not need: AI agents, Windows, tunnels, telemetry. */
const unneeded = [
  '@devcontainers/cli',
  '@github/copilot-sdk',
  '@microsoft/mxc-sdk',
  '@vscode/copilot-api',
  '@vscode/sandbox-runtime',
  '@vscode/sqlite3',
  '@vscode/windows-process-tree',
  '@vscode/windows-registry',
  '@microsoft/1ds-post-js',
  'kerberos',
  'ssh2',
  'tar',
  'node-addon-api',
  ...shimmed,
];
const unneededExtensions = [
  'copilot',
  'mermaid-markdown-features',
  'microsoft-authentication',
  'tunnel-forwarding',
];

export type Log = (line: string) => void;

export function isHostReady(): boolean {
  return existsSync(host.node) && existsSync(host.stamp) && readFileSync(host.stamp, 'utf8') === stampText;
}

/** Why this machine cannot run the host, or null. */
export function hostObstacle(): string | null {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
    return `The VS Code host from npm runs on Linux on x64 or arm64 only; this is ${process.platform} on ${process.arch}.`;
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  if (!report?.header?.glibcVersionRuntime)
    return 'The VS Code host from npm needs glibc; this Linux uses another C library (musl, as Alpine does).';
  return null;
}

export function fetchHost(log: Log = console.log): void {
  if (isHostReady()) return;
  const obstacle = hostObstacle();
  if (obstacle) throw new HostError(`${obstacle} Use a desktop VS Code instead: npm start -- --desktop`);
  const began = Date.now();
  const steps = host.hasRightNode ? 5 : 6;
  let taken = 0;
  const seconds = () => ((Date.now() - began) / 1000).toFixed(1).padStart(5);
  const step: Log = line => log(`[${seconds()} s, ${++taken} of ${steps}] ${line}`);
  const fresh = `${host.folder}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(path.join(fresh, 'vscode'), { recursive: true });
  try {
    unpackVsCode(fresh, step);
    if (!host.hasRightNode) unpackNode(fresh, step);
    installDependencies(path.join(fresh, 'vscode'), step);
    step('check that it starts');
    const node = host.hasRightNode ? process.execPath : path.join(fresh, 'node', 'bin', 'node');
    run(node, [path.join(fresh, 'vscode', host.entry), '--version'], {
      purpose: 'start the VS Code server',
      env: serverEnvironment(),
    });
    writeFileSync(path.join(fresh, path.basename(host.stamp)), stampText);
    rmSync(host.folder, { recursive: true, force: true });
    renameSync(fresh, host.folder);
    log(`[${seconds()} s] VS Code ${codeServerVersion.replace(/^4/, '1')} is ready in ${host.folder}`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function unpackVsCode(folder: string, step: Log): void {
  step(`download code-server@${codeServerVersion}`);
  const archive = npmPack(`code-server@${codeServerVersion}`, folder);
  step('unpack VS Code');
  const excluded = unneededExtensions.map(name => `--exclude=package/lib/vscode/extensions/${name}`);
  unpack(
    archive,
    path.join(folder, 'vscode'),
    ['--strip-components=3', ...excluded, 'package/lib/vscode'],
    'unpack VS Code',
  );
  rmSync(archive);
}

function unpackNode(folder: string, step: Log): void {
  const spec = `node-linux-${process.arch}@${nodeVersion}`;
  step(`download ${spec}`);
  const archive = npmPack(spec, folder);
  mkdirSync(path.join(folder, 'node'));
  unpack(
    archive,
    path.join(folder, 'node'),
    ['--strip-components=1', 'package/bin/node', 'package/LICENSE'],
    'unpack Node',
  );
  rmSync(archive);
}

function installDependencies(vscode: string, step: Log): void {
  const manifest = path.join(vscode, 'package.json');
  const parsed = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies: Record<string, string> };
  for (const name of unneeded) delete parsed.dependencies[name];
  writeFileSync(manifest, JSON.stringify(parsed, null, 2)); // npm-shrinkwrap.json keeps the versions pinned
  step(`install ${Object.keys(parsed.dependencies).length} of VS Code's dependencies; nothing is compiled`);
  npmInstall(vscode, "install VS Code's dependencies");
  const platform = `linux-${process.arch}`;
  keepOnly(path.join(vscode, 'node_modules/@vscode/ripgrep-universal/bin'), platform);
  keepOnly(path.join(vscode, 'node_modules/node-pty/prebuilds'), platform);
  for (const name of ['deps', 'third_party', 'src', 'scripts'])
    rmSync(path.join(vscode, 'node_modules/node-pty', name), { recursive: true, force: true });
  step('install TypeScript for the built-in extensions');
  npmInstall(path.join(vscode, 'extensions'), 'install what the built-in extensions need');
  writeShims(vscode);
}

/** Packages that ship every platform's binaries keep ours. */
function keepOnly(folder: string, name: string): void {
  if (!existsSync(path.join(folder, name))) return;
  for (const entry of readdirSync(folder))
    if (entry !== name) rmSync(path.join(folder, entry), { recursive: true });
}
