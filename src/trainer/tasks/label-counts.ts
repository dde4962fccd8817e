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
