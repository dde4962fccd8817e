// Names and symbols that look alike and are not: é as one code point or as e with an accent behind it, spaces that do not
// break, marks without width. They are told and never changed, because a file may mean them.
import { plural } from '../../experiment/words.ts';

/** Of no width: soft hyphens, zero-width spaces and joiners, marks of direction, byte order marks. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/g;
/** That look like a space; not the wide one of ideographs. */
const SPACES = /[\u00a0\u2000-\u200a\u202f]/g;
const MOST_SHOWN = 3;
const SHOWN_CHARACTERS = 40;

/** Equal for texts that a reader cannot tell apart. */
export function lookOf(text: string): string {
  const bare = text.replace(INVISIBLE, '').replace(SPACES, ' ').normalize('NFC');
  return bare.trim() || bare;
}

/** Where two texts that look alike differ: U+00E9, and U+0065 U+0301. */
function difference(one: string, other: string): [string, string] {
  const [a, b] = [[...one], [...other]];
  let [from, behind] = [0, 0];
  while (from < Math.min(a.length, b.length) && a[from] === b[from]) from++;
  while (behind < Math.min(a.length, b.length) - from && a.at(-1 - behind) === b.at(-1 - behind)) behind++;
  const codes = (all: string[]) => codePoints(all.slice(from, all.length - behind)) || 'nothing';
  return [codes(a), codes(b)];
}

/** `what`: "classes". Classes, tags and columns are few names; symbols may be single characters. */
export function lookalikeNotes(names: Iterable<string>, what: string): string[] {
  const seen = new Map<string, string>();
  const found: string[] = [];
  let twins = 0;
  const tell = (one: string, other: string) => {
    if (twins++ < MOST_SHOWN) found.push(`"${shown(one)}" (${difference(one, other).join(' and ')})`);
  };
  for (const name of names) {
    const look = lookOf(name);
    const twin = seen.get(look);
    if (twin === undefined) seen.set(look, name);
    else if (twin !== name) tell(twin, name);
  }
  for (const look of seen.keys()) {
    const parts = [...look.normalize('NFD')];
    if (parts.length > 1 && [...look].length === 1 && parts.every(part => seen.has(part)))
      tell(seen.get(look)!, parts.join(''));
  }
  if (twins === 0) return [];
  const others = twins > MOST_SHOWN ? `, and ${plural(twins - MOST_SHOWN, 'further one')}` : '';
  return [
    `Some ${what} look alike and are learned apart: ${found.join(', ')}${others}. Write the file in one Unicode form (NFC), without invisible marks, if they are meant as one.`,
  ];
}

/** Of a name that is not among these, where one looks like it: what follows the name in a sentence. */
export function alikeAmong(name: string, names: readonly string[]): string | null {
  const twin = names.find(other => lookOf(other) === lookOf(name));
  if (twin === undefined) return null;
  const [here, there] = difference(name, twin);
  return `one that looks alike has ${there} where the experiment has ${here}.`;
}

function codePoints(characters: readonly string[]): string {
  return characters
    .slice(0, 4)
    .map(each => `U+${each.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`)
    .join(' ');
}

function shown(text: string): string {
  return [...text.replace(INVISIBLE, '')].slice(0, SHOWN_CHARACTERS).join('');
}
