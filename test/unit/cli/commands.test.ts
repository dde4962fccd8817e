// Commands that read: help, check, params, show, compare, export of curves, and resume of what is over.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { createRun } from '../../../src/runs/create.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { loadRun } from '../../../src/trainer/cli/run-facts.ts';
import { picture } from '../../../src/trainer/cli/show.ts';
import { requestOf, runFileOf, Scratch, scalars } from '../runs/folder.ts';
import { jsonLines, unroll } from './unroll.ts';

const ESCAPE = '\u001b\\[';
const COMMANDS = [
  'train',
  'resume',
  'show',
  'compare',
  'sample',
  'predict',
  'export',
  'params',
  'check',
  'bench',
];

/** What the test reads of `params --json`. */
interface Counts {
  convention: string;
  inputSize: number;
  total: number;
  layers: { count: number }[];
  cells: { cell: string; total: number; formula: string; equalParameters: { units: number } }[];
}

describe('unroll --help', () => {
  it('lists every command for people, and none that is for the extension', () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = unroll(args);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      for (const name of COMMANDS) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
      assert.doesNotMatch(stdout, /^ {2}work /m);
    }
  });

  it('tells of each command, whatever else is on the line', () => {
    for (const name of [...COMMANDS, 'work']) {
      const { code, stdout } = unroll([name, '--nonsense', '--help']);
      assert.equal(code, 0, name);
      assert.match(stdout, new RegExp(`^unroll ${name}[ \\n]`));
      assert.match(stdout, /--help {2,}Show this text\./);
    }
  });

  it('without a command says how it is used, and that this is no success', () => {
    const { code, stdout, stderr } = unroll([]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^Usage: unroll COMMAND/);
  });

  it('tells its version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.equal(unroll(['--version']).stdout, `${version}\n`);
  });
});

describe('unroll check and params on the samples', () => {
  const samples = readdirSync('samples')
    .filter(name => name.endsWith('.rnn.json'))
    .map(name => `samples/${name}`);

  it('finds no fault, and tells what the text holds', () => {
    const { code, stdout } = unroll(['check', ...samples]);
    assert.equal(code, 0);
    for (const file of samples) assert.match(stdout, new RegExp(`${file}: no (faults|errors, 1 warning)`));
    assert.match(stdout, /883,028 characters, 76 different/);
    assert.match(stdout, /rare characters/);
  });

  it('counts as published for PyTorch', () => {
    const [facts] = jsonLines(unroll(['params', 'samples/emma.rnn.json', '--json']).stdout) as unknown as [
      Counts,
    ];
    assert.equal(facts.convention, 'pytorch');
    assert.equal(facts.inputSize, 32);
    const row = (name: string) => facts.cells.find(({ cell }) => cell === name)!;
    assert.deepEqual(
      ['rnn', 'gru', 'lstm'].map(name => [row(name).total, row(name).equalParameters.units]),
      [
        [20_736, 271],
        [62_208, 150],
        [82_944, 128],
      ],
    );
    assert.equal(
      facts.total,
      facts.layers.reduce((sum, layer) => sum + layer.count, 0),
    );
    assert.equal(row('lstm').formula, '4·128·(32 + 128 + 2)');
  });

  it('says the convention and the share of an LSTM', () => {
    const { stdout } = unroll(['params', 'samples/emma.rnn.json', '--set', 'model.convention=keras']);
    assert.match(stdout, /Keras: one bias vector per gate, two for a GRU with reset_after/);
    assert.match(stdout, /^GRU +128 +62,208 +−24\.5 % /m);
    assert.match(stdout, /^LSTM +128 +82,432 /m);
  });
});

