// How often each label stands in the data, as run.json keeps it with what was read.

/** More labels than these are counted only. */
const NAMED_LABELS = 50;
const NAME_CHARACTERS = 80;

/** `label NAME` for each, and `labels`, how many there are. */
export function labelCounts(labels: Iterable<string>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return namedCounts(counts);
}

/** The same of labels that are counted already. */
export function namedCounts(counts: ReadonlyMap<string, number>): Record<string, number> {
  const named: [string, number][] = [];
  if (counts.size <= NAMED_LABELS)
    for (const [label, times] of counts) named.push([`label ${label.slice(0, NAME_CHARACTERS)}`, times]);
  // names that differ behind the cut would stand for each other
  const isApart = new Set(named.map(([name]) => name)).size === named.length;
  return { labels: counts.size, ...Object.fromEntries(isApart ? named.sort() : []) };
}

/** Labels that differ in case alone are seldom meant as two, unless they are letters. `what`: "classes" */
export function caseNote(labels: readonly string[], what: string): string[] {
  const seen = new Map<string, string>();
  for (const label of labels.filter(({ length }) => length > 1)) {
    const twin = seen.get(label.toLowerCase());
    if (twin !== undefined)
      return [
        `The ${what} "${twin.slice(0, 40)}" and "${label.slice(0, 40)}" differ in their case alone, and are learned as two.`,
      ];
    seen.set(label.toLowerCase(), label);
  }
  return [];
}
