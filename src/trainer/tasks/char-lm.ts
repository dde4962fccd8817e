// Character language model: at every step, predict the next character of a text.
import * as z from 'zod';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { locateData } from '../data/locate.ts';
import { lookalikeNotes } from '../data/lookalikes.ts';
import { countIds, splitIds } from '../data/symbol-ids.ts';
import { readText, UNKNOWN } from '../data/text.ts';
import { type Codec, cut, entropyOf, languageTask } from './language.ts';
import type { TaskModule } from './module.ts';

const RARE_COUNT = 5;

function codecOf(symbols: readonly string[]): Codec {
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const unknown = idOf.get(UNKNOWN);
  return {
    unit: 'character',
    symbols: symbols.length,
    start: ['\n', ' '].find(each => idOf.has(each)) ?? symbols[0] ?? '',
    encode(text) {
      const ids = Array.from(text, symbol => idOf.get(symbol) ?? unknown);
      const strangers = unknown === undefined ? [...new Set(text)].filter(each => !idOf.has(each)) : [];
      return { ids: ids.filter(id => id !== undefined), strangers };
    },
    writer: () => ({ add: id => symbols[id]!, end: () => '' }),
  };
}

function describe(data: DataOf<'char-lm'>, length: number, symbols: string[], counts: number[]): string[] {
  const visible = symbols.map(nameOf);
  const notes = [
    `${plural(length, 'character')}, ${symbols.length} different: ${cut(visible.join(' '), 300)}`,
  ];
  notes.push(...lookalikeNotes(symbols, 'characters'));
  const rare = symbols
    .map((symbol, id) => ({ symbol, count: counts[id]! }))
    .filter(entry => entry.count < RARE_COUNT && entry.symbol !== UNKNOWN)
    .sort((a, b) => a.count - b.count);
  if (rare.length > 0) {
    const list = rare.slice(0, 20).map(entry => `${nameOf(entry.symbol)} ${entry.count}×`);
    notes.push(
      `${plural(rare.length, 'rare character')}, seen fewer than ${RARE_COUNT} times: ${list.join(', ')}${rare.length > 20 ? ', …' : ''}. "minCount" can gather them in one symbol.`,
    );
  }
  if (data.minCount > 1 && symbols.at(-1) === UNKNOWN)
    notes.push(
      `Characters seen fewer than ${data.minCount} times in the training part are one unknown symbol.`,
    );
  return notes;
}

function nameOf(symbol: string): string {
  const names: Record<string, string> = { '\n': '⏎', '\t': '⇥', ' ': '␣', [UNKNOWN]: 'unknown' };
  const code = symbol.codePointAt(0)!;
  return (
    names[symbol] ??
    (/\p{C}|\p{M}|\p{Z}/u.test(symbol) ? `U+${code.toString(16).toUpperCase().padStart(4, '0')}` : symbol)
  );
}

const artifact = z.object({
  task: z.literal('char-lm'),
  symbols: z
    .array(z.string().refine(symbol => [...symbol].length === 1))
    .min(1)
    .max(0x110000),
});

export const charLm: TaskModule<'char-lm', typeof artifact> = {
  artifact,
  async open(experiment, data, place, known) {
    const { ids, vocabulary } = await readText(locateData(data.path, place), data.path, {
      minCount: data.minCount,
      share: data.split[0],
      bytes: place.part?.bytes,
      known: known?.symbols,
    });
    const { symbols, counts } = vocabulary;
    const [train] = splitIds(ids, data.split);
    return languageTask(experiment, {
      name: 'char-lm',
      path: data.path,
      split: data.split,
      ids,
      codec: codecOf(symbols),
      baseline: {
        loss: entropyOf(countIds(train, symbols.length), train.length),
        name: 'character frequencies alone',
      },
      notes: describe(data, ids.length, symbols, counts),
      read: { characters: ids.length, symbols: symbols.length },
      lossUnit: 'nats/char',
      metrics: loss => ({ bitsPerChar: loss / Math.LN2, perplexity: Math.exp(loss) }),
      artifact: () => ({ task: 'char-lm', symbols }),
    });
  },
  sizes: ({ symbols }) => ({
    input: { kind: 'tokens', vocabulary: symbols.length },
    outputs: symbols.length,
  }),
  codec: ({ symbols }) => codecOf(symbols),
};
