// `unroll resume` on data that changed, were appended to, or were moved.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wavOf } from '../trainer/data/wav-of.ts';
import { jsonLines, startUnroll, unroll } from './unroll.ts';

const row = (index: number, shift = 0) =>
  `${index},${(100 + 10 * Math.sin(index / 3) + shift * index).toFixed(3)}\n`;
const rows = (from: number, to: number, shift = 0) =>
  Array.from({ length: to - from }, (_, index) => row(from + index, shift)).join('');

describe('unroll resume: data', () => {
  let folder: string;
  let workspace: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-resume-'));
    workspace = join(folder, 'ws');
    mkdirSync(join(workspace, '.vscode'), { recursive: true });
    writeFileSync(join(workspace, 's.csv'), `t,v\n${rows(0, 80)}`);
    writeFileSync(
      join(workspace, 'f.rnn.json'),
      JSON.stringify({
        data: { task: 'forecast', path: 's.csv', target: 'v', window: 8 },
        model: { layers: [{ type: 'gru', units: 8 }, { type: 'dense' }] },
        training: { steps: 3_000_000, batchSize: 16, checkpoint: { every: 20 } },
      }),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Trains until it is interrupted; `until`: what must have been said before. */
  async function interrupted(
    args: string[],
    until: RegExp,
  ): Promise<{ code: number | null; stderr: string }> {
    const child = startUnroll(args, workspace);
    let stdout = '';
    let stderr = '';
    child.stderr!.on('data', chunk => {
      stderr += chunk;
    });
    child.stdout!.on('data', chunk => {
      const before = until.test(stdout);
      stdout += chunk;
      if (!before && until.test(stdout)) child.kill('SIGINT');
    });
    return new Promise(resolve => child.once('close', code => resolve({ code, stderr })));
  }
  async function stoppedRun(): Promise<string> {
    const { code } = await interrupted(['train', 'f.rnn.json', '--json'], /"kind":"checkpoint"/);
    assert.equal(code, 130);
    const runs = join(workspace, '.unroll/runs');
    return join(runs, readdirSync(runs)[0]!);
  }

  it('goes on with the rows it learned from, and forecasts in their scaling', async () => {
    const run = await stoppedRun();
    appendFileSync(join(workspace, 's.csv'), rows(80, 120, 3));
    const { code, stderr } = await interrupted(['resume', run, '--json'], /"kind":"checkpoint"/);
    assert.equal(code, 130);
    assert.match(stderr, /^40 rows were appended to s\.csv; going on with the first 80\.$/m);
    const predict = unroll(['predict', run, 's.csv', '--next'], { cwd: workspace });
    assert.equal(predict.code, 0, predict.stderr);
    assert.match(predict.stderr, /with 40 further rows after the first 80/);
    assert.match(predict.stdout, /^121,/m);
  });

  it('refuses data that changed, with what differs; --changed-data and --with-new-data go on', async () => {
    const run = await stoppedRun();
    writeFileSync(join(workspace, 's.csv'), `t,v\n${rows(0, 80, 2)}`);
    const refused = unroll(['resume', run], { cwd: workspace });
    assert.equal(refused.code, 2, refused.stdout);
    assert.match(
      (refused.stdout + refused.stderr).replace(/\s+/g, ' '),
      /s\.csv is not the file that this run learned from: [\d,]+ bytes then, [\d,]+ now; its beginning differs\. .*--changed-data/,
    );
    const forced = await interrupted(['resume', run, '--json', '--changed-data'], /"kind":"checkpoint"/);
    assert.equal(forced.code, 130);
    assert.match(forced.stderr, /Going on with the scaling and vocabulary of the run/);
    const anew = await interrupted(['resume', run, '--json', '--with-new-data'], /"kind":"checkpoint"/);
    assert.equal(anew.code, 130, anew.stderr);
    const runs = readdirSync(join(workspace, '.unroll/runs')).map(id => join(workspace, '.unroll/runs', id));
    assert.equal(runs.length, 2);
    const began = runs.find(own => own !== run)!;
    const { weightsFrom } = JSON.parse(readFileSync(join(began, 'run.json'), 'utf8'));
    assert.ok(weightsFrom.file.startsWith(run) && weightsFrom.file.endsWith('weights.safetensors'));
    const told = unroll(['show', began], { cwd: workspace }).stdout.replace(/\s+/g, ' ');
    assert.ok(told.includes(`began with weights.safetensors (SHA-256 ${weightsFrom.sha256.slice(0, 12)}…)`));
    assert.match(told, /Taken: \d+ tensors, each by its own name\. Left: nothing\./);
  });

  it('knows the sounds that a table names: one that changed is named, and show counts the labels', async () => {
    const sound = (pitch: number) =>
      wavOf(Array.from({ length: 1600 }, (_, at) => 0.5 * Math.sin(at * pitch)));
    mkdirSync(join(workspace, 'wav'));
    const names = Array.from({ length: 20 }, (_, at) => `wav/${at}.wav`);
    for (const [at, name] of names.entries())
      writeFileSync(join(workspace, name), sound(at % 4 ? 0.2 + 0.01 * at : 0.6));
    writeFileSync(
      join(workspace, 's.csv'),
      `file,label\n${names.map((name, at) => `${name},${at % 4 ? 'low' : 'high'}`).join('\n')}\n`,
    );
    writeFileSync(
      join(workspace, 'f.rnn.json'),
      JSON.stringify({
        data: { task: 'classify', path: 's.csv', label: 'label', audio: 'file' },
        model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
        training: { steps: 3_000_000, batchSize: 4, checkpoint: { every: 5 } },
      }),
    );
    const run = await stoppedRun();
    assert.match(
      unroll(['show', run], { cwd: workspace }).stdout,
      /2 labels: low 15 \(75(\.0)? %\), high 5 \(25(\.0)? %\)/,
    );
    const before = sound(0.27);
    writeFileSync(join(workspace, names[7]!), sound(0.28));
    const refused = unroll(['resume', run], { cwd: workspace });
    assert.equal(refused.code, 2, refused.stdout);
    assert.match(
      (refused.stdout + refused.stderr).replace(/\s+/g, ' '),
      /The files that s\.csv names are not those that this run learned from: .*; wav\/7\.wav differs\. /,
    );
    const forced = await interrupted(['resume', run, '--json', '--changed-data'], /"kind":"checkpoint"/);
    assert.equal(forced.code, 130, forced.stderr);
    writeFileSync(join(workspace, names[7]!), before);
    // a table that grew names further sounds; the run goes on with its own
    writeFileSync(join(workspace, 'wav/20.wav'), sound(0.3));
    appendFileSync(join(workspace, 's.csv'), 'wav/20.wav,low\n');
    const grown = await interrupted(['resume', run, '--json'], /"kind":"checkpoint"/);
    assert.equal(grown.code, 130, grown.stderr);
    assert.match(grown.stderr, /1 row was appended/);
    rmSync(join(workspace, names[3]!));
    const gone = unroll(['resume', run], { cwd: workspace });
    assert.equal(gone.code, 2);
    assert.match((gone.stdout + gone.stderr).replace(/\s+/g, ' '), /line 5: .*wav\/3\.wav.* does not exist/);
  });

  it('goes on in a workspace that was moved, and with data that --data names', async () => {
    const run = await stoppedRun();
    const moved = join(folder, 'ws2');
    renameSync(workspace, moved);
    const old = workspace;
    workspace = moved;
    const there = run.replace(old, moved);
    const { code, stderr } = await interrupted(['resume', there, '--json'], /"kind":"checkpoint"/);
    assert.equal(code, 130, stderr);
    renameSync(join(moved, 's.csv'), join(folder, 'elsewhere.csv'));
    const missing = unroll(['resume', there], { cwd: moved });
    assert.equal(missing.code, 2);
    assert.match(
      (missing.stdout + missing.stderr).replace(/\s+/g, ' '),
      /does not exist .* Name it with --data PATH/,
    );
    const named = await interrupted(
      ['resume', there, '--json', '--data', join(folder, 'elsewhere.csv')],
      /"kind":"checkpoint"/,
    );
    assert.equal(named.code, 130, named.stderr);
    const shown = jsonLines(unroll(['compare', there, '--json'], { cwd: moved }).stdout)[0]!;
    assert.equal(shown['state'], 'stopped');
  });
});
