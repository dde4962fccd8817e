// Word language model: at every step, predict the next word. Bits per character are the loss over the characters that a
// word of the file has on average, white space included, so that they compare with those of characters and bytes.
import * as z from 'zod';
import { plural } from '../../experiment/words.ts';
import { locateData } from '../data/locate.ts';
import { lookalikeNotes } from '../data/lookalikes.ts';
import { countIds, splitIds } from '../data/symbol-ids.ts';
import { UNKNOWN } from '../data/text.ts';
import { readWords, type Tokens, wordsOf } from '../data/words.ts';
import { type Codec, crossEntropyOf, cut, languageTask } from './language.ts';
import type { TaskModule } from './module.ts';

/** Signs that stand close to the word before, and to the word behind. */
const CLOSING = /^[.,;:!?)\]}%’”»…]$/u;
const OPENING = /[([{“«]$/u;

function codecOf(words: readonly string[], tokens: Tokens): Codec {
  const idOf = new Map(words.map((word, id) => [word, id]));
  const unknown = idOf.get(UNKNOWN) ?? words.length - 1;
  return {
    unit: 'word',
    symbols: words.length,
    start: idOf.has('\n') ? '\n' : (words[0] ?? ''),
    unwritten: words.length > 1 ? [unknown] : [],
    encode: text => ({ ids: wordsOf(text, tokens).map(word => idOf.get(word) ?? unknown), strangers: [] }),
    writer() {
      let before = '\n';
      return {
        add(id) {
          const word = id === unknown ? '<unk>' : words[id]!;
          const isClose =
            before === '\n' ||
            word === '\n' ||
            (tokens === 'words' && (CLOSING.test(word) || OPENING.test(before)));
          before = word;
          return isClose ? word : ` ${word}`;
        },
        end: () => '',
      };
    },
  };
}

const share = (part: number) => `${(100 * part).toFixed(part < 0.1 ? 2 : 1)} %`;

const artifact = z.object({
  task: z.literal('word-lm'),
  tokens: z.enum(['words', 'spaced']),
  words: z.array(z.string().max(1_000_000)).min(1).max(10_000_000),
  /** characters of the text by word */
  charactersPerWord: z.number().gt(0),
});

export const wordLm: TaskModule<'word-lm', typeof artifact> = {
  artifact,
  async open(experiment, data, place, known) {
    const { ids, words, characters, different } = await readWords(locateData(data.path, place), data.path, {
      tokens: data.tokens,
      minCount: data.minCount,
      most: data.vocabulary,
      share: data.split[0],
      bytes: place.part?.bytes,
      known: known?.words,
    });
    const charactersPerWord = known?.charactersPerWord ?? characters / ids.length;
    const [train, valid, test] = splitIds(ids, data.split);
    const counts = countIds(train, words.length);
    const held = countIds(valid.length > 0 ? valid : train, words.length);
    const unknownIn = (part: Float64Array, length: number) => share(part.at(-1)! / Math.max(1, length));
    const heldLength = valid.length > 0 ? valid.length : train.length;
    return languageTask(experiment, {
      name: 'word-lm',
      path: data.path,
      split: data.split,
      ids,
      codec: codecOf(words, data.tokens),
      baseline: { loss: crossEntropyOf(counts, held), name: 'word frequencies alone' },
      notes: [
        `${plural(ids.length, 'word')}, ${different.toLocaleString('en-US')} different; ${charactersPerWord.toFixed(2)} characters each. The vocabulary has ${plural(words.length, 'word')}: ${cut(
          words
            .slice(0, 60)
            .map(word => (word === '\n' ? '⏎' : word))
            .join(' '),
          200,
        )}`,
        `Unknown words: ${unknownIn(counts, train.length)} of the training part, ${unknownIn(held, heldLength)} of the validation part, ${unknownIn(countIds(test, words.length), test.length)} of the test part. They are seen fewer than ${data.minCount} times in the training part${data.vocabulary === undefined ? '' : `, or are not among the ${data.vocabulary - 1} most frequent`}.`,
        ...lookalikeNotes(words, 'words'),
      ],
      read: { words: ids.length, symbols: words.length },
      lossUnit: 'nats/word',
      metrics: loss => ({
        perplexity: Math.exp(loss),
        bitsPerChar: loss / Math.LN2 / charactersPerWord,
      }),
      artifact: () => ({ task: 'word-lm', tokens: data.tokens, words, charactersPerWord }),
    });
  },
  sizes: ({ words }) => ({ input: { kind: 'tokens', vocabulary: words.length }, outputs: words.length }),
  codec: ({ words, tokens }) => codecOf(words, tokens),
};
