// What the cells before a notebook's cell bind, as lines to read behind it: there no place in the cell moves, and names
// that are bound once are found wherever they stand.

import type { TextFinding } from './lint/finding.ts';

const IMPORT = /^(?:import\s+[\w., ]+|from\s+[\w.]+\s+import\s+[\w., *]+)$/;
/** literals and their arithmetic: what calls give is not known to the text anyway */
const NUMBER_OR_NAME = /^([A-Za-z_]\w*)\s*=\s*[\w\s.+\-*/%'"]+$/;

/** Python; `before`: the texts of the cells before it. Empty where they bind nothing that can be told. */
export function boundBefore(before: readonly string[], own: string): string {
  const lines = new Map<string, string>();
  for (const text of before)
    for (const line of text.split(/\r\n|\r|\n/)) {
      const statement = line.replace(/\s+#.*$/, '').trimEnd();
      const name = NUMBER_OR_NAME.exec(statement)?.[1];
      // the last one holds
      if (name) lines.set(name, statement);
      else if (IMPORT.test(statement)) lines.set(statement, statement);
    }
  const kept = [...lines].filter(([name]) => name.includes(' ') || !binds(own, name)).map(([, line]) => line);
  return kept.length > 0 ? `\n${kept.join('\n')}\n` : '';
}

/** Findings in the cell itself, without fixes that would edit what stands behind it. */
export function inCell(findings: readonly TextFinding[], length: number): TextFinding[] {
  const isInside = ({ range }: { range: { offset: number; length: number } }) =>
    range.offset + range.length <= length;
  return findings.filter(isInside).map(finding => ({
    ...finding,
    fixes: finding.fixes.filter(({ edits }) => edits.every(isInside)),
  }));
}

function binds(text: string, name: string): boolean {
  return new RegExp(`^\\s*(?:[\\w, ]*,\\s*)?${name}\\s*(?:[=,:]|$)`, 'm').test(text);
}
