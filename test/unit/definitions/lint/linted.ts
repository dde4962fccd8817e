// What the tests of text diagnostics share: linting a piece of text, and making every fix it offers.
import assert from 'node:assert/strict';
import type { Language } from '../../../../src/definitions/code/syntax.ts';
import { definitionsIn } from '../../../../src/definitions/find.ts';
import { applyTextFix, type TextFinding } from '../../../../src/definitions/lint/finding.ts';
import { lint } from '../../../../src/definitions/lint/lint.ts';
import { syntax } from '../find.ts';

export async function linted(language: Language, text: string): Promise<TextFinding[]> {
  const tree = await syntax.parse(text, language);
  try {
    return lint(tree, definitionsIn(tree, text, language), text, language);
  } finally {
    tree.delete();
  }
}

/** What is said, as severity and the text it stands at. */
export async function said(language: Language, text: string, id: string): Promise<[string, string][]> {
  const found = await linted(language, text);
  return found
    .filter(finding => finding.id === id)
    .map(({ severity, range }) => [severity, text.slice(range.offset, range.offset + range.length)]);
}

export async function silent(language: Language, text: string, id: string): Promise<void> {
  assert.deepEqual(await said(language, text, id), []);
}

/** The texts after each fix of the one finding, each of which must parse and be silent about it. */
export async function mended(language: Language, text: string, id: string): Promise<string[]> {
  const found = (await linted(language, text)).filter(finding => finding.id === id);
  assert.equal(found.length, 1, `one finding ${id}`);
  const [{ message, fixes, range }] = found as [TextFinding];
  assert.match(message, /\.$/);
  const lines = text.slice(0, range.offset).split('\n');
  assert.deepEqual([range.line, range.column], [lines.length, lines.at(-1)!.length + 1]);
  const results = fixes.map(fix => applyTextFix(text, fix));
  for (const result of results) {
    const tree = await syntax.parse(result, language);
    assert.equal(tree.rootNode.hasError, false, `a fix leaves a syntax error:\n${result}`);
    tree.delete();
    await silent(language, result, id);
  }
  return results;
}
