// Where tree-sitter and its grammars are for a Node process: the folder that the build makes, or the package's own.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { SyntaxFiles } from './code/syntax.ts';

export function grammarsIn(folder: string): SyntaxFiles {
  const built = path.join(folder, 'tree-sitter.cjs');
  return {
    library: async () => {
      const file = existsSync(built) ? built : path.join(folder, 'tree-sitter.js');
      return createRequire(file)(file) as typeof import('@vscode/tree-sitter-wasm');
    },
    bytes: async name => new Uint8Array(await readFile(path.join(folder, name))),
  };
}
