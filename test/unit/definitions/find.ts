// What the tests of definitions share: finding in a piece of text.
import path from 'node:path';
import { type Language, Syntax } from '../../../src/definitions/code/syntax.ts';
import type { Definitions } from '../../../src/definitions/definition.ts';
import { type LayerData, layerData } from '../../../src/definitions/describe.ts';
import { findDefinitions } from '../../../src/definitions/find.ts';
import { grammarsIn } from '../../../src/definitions/node-files.ts';

export const syntax = new Syntax(
  grammarsIn(path.resolve(import.meta.dirname, '../../../node_modules/@vscode/tree-sitter-wasm/wasm')),
);

export function find(language: Language, text: string): Promise<Definitions> {
  return findDefinitions(syntax, text, language);
}

/** The layers as the command line prints them, without the file. */
export async function layersOf(language: Language, text: string): Promise<Omit<LayerData, 'file'>[]> {
  const { layers } = await find(language, text);
  return layers.map(layer => {
    const { file: _, ...data } = layerData('', layer);
    return data;
  });
}
