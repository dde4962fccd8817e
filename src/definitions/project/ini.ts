// Configuration files of `configparser` as records of sections. Their values are texts, which `getint` and the like read.
import type { Expression } from '../code/expression.ts';
import { type Node, Source } from '../code/node.ts';

const SECTION = /^\[([^\]]+)\]\s*(?:[#;].*)?$/;
const PAIR = /^([^\s=:#;[][^=:]*?)\s*[=:]\s*(.*)$/;
/** its keys are those of every section */
const SHARED = 'DEFAULT';

/** null: it has no section */
export function iniSettings(text: string, file: string): Expression | null {
  const source = new Source(null, text, file);
  const sections = new Map<string, { node: Node; entries: Map<string, Expression> }>();
  let entries: Map<string, Expression> | null = null;
  let last: string | null = null;
  let offset = 0;
  for (const line of text.split('\n')) {
    const bare = line.trim();
    const node = source.stretch(offset, offset + line.trimEnd().length);
    offset += line.length + 1;
    if (bare === '' || /^[#;]/.test(bare)) continue;
    const section = SECTION.exec(bare)?.[1];
    if (section !== undefined) {
      entries = sections.get(section)?.entries ?? new Map();
      sections.set(section, { node, entries });
      last = null;
      continue;
    }
    if (!entries) return null;
    if (/^\s/.test(line) && last !== null) {
      // a value that goes on below
      setBoth(entries, last, { kind: 'other', node });
      continue;
    }
    const pair = PAIR.exec(bare);
    last = pair ? pair[1]! : bare;
    // an interpolation is filled in elsewhere
    const isOpen = !pair || pair[2]!.includes('%(') || pair[2]!.includes('${');
    setBoth(entries, last, isOpen ? { kind: 'other', node } : { kind: 'setting', value: pair[2]!, node });
  }
  if (sections.size === 0) return null;
  const shared = sections.get(SHARED)?.entries ?? new Map<string, Expression>();
  return record(
    source.root,
    [...sections].map(([name, section]) => {
      const all = new Map([...shared, ...section.entries]);
      return [name, record(section.node, all)];
    }),
  );
}

/** `configparser` asks for keys in lower case, unless the program overrides that. */
function setBoth(entries: Map<string, Expression>, key: string, value: Expression): void {
  entries.set(key, value);
  entries.set(key.toLowerCase(), value);
}

function record(node: Node, entries: Iterable<readonly [string, Expression]>): Expression {
  return { kind: 'record', entries: new Map(entries), spreads: [], isWhole: true, node };
}
