// A run knows the data it learned from: changed, appended, moved, copied; and its test part is scored once.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { bestCheckpoint } from '../../../../src/runs/checkpoints.ts';
import { createRun } from '../../../../src/runs/create.ts';
import type { RunFile } from '../../../../src/runs/format.ts';
import { changeSince, fingerprintOf } from '../../../../src/trainer/data/fingerprint.ts';
import { predictFile } from '../../../../src/trainer/inference/predict/index.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { writeWeights } from '../../../../src/trainer/layers/weights.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { readCheckpoint } from '../../../../src/trainer/training/checkpoint.ts';
import { startFromWeights } from '../../../../src/trainer/training/from-weights.ts';
import { figuresOf, scorePart, whole } from '../../../../src/trainer/training/validation.ts';
import { trainRuns, type WorkOptions } from '../../../../src/trainer/training/work.ts';
import { bitsOf, inShortTurns, readRun, useWorkspace, workspaceFolder } from './runs.ts';

const series = (from: number, to: number, shift = 0) =>
  Array.from({ length: to - from }, (_, index) => {
    const row = from + index;
    return `${row},${(100 + 10 * Math.sin(row / 3) + shift * row).toFixed(3)}\n`;
  }).join('');

describe('the data of a run', () => {
  useWorkspace();
  let workspace = '';
  beforeEach(() => {
    workspace = join(workspaceFolder(), 'ws');
    mkdirSync(workspace);
    writeFileSync(join(workspace, 's.csv'), `t,v\n${series(0, 80)}`);
    writeFileSync(join(workspace, 't.txt'), 'to be or not to be, '.repeat(60));
  });

  const forecast = { task: 'forecast', path: 's.csv', target: 'v', window: 8 } as const;
  const charLm = { task: 'char-lm', path: 't.txt' } as const;

  function make(data: typeof forecast | typeof charLm, training: object = {}, out?: string): string {
    const experiment = experimentSchema.parse({
      data,
      model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
      training: {
        steps: 30,
        batchSize: 4,
        seqLen: 8,
        checkpoint: { every: 10 },
        validation: { every: 10 },
        ...training,
      },
    });
    return createRun(out === undefined ? { workspace } : { out }, {
      name: 'e',
      experiment,
      definition: null,
      group: null,
      engine: 'reference',
      threads: null,
      base: workspace,
      workspace,
      allowedPaths: [],
    });
  }
  const work = async (folder: string, options: WorkOptions = {}) => {
    const notes: string[] = [];
    const [outcome] = await trainRuns([folder], { ...options, onData: (_, told) => notes.push(...told) });
    return { ...outcome!, notes: notes.join(' ') };
  };
  /** Trains up to some step, as a person's Ctrl+C leaves it. */
  const stopped = async (folder: string, at = 10) => {
    const controller = new AbortController();
    await inShortTurns(async () => {
      const { reason } = await work(folder, {
        signal: controller.signal,
        onEvent: (_, event) => event.step === at && event.kind === 'checkpoint' && controller.abort(),
      });
      assert.equal(reason, 'stopped');
    });
    return folder;
  };
  const json = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));

  it('stands in run.json: size, time, hashes, and what was read', async () => {
    const folder = await stopped(make(forecast));
    const [file] = (json(folder, 'run.json') as RunFile).data!;
    assert.equal(file!.path, 's.csv');
    assert.equal(file!.bytes, readFileSync(join(workspace, 's.csv')).length);
    assert.deepEqual(file!.read, { rows: 80, columns: 2 });
    const text = await stopped(make(charLm));
    assert.deepEqual((json(text, 'run.json') as RunFile).data![0]!.read, { characters: 1200, symbols: 8 });
  });

  it('goes on to the same bits when rows were appended, and says how many', async () => {
    const whole = make(forecast);
    await work(whole);
    const folder = await stopped(make(forecast));
    appendFileSync(join(workspace, 's.csv'), series(80, 120, 3));
    const { reason, notes } = await work(folder);
    assert.equal(reason, 'finished');
    assert.equal(notes, '40 rows were appended to s.csv; going on with the first 80.');
    assert.deepEqual(bitsOf(folder), bitsOf(whole));
  });

  it('goes on to the same bits when text was appended', async () => {
    const whole = make(charLm);
    await work(whole);
    const folder = await stopped(make(charLm));
    appendFileSync(join(workspace, 't.txt'), 'ÄÖ new symbols');
    const { reason, notes } = await work(folder);
    assert.equal(reason, 'finished');
    assert.match(notes, /^\d+ bytes were appended to t\.txt; going on with the first 1,200\.$/);
    assert.deepEqual(bitsOf(folder), bitsOf(whole));
  });

  const changes: [name: string, change: (path: string) => void, message: RegExp][] = [
    [
      'one digit',
      path => writeFileSync(path, readFileSync(path, 'utf8').replace('100.000', '900.000')),
      /s\.csv is not the file that this run learned from: [\d,]+ bytes as then; its beginning differs/,
    ],
    [
      'a row removed at the end',
      path => writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(0, -2).join('\n')),
      /[\d,]+ bytes then, [\d,]+ now/,
    ],
    [
      'rows in front',
      path => writeFileSync(path, `t,v\n${series(-20, 80)}`),
      /bytes then, [\d,]+ now; its beginning differs/,
    ],
    [
      'an equal size and time',
      path => {
        writeFileSync(path, readFileSync(path, 'utf8').replaceAll('1', '7'));
        utimesSync(path, new Date(0), new Date(0));
      },
      /bytes as then/,
    ],
    [
      'other columns',
      path => writeFileSync(path, readFileSync(path, 'utf8').replace('t,v', 'x,y')),
      /learned from/,
    ],
  ];
  for (const [name, change, message] of changes)
    it(`refuses data with ${name}, trains nothing, and goes on when told to, in the run's own scaling`, async () => {
      const folder = await stopped(make(forecast));
      const before = { task: readFileSync(join(folder, 'task.json')), bits: bitsOf(folder) };
      change(join(workspace, 's.csv'));
      const refused = await work(folder);
      assert.equal(refused.reason, 'failed');
      assert.equal(refused.wrongInput, true);
      assert.match(refused.message, message);
      assert.match(refused.message, /--changed-data.*--with-new-data/);
      assert.deepEqual(bitsOf(folder), before.bits);
      if (name === 'other columns') return;
      const forced = await work(folder, { changedData: true });
      assert.equal(forced.reason, 'finished', forced.message);
      assert.match(forced.notes, /Going on with the scaling and vocabulary of the run/);
      assert.deepEqual(readFileSync(join(folder, 'task.json')), before.task);
    });

  it('keeps the vocabulary of the run, and names a character that is not in it', async () => {
    const folder = await stopped(make(charLm));
    writeFileSync(join(workspace, 't.txt'), 'or to be not, be to '.repeat(60));
    const forced = await work(folder, { changedData: true });
    assert.equal(forced.reason, 'finished');
    const other = await stopped(make(charLm));
    writeFileSync(join(workspace, 't.txt'), 'to be or not to Be, '.repeat(60));
    const refused = await work(other, { changedData: true });
    assert.match(refused.message, /t\.txt holds "B", which is not among the 8 symbols that this run knows/);
  });

  it('starts a new run from the weights with new data', async () => {
    const folder = make(forecast);
    await work(folder);
    const old = json(folder, 'task.json');
    writeFileSync(join(workspace, 's.csv'), `t,v\n${series(0, 200, 1)}`);
    const made = startFromWeights(folder);
    const best = bestCheckpoint(folder)!;
    assert.deepEqual(
      readFileSync(join(made, 'checkpoints/0/weights.safetensors')),
      readFileSync(join(best.folder, 'weights.safetensors')),
    );
    const { reason, message } = await work(made);
    assert.equal(reason, 'finished', message);
    assert.deepEqual(json(made, 'task.json').scaling, old.scaling);
    assert.equal((json(made, 'run.json') as RunFile).data![0]!.read['rows'], 200);
    assert.notDeepEqual(bitsOf(made), bitsOf(folder));
  });

  it('is found where the workspace was moved or copied to', async () => {
    const folder = await stopped(make(forecast));
    const copy = join(workspaceFolder(), 'copy');
    cpSync(workspace, copy, { recursive: true });
    const there = folder.replace(workspace, copy);
    // the copy's own file is read, not the one it was copied from
    writeFileSync(join(workspace, 's.csv'), `t,v\n${series(0, 80, 9)}`);
    assert.equal((await work(there)).reason, 'finished');
    const moved = join(workspaceFolder(), 'moved');
    writeFileSync(join(workspace, 's.csv'), `t,v\n${series(0, 80)}`);
    renameSync(workspace, moved);
    const after = await work(folder.replace(workspace, moved));
    assert.equal(after.reason, 'finished', after.message);
  });

  it('is found beside a run outside of .unroll that was moved with it, and where a person names it', async () => {
    const folder = await stopped(make(forecast, {}, join(workspace, 'out')));
    const moved = join(workspaceFolder(), 'moved');
    renameSync(workspace, moved);
    const there = folder.replace(workspace, moved);
    renameSync(join(moved, 's.csv'), join(moved, 'other.csv'));
    const missing = await work(there);
    assert.match(missing.message, /does not exist .* Name it with --data PATH/);
    const named = await work(there, { data: join(moved, 'other.csv') });
    assert.equal(named.reason, 'finished', named.message);
  });

  it('is found by a copied run folder at its old place', async () => {
    const folder = await stopped(make(forecast));
    const copy = join(workspaceFolder(), 'elsewhere', 'run');
    cpSync(folder, copy, { recursive: true });
    rmSync(folder, { recursive: true });
    assert.equal((await work(copy)).reason, 'finished');
  });

  it('predicts in the scaling of the run, and says whether the table is its own', async () => {
    const folder = make(forecast, { steps: 200, optimizer: { type: 'adam', learningRate: 0.02 } });
    await work(folder);
    const path = join(workspace, 's.csv');
    const own = await predictFile(folder, path);
    assert.match(own.notes[0]!, /^s\.csv is the file that this run learned from\.$/);
    appendFileSync(path, series(80, 82));
    assert.match(
      (await predictFile(folder, path)).notes[0]!,
      /learned from, with 2 further rows after the first 80\./,
    );
    const other = join(workspace, 'other.csv');
    // the same wave ten units higher: a model that scaled it anew would see no difference
    writeFileSync(
      other,
      `t,v\n${series(0, 80).replaceAll(/,(\d+)/g, (_, whole) => `,${Number(whole) + 10}`)}`,
    );
    const high = await predictFile(folder, other);
    assert.match(high.notes[0]!, /^other\.csv is not the file/);
    assert.ok(Math.abs(Number(high.next[0]!['prediction']) - Number(own.next[0]!['prediction']) - 10) > 1e-3);
    assert.notEqual(high.rows[5]!['prediction'], own.rows[5]!['prediction']);
  });

  it('scores the test part once, at the end, with the best weights', async () => {
    for (const data of [forecast, charLm]) {
      const split = data === charLm ? { split: [0.7, 0.15, 0.15] } : {};
      const folder = make({ ...data, ...split } as never, {
        steps: 60,
        validation: { every: 3 },
        optimizer: { type: 'adam', learningRate: 0.6 },
      });
      const { message } = await work(folder);
      const reader = readRun(folder);
      const column = reader.scalars.get('testLoss')!;
      assert.equal(column.length, 1);
      const best = bestCheckpoint(folder)!;
      assert.ok(best.step < 60, 'the best weights are not the last ones');
      const { experiment } = reader.run!;
      const task = await openTask(experiment, { base: workspace, workspace, allowedPaths: [] });
      const model = buildModel(experiment, task.sizes, 1);
      writeWeights(model, readCheckpoint(best.folder).weights);
      const figures = figuresOf(task, whole(scorePart(model, task, task.test()))!);
      model.dispose();
      assert.equal(column.mean.at(0), figures['valLoss']);
      assert.ok(
        message.includes(`Test loss ${figures['valLoss']!.toPrecision(4)} with its weights.`),
        message,
      );
      const other = data === charLm ? 'testBitsPerChar' : 'testRmse';
      assert.equal(reader.scalars.get(other)!.mean.at(0), figures[data === charLm ? 'bitsPerChar' : 'rmse']);
      // and the last checkpoint has the last weights
      assert.notDeepEqual(
        readFileSync(join(folder, 'checkpoints/60/weights.safetensors')),
        readFileSync(join(best.folder, 'weights.safetensors')),
      );
    }
  });
});

