// What is read of a word: itself, without case, and beside it, where asked for, its beginnings and ends of up to so many
// characters and its shape. Each sort has ids of its own in one table; a step has one id of each sort, whose vectors are
// averaged (as the character n-grams of P. Bojanowski et al., 2017, https://arxiv.org/abs/1607.04606).

export interface WordFeatures {
  /** symbols by id: a sort, a colon and what it is; of each sort one alone stands for all that are not known */
  symbols: string[];
  /** 0: words alone, as they are written */
  characters: number;
}

/** Parts seen fewer times are not known: what stands once tells of its word alone. */
const LEAST_PARTS = 2;

/** "Mc-Coy's12" → "Xx-Xx'xd", runs joined. */
function shapeOf(word: string): string {
  return word
    .replace(/\p{Lu}/gu, 'X')
    .replace(/[\p{Ll}\p{Lo}\p{Lm}]/gu, 'x')
    .replace(/\p{N}/gu, 'd')
    .replace(/(.)\1+/gu, '$1');
}

function partsOf(word: string, characters: number): string[] {
  if (characters === 0) return [`word:${word}`];
  const lower = word.toLowerCase();
  const signs = Array.from(lower);
  const sizes = Array.from({ length: characters }, (_, index) => index + 1);
  return [
    `word:${lower}`,
    `shape:${shapeOf(word)}`,
    ...sizes.map(size => `begin${size}:${signs.slice(0, size).join('')}`),
    ...sizes.map(size => `end${size}:${signs.slice(-size).join('')}`),
  ];
}

/** A symbol of a sort that stands for what is not known: nothing follows the colon. */
function unknownOf(part: string): string {
  return part.slice(0, part.indexOf(':') + 1);
}

export function wordFeatures(
  words: Iterable<string>,
  { minCount, characters }: { minCount: number; characters: number },
): WordFeatures {
  const counts = new Map<string, number>();
  for (const word of words)
    for (const part of partsOf(word, characters)) counts.set(part, (counts.get(part) ?? 0) + 1);
  const sorts = partsOf('x', characters).map(unknownOf);
  const known = [...counts].filter(
    ([part, count]) => count >= (part.startsWith('word:') ? minCount : LEAST_PARTS) && !sorts.includes(part),
  );
  known.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return { symbols: [...sorts, ...known.map(([part]) => part)], characters };
}

/** Ids that a word has. */
export function idsEach(characters: number): number {
  return characters === 0 ? 1 : 2 + 2 * characters;
}

/** The ids of each word, one after the other; and whether the word itself is known. */
export function featuresWith({ symbols, characters }: WordFeatures): (word: string) => {
  ids: number[];
  isKnown: boolean;
} {
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  return word => {
    const parts = partsOf(word, characters);
    return {
      ids: parts.map(part => idOf.get(part) ?? idOf.get(unknownOf(part)) ?? 0),
      isKnown: idOf.has(parts[0]!),
    };
  };
}
