// Wrong input at the shell: exit code 2, one clear message on stderr, nothing on stdout, no stack.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines, type Result, unroll, unrollAll } from './unroll.ts';

describe('unroll: wrong input', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-cli-'));
    const workspace = join(folder, 'workspace');
    mkdirSync(join(workspace, '.vscode'), { recursive: true });
    mkdirSync(join(workspace, 'data'));
    const file = (name: string, content: string | Buffer) => writeFileSync(join(workspace, name), content);
    const layers = [{ type: 'lstm', units: 8 }, { type: 'dense' }];
    const text = (path: string) =>
      `{\n  "data": { "task": "char-lm", "path": ${JSON.stringify(path)} },\n  "model": ${JSON.stringify({ layers })} }`;
    const adding = { data: { task: 'adding' }, model: { layers } };
    file('good.rnn.json', JSON.stringify(adding));
    file(
      'zero.rnn.json',
      JSON.stringify(
        { ...adding, model: { layers: [{ type: 'lstm', units: 0 }, { type: 'dense' }] } },
        null,
        2,
      ),
    );
    file(
      'huge.rnn.json',
      JSON.stringify(
        { ...adding, model: { layers: [{ type: 'lstm', units: 1e9 }, { type: 'dense' }] } },
        null,
        2,
      ),
    );
    file('unknown.rnn.json', JSON.stringify({ ...adding, trainig: {} }, null, 2));
    file('syntax.rnn.json', '{\n  "data": {\n');
    file('empty.rnn.json', '');
    file('binary.rnn.json', Buffer.from([0, 159, 146, 150, 255]));
    file('text.txt', 'to be or not to be. '.repeat(500));
    file('blank.txt', '');
    writeFileSync(join(folder, 'outside.txt'), 'x'.repeat(10_000));
    if (process.platform !== 'win32') symlinkSync(join(folder, 'outside.txt'), join(workspace, 'link.txt'));
    for (const [name, path] of [
      ['missing', 'nowhere.txt'],
      ['directory', 'data'],
      ['blank', 'blank.txt'],
      ['outside', '../outside.txt'],
      ['link', 'link.txt'],
    ]) {
      file(`${name}.rnn.json`, text(path!));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const cases: [args: string[], message: RegExp][] = [
    [['trian'], /^There is no command `unroll trian`; did you mean `unroll train`\?$/],
    [['--jsno'], /^The first word must be a command, found --jsno; `unroll --help` lists the commands\.$/],
    [['train'], /^`unroll train` needs FILE: unroll train FILE\.$/],
    [['train', 'a', 'b'], /^`unroll train` takes FILE, but also found "b"\.$/],
    [
      ['train', 'good.rnn.json', '--step', '3'],
      /^`unroll train` has no option --step; did you mean --steps\?$/,
    ],
    [['train', 'good.rnn.json', '--steps'], /^--steps needs a value: --steps N\.$/],
    [['train', 'good.rnn.json', '--steps', '--json'], /^--steps needs a value/],
    [
      ['train', 'good.rnn.json', '--steps', 'ten'],
      /^--steps must be a whole number of at least 1, found "ten"\.$/,
    ],
    [
      ['train', 'good.rnn.json', '--steps', '0'],
      /^--steps must be a whole number of at least 1, found "0"\.$/,
    ],
    [['train', 'good.rnn.json', '--json=yes'], /^--json takes no value, found "yes"\.$/],
    [
      ['train', 'good.rnn.json', '--engine', 'cuda'],
      /^--engine must be one of auto, native, wasm, reference, tfjs-node, found "cuda"\.$/,
    ],
    [
      ['train', 'good.rnn.json', '--threads', '0.5'],
      /^--threads must be a whole number of at least 1 and at most 1024, found "0\.5"\.$/,
    ],
    [['train', 'good.rnn.json', '--workspace', 'nowhere'], /^--workspace: there is no folder nowhere\.$/],
    [
      ['train', 'good.rnn.json', '--set', 'training.batchSize'],
      /^--set training\.batchSize: write it as path=value, such as training\.batchSize=64\.$/,
    ],
    [
      ['train', 'good.rnn.json', '--set', 'training.batchsize=3'],
      /^--set training\.batchsize=3: This experiment has no field `training\.batchsize`; did you mean `training\.batchSize`\?$/,
    ],
    [
      ['train', 'good.rnn.json', '--set', 'training.batchSize=0'],
      /^--set training\.batchSize=0: `batchSize` must be a whole number of at least 1, found 0\.$/,
    ],
    [
      ['train', 'good.rnn.json', '--set', 'model.layers.0.units=1e9'],
      /^--set model\.layers\.0\.units=1e9: Training this would take about \d+ EB of memory \(4\.0e\+18 parameters\), but this machine has [\d.]+ GB; use fewer units\.$/,
    ],
    [['train', 'nowhere.rnn.json'], /^There is no file nowhere\.rnn\.json\.$/],
    [['train', '.'], /^\. is a folder; name an experiment file \(\*\.rnn\.json\)\.$/],
    [
      ['train', 'zero.rnn.json'],
      /^zero\.rnn\.json:9:18: `units` must be a whole number of at least 1, found 0\.$/,
    ],
    [['train', 'huge.rnn.json'], /^huge\.rnn\.json:9:18: Training this would take about \d+ EB of memory/],
    [
      ['check', 'unknown.rnn.json'],
      /^unknown\.rnn\.json:16:3: `trainig` is not a key of an experiment; did you mean `training`\?$/,
    ],
    [
      ['check', 'syntax.rnn.json'],
      /^syntax\.rnn\.json:3:1: A closing brace \} is missing, found the end of the file\.$/,
    ],
    [['check', 'empty.rnn.json'], /^empty\.rnn\.json:1:1: The file is empty/],
    [['params', 'binary.rnn.json'], /^binary\.rnn\.json is not a UTF-8 text; is it the data\?$/],
    [['train', 'missing.rnn.json'], /^missing\.rnn\.json:2:40: .*nowhere\.txt/],
    [['check', 'directory.rnn.json'], /^directory\.rnn\.json:2:40: .*data is a folder/],
    [['check', 'blank.rnn.json'], /^blank\.rnn\.json:2:40: .*blank\.txt is empty/],
    [['check', 'outside.rnn.json'], /^outside\.rnn\.json:2:40: .*outside of the workspace .*--allow-path/],
    [['train', 'link.rnn.json'], /^link\.rnn\.json:2:40: .*outside of the workspace/],
    [
      ['train', 'good.rnn.json', '--out', 'text.txt'],
      /^No run can be made in .*text\.txt: it cannot be written \(EEXIST\)\. Use --out DIR to write the run elsewhere\.$/,
    ],
    [['show', 'nowhere'], /^There is no run folder nowhere\.$/],
    [['resume', 'data'], /^data is not a run: a run folder holds run\.json or request\.json\.$/],
    [
      ['show', '20260101T000000Z-x-000000'],
      /^There is no run 20260101T000000Z-x-000000 here or in .*runs\.$/,
    ],
    [['export', 'data', '--format', 'pytorch'], /^data is not a run/],
  ];
  describe('is said in one message', () => {
    let results: Result[];
    before(async () => {
      results = await unrollAll(
        cases.map(([args]) => args),
        join(folder, 'workspace'),
      );
    });
    for (const [index, [args, message]] of cases.entries()) {
      it(`unroll ${args.join(' ')}`, function () {
        if (args[1] === 'link.rnn.json' && process.platform === 'win32') this.skip();
        const { code, stdout, stderr } = results[index]!;
        assert.equal(stdout, '');
        assert.match(stderr.trimEnd(), message);
        assert.doesNotMatch(stderr, /^\s+at /m);
        assert.equal(code, 2);
      });
    }
  });

  it('a data file outside is read where --allow-path says so', () => {
    const cwd = join(folder, 'workspace');
    const { code, stdout, stderr } = unroll(['check', 'outside.rnn.json', '--allow-path', '..'], { cwd });
    assert.equal(stderr, '');
    assert.match(stdout, /outside\.rnn\.json: no faults/);
    assert.equal(code, 0);
  });

  it('check --json: a line a file, faults included, and nothing else on stdout', () => {
    const { code, stdout, stderr } = unroll(
      ['check', '--json', 'good.rnn.json', 'zero.rnn.json', 'nowhere.rnn.json'],
      {
        cwd: join(folder, 'workspace'),
      },
    );
    assert.equal(stderr, '');
    assert.deepEqual(jsonLines(stdout), [
      { kind: 'check', file: 'good.rnn.json', ok: true, problems: [], notes: [] },
      {
        kind: 'check',
        file: 'zero.rnn.json',
        ok: false,
        problems: [
          {
            line: 9,
            column: 18,
            severity: 'error',
            message: '`units` must be a whole number of at least 1, found 0.',
          },
        ],
        notes: [],
      },
      {
        kind: 'check',
        file: 'nowhere.rnn.json',
        ok: false,
        problems: [{ line: 1, column: 1, severity: 'error', message: 'There is no file nowhere.rnn.json.' }],
        notes: [],
      },
    ]);
    assert.equal(code, 2);
  });
});
