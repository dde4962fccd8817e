// Training at the shell with real processes: JSON lines, exit codes, Ctrl+C, resume, rivals, kill -9.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { latestCheckpoint } from '../../../src/runs/checkpoints.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { Scratch } from '../runs/folder.ts';
import { jsonLines, startUnroll, unroll } from './unroll.ts';

const experiment = {
  name: 'tiny',
  data: { task: 'adding', length: 10 },
  model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
  training: { steps: 30, batchSize: 4, validation: { every: 10 }, checkpoint: { every: 10 } },
};

/** what the task says of its data, beside the output */
const DRAWN = 'Sequences of 10 steps, drawn anew for every training step; 200 fixed ones for validation.\n';

describe('unroll train', () => {
  const scratch = new Scratch();
  let workspace: string;
  let file: string;
  let out: string;

  beforeEach(() => {
    workspace = scratch.folder();
    mkdirSync(join(workspace, '.git'));
    file = join(workspace, 'tiny.rnn.json');
    out = join(workspace, 'out');
    writeFileSync(file, JSON.stringify(experiment));
  });
  afterEach(() => scratch.clean());

  const weightsOf = (run: string) =>
    readFileSync(join(latestCheckpoint(run)!.folder, 'weights.safetensors')).toString('base64');

  /** The one run in the folder of --out. */
  function onlyRun(): string {
    const names = readdirSync(out);
    assert.equal(names.length, 1);
    return join(out, names[0]!);
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise(resolve => setTimeout(resolve, 20));
  }

  /** Starts a run that would take minutes, and waits until it has a checkpoint. */
  async function startLong(more: string[] = []) {
    const child = startUnroll([
      'train',
      file,
      '--out',
      out,
      '--json',
      '--set',
      'training.steps=100000',
      ...more,
    ]);
    let stdout = '';
    let stderr = '';
    child.stdout!.on('data', chunk => (stdout += chunk));
    child.stderr!.on('data', chunk => (stderr += chunk));
    await until(
      () =>
        child.exitCode !== null ||
        (existsSync(out) && readdirSync(out).some(name => latestCheckpoint(join(out, name)))),
    );
    assert.equal(child.exitCode, null, stderr);
    return { child, run: onlyRun(), output: () => ({ stdout, stderr }) };
  }

  it('--json: the events of events.jsonl and last how it ended; the run stands in the workspace', () => {
    const { code, stdout, stderr } = unroll(['train', file, '--json', '--set', 'log.every=1']);
    assert.equal(stderr, DRAWN);
    assert.equal(code, 0);
    const runs = join(workspace, '.unroll', 'runs');
    const run = join(runs, readdirSync(runs)[0]!);
    assert.equal(readFileSync(join(workspace, '.unroll', '.gitignore'), 'utf8'), '*\n');
    const lines = jsonLines(stdout);
    const last = lines.pop()!;
    const written = jsonLines(readFileSync(join(run, 'events.jsonl'), 'utf8'));
    assert.equal(written.at(-1)!['kind'], 'ended');
    assert.deepEqual(lines, written.slice(0, -1));
    assert.deepEqual(Object.keys(last), [
      'kind',
      'reason',
      'message',
      'run',
      'steps',
      'trainLoss',
      'valLoss',
      'metrics',
      'seconds',
      'engine',
    ]);
    assert.equal(last['run'], run);
    assert.equal(last['steps'], 30);
    assert.equal(last['reason'], 'finished');
    assert.equal(last['engine'], 'reference');
    assert.equal(typeof last['trainLoss'], 'number');
    const reader = new RunReader(run);
    reader.poll();
    assert.deepEqual(reader.problems, []);
    assert.equal(reader.status?.state, 'finished');
    assert.equal(reader.run?.definition?.path, 'tiny.rnn.json');
    assert.ok(!existsSync(join(run, 'writer.json')));
  });

  it('a comparison ends with a line a member and one for the group', () => {
    writeFileSync(file, JSON.stringify({ ...experiment, compare: { cell: ['rnn', 'gru'] } }));
    const { code, stdout } = unroll(['train', file, '--out', out, '--json', '--steps', '10']);
    assert.equal(code, 0);
    const lines = jsonLines(stdout);
    const [first, second, group] = lines.slice(-3) as [
      Record<string, unknown>,
      Record<string, unknown>,
      Record<string, unknown>,
    ];
    assert.deepEqual([first['kind'], second['kind'], group['kind']], ['ended', 'ended', 'ended']);
    assert.deepEqual(group['runs'], [first['run'], second['run']]);
    const { group: membership } = JSON.parse(readFileSync(join(String(first['run']), 'run.json'), 'utf8'));
    assert.equal(group['group'], membership.id);
    assert.equal(membership.label, 'RNN');
    assert.ok(lines.every(line => typeof line['run'] === 'string' || Array.isArray(line['runs'])));
    assert.equal(readdirSync(out).length, 2);
    assert.ok(!existsSync(join(workspace, '.unroll')));
  });

  it('tells in lines what it does where there is no terminal', () => {
    const { code, stdout } = unroll(['train', file, '--out', out]);
    assert.equal(code, 0);
    assert.match(stdout, /^tiny: .*tiny-[0-9a-f]{6}$/m);
    assert.match(stdout, /^tiny: step +30\/30 {2}loss [\d.]+ {2}validation [\d.]+/m);
    assert.match(stdout, /^tiny finished after 30 steps in 0:0\d: loss [\d.]+, validation [\d.]+\.$/m);
    assert.match(stdout, /^See it: unroll show /m);
  });

  it('Ctrl+C stops with a checkpoint, exit code 130, and resume goes on to the same bytes', async () => {
    const { child, run, output } = await startLong();
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    const { stdout, stderr } = output();
    assert.equal(code, 130);
    assert.match(stderr, /^Stopping with a checkpoint; Ctrl\+C again ends at once\.$/m);
    const last = jsonLines(stdout).at(-1)!;
    assert.equal(last['reason'], 'stopped');
    const step = Number(last['steps']);
    assert.equal(latestCheckpoint(run)?.step, step, 'the last step is a checkpoint');

    // as if the run had been asked for a little more than it has, in one piece and in two
    const target = step + 25;
    for (const name of ['run.json']) {
      const content = JSON.parse(readFileSync(join(run, name), 'utf8'));
      content.experiment.training.steps = target;
      writeFileSync(join(run, name), JSON.stringify(content));
    }
    const resumed = unroll(['resume', run, '--json']);
    assert.equal(resumed.code, 0, resumed.stderr);
    const events = jsonLines(resumed.stdout);
    assert.deepEqual([events[0]!['kind'], events[0]!['fromStep']], ['resumed', step]);
    assert.equal(events.at(-1)!['steps'], target);
    const whole = join(workspace, 'whole');
    assert.equal(unroll(['train', file, '--out', whole, '--steps', String(target)]).code, 0);
    assert.equal(weightsOf(run), weightsOf(join(whole, readdirSync(whole)[0]!)));
  });

  it('a second Ctrl+C ends at once, and the run can be resumed', async () => {
    const { child, run } = await startLong();
    child.kill('SIGINT');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 130);
    assert.ok(latestCheckpoint(run));
  });

  it('of two that resume a killed run at once, one goes on and one is refused', async () => {
    const { child, run } = await startLong();
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.match(unroll(['show', run]).stdout, /^tiny · crashed at step \d/);
    const rivals = [0, 1].map(() => startUnroll(['resume', run, '--json']));
    const said = rivals.map(() => '');
    rivals.forEach((rival, index) => {
      rival.stderr!.on('data', chunk => (said[index] += chunk));
      rival.stdout!.resume();
    });
    await until(() => rivals.some(rival => rival.exitCode !== null));
    const loser = rivals.findIndex(rival => rival.exitCode !== null);
    const winner = rivals[1 - loser]!;
    assert.equal(rivals[loser]!.exitCode, 2);
    assert.match(said[loser]!, new RegExp(`^The run .* is being written by process ${winner.pid} on `));
    assert.equal(winner.exitCode, null);
    winner.kill('SIGINT');
    assert.equal((await once(winner, 'exit'))[0], 130);
  });

  it('a run folder that is deleted in mid-run ends the run with one sentence, and is not brought back', async () => {
    const { child, run, output } = await startLong();
    // the run goes on writing into what is being deleted
    while (existsSync(run))
      try {
        rmSync(run, { recursive: true, force: true });
      } catch (cause) {
        assert.equal((cause as NodeJS.ErrnoException).code, 'ENOTEMPTY');
      }
    const [code] = await once(child, 'exit');
    const { stdout, stderr } = output();
    assert.equal(code, 3, stderr);
    const last = jsonLines(stdout).at(-1)!;
    assert.equal(last['reason'], 'failed');
    assert.match(String(last['message']), /is gone: it was deleted or moved while the run was training\./);
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.ok(!existsSync(run));
  });

  it('work trains what is queued, says so on stderr only, and leaves no writer', () => {
    assert.equal(unroll(['train', file, '--out', out, '--steps', '5']).code, 0);
    const { code, stdout, stderr } = unroll(['work', onlyRun()]);
    assert.equal(stdout, '');
    assert.match(stderr, /: finished at step 5\./);
    assert.equal(code, 0);
  });

  it('sample and predict use what was trained, and say which run they need', () => {
    writeFileSync(join(workspace, 'text.txt'), 'to be or not to be, that is the question. '.repeat(200));
    const rows = Array.from({ length: 300 }, (_, i) => `${i},${Math.sin(i / 5).toFixed(4)}`);
    writeFileSync(join(workspace, 'wave.csv'), ['t,y', ...rows].join('\n'));
    const train = (name: string, data: object) => {
      const training = { ...experiment.training, seqLen: 8 };
      writeFileSync(file, JSON.stringify({ ...experiment, name, data, training }));
      const { stdout } = unroll(['train', file, '--out', out, '--json']);
      return String(jsonLines(stdout).at(-1)!['run']);
    };
    const text = train('text', { task: 'char-lm', path: 'text.txt' });
    const wave = train('wave', { task: 'forecast', path: 'wave.csv', target: 'y', window: 10 });

    const sampled = unroll(['sample', text, '--prompt', 'to be', '--length', '40', '--seed', '7']);
    assert.equal(sampled.code, 0);
    assert.match(sampled.stdout, /^to be[a-z,. ]{40}\n$/);
    assert.equal(
      unroll(['sample', text, '--prompt', 'to be', '--length', '40', '--seed', '7']).stdout,
      sampled.stdout,
    );
    const stranger = unroll(['sample', text, '--prompt', '唐']);
    assert.equal(stranger.code, 2);
    assert.match(
      stranger.stderr,
      /^The prompt holds "唐", which is not among the \d+ characters of this run's text\.$/m,
    );

    const predicted = unroll(['predict', wave, join(workspace, 'wave.csv')]);
    const lines = predicted.stdout.trimEnd().split('\n');
    assert.equal(predicted.code, 0);
    assert.equal(lines[0], 'row,truth,prediction,persistence');
    assert.match(lines.at(-1)!, /^301,,-?[\d.]+,$/);
    assert.match(
      predicted.stderr,
      /^y: root mean square error [\d.]+ over \d+ rows, 1 ahead; persistence has [\d.]+\.$/m,
    );
    const [record] = jsonLines(
      unroll(['predict', wave, join(workspace, 'wave.csv'), '--next', '--json']).stdout,
    );
    assert.deepEqual(record!['rows'], []);
    assert.deepEqual(
      (record!['next'] as { row: number }[]).map(({ row }) => row),
      [301],
    );
    assert.match(unroll(['sample', wave, '--prompt', 'a']).stderr, /^--prompt is of language models;/m);
    assert.match(
      unroll(['predict', text, join(workspace, 'text.txt')]).stderr,
      /^8,399 characters: perplexity \S+, \S+ bits a character\.$/m,
    );

    const exported = unroll(['export', text, '--format', 'pytorch', '--out', join(workspace, 'exported')]);
    assert.equal(exported.code, 0, exported.stderr);
    assert.ok(
      existsSync(join(workspace, 'exported', 'model.py')) &&
        existsSync(join(workspace, 'exported', 'model.safetensors')),
    );
  });

  it('a run whose data has gone since says so, exit code 2', () => {
    const text = join(workspace, 'text.txt');
    writeFileSync(text, 'to be or not to be, that is the question. '.repeat(200));
    writeFileSync(
      file,
      JSON.stringify({
        ...experiment,
        data: { task: 'char-lm', path: 'text.txt' },
        training: { ...experiment.training, seqLen: 8 },
      }),
    );
    assert.equal(unroll(['train', file, '--out', out, '--steps', '5']).code, 0);
    const run = onlyRun();
    const status = JSON.parse(readFileSync(join(run, 'status.json'), 'utf8'));
    writeFileSync(join(run, 'status.json'), JSON.stringify({ ...status, state: 'stopped' }));
    writeFileSync(join(run, 'events.jsonl'), '{"kind":"started","step":0,"time":1}\n');
    writeFileSync(text, '');
    const { code, stdout, stderr } = unroll(['resume', run]);
    assert.equal(code, 2, stdout + stderr);
    assert.match(
      stdout + stderr,
      /text\.txt is not the file that this run learned from: 8,400 bytes then, 0 now/,
    );
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
});
