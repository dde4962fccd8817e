// Where tree-sitter and its grammars are in a Node process: beside the bundle, else in the package.
import { readFile } from 'node:fs/promises';
import type { SyntaxFiles } from './code/syntax.ts';

export function filesIn(folder: string, library: SyntaxFiles['library']): SyntaxFiles {
  return { library, bytes: async name => new Uint8Array(await readFile(`${folder}/${name}`)) };
}
