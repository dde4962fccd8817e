// Random and mutated input for everything that reads: experiments, tables and texts, run folders. Whatever comes, the
// answer is a result or one sentence; no crash, no hang, no raw error. kernel-calls.test.ts has the calls of kernels.
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { readSummary } from '../../src/runs/list.ts';
import { RunReader } from '../../src/runs/reader.ts';
import { explain } from '../../src/trainer/cli/exit.ts';
import { BadRows } from '../../src/trainer/data/bad-rows.ts';
import { readConll } from '../../src/trainer/data/conll.ts';
import { readCsv } from '../../src/trainer/data/csv.ts';
import { DataError } from '../../src/trainer/data/errors.ts';
import { readerOf } from '../../src/trainer/data/readers/index.ts';
import { readTable } from '../../src/trainer/data/table.ts';
import { readText } from '../../src/trainer/data/text.ts';
import { readWav } from '../../src/trainer/data/wav.ts';
import { openFinishedRun } from '../../src/trainer/inference/finished-run.ts';
import { prepareSeries } from '../../src/trainer/tasks/series-data.ts';
import { wavOf } from '../unit/trainer/data/wav-of.ts';
import { makeRun, tinyExperiment, train, useWorkspace } from '../unit/trainer/training/runs.ts';
import { cases, plain, type Random } from './cases.ts';

function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  let result = Buffer.from(bytes);
  for (let times = 1 + random.int(4); times > 0; times--) {
    const at = random.int(Math.max(1, result.length));
    const kind = random.int(6);
    if (kind === 0)
      result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1 + random.int(20))]);
    else if (kind === 1)
      result = Buffer.concat([result.subarray(0, at), Buffer.from([random.int(256)]), result.subarray(at)]);
    else if (kind === 2 && result.length > 0) result[at] = random.int(256);
    else if (kind === 3) result = result.subarray(0, at);
    else if (kind === 4) result = Buffer.concat([result, result.subarray(0, random.int(200))]);
    else
      result = Buffer.concat([
        result.subarray(0, at),
        Buffer.from(
          random.pick([
            '1e999',
            'NaN',
            '-1',
            '"',
            '{',
            ']',
            '99999999999999999999',
            '\u0000',
            'null',
            '\ufeff',
            '1.050',
            '1,5',
            ';',
          ]),
        ),
        result.subarray(at),
      ]);
  }
  return result;
}

