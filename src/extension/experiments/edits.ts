// Edits of an experiment's text by path, in the style the text already has. Pure.
import { applyEdits, type Edit, type FormattingOptions, modify, parse } from 'jsonc-parser';
import type { Fix } from '../../runs/format.ts';

/** The text with all assignments made; comments, order and indentation elsewhere stay. */
export function applyFix(text: string, { edits }: Fix): string {
  const formattingOptions = styleOf(text);
  return edits.reduce(
    (changed, { path, value }) => applyEdits(changed, modify(changed, path, value, { formattingOptions })),
    text,
  );
}

/** The one stretch in which two texts differ. */
export function difference(before: string, after: string): Edit {
  let start = 0;
  const shortest = Math.min(before.length, after.length);
  while (start < shortest && before[start] === after[start]) start++;
  let end = 0;
  while (end < shortest - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return {
    offset: start,
    length: before.length - start - end,
    content: after.slice(start, after.length - end),
  };
}

/** Fixes name a path; one that is not in this text any more, such as a layer that was removed, cannot be made. */
export function canFix(text: string, { edits }: Fix): boolean {
  const root: unknown = parse(text);
  return edits.every(({ path }) => {
    let here = root;
    for (const [depth, key] of path.slice(0, -1).entries()) {
      const next = (here as Record<string | number, unknown> | undefined)?.[key];
      // objects on the way are made, list entries are not
      if (next === undefined) return path.slice(depth).every(part => typeof part === 'string');
      if (typeof next !== 'object' || next === null) return false;
      here = next;
    }
    return typeof here === 'object' && here !== null;
  });
}

function styleOf(text: string): FormattingOptions {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 4 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
    keepLines: true,
  };
}
