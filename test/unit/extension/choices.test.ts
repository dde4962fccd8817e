// The steps of "Train RNN": what is offered, and that what comes of them can be trained.
import assert from 'node:assert/strict';
import { expandComparison } from '../../../src/experiment/compare.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import {
  extentOf,
  faultOfFile,
  isData,
  numericColumns,
  readsOf,
  rowsOf,
} from '../../../src/extension/data-files.ts';
import {
  CELL_OFFERS,
  type Choices,
  type DataChoice,
  dataOffers,
  experimentOf,
  fitOf,
  rememberedData,
  sizeOffers,
} from '../../../src/extension/train/choices.ts';
import { isMeant } from '../../../src/extension/train/meant.ts';

const choices: DataChoice[] = [
  { task: 'char-lm', path: 'data/emma.txt' },
  { task: 'forecast', path: 'co2.csv' },
  { task: 'adding' },
  { task: 'temporal-order' },
  { task: 'seq2seq', path: 'pairs.tsv' },
];
const rows = Array.from({ length: 200 }, (_, row) => `2020-01-${row},${row},${row / 2}`).join('\n');
const files = [
  { path: 'data/emma.txt', bytes: 900_000, head: 'It is a truth '.repeat(100) },
  { path: 'co2.csv', bytes: 20_000, head: `day,co2,half\n${rows}` },
  { path: 'todo.txt', bytes: 20, head: 'buy milk and some tea' },
  { path: 'few.csv', bytes: 12, head: 'a,b\n1,2\n3,4' },
  { path: 'words.csv', bytes: 20_000, head: 'only,words,here\nin,three,columns\n' },
  { path: 'big.parquet', bytes: 1e9, head: 'PAR1' },
  { path: '.cache/big.txt', bytes: 1e9, head: 'x' },
];
const bare = (label: string) => label.replace(/^\$\([a-z-]+\) /, '');