describe('fuzz', () => {
  useWorkspace();
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-fuzz-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const VALUES: readonly unknown[] = [
    0,
    1,
    -1,
    3,
    0.5,
    1e9,
    2 ** 53,
    1e308,
    -0.1,
    null,
    true,
    '',
    'x',
    'adam',
    [],
    {},
    [1],
    ['rnn'],
    [0.5, 0.5],
    [0.9, 0.05, 0.05],
  ];
  const LAYERS = [
    'embedding',
    'rnn',
    'lstm',
    'gru',
    'transformer',
    'tcn',
    'layer-norm',
    'dropout',
    'dense',
    'attention',
    'scan',
    'conv',
  ];
  const FIELDS = [
    'units',
    'layers',
    'dropout',
    'heads',
    'hidden',
    'kernelSize',
    'window',
    'activation',
    'rate',
    'dim',
    'bidirectional',
    'forgetBias',
    'epsilon',
  ];

  cases('experiments', 0.25, random => {
    const layer = () => {
      const made: Record<string, unknown> = { type: random.pick(LAYERS) };
      for (let k = random.int(4); k > 0; k--)
        made[random.pick(FIELDS)] = random.chance(0.6) ? 1 + random.int(40) : random.pick(VALUES);
      return made;
    };
    const experiment = {
      data: random.pick<object>([
        { task: 'adding', length: random.chance(0.8) ? 10 : random.pick(VALUES) },
        { task: 'char-lm', path: 'a.txt', minCount: random.pick(VALUES) },
        {
          task: 'forecast',
          path: 'a.csv',
          target: 'y',
          window: random.pick(VALUES),
          horizon: random.pick(VALUES),
          missing: random.pick(['mask', 'drop', 'x']),
        },
        { task: 'temporal-order', length: 20 },
      ]),
      model: {
        layers: [...Array.from({ length: random.int(5) }, layer), { type: 'dense' }],
        ...(random.chance(0.1) ? { encoder: [layer()] } : {}),
      },
      training: random.chance(0.5)
        ? {}
        : {
            [random.pick([
              'steps',
              'batchSize',
              'seqLen',
              'seed',
              'clipNorm',
              'l2',
              'optimizer',
              'schedule',
              'bptt',
              'earlyStopping',
            ])]: random.pick(VALUES),
          },
      ...(random.chance(0.2)
        ? {
            compare: {
              [random.pick(['cell', 'seeds', 'training.batchSize', 'model.layers.0.units', 'x'])]:
                random.pick(VALUES),
            },
          }
        : {}),
    };
    let text = JSON.stringify(experiment, null, random.int(3));
    if (random.chance(0.4)) text = new TextDecoder().decode(mutated(random, Buffer.from(text)));
    const started = performance.now();
    const { problems, experiment: parsed } = parseExperiment(text, { memoryBytes: 8e9 });
    for (const { message } of problems) plain(message);
    assert.ok(parsed || problems.some(({ severity }) => severity === 'error'));
    // far from any real figure, so that a busy machine does not matter: a hang is meant
    assert.ok(performance.now() - started < 30_000);
  });

  cases('tables', 0.25, async random => {
    const delimiter = random.pick([',', ';', '\t', '|']);
    const number = () => {
      const value = (random.int(2_000_000) - 500_000) / random.pick([1, 10, 1000]);
      return random.pick([
        String(value),
        value.toLocaleString('de-DE'),
        value.toLocaleString('en-US'),
        `${value} %`,
        `$${value}`,
        '',
        'NA',
        'x',
        '1e999',
        `${value}`,
        `${value}`,
      ]);
    };
    const date = (row: number) =>
      random.pick([
        new Date(row * 864e5).toISOString(),
        new Date(row * 864e5).toISOString().slice(0, 10),
        `${1 + (row % 28)}.${1 + (row % 12)}.2024`,
        String(row),
        '',
      ]);
    const cell = (text: string) => (text.includes(delimiter) ? `"${text}"` : text);
    const rows = Array.from({ length: random.int(60) }, (_, row) =>
      [date(row), number(), number()].map(cell).join(delimiter),
    );
    const text = [
      ['date', 'y', 'z'].join(delimiter),
      ...rows,
      ...(random.chance(0.2) ? [`Total${delimiter}1${delimiter}2`] : []),
    ].join(random.pick(['\n', '\r\n', '\r']));
    const path = join(folder, 'a.csv');
    writeFileSync(path, random.chance(0.5) ? mutated(random, Buffer.from(text)) : text);
    try {
      const order = random.pick(['file', 'time'] as const);
      const { table, notes, warnings } = await readTable(path, 'a.csv', {
        targets: ['y'],
        features: ['y', 'z'],
        order,
        unreadable: random.pick([0, 0.3, 0.9]),
      });
      for (const note of [...notes, ...warnings]) plain(note);
      for (const values of table.values.values())
        for (const value of values) assert.ok(!(Math.abs(value) === Number.POSITIVE_INFINITY));
      const missing = random.pick(['previous', 'mask', 'interpolate', 'drop', 'error'] as const);
      const { inputs, firstRow, width } = prepareSeries(
        table,
        { targets: ['y'], features: ['y', 'z'], difference: random.int(3), missing, trainShare: 0.7 },
        'a.csv',
      );
      for (let at = firstRow * width; at < inputs.length; at++)
        assert.ok(Number.isFinite(inputs.get(at)), `input ${at}`);
    } catch (cause) {
      assert.ok(cause instanceof DataError, (cause as Error).stack);
      plain(cause.message);
    }
  });

  const SEEDS = [
    'test/golden/arrow/uncompressed.feather',
    'test/golden/arrow/lz4.feather',
    'test/golden/arrow/zstd.feather',
    'test/golden/arrow/stream.arrows',
    'test/golden/parquet/none.parquet',
    'test/golden/parquet/snappy.parquet',
    'test/golden/parquet/gzip.parquet',
    'test/golden/parquet/pages.parquet',
    'test/golden/parquet/other.parquet',
  ].filter(path => existsSync(path));
  const npy = (shape: number[], kind: string) => {
    const header = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(
      117,
    );
    const bytes = Buffer.alloc(128 + 8 * shape.reduce((all, size) => all * size, 1), 0x3f);
    bytes.write('\x93NUMPY\x01\x00', 'latin1');
    bytes.writeUInt16LE(118, 8);
    bytes.write(`${header}\n`, 10, 'latin1');
    return bytes;
  };
  cases('files of other readers', 0.12, async random => {
    const seed = random.pick<{ name: string; bytes: Uint8Array }>([
      ...SEEDS.map(path => ({ name: path.split('/').at(-1)!, bytes: readFileSync(path) })),
      { name: 'a.npy', bytes: npy([4, 3], '<f8') },
      { name: 'a.npy', bytes: npy([6], random.pick(['<f8', '>f8', '<i8', '|O', '<U2'])) },
      { name: 'a.jsonl', bytes: Buffer.from('{"y":1,"z":[1,2]}\n{"y":2.5,"z":[3,4],"t":"ab"}\n') },
      {
        name: 'a.jsonl',
        bytes: Buffer.from(random.pick(['{"y":NaN}\n', '{"y":1e999}\n', '[1,2]\n', '{"y":{}}\n', 'null\n'])),
      },
      {
        name: 'a.arff',
        bytes: Buffer.from('@relation r\n@attribute y numeric\n@attribute c {a,b}\n@data\n1,a\n2,b\n'),
      },
      {
        name: 'a.ts',
        bytes: Buffer.from(
          '@problemName p\n@univariate true\n@classLabel true a b\n@data\n1,2,3:a\n4,5,6:b\n',
        ),
      },
    ]);
    const path = join(folder, seed.name);
    writeFileSync(path, random.chance(0.9) ? mutated(random, seed.bytes) : seed.bytes);
    try {
      const { rows, columns } = await readerOf(path)!.open(path, seed.name, { bad: new BadRows() });
      const cells = [];
      for await (const row of rows) cells.push(row.cells);
      assert.ok(cells.every(row => row.length === columns.length));
    } catch (cause) {
      assert.ok(cause instanceof DataError, (cause as Error).stack);
      plain(cause.message);
    }
    try {
      const { values } = await readCsv(path, seed.name, ['y']);
      for (const value of values.get('y')!) assert.ok(Math.abs(value) !== Number.POSITIVE_INFINITY);
    } catch (cause) {
      assert.ok(cause instanceof DataError, (cause as Error).stack);
      plain(cause.message);
    }
  });

  cases('sounds and tagged sentences', 0.03, async random => {
    const isSound = random.chance(0.5);
    const name = isSound ? 'a.wav' : 'a.conllu';
    const [format, bits] = random.pick([
      [1, 8],
      [1, 16],
      [1, 24],
      [3, 32],
      [3, 64],
      [0xfffe, 16],
    ]) as [number, number];
    const sound = wavOf([0, 0.5, -0.5, 1], { format, bits });
    const sentence = '# x\n1\tA\ta\tDET\t_\t_\t2\tdet\t_\t_\n2\tdog\tdog\tNOUN\t_\t_\t0\troot\t_\t_\n\n';
    const path = join(folder, name);
    writeFileSync(path, mutated(random, isSound ? sound : Buffer.from(sentence)));
    try {
      if (isSound) for (const value of readWav(path, name).samples) assert.ok(Number.isFinite(value));
      else await readConll(path, { path: name, tags: 'upos' });
    } catch (cause) {
      assert.ok(cause instanceof DataError, (cause as Error).stack);
      plain(cause.message);
    }
  });

  cases('texts', 0.1, async random => {
    const path = join(folder, 'a.txt');
    const text = Array.from({ length: random.int(400) }, () =>
      String.fromCodePoint(random.pick([32, 10, 13, 97, 98, 0x1f600, 0xe4, 0x4e2d, 0x300])),
    ).join('');
    writeFileSync(path, random.chance(0.6) ? mutated(random, Buffer.from(text)) : text);
    try {
      const { ids, vocabulary } = await readText(path, 'a.txt', { minCount: 1 + random.int(3), share: 0.9 });
      for (const id of Array.from(ids.slice(0, ids.length))) assert.ok(id < vocabulary.symbols.length);
      assert.equal(
        vocabulary.counts.reduce((sum, count) => sum + count, 0),
        ids.length,
      );
    } catch (cause) {
      assert.ok(cause instanceof DataError, (cause as Error).stack);
      plain(cause.message);
    }
  });

  let run = '';
  cases('run folders', 0.1, async (random, index) => {
    if (index === 0) {
      const made = makeRun(tinyExperiment({ steps: 20 }));
      await train(made);
      run = join(folder, 'sound');
      cpSync(made, run, { recursive: true });
    }
    const copy = join(folder, 'run');
    rmSync(copy, { recursive: true, force: true });
    cpSync(run, copy, { recursive: true });
    for (let times = 1 + random.int(2); times > 0; times--) {
      const files = (readdirSync(copy, { recursive: true }) as string[])
        .map(name => join(copy, name))
        .filter(path => statSync(path, { throwIfNoEntry: false })?.isFile());
      const path = random.pick(files);
      const kind = random.int(5);
      if (kind === 0) rmSync(path);
      else if (kind === 1) truncateSync(path, random.int(statSync(path).size + 1));
      else if (kind === 2) {
        rmSync(path);
        if (random.chance(0.5)) mkdirSync(path);
        else {
          symlinkSync(path, path);
          break;
        }
      } else writeFileSync(path, mutated(random, readFileSync(path)));
    }
    const reader = new RunReader(copy);
    while (reader.poll() || reader.behind);
    for (const problem of reader.problems) plain(problem);
    readSummary(copy);
    try {
      openFinishedRun(copy);
    } catch (cause) {
      const { message } = explain(cause, false);
      assert.doesNotMatch(message, /unroll failed/, (cause as Error).stack);
      plain(message);
    }
  });
});
