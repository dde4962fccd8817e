// Streams a text file into ids of words. Words are found between white space, so that pieces may be cut there; ids stand
// in memory, or are found again in the file a piece at a time where they would take more than 128 MB.
import { DataError } from './errors.ts';
import { fileIds, IN_MEMORY_BYTES, type SymbolIds } from './symbol-ids.ts';
import { sniff, textChunks, UNKNOWN } from './text.ts';

export type Tokens = 'words' | 'spaced';

/** A line end is a word in both; a word, a number, or one other sign; or whatever has no space in it. */
const PATTERNS: Readonly<Record<Tokens, RegExp>> = {
  words: /\n|\p{L}[\p{L}\p{M}'’-]*|\p{N}+|[^\s\p{L}\p{N}]/gu,
  spaced: /\n|\S+/gu,
};

export function wordsOf(text: string, tokens: Tokens): string[] {
  return text.match(PATTERNS[tokens]) ?? [];
}

export interface WordOptions {
  tokens: Tokens;
  /** words seen fewer times in the training part are unknown */
  minCount: number;
  /** most words, the unknown one included */
  most?: number | undefined;
  /** part of the words, from the start, that the vocabulary is made of */
  share: number;
  /** read only so many bytes of the file */
  bytes?: number | undefined;
  /** the words of a run that goes on, instead of the text's own */
  known?: readonly string[] | null | undefined;
  /** largest ids, in bytes, that are kept in memory */
  inMemory?: number | undefined;
}

export interface EncodedWords {
  ids: SymbolIds;
  /** by id, the most frequent first, the unknown word last */
  words: readonly string[];
  /** characters of the file */
  characters: number;
  /** different words of the file */
  different: number;
}

const PIECE_BYTES = 1 << 15;

/** @throws DataError */
export async function readWords(path: string, name: string, options: WordOptions): Promise<EncodedWords> {
  const { tokens, share, known, inMemory = IN_MEMORY_BYTES } = options;
  const pieces = () => piecesOf(path, name, options.bytes);
  const { skip, encoding } = sniff(path, name);
  const places = new Map<string, number>();
  const blocks = { bytes: [skip], symbols: [0] };
  let seen: Growing | null = new Growing(inMemory);
  let [length, characters] = [0, 0];
  for await (const { text, bytes } of pieces()) {
    for (const word of wordsOf(text, tokens)) {
      let place = places.get(word);
      if (place === undefined) {
        place = places.size;
        places.set(ownCopy(word), place);
      }
      if (seen && !seen.add(place)) seen = null;
      length++;
    }
    characters += codePointsIn(text, bytes);
    blocks.bytes.push(blocks.bytes.at(-1)! + bytes);
    blocks.symbols.push(length);
  }
  if (length === 0) throw new DataError(`The data file ${name} holds no words.`);

  const trained = Math.floor(length * share);
  const counts = new Float64Array(places.size);
  if (known === undefined || known === null) {
    if (seen) for (let at = 0; at < trained; at++) counts[seen.values[at]!]!++;
    else await countWords(pieces(), tokens, trained, places, counts);
  }
  const words = known ?? vocabularyOf(places, counts, options);
  const idOf = new Map(words.map((word, id) => [word, id]));
  const unknown = idOf.get(UNKNOWN) ?? words.length - 1;
  const result = { words, characters, different: places.size };
  if (seen) {
    const idOfPlace = new Uint32Array(places.size);
    for (const [word, place] of places) idOfPlace[place] = idOf.get(word) ?? unknown;
    const ids = seen.values.subarray(0, length);
    for (let at = 0; at < length; at++) ids[at] = idOfPlace[ids[at]!]!;
    return { ...result, ids };
  }
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  const decode = (bytes: Buffer) =>
    Uint32Array.from(wordsOf(decoder.decode(bytes), tokens), word => idOf.get(word) ?? unknown);
  return { ...result, ids: fileIds(path, name, blocks, decode) };
}

/** Stretches of the text that begin at white space, with their bytes in the file. */
async function* piecesOf(path: string, name: string, most: number | undefined) {
  const { encoding } = sniff(path, name);
  const bytesOf = (text: string) => (encoding === 'utf-8' ? Buffer.byteLength(text) : 2 * text.length);
  let rest = '';
  for await (const chunk of textChunks(path, name, { bytes: most, size: PIECE_BYTES })) {
    const text = rest + chunk;
    const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n'));
    rest = end > 0 ? text.slice(end) : text;
    if (end > 0) yield { text: text.slice(0, end), bytes: bytesOf(text.slice(0, end)) };
  }
  if (rest) yield { text: rest, bytes: bytesOf(rest) };
}

async function countWords(
  pieces: ReturnType<typeof piecesOf>,
  tokens: Tokens,
  most: number,
  places: ReadonlyMap<string, number>,
  counts: Float64Array,
): Promise<void> {
  let left = most;
  for await (const { text } of pieces)
    for (const word of wordsOf(text, tokens)) {
      if (left-- <= 0) return;
      counts[places.get(word)!]!++;
    }
}

function vocabularyOf(
  places: ReadonlyMap<string, number>,
  counts: Float64Array,
  { minCount, most }: WordOptions,
): string[] {
  const known = [...places].filter(([word, place]) => counts[place]! >= minCount && word !== UNKNOWN);
  known.sort(([a, m], [b, n]) => counts[n]! - counts[m]! || (a < b ? -1 : 1));
  const kept = known.slice(0, most === undefined ? known.length : most - 1);
  return [...kept.map(([word]) => word), UNKNOWN];
}

/** A match is a slice that would keep its whole piece in memory. */
function ownCopy(word: string): string {
  return word.length < 13 ? word : Buffer.from(word, 'utf8').toString('utf8');
}

function codePointsIn(text: string, bytes: number): number {
  if (bytes === text.length) return bytes;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** An array that grows up to a limit of bytes. */
class Growing {
  values = new Uint32Array(1 << 16);
  private length = 0;
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** false: it would take too much */
  add(value: number): boolean {
    if (this.length === this.values.length) {
      if (this.values.byteLength * 2 > this.most) return false;
      const larger = new Uint32Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
    return true;
  }
}
