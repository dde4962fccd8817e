// What the host consists of and where it is kept: versions are pinned here and nowhere else.
import path from 'node:path';
import process from 'node:process';

/** the repository */
export const root = path.resolve(import.meta.dirname, '../..');

/** code-server 4.139.1 carries VS Code 1.139.1 and asks for Node 24. */
export const codeServerVersion = '4.139.1';
export const nodeVersion = '24.21.0';
export const chromiumVersion = '153.0.0';

/** Raise it when what `fetchHost` does changes, so that caches are made anew. */
export const recipe = 1;

const cache = process.env['UNROLL_HOST_CACHE'] ?? path.join(root, '.vscode-test');
const hasRightNode = process.versions.node.split('.')[0] === nodeVersion.split('.')[0];

export const host = {
  folder: path.join(cache, 'host'),
  vscode: path.join(cache, 'host', 'vscode'),
  /** where the server's entry file stands in an unpacked VS Code */
  entry: path.join('out', 'server-main.js'),
  hasRightNode,
  node: hasRightNode ? process.execPath : path.join(cache, 'host', 'node', 'bin', 'node'),
  stamp: path.join(cache, 'host', 'ready.json'),
};

export const chromium = {
  folder: path.join(cache, `chromium-${chromiumVersion}`),
  executable: path.join(cache, `chromium-${chromiumVersion}`, 'chromium'),
};

export const stampText = JSON.stringify({
  recipe,
  codeServer: codeServerVersion,
  node: hasRightNode ? 'own' : nodeVersion,
  platform: `${process.platform}-${process.arch}`,
});
