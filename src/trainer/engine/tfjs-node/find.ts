// Where @tensorflow/tfjs-node is. It is never bundled and never looked for in folders that nobody named: it is native
// code, and an opened folder could bring its own. The extension passes what it may use by environment variables.
import { existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The setting `unroll.tensorflow.path`, or what a person at the shell chose. */
export const PATH_VARIABLE = 'UNROLL_TFJS_NODE';
/** Further folders, best first: the extension's storage, and the workspace where it is trusted. */
export const FOLDERS_VARIABLE = 'UNROLL_TFJS_NODE_FOLDERS';

const packages = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'];

export const HOW_TO_GET =
  'Run the command "Unroll: Install TensorFlow Engine", or name a folder that has @tensorflow/tfjs-node in the setting unroll.tensorflow.path or the environment variable UNROLL_TFJS_NODE (docs/tfjs-node.md tells how to build one)';

/** The package's folder, or the sentence that says why there is none. */
export function findTfjsNode(env: NodeJS.ProcessEnv): { folder: string } | { missing: string } {
  const named = env[PATH_VARIABLE]?.trim();
  if (named) {
    if (!isAbsolute(named)) return { missing: `${PATH_VARIABLE} is "${named}": give an absolute path` };
    const folder = packageIn(named);
    return folder ? { folder } : { missing: `There is no @tensorflow/tfjs-node in ${named}` };
  }
  for (const place of env[FOLDERS_VARIABLE]?.split(delimiter) ?? []) {
    const folder = isAbsolute(place) && packageIn(place);
    if (folder) return { folder };
  }
  return { missing: `@tensorflow/tfjs-node is not installed. ${HOW_TO_GET}` };
}

/** A place may be the package itself, or a folder it is installed in. */
function packageIn(place: string): string | null {
  const candidates = [
    place,
    ...packages.flatMap(name => [join(place, 'node_modules', name), join(place, name)]),
  ];
  return candidates.find(isPackage) ?? null;
}

function isPackage(folder: string): boolean {
  return (
    existsSync(join(folder, 'dist', 'nodejs_kernel_backend.js')) &&
    statSync(join(folder, 'package.json')).isFile()
  );
}