describe('the steps of Train RNN', () => {
  it('give a valid experiment for every way through them', () => {
    for (const data of choices)
      for (const { value: cell } of CELL_OFFERS) {
        const chosen: Choices = { data, target: 'CO2', cell, units: 16 };
        const { experiment, problems } = parseExperiment(JSON.stringify(experimentOf(chosen)));
        assert.deepEqual(problems, [], JSON.stringify(chosen));
        assert.equal(expandComparison(experiment!).length, cell === 'compare' ? 3 : 1);
      }
  });

  it('say of every cell what it is, the classic ones and all of them first', () => {
    assert.deepEqual(
      CELL_OFFERS.slice(0, 4).map(({ label }) => bare(label)),
      ['RNN', 'GRU', 'LSTM', 'RNN, GRU, LSTM'],
    );
    for (const { label, description } of CELL_OFFERS) {
      assert.ok(description, label);
      assert.ok(!description.startsWith(`${label}:`), description);
    }
  });

  it('offer files that hold something, then the generated tasks, then the rest with its reasons', () => {
    const offers = dataOffers(files);
    assert.deepEqual(
      offers.map(({ label, reason }) => [bare(label), reason]),
      [
        ['emma.txt', undefined],
        ['emma.txt', undefined],
        ['emma.txt', undefined],
        // characters, words and bytes; a forecast
        ['co2.csv', undefined],
        ...['Copying', 'Reversal', 'Sorting', 'Addition'].map(title => [title, undefined]),
        ['The adding problem', undefined],
        ['Temporal order', undefined],
        ['Copy memory', undefined],
        ...['Selective copying', 'Associative recall', 'Induction', 'Parity', 'Modular arithmetic'].map(
          title => [title, undefined],
        ),
        ...['Embedded Reber grammar', 'aⁿbⁿ', 'aⁿbⁿcⁿ', 'Balanced brackets', 'Morse code'].map(title => [
          title,
          undefined,
        ]),
        ['todo.txt', 'too short: 21 characters, and less than 1000 hold nothing to learn'],
        ['few.csv', 'too few rows: 2, where 50 make a training'],
        ['words.csv', 'no column of numbers under a header line'],
        ['big.parquet', 'it could not be read in time'],
      ],
    );
  });

  it('offer first the task of a file that has the loss of the code', () => {
    const head = `a,b,kind\n${Array.from({ length: 200 }, (_, i) => `${i},${i / 2},a${i % 3}`).join('\n')}`;
    const first = (loss: 'classes' | 'values' | null) =>
      dataOffers([{ path: 'rows.csv', bytes: 9000, head }], undefined, loss)
        .filter(({ reason }) => !reason)
        .map(({ value }) => value.task)[0];
    assert.deepEqual([first(null), first('values'), first('classes')], ['forecast', 'forecast', 'classify']);
  });

  it('offer a table with a column of classes to who tells classes, its columns found', () => {
    const table = (header: string, row: (i: number) => unknown[]) =>
      `${header}\n${Array.from({ length: 400 }, (_, i) => row(i).join(',')).join('\n')}`;
    const code = fitOf({ layers: [{ type: 'lstm', units: 4 }, { type: 'dense' }] });
    const offered = (head: string, learner: Parameters<typeof dataOffers>[3]) =>
      dataOffers([{ path: 'rows.csv', bytes: head.length, head }], code, 'classes', learner)
        .filter(({ value }) => value.path && value.task === 'classify')
        .map(({ value, reason }) => [value.fields, reason]);
    const none = { inputs: null, columns: null };
    // 20 series of 20 steps, a step a row
    const long = table('series,step,x,y,class', i => [
      `s${Math.floor(i / 20)}`,
      i % 20,
      Math.sin(i),
      i / 7,
      Math.floor(i / 20) % 2,
    ]);
    const fields = { label: 'class', id: 'series', values: ['x', 'y'] };
    assert.deepEqual(offered(long, none), [[fields, undefined]]);
    assert.deepEqual(offered(long, { inputs: 1, columns: ['y'] }), [
      [{ ...fields, values: ['y'] }, undefined],
    ]);
    assert.deepEqual(offered(long, { inputs: 3, columns: null }), [
      [fields, 'it gives 2 numbers a step, and the model reads 3'],
    ]);
    // a row a series of four numbers
    const wide = table('a,b,c,d,species', i => [i / 3, 0.5, i % 7, 1, ['setosa', 'virginica'][i % 2]]);
    const image = (width: number) => ({ label: 'species', image: { width } });
    assert.deepEqual(offered(wide, none), [[image(1), undefined]]);
    assert.deepEqual(offered(wide, { inputs: 2, columns: null }), [[image(2), undefined]]);
    // rows of numbers alone, and rows with a date, hold no class of a series
    assert.deepEqual(offered(files[1]!.head, none), []);
    for (const head of [long, wide]) {
      const [offer] = dataOffers([{ path: 'rows.csv', bytes: head.length, head }], code, 'classes');
      assert.equal(offer!.value.task, 'classify');
      const made = experimentOf({ data: offer!.value, cell: 'gru', units: 16 });
      assert.deepEqual(parseExperiment(JSON.stringify(made)).problems, []);
      assert.deepEqual(rememberedData(offer!.value), offer!.value);
    }
  });

  it('offer a table of numbers without a header by its last or first column, if that could be a class', () => {
    const offered = (row: (i: number) => unknown[]) => {
      const head = Array.from({ length: 200 }, (_, i) => row(i).join(',')).join('\n');
      const offers = dataOffers([{ path: 'rows.csv', bytes: head.length, head }]);
      return offers.filter(({ value }) => value.path);
    };
    for (const [label, row] of [
      [3, (i: number) => [Math.sin(i), Math.cos(i), i % 2, i % 3]],
      [0, (i: number) => [i % 3, Math.sin(i), Math.cos(i), i / 7]],
    ] as const) {
      const offers = offered(row);
      assert.equal(offers.length, 1, 'a forecast would need the names of columns');
      const [{ value, description, reason }] = offers as [(typeof offers)[number]];
      assert.equal(reason, undefined);
      assert.deepEqual(
        [value.task, value.fields],
        ['classify', { label, image: { width: 1, header: false } }],
      );
      assert.match(
        description!,
        RegExp(`a series of 3 steps in each row, 3 classes in column ${label}, the`),
      );
      const made = experimentOf({ data: value, cell: 'gru', units: 16 });
      assert.deepEqual(parseExperiment(JSON.stringify(made)).problems, []);
    }
    const [other] = offered(i => [Math.sin(i), Math.cos(i)]);
    assert.match(other!.reason!, /first line holds only numbers: write the names of the columns above it/);
  });

  it('offer pairs without a header to who writes targets, their columns by number', () => {
    const head = Array.from({ length: 80 }, (_, i) => `March ${(i % 28) + 1}, 1938\t1938-03-${i % 28}`).join(
      '\n',
    );
    const [offer] = dataOffers([{ path: 'dates.tsv', bytes: head.length, head }]);
    assert.deepEqual([offer!.value.task, offer!.value.fields], ['seq2seq', { source: 0, target: 1 }]);
  });

  it('offer a table that names sounds to who tells labels without places, its columns found', () => {
    const head = 'file\tspeaker\ttext\na.wav\tx\tCOAST\nb.wav\ty\tTA\n';
    const offers = dataOffers([{ path: 'labels.tsv', bytes: 90, head }]).filter(({ value }) => value.path);
    assert.deepEqual(
      offers.map(({ value, reason }) => [value, reason]),
      [[{ task: 'ctc', path: 'labels.tsv', fields: { audio: 'file', target: 'text' } }, undefined]],
    );
    const made = experimentOf({ data: offers[0]!.value, cell: 'gru', units: 16 });
    const { experiment, problems } = parseExperiment(JSON.stringify(made));
    assert.deepEqual(problems, []);
    assert.equal((experiment!.data as { audio?: string }).audio, 'file');
    assert.deepEqual(rememberedData(offers[0]!.value), offers[0]!.value);
  });

  it('offer files of columns to who tags, with the column of tags', () => {
    const row = (id: number) => [id, 'word', 'word', 'NOUN', 'NN', '_', 0, 'dep', '_', '_'].join('\t');
    const tree = `# sent_id = 1\n${row(1)}\n${row(2)}\n\n`;
    const news = '-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n';
    const taskOf = (path: string, head: string) =>
      dataOffers([{ path, bytes: 5000, head }]).find(({ reason }) => !reason)!.value;
    assert.deepEqual(taskOf('a.conllu', tree), { task: 'tag', path: 'a.conllu', fields: { tags: 'upos' } });
    assert.deepEqual(taskOf('b.txt', news), { task: 'tag', path: 'b.txt', fields: { tags: 2 } });
    const made = experimentOf({ data: taskOf('a.conllu', tree), cell: 'gru', units: 16 });
    assert.deepEqual(parseExperiment(JSON.stringify(made)).problems, []);
  });

  it('offer files with named columns by the tasks that suit them, and nothing more is asked', () => {
    const suggested = [
      { task: 'classify' as const, fields: { label: 'kind', values: ['x'] }, why: 'series', vectors: true },
      { task: 'forecast' as const, fields: { target: 'y' }, why: 'numbers', vectors: false },
    ];
    const file = (path: string, fault: string | null, fitting = suggested) => ({
      path,
      bytes: 900,
      head: 'PAR1\0',
      told: { fault, lines: [], suggested: fitting },
    });
    const offers = dataOffers([
      file('data/a.parquet', null),
      file('b.npz', 'b.npz is cut off.'),
      file('c.jsonl', null, []),
    ]).filter(({ value }) => value.path);
    assert.deepEqual(
      offers.map(({ value: { task, path }, reason }) => [task, path, reason]),
      [
        ['classify', 'data/a.parquet', undefined],
        ['forecast', 'data/a.parquet', undefined],
        [offers[2]!.value.task, 'b.npz', 'b.npz is cut off'],
        [offers[3]!.value.task, 'c.jsonl', 'no task fits its columns'],
      ],
    );
    for (const { value } of offers.slice(0, 2)) {
      assert.deepEqual(rememberedData(value), value);
      const made = experimentOf({ data: value, cell: 'gru', units: 16 });
      assert.deepEqual(parseExperiment(JSON.stringify(made)).problems, []);
      assert.deepEqual(
        made.model.layers.map(({ type }) => type),
        ['gru', 'dense'],
      );
      assert.deepEqual(made.data, { task: value.task, path: 'data/a.parquet', ...value.fields });
    }
  });

  it('offer what fits the model first, and say why the rest does not', () => {
    const tokens = fitOf({
      layers: [{ type: 'embedding', dim: 4 }, { type: 'lstm', units: 4 }, { type: 'dense' }],
    });
    const reasons = Object.fromEntries(
      dataOffers(files.slice(0, 2), tokens).map(({ value, reason }) => [value.task, reason]),
    );
    assert.equal(reasons['char-lm'], undefined);
    assert.match(reasons['forecast']!, /needs symbols/);
    assert.match(reasons['adding']!, /needs symbols/);
    const both = fitOf({ layers: [{ type: 'lstm', units: 4, bidirectional: true }, { type: 'dense' }] });
    const [first, ...others] = dataOffers(files.slice(0, 2), both);
    assert.equal(bare(first!.label), 'co2.csv');
    assert.match(
      others.find(({ value }) => value.task === 'char-lm')!.reason!,
      /would see the characters it is to predict/,
    );
    const two = fitOf({ layers: [{ type: 'lstm', units: 4 }, { type: 'dense' }] }, 2);
    assert.equal(two({ task: 'adding' }), null);
    assert.equal(two({ task: 'temporal-order' }), 'it gives 6 numbers a step, and the model reads 2');
    assert.equal(two({ task: 'forecast', path: 'a.csv', target: 'a' }), null, 'two columns may be chosen');
  });

  it('offer a size that was typed first, if it is one, and a sentence if it is none', () => {
    const sizes = (typed: string) => sizeOffers('gru', { task: 'adding' }, typed);
    const values = (typed: string) => sizes(typed).map(({ value }) => value);
    assert.deepEqual(values(''), [32, 64, 128, 256]);
    assert.deepEqual(values('100'), [100, 32, 64, 128, 256]);
    assert.deepEqual(values('64'), [64, 32, 128, 256]);
    for (const typed of ['0', '-3', '1e9', 'abc', '99999999']) {
      const [said, ...more] = sizes(typed);
      assert.equal(said!.reason, `"${typed}" is no size: type a whole number from 1 to 8,192`);
      assert.deepEqual(
        more.map(({ value }) => value),
        values(''),
      );
    }
    // 3·(2·64 + 64·64 + 2·64), PyTorch's two biases
    assert.match(sizes('64')[0]!.description!, /^13,056 parameters in the GRU/);
  });

  it('remember what was chosen before tasks were kinds', () => {
    assert.deepEqual(rememberedData({ kind: 'text', path: 'a.txt', sample: true }), {
      task: 'char-lm',
      path: 'a.txt',
      sample: true,
    });
    assert.deepEqual(rememberedData({ kind: 'table', path: 'a.csv' }), { task: 'forecast', path: 'a.csv' });
    assert.deepEqual(rememberedData({ kind: 'generated', task: 'adding' }), { task: 'adding' });
    for (const lost of [null, 'text', {}, { task: 'unheard-of' }, { task: 'forecast' }])
      assert.equal(rememberedData(lost), null);
  });

  it('take the file that the code reads, from whatever folder it runs in', () => {
    assert.equal(isMeant('data/co2.csv', '../data/co2.csv'), true);
    assert.equal(isMeant('data/co2.csv', 'co2.csv'), true);
    assert.equal(isMeant('co2.csv', '/home/me/data/co2.csv'), true);
    assert.equal(isMeant('data/other-co2.csv', 'co2.csv'), false);
  });

  it('estimate what a file holds from its beginning', () => {
    assert.equal(extentOf(files[1]!), Math.round((201 * 20_000) / files[1]!.head.length) - 1);
    assert.equal(extentOf({ path: 'a.csv', bytes: 12, head: 'a,b\n1,2\n3,4' }), 2);
    assert.equal(extentOf({ path: 'a.txt', bytes: 400, head: 'x'.repeat(100) }), 400);
    assert.equal(rowsOf({ path: 'a.jsonl', bytes: 80, head: '{"a":1}\n'.repeat(5) }), 10);
    assert.equal(rowsOf({ path: 'a.parquet', bytes: 80, head: 'PAR1' }), null);
    assert.equal(faultOfFile({ path: 'a.txt', bytes: 0, head: '' }), 'it is empty');
    assert.match(faultOfFile({ path: 'a.txt', bytes: 5000, head: 'a\0b' })!, /no text/);
  });

  it('take a .ts file for time series only under a header of the archive', () => {
    const head = '# vowels\n\n@problemName JapaneseVowels\n@timeStamps false\n@data\n1,2:3,4:1\n';
    assert.ok(isData({ path: 'Vowels_TRAIN.ts', head }));
    assert.ok(isData({ path: 'a.csv', head: 'a,b\n' }));
    for (const code of ['@Component({})\nclass A {}', 'export const a = 1;\n@data', '// @data\n', ''])
      assert.ok(!isData({ path: 'Vowels_TRAIN.ts', head: code }), code);
    assert.equal(readsOf('data/Vowels_TRAIN.ts'), 'arrays');
  });

  it('find the columns that hold numbers', () => {
    assert.deepEqual(
      numericColumns('\uFEFFDate,CO2,"adjusted, CO2"\n1958-03-01,315.7,314.4\n1958-04-01,,317.1\n'),
      ['CO2', 'adjusted, CO2'],
    );
    assert.deepEqual(numericColumns('a;b\r\n1;x\r\n2;y\r\n'), ['a']);
    assert.deepEqual(numericColumns('a\tb\n1\t2\n'), ['a', 'b']);
    assert.deepEqual(numericColumns('only,words\nin,here\n'), []);
    assert.deepEqual(numericColumns(''), []);
  });
});