describe('fingerprints of files', () => {
  useWorkspace();
  it('tell the same, an appended and a changed file apart, with the line', async () => {
    const path = join(workspaceFolder(), 'a.txt');
    const lines = Array.from({ length: 5000 }, (_, row) => `line ${row}\n`);
    writeFileSync(path, lines.join(''));
    const known = await fingerprintOf(path);
    assert.deepEqual(await changeSince(path, known), { kind: 'same' });
    appendFileSync(path, 'more\n\n  \nend');
    assert.deepEqual(await changeSince(path, known), {
      kind: 'appended',
      count: 2,
      unit: 'row',
      bytes: 12,
      known: { bytes: known.bytes },
    });
    writeFileSync(path, lines.map((line, row) => (row === 4000 ? 'lime 4000\n' : line)).join(''));
    const since = await changeSince(path, known);
    assert.ok(since.kind === 'changed');
    const line = Number(/after line ([\d,]+)$/.exec(since.why)![1]!.replace(',', ''));
    assert.ok(line <= 4001 && line > 4001 - known.chunkBytes / 8, since.why);
    writeFileSync(path, lines.slice(0, 4000).join(''));
    assert.match(((await changeSince(path, known)) as { why: string }).why, /bytes then, [\d,]+ now/);
    writeFileSync(path, '');
    assert.equal((await changeSince(path, known)).kind, 'changed');
  });

  it('name the file of a folder that changed, though its size did not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unroll-print-'));
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.csv`), `x\n${name}\n`);
    const known = await fingerprintOf(folder);
    assert.deepEqual(await changeSince(folder, known), { kind: 'same' });
    writeFileSync(join(folder, 'b.csv'), 'x\nd\n');
    assert.deepEqual(await changeSince(folder, known), {
      kind: 'changed',
      why: '12 bytes then, 12 now, in its files; the first that differs is b.csv',
    });
    rmSync(folder, { recursive: true });
  });
});
