// What a step of a text is: characters, words or bytes, and their ids.
import { UNKNOWN } from '../data/text.ts';

/** spaced: what stands between spaces */
export type Units = 'characters' | 'words' | 'spaced' | 'bytes';

/** A word, a number, or one other sign; case is kept. */
const WORD = /\p{L}[\p{L}\p{M}'’-]*|\p{N}+|[^\s\p{L}\p{N}]/gu;

export function unitsOf(text: string, units: Units): string[] {
  if (units === 'characters') return Array.from(text);
  if (units === 'words') return text.match(WORD) ?? [];
  if (units === 'spaced') return text.split(/\s+/).filter(Boolean);
  return Array.from(Buffer.from(text, 'utf8'), byte => String(byte));
}

/** By id, the most frequent first; the last stands for all that are rarer than `minCount` or were never seen. */
export function vocabularyOf(texts: Iterable<readonly string[]>, units: Units, minCount: number): string[] {
  if (units === 'bytes') return Array.from({ length: 256 }, (_, byte) => String(byte));
  const counts = new Map<string, number>();
  for (const text of texts) for (const unit of text) counts.set(unit, (counts.get(unit) ?? 0) + 1);
  const known = [...counts].filter(([unit, count]) => count >= minCount && unit !== UNKNOWN);
  known.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [...known.map(([unit]) => unit), UNKNOWN];
}

/** @returns the id of each unit, and how many are not known */
export function encoder(
  symbols: readonly string[],
): (units: readonly string[]) => { ids: Int32Array; unknown: number } {
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const stranger = idOf.get(UNKNOWN) ?? 0;
  return units => {
    let unknown = 0;
    const ids = Int32Array.from(units, unit => {
      const id = idOf.get(unit);
      if (id === undefined) unknown++;
      return id ?? stranger;
    });
    return { ids, unknown };
  };
}
