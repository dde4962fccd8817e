// Files of columns: CoNLL-U with its ranges and empty nodes, CoNLL-2003, and rows that are none, with file and line.
import assert from 'node:assert/strict';
import { type ConllColumns, parseConll } from '../../../../src/trainer/data/conll.ts';

const row = (id: string, word: string, upos: string, xpos = '_') =>
  [id, word, word.toLowerCase(), upos, xpos, '_', '0', 'dep', '_', '_'].join('\t');

const read = (text: string, data: Partial<ConllColumns> = {}) =>
  parseConll(text, { path: 'a.conllu', tags: 'upos', ...data });

const TREE = [
  '# sent_id = 1',
  '# text = vámonos\tal # mar',
  row('1-2', 'vámonos', '_'),
  row('1', 'vamos', 'VERB', 'V'),
  row('2', 'nos', 'PRON', 'P'),
  row('2.1', 'hecho', 'VERB'),
  row('3', 'a b', 'NOUN', 'N'),
  '',
  row('1', '#', 'SYM'),
].join('\r\n');

const NEWS = [
  '-DOCSTART- -X- -X- O',
  '',
  'EU NNP B-NP B-ORG',
  '# NN I-NP O',
  '',
  '',
  'Peter NNP B-NP B-PER',
].join('\n');

describe('files of columns', () => {
  it('CoNLL-U: tokens without ranges and empty nodes, which are told', () => {
    const { sentences, notes } = read(TREE);
    assert.deepEqual(sentences, [
      { words: ['vamos', 'nos', 'a b'], tags: ['VERB', 'PRON', 'NOUN'], line: 4 },
      { words: ['#'], tags: ['SYM'], line: 9 },
    ]);
    assert.match(
      notes.join(' '),
      /1 range of tokens .* 1 empty node without a place in the text is left out/,
    );
  });

  it('columns have names, or numbers from 0', () => {
    assert.deepEqual(read(TREE, { tags: 'XPOS' }).sentences[0]!.tags, ['V', 'P', 'N']);
    assert.deepEqual(read(TREE, { tags: 4, words: 'lemma' }).sentences[0], {
      words: ['vamos', 'nos', 'a b'],
      tags: ['V', 'P', 'N'],
      line: 4,
    });
    assert.deepEqual(read(TREE, { tags: null }).sentences[1]!.tags, []);
  });

  it('CoNLL-2003: columns apart by white space, documents apart by their line', () => {
    const { sentences } = read(NEWS, { tags: 'ner' });
    assert.deepEqual(sentences, [
      { words: ['EU', '#'], tags: ['B-ORG', 'O'], line: 3 },
      { words: ['Peter'], tags: ['B-PER'], line: 7 },
    ]);
    assert.deepEqual(read(NEWS, { tags: 1 }).sentences[1]!.tags, ['NNP']);
  });

  const refused: [string, string, Partial<ConllColumns>, RegExp][] = [
    [
      'a row of nine columns',
      `${TREE}\n${row('2', 'b', 'X').slice(0, -2)}`,
      {},
      /^DataError: a\.conllu, line 10: 9 columns, but CoNLL-U has 10, with tabs between them\./,
    ],
    ['a number that is none', `${TREE}\n${row('2a', 'b', 'X')}`, {}, /line 10: "2a" is no token's number/],
    [
      'a token out of order',
      `${TREE}\n${row('3', 'b', 'X')}`,
      {},
      /line 10: token 3 stands where token 2 of its sentence is expected/,
    ],
    ['a word that is empty', `${TREE}\n${row('2', '', 'X')}`, {}, /line 10: the word is empty/],
    ['a tag that is empty', `${TREE}\n${row('2', 'b', '')}`, {}, /line 10: the tag of "b" is empty/],
    ['a shorter row', `${NEWS}\nBlackburn`, { tags: 'ner' }, /line 8: 1 column, but the first row has 4/],
    ['a name that is none', TREE, { tags: 'uposs' }, /there is no column "uposs"; did you mean "upos"\./],
    [
      'a name where columns have none',
      'a b c d e',
      { tags: 'ner' },
      /columns of this file have no names; give the number of "ner", counted from 0, of 5/,
    ],
    [
      'a number beyond the row',
      NEWS,
      { tags: 4 },
      /line 3: there is no column 4 \(counted from 0\); the row has 4 columns/,
    ],
  ];
  for (const [name, text, data, message] of refused)
    it(`${name}: refused with file and line`, () => {
      assert.throws(() => read(text, data), message);
    });
});