describe('unroll on runs', () => {
  const scratch = new Scratch();
  let workspace: string;
  let runs: string[];

  before(() => {
    workspace = scratch.folder();
    runs = ['GRU', 'RNN'].map((label, index) => {
      const request = { ...requestOf(workspace), group: { id: 'g', index, size: 2, label } };
      const folder = createRun({ workspace }, request);
      const writer = RunWriter.open(folder);
      writer.writeRun(runFileOf(writer.request));
      for (let step = 1; step <= 100; step++) {
        writer.event(
          scalars(step, {
            trainLoss: (index + 1) / step,
            ...(step % 10 ? {} : { valLoss: (index + 2) / step }),
          }),
        );
      }
      const flow = writer.series('gradient-flow', {
        name: 'gradient-flow',
        view: 'time-map',
        width: 20,
        axes: [
          { name: 'layer', size: 1 },
          { name: 't', size: 20 },
        ],
        layers: [{ name: 'layers.0.0', family: 'recurrent', title: 'GRU', units: 4, keeps: 'z' }],
        unit: '',
      });
      for (const step of [10, 100])
        flow.row(
          step,
          Float32Array.from({ length: 20 }, (_, t) => 10 ** ((t - 19) * 0.75)),
        );
      writer.event({
        kind: 'sample',
        step: 100,
        time: 1,
        sample: { type: 'text', prompt: 'To ', text: 'be\u001b[2J\nor', temperature: 1 },
      });
      writer.event({
        kind: 'ended',
        step: 100,
        time: 1,
        reason: 'finished',
        message: '',
        trainLoss: 0.01,
        valLoss: 0.02,
        seconds: 12,
      });
      writer.status({ state: 'finished', step: 100 });
      writer.close();
      return folder;
    });
  });
  after(() => scratch.clean());

  it('show draws curves, heatmap and reach, without colours in a pipe', () => {
    const { code, stdout, stderr } = unroll(['show', runs[0]!]);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    assert.match(stdout, /^adding GRU · finished at step 100 of 100 · 0:12$/m);
    assert.match(stdout, /[⠁-⣿]{5}/);
    assert.match(
      stdout,
      /^Loss mse {3}━ training 0\.01 {3}• validation 0\.02 {3}baseline 0\.1667: always 1$/m,
    );
    // norms fall by 10^0.75 a step: 1 % lies between two and three steps back
    assert.match(stdout, /Reach .*: 2 at step 10, 2 at step 100, of 19\./);
    assert.match(stdout, /^ +100 +░+▒+▓+█+$/m);
    assert.ok(!stdout.includes('\u001b'), 'escape sequences of a run reach the terminal');
    assert.match(stdout, /^To be\ufffd\[2J\nor$/m);
  });

  it('show uses 24-bit colours where asked, and none with NO_COLOR', () => {
    assert.match(
      unroll(['show', runs[0]!], { env: { FORCE_COLOR: '3', TERM: 'xterm' } }).stdout,
      new RegExp(`${ESCAPE}38;2;\\d+;\\d+;\\d+m`),
    );
    assert.match(
      unroll(['show', runs[0]!], { env: { FORCE_COLOR: '1', COLORTERM: '', TERM: 'xterm-256color' } }).stdout,
      new RegExp(`${ESCAPE}38;5;\\d+m`),
    );
    assert.ok(
      !unroll(['show', runs[0]!], { env: { FORCE_COLOR: '3', NO_COLOR: '1' } }).stdout.includes('\u001b'),
    );
  });

  it('show is no wider than a terminal, and says there what it says in a pipe', () => {
    const run = loadRun(runs[0]!);
    const options = { logarithmic: true, layer: 0 };
    const words = (text: string) => text.split(/\s+/).filter(word => /^[\p{L}\d.,:;()]+$/u.test(word));
    for (const columns of [60, 80, 120]) {
      for (const colours of ['none', 'true'] as const) {
        const wide = picture(run, options, { columns, textColumns: Infinity, colours });
        const narrow = picture(run, options, { columns, textColumns: columns, colours });
        // the path of a folder stays whole, to be copied
        for (const line of stripVTControlCharacters(narrow).split('\n'))
          assert.ok(line.length <= columns || line === run.folder, line);
        assert.deepEqual(words(stripVTControlCharacters(narrow)), words(stripVTControlCharacters(wide)));
      }
    }
  });

  it('a pipe gets whole lines, whatever COLUMNS is', () => {
    for (const args of [
      ['compare', ...runs],
      ['check', 'samples/emma.rnn.json'],
      ['params', 'samples/emma.rnn.json'],
    ]) {
      const outputs = ['40', '400'].map(COLUMNS => unroll(args, { env: { COLUMNS } }).stdout);
      assert.ok(outputs[0]!.length > 0);
      assert.equal(outputs[0], outputs[1], args[0]!);
    }
  });

  it('finds a run by its id from inside the workspace', () => {
    const { code, stdout } = unroll(['show', basename(runs[1]!)], { cwd: dirname(dirname(runs[1]!)) });
    assert.equal(code, 0);
    assert.match(stdout, /^adding RNN/);
  });

  it('compare sets runs side by side', () => {
    const { code, stdout } = unroll(['compare', ...runs]);
    assert.equal(code, 0);
    const [head, gru, rnn] = stdout.split('\n');
    assert.match(
      head!,
      /^run +state +val loss +best +at step +parameters +reach +ms\/step .* best against adding GRU/,
    );
    assert.match(gru!, /^adding GRU +finished +0\.02 +0\.02 +100 +101 /);
    assert.match(rnn!, /^adding RNN +finished +0\.03 +0\.03 +100 +101 .*\+0\.01$/);
    const records = jsonLines(unroll(['compare', ...runs, '--json']).stdout);
    assert.deepEqual(
      records.map(({ run, valLoss, best }) => ({ run, valLoss, best })),
      [
        { run: runs[0], valLoss: 0.02, best: { value: 0.02, step: 100 } },
        { run: runs[1], valLoss: 0.03, best: { value: 0.03, step: 100 } },
      ],
    );
  });

  it('compare writes Markdown and CSV of the same rows', () => {
    const { code, stdout } = unroll(['compare', '--markdown', ...runs]);
    assert.equal(code, 0);
    const [head, rule, gru, rnn] = stdout.split('\n');
    assert.match(
      head!,
      /^\| run \| state \| val loss \| best \| at step \| parameters \| .* best against adding GRU \|$/,
    );
    assert.match(rule!, /^\| --- \| --: \|/);
    assert.match(gru!, /^\| adding GRU \| finished \| 0\.02 \| 0\.02 \| 100 \| 101 \|/);
    assert.match(rnn!, /^\| adding RNN \| finished \| 0\.03 \| .*\| \+0\.01 \|$/);
    const lines = unroll(['compare', '--csv', ...runs]).stdout.split('\r\n');
    assert.match(lines[0]!, /^run,seeds,state,final,finalSd,best,bestSd/);
    assert.match(lines[2]!, /^adding RNN,1,finished,0\.03/);
  });

  it('resume of a finished run tells again how it ended, and changes nothing', () => {
    const before = snapshot(runs[0]!);
    const { code, stdout } = unroll(['resume', runs[0]!, '--json']);
    assert.equal(code, 0);
    assert.deepEqual(jsonLines(stdout), [
      {
        kind: 'ended',
        reason: 'finished',
        message: '',
        run: runs[0],
        steps: 100,
        trainLoss: 0.01,
        valLoss: 0.02,
        metrics: null,
        seconds: 12,
        engine: 'reference',
      },
    ]);
    assert.match(
      unroll(['resume', runs[0]!]).stdout,
      /finished after 100 steps in 0:12: loss 0\.01, validation 0\.02\. Nothing was changed\./,
    );
    assert.deepEqual(snapshot(runs[0]!), before);
  });

  it('export writes curves where it is told', () => {
    const out = join(scratch.folder(), 'curves');
    const { code, stdout } = unroll(['export', runs[0]!, '--format', 'csv', '--out', out, '--json']);
    assert.equal(code, 0);
    assert.deepEqual(jsonLines(stdout), [
      { kind: 'export', format: 'csv', files: [join(out, 'scalars.csv')] },
    ]);
    assert.match(
      readFileSync(join(out, 'scalars.csv'), 'utf8'),
      /^trainLoss,100,10,320000,0\.01,0\.01,0\.01$/m,
    );
    const wrong = unroll(['export', runs[0]!, '--format', 'pdf']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^--format must be one of .*, found "pdf"\.$/m);
  });

  it('a folder that was damaged is shown as far as it can be, with a note', () => {
    const copy = join(mkdtempSync(join(tmpdir(), 'unroll-cli-')), 'run');
    cpSync(runs[0]!, copy, { recursive: true });
    const sidecarFile = join(copy, 'series', 'gradient-flow.json');
    rmSync(sidecarFile);
    cpSync(join(copy, 'status.json'), sidecarFile);
    const { code, stdout } = unroll(['show', copy]);
    rmSync(dirname(copy), { recursive: true });
    assert.equal(code, 0);
    assert.match(stdout, /^Note: The series "gradient-flow" is left out: /m);
    assert.match(stdout, /━ training 0\.01/);
  });

  /** Name, size and time of every file. */
  function snapshot(folder: string): string[] {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .sort()
      .map(name => {
        const { size, mtimeMs } = statSync(join(folder, name));
        return `${name} ${size} ${mtimeMs}`;
      });
  }
});
