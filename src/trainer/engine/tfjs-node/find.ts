// Where @tensorflow/tfjs-node is. It is never bundled and never looked for in folders that nobody named: it is native
// code, and an opened folder could bring its own. The extension passes what it may use by environment variables.
import { existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { TFJS_NODE_FOLDERS, TFJS_NODE_PATH } from '../../../runs/tfjs-node.ts';

const packages = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'];

export const HOW_TO_GET =
  'Run the command "Unroll: Install TensorFlow Engine…", or name a folder that has @tensorflow/tfjs-node in the setting unroll.tensorflow.path or the environment variable UNROLL_TFJS_NODE (docs/tfjs-node.md tells how to build one)';

/** The package's folder, or the sentence that says why there is none. */
export function findTfjsNode(env: NodeJS.ProcessEnv): { folder: string } | { missing: string } {
  const named = env[TFJS_NODE_PATH]?.trim();
  if (named) {
    if (!isAbsolute(named)) return { missing: `${TFJS_NODE_PATH} is "${named}": give an absolute path` };
    const folder = packageIn(named);
    return folder ? { folder } : { missing: `There is no @tensorflow/tfjs-node in ${named}` };
  }
  for (const place of env[TFJS_NODE_FOLDERS]?.split(delimiter) ?? []) {
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
