// Tagging: a class for each token of a sentence, from a file of columns.
import * as z from 'zod';
import { nonNegativeInt, positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import {
  batching,
  columnOrNumber,
  minCount,
  onError,
  path,
  shuffle,
  split,
  WHOLE_SEQUENCES,
} from './file-task.ts';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('tag'),
    path: path(
      'A CoNLL-U file, one of columns as CoNLL-2003, or a table with a list of tokens and one of tags in each row,',
    ),
    tags: columnOrNumber.describe(
      'The column of tags: its name (CoNLL-U: upos, xpos …; four columns: word, pos, chunk, ner), or its number from 0.',
    ),
    words: columnOrNumber
      .optional()
      .describe(
        'The column of words; default: form in CoNLL-U, `tokens` or `words` of a table, else the first one.',
      ),
    minCount: minCount('Words', 'one unknown word', 2),
    characters: nonNegativeInt
      .max(10)
      .default(3)
      .describe(
        'Beginnings and ends of words of up to this many characters, and their shape, are read beside the word; 0: words alone.',
      ),
    maxLength: positiveInt.optional().describe('Sentences of more tokens are left out; default: none.'),
    onError,
    shuffle,
    batching: batching('Sentences'),
    split: split.default([0.8, 0.1, 0.1]),
  })
  .describe('Tell the tag of each token: parts of speech, names of people and places.');

/** What the column of tokens is usually called. */
const USUAL_WORDS = /^(form|word|words|tokens)$/;

/** Of JSON lines, whose first one holds two lists of equally many texts: the column of tags. */
function listsIn(head: string): { tags: string } | null {
  const [first = ''] = head.split(/\r?\n/, 1);
  if (!first.startsWith('{')) return null;
  try {
    const lists = Object.entries(JSON.parse(first) as object).filter(
      (entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && entry[1].length > 0,
    );
    const words = lists.find(([, own]) => own.every(each => typeof each === 'string'));
    const tags = lists.findLast(([, own]) => own.length === words?.[1].length && own !== words[1]);
    return tags ? { tags: tags[0] } : null;
  } catch {
    return null;
  }
}

export const tag: TaskKind<typeof schema> = {
  schema,
  title: 'Tagging',
  loss: { at: 'every-step', of: 'classes', unit: 'nats' },
  metrics: [
    { name: 'accuracy', label: 'Token accuracy', unit: '%', better: 'higher' },
    { name: 'unknownAccuracy', label: 'Accuracy of unknown words', unit: '%', better: 'higher' },
    { name: 'entityF1', label: 'Entity F1', unit: '%', better: 'higher' },
    { name: 'entityPrecision', label: 'Entity precision', unit: '%', better: 'higher' },
    { name: 'entityRecall', label: 'Entity recall', unit: '%', better: 'higher' },
  ],
  ...WHOLE_SEQUENCES,
  tags: true,
  reads: 'table',
  outputsFrom: 'the number of tags',
  tries: () => ({ typed: 'Sentence', row: 'sentence', sound: false, writes: null }),
  check: ({ tags, words }) =>
    tags === words ? [error(['tags'], 'Words and tags are the same column; name two.')] : [],
  suits({ path, columns, isHeadless }) {
    const lists = columns.filter(({ kind }) => kind === 'list' || kind === 'array');
    const tags =
      lists.find(({ name }) => name === 'upos') ??
      lists.findLast(({ isLabel, name }) => isLabel && name !== 'id');
    const others = lists.filter(
      each => each !== tags && each.kind === 'list' && each.lengths === tags?.lengths,
    );
    if (!tags || others.length === 0) return null;
    const place = ({ name }: { name: string }) => (isHeadless ? Number(name) : name);
    const usual = others.find(({ name }) => USUAL_WORDS.test(name));
    const words = usual ?? others[0]!;
    return {
      data: {
        task: 'tag',
        path,
        tags: place(tags),
        ...(usual || columns.length === 2 || isHeadless ? {} : { words: place(words) }),
      },
      why: `tags in "${tags.name}" of the tokens in "${words.name}"`,
    };
  },
  starter: {
    description: 'tell the tag of each token',
    found(head) {
      const listed = listsIn(head);
      if (listed) return listed;
      const lines = head.split(/\r\n|\r|\n/).filter(line => line.trim() !== '');
      const rows = lines.slice(0, -1).filter(line => !/^#|^-DOCSTART-/.test(line));
      if (rows.length === 0) return null;
      const [first] = rows as [string];
      if (/^1(-\d+)?\t/.test(first) && first.split('\t').length === 10) return { tags: 'upos' };
      // words and their tags, the last of which is a name's
      const cells = rows.map(line => line.trim().split(/[\t ]+/));
      const width = cells[0]!.length;
      const isTagged = cells.every(row => row.length === width && /^(O|[BIES]-\S+)$/.test(row.at(-1)!));
      return width > 1 && isTagged ? { tags: width - 1 } : null;
    },
    data: ({ path }) => ({ task: 'tag', path, tags: 'upos' }),
    embedding: 64,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
