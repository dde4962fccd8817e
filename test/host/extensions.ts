// Gives a host its extensions: a folder used in place, or a VSIX installed.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HostError, run } from './command.ts';
import { serverEnvironment } from './environment.ts';
import { host } from './paths.ts';

interface Installed {
  identifier: { id: string };
  version: string;
  location: { $mid: 1; path: string; scheme: 'file' };
  metadata: Record<string, unknown>;
}

/** Registers folders as installed extensions: their files are used where they are, so a rebuild needs only a window reload. */
export function useFolders(extensionsFolder: string, folders: string[]): void {
  mkdirSync(extensionsFolder, { recursive: true });
  writeFileSync(path.join(extensionsFolder, 'extensions.json'), JSON.stringify(folders.map(installed)));
}

function installed(folder: string): Installed {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    name: string;
    publisher: string;
    version: string;
    main?: string;
  };
  if (manifest.main && !existsSync(path.join(folder, manifest.main)))
    throw new HostError(`${manifest.main} is not there: build the extension first (npm run build).`);
  return {
    identifier: { id: `${manifest.publisher}.${manifest.name}` },
    version: manifest.version,
    location: { $mid: 1, path: path.resolve(folder), scheme: 'file' },
    metadata: { installedTimestamp: Date.now(), source: 'vsix', pinned: true },
  };
}

export function installVsix(vsix: string, extensionsFolder: string): void {
  const data = mkdtempSync(path.join(os.tmpdir(), 'unroll-vsix-'));
  try {
    const answer = run(
      host.node,
      [
        path.join(host.vscode, host.entry),
        ...['--install-extension', path.resolve(vsix), '--force', '--accept-server-license-terms'],
        ...['--extensions-dir', extensionsFolder, '--user-data-dir', data, '--server-data-dir', data],
      ],
      { purpose: `install ${vsix}`, env: serverEnvironment() },
    );
    if (!answer.includes('was successfully installed'))
      throw new HostError(`Installing ${vsix} did not succeed:\n${answer}`);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
