// Every command that uses a run makes its task.json again where it was lost, and says the same as before; one whose
// output is gone or full ends with a documented code and without a stack.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { createRun } from '../../../src/runs/create.ts';
import { jsonLines, main, startUnroll, unroll } from './unroll.ts';

describe('unroll: a run that is used', () => {
  let folder: string;
  let run: string;
  let whole: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-lost-'));
    writeFileSync(
      join(folder, 'c.csv'),
      `text,label\n${Array.from({ length: 60 }, (_, row) => `${'ab'[row % 2]!.repeat(1 + (row % 5))},${'xy'[row % 2]}\n`).join('')}`,
    );
    writeFileSync(
      join(folder, 'c.rnn.json'),
      JSON.stringify({
        data: { task: 'classify', path: 'c.csv', text: 'text', label: 'label' },
        model: { layers: [{ type: 'embedding', dim: 4 }, { type: 'gru', units: 4 }, { type: 'dense' }] },
        training: { steps: 4, batchSize: 8 },
      }),
    );
    const trained = unroll(['train', 'c.rnn.json', '--json', '--out', 'o'], { cwd: folder });
    assert.equal(trained.code, 0, trained.stderr);
    run = join(folder, 'o', readdirSync(join(folder, 'o'))[0]!);
    whole = readFileSync(join(run, 'task.json'), 'utf8');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const losses: [name: string, lose: (path: string) => void][] = [
    ['deleted', path => rmSync(path)],
    ['cut', path => writeFileSync(path, whole.slice(0, 40))],
    [
      'a folder',
      path => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ];
  const commands: [name: string, words: string[], input?: string][] = [
    ['evaluate', ['evaluate', '--json']],
    ['export', ['export', '--format', 'pytorch', '--out', 'pt']],
    ['try', ['try'], '{"text":"aab"}'],
    ['predict', ['predict', 'c.csv']],
  ];
  for (const [name, [command, ...words], input] of commands)
    it(`makes task.json again for ${name}, with the same answer`, () => {
      const path = join(run, 'task.json');
      const say = () => {
        rmSync(join(folder, 'pt'), { recursive: true, force: true });
        const files = words[0] === 'c.csv' ? [run, 'c.csv'] : [run, ...words];
        return unroll([command!, ...files], { cwd: folder, ...(input && { input }) });
      };
      const before = say();
      assert.equal(before.code, 0, before.stderr);
      for (const [kind, lose] of losses) {
        lose(path);
        assert.deepEqual(say(), before, kind);
        assert.equal(readFileSync(path, 'utf8'), whole, kind);
      }
    }).timeout(60_000);

  it('makes task.json again for serve', async () => {
    rmSync(join(run, 'task.json'));
    const child = startUnroll(['serve', run, '--json'], folder);
    const [said] = await once(child.stdout!, 'data');
    assert.equal(jsonLines(String(said))[0]!['kind'], 'serve');
    assert.equal(readFileSync(join(run, 'task.json'), 'utf8'), whole);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('says what is missing where the data are gone too, and exits with 2', () => {
    rmSync(join(run, 'task.json'));
    const data = readFileSync(join(folder, 'c.csv'));
    rmSync(join(folder, 'c.csv'));
    for (const [, [command, ...words], input] of commands.slice(0, 3)) {
      const { code, stderr, stdout } = unroll([command!, run, ...words], {
        cwd: folder,
        ...(input && { input }),
      });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(
        stderr.replace(/\s+/g, ' '),
        /has lost its task\.json, .* The data file c\.csv does not exist .*\. $/,
      );
    }
    writeFileSync(join(folder, 'c.csv'), data);
  });

  /** With a stdout that nobody reads, or a full one. */
  function started(words: string[], output: number | 'pipe', input = ''): ChildProcess {
    const child = spawn(process.execPath, [main(), ...words], {
      cwd: folder,
      stdio: ['pipe', output, 'pipe'],
    });
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
    return child;
  }
  async function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
    let stderr = '';
    child.stderr!.on('data', chunk => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, stderr };
  }
  const outputs: [string, () => string[], string?][] = [
    ['try', () => ['try', run], '{"text":"aab"}'],
    ['serve', () => ['serve', run]],
    ['predict', () => ['predict', run, 'c.csv']],
  ];
  for (const [name, words, input] of outputs) {
    it(`${name} ends quietly when nobody reads`, async () => {
      const child = started(words(), 'pipe', input);
      child.stdout!.destroy();
      assert.equal((await ended(child)).code, 0);
    });
    if (existsSync('/dev/full'))
      it(`${name} fails in a sentence on a full disk`, async () => {
        const full = openSync('/dev/full', 'w');
        const { code, stderr } = await ended(started(words(), full, input));
        closeSync(full);
        assert.equal(code, 3);
        assert.match(stderr, /^The disk of the output is full\.$/m);
        assert.doesNotMatch(stderr, /^\s+at /m);
      });
  }

  for (const [name, output] of [
    ['nobody reads', 'pipe'],
    ['its log is on a full disk', '/dev/full'],
  ] as const)
    if (output === 'pipe' || existsSync(output))
      it(`work trains to its end when ${name}`, async () => {
        const experiment = experimentSchema.parse(
          JSON.parse(readFileSync(join(folder, 'c.rnn.json'), 'utf8')),
        );
        const queued = createRun(
          { out: join(folder, 'w') },
          {
            ...{ name: 'w', experiment, definition: null, group: null, engine: 'reference', threads: 1 },
            ...{ base: folder, workspace: folder, allowedPaths: [] },
          },
        );
        const full = output === 'pipe' ? 'pipe' : openSync(output, 'w');
        const child = spawn(process.execPath, [main(), 'work', queued], {
          cwd: folder,
          stdio: ['ignore', full, full],
        });
        child.stdout?.destroy();
        child.stderr?.destroy();
        const [code] = await once(child, 'exit');
        if (full !== 'pipe') closeSync(full);
        assert.equal(code, 0);
        const events = jsonLines(readFileSync(join(queued, 'events.jsonl'), 'utf8'));
        assert.equal(events.at(-1)!['reason'], 'finished');
      });
});
