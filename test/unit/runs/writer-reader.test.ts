// What one writer writes, readers read: whole, torn, resumed, replaced.
import assert from 'node:assert/strict';
import fs, {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { bestCheckpoint, latestCheckpoint, writeCheckpoint } from '../../../src/runs/checkpoints.ts';
import { requestControl } from '../../../src/runs/control.ts';
import { RunFolderGoneError } from '../../../src/runs/errors.ts';
import type { RunRequest } from '../../../src/runs/format.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { runFileOf, Scratch, scalars, sidecar } from './folder.ts';

const row = (start: number) => Float32Array.from({ length: 6 }, (_, i) => start + i);

describe('run folder', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  function readAll(folder: string): RunReader {
    const reader = new RunReader(folder);
    reader.poll();
    return reader;
  }

  it('is queued when created, ignored by git, and named by time, name and hash', () => {
    const folder = scratch.run();
    assert.match(folder, /[\\/]\.unroll[\\/]runs[\\/]\d{8}T\d{6}Z-adding-[0-9a-f]{6}$/);
    assert.equal(readFileSync(join(dirname(dirname(folder)), '.gitignore'), 'utf8'), '*\n');
    const reader = readAll(folder);
    assert.equal(reader.status?.state, 'queued');
    assert.equal(reader.request?.name, 'adding');
    assert.equal(reader.run, null);
    assert.deepEqual(reader.problems, []);
  });

  it('gives back every event, row and status', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    writer.writeRun(runFileOf(writer.request as RunRequest));
    writer.event({ kind: 'started', step: 0, time: 1 });
    writer.event(scalars(1, { trainLoss: 0.5, learningRate: 0.001 }));
    writer.event({
      kind: 'scalars',
      step: 2,
      time: 3,
      values: { trainLoss: { mean: 0.4, min: 0.3, max: 0.9 }, valLoss: Number.NaN, learningRate: 0.001 },
      ownSeconds: 0.2,
      tokens: 6400,
    });
    writer.event({
      kind: 'sample',
      step: 2,
      time: 4,
      sample: { type: 'text', prompt: 'a\u2028', text: '<b>"\\\n', temperature: 1 },
    });
    writer.event({ kind: 'checkpoint', step: 2, time: 4, best: true, valLoss: 'Infinity' });
    const flow = writer.series('gradient-flow', sidecar);
    flow.row(1, row(0.5));
    flow.row(2, row(Number.NaN));
    writer.status({ state: 'training', step: 2, eta: 9, last: { trainLoss: 'NaN' } });
    writer.event({
      kind: 'ended',
      step: 2,
      time: 5,
      reason: 'finished',
      message: '',
      trainLoss: 0.4,
      valLoss: null,
      seconds: 0.2,
    });
    writer.close();

    const reader = readAll(folder);
    assert.deepEqual(reader.problems, []);
    assert.equal(reader.run?.parameters.total, 101);
    const loss = reader.scalars.get('trainLoss')!;
    assert.deepEqual([...loss.steps.values()], [1, 2]);
    assert.deepEqual([...loss.mean.values()], [0.5, 0.4]);
    assert.deepEqual([...loss.min.values()], [0.5, 0.3]);
    assert.deepEqual([...loss.max.values()], [0.5, 0.9]);
    assert.deepEqual([...loss.seconds.values()], [0.1, 0.2]);
    const validation = reader.scalars.get('valLoss')!;
    assert.deepEqual([...validation.steps.values()], [2]);
    assert.ok(Number.isNaN(validation.mean.at(0)));
    assert.equal(reader.samples[0]?.sample.type, 'text');
    assert.deepEqual(reader.checkpoints, [{ step: 2, best: true }]);
    const series = reader.series.get('gradient-flow')!;
    assert.deepEqual(series.steps, [1, 2]);
    assert.deepEqual([...series.rows[0]!], [...row(0.5)]);
    assert.ok(series.rows[1]!.every(Number.isNaN));
    assert.equal(reader.status?.last['trainLoss'], 'NaN');
    assert.equal(reader.ended?.reason, 'finished');
    assert.ok(!existsSync(join(folder, 'writer.json')));
  });

  it('is read in increments, and a poll of a quiet folder finds nothing new', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    const flow = writer.series('gradient-flow', sidecar);
    const reader = new RunReader(folder);
    reader.poll();
    for (let step = 1; step <= 20; step++) {
      writer.event(scalars(step, { trainLoss: step }));
      flow.row(step, row(step));
      assert.equal(reader.poll(), true);
      assert.equal(reader.scalars.get('trainLoss')!.length, step);
      assert.equal(reader.series.get('gradient-flow')!.rows.length, step);
      assert.equal(reader.poll(), false);
    }
    writer.close();
  });

  for (const lost of ['.', 'events.jsonl', 'series/gradient-flow.f32'])
    it(`is read to an end when ${lost === '.' ? 'it' : lost} is deleted amid its reading`, () => {
      const folder = scratch.run();
      const writer = RunWriter.open(folder);
      const flow = writer.series('gradient-flow', sidecar);
      for (let step = 1; step <= 20_000; step++) {
        writer.event(scalars(step, { trainLoss: step }));
        flow.row(step, row(step));
      }
      writer.close();
      const reader = new RunReader(folder);
      reader.poll(1000, 0);
      assert.ok(reader.behind);
      rmSync(join(folder, lost), { recursive: true });
      let polls = 0;
      while ((reader.poll() || reader.behind) && polls < 1000) polls++;
      assert.ok(polls < 1000, 'it is read without end');
    });

  it('is read on at the next poll when there is no time for all, events and series', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    const flow = writer.series('gradient-flow', sidecar);
    const rows = 20_000;
    for (let step = 1; step <= rows; step++) {
      writer.event(scalars(step, { trainLoss: step }));
      flow.row(step, row(step));
    }
    writer.close();
    const reader = new RunReader(folder);
    let polls = 0;
    do {
      reader.poll(3e6, 0);
      polls++;
    } while (reader.behind);
    assert.ok(polls > 20, `${polls} polls`);
    const losses = reader.scalars.get('trainLoss')!;
    assert.equal(losses.length, rows);
    for (const index of [0, 63, 64, 4095, 4096, rows - 1]) assert.equal(losses.mean.at(index), index + 1);
    assert.deepEqual(
      losses.mean.values(),
      Float64Array.from({ length: rows }, (_, index) => index + 1),
    );
    const series = reader.series.get('gradient-flow')!;
    assert.equal(series.rows.length, rows);
    assert.deepEqual([...series.rows[rows - 1]!], [...row(rows)]);
    assert.equal(reader.poll(), false);
  });

  it('thins the older rows of a series that is too long for memory', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    const wide = { ...sidecar, width: 4000, axes: [{ name: 't', size: 4000 }], layers: [] };
    const flow = writer.series('gradient-flow', wide);
    for (let step = 1; step <= 5000; step++) flow.row(step, new Float32Array(4000).fill(step));
    writer.close();
    const reader = readAll(folder);
    const { steps, rows } = reader.series.get('gradient-flow')!;
    // 64 MB hold 4000 rows of 16,000 bytes
    assert.equal(steps.length, 3750);
    assert.deepEqual(steps.slice(0, 3), [1, 3, 5]);
    assert.deepEqual(steps.slice(1249, 1252), [2499, 2501, 2502]);
    assert.deepEqual(
      rows.map(values => values[0]),
      steps,
    );
    assert.equal(rows[0]!.buffer.byteLength, 1250 * 16_000);
  });

  it('shares places of rows between scalars only while they are written together', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    const reader = new RunReader(folder);
    for (const values of [{ a: 1, b: 1 }, { a: 2, b: 2 }, { a: 3 }, { a: 4, b: 4, c: 4 }, { c: 5 }] as Record<
      string,
      number
    >[]) {
      writer.event(scalars(values['a'] ?? 5, values));
      reader.poll();
    }
    writer.close();
    const places = (name: string) => [...reader.scalars.get(name)!.steps.values()];
    const means = (name: string) => [...reader.scalars.get(name)!.mean.values()];
    for (const [name, expected] of [
      ['a', [1, 2, 3, 4]],
      ['b', [1, 2, 4]],
      ['c', [4, 5]],
    ] as const) {
      assert.deepEqual(places(name), [...expected], name);
      assert.deepEqual(means(name), [...expected], name);
    }
  });

  it('waits for the end of a torn line, and the next writer cuts it off', () => {
    const folder = scratch.run();
    const first = RunWriter.open(folder);
    first.event(scalars(1, { trainLoss: 1 }));
    first.close();
    const events = join(folder, 'events.jsonl');
    const reader = new RunReader(folder);
    appendFileSync(events, '{"kind":"scalars","step":2,"ti');
    reader.poll();
    assert.equal(reader.scalars.get('trainLoss')!.length, 1);
    const second = RunWriter.open(folder);
    assert.ok(readFileSync(events, 'utf8').endsWith('}\n'));
    reader.poll();
    second.event(scalars(2, { trainLoss: 2 }));
    reader.poll();
    second.close();
    assert.deepEqual([...reader.scalars.get('trainLoss')!.mean.values()], [1, 2]);
    assert.deepEqual(reader.problems, []);
  });

  it('mends a torn line that is longer than a block, and one that is the whole file', () => {
    for (const whole of ['{"kind":"started","step":0,"time":1}\n', '']) {
      const folder = scratch.run();
      RunWriter.open(folder).close();
      const events = join(folder, 'events.jsonl');
      writeFileSync(events, `${whole}{"kind":"sample","text":"${'x'.repeat(200_000)}`);
      RunWriter.open(folder).close();
      assert.equal(readFileSync(events, 'utf8'), whole);
    }
  });

  it('mends torn rows, and goes on after the last whole one', () => {
    const folder = scratch.run();
    const first = RunWriter.open(folder);
    const flow = first.series('gradient-flow', sidecar);
    flow.row(1, row(1));
    flow.row(2, row(2));
    first.close();
    const file = join(folder, 'series', 'gradient-flow.f32');
    truncateSync(file, statSync(file).size - 5);
    const reader = readAll(folder);
    assert.deepEqual(reader.series.get('gradient-flow')!.steps, [1]);
    const second = RunWriter.open(folder);
    const again = second.series('gradient-flow', sidecar);
    again.row(2, row(20));
    again.row(3, row(30));
    second.close();
    reader.poll();
    const series = reader.series.get('gradient-flow')!;
    assert.deepEqual(series.steps, [1, 2, 3]);
    assert.equal(series.rows[1]![0], 20);
    assert.deepEqual(reader.problems, []);
  });

  it('gives back a finding whose fix takes a field away: that has no value in a file', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    const fixes = [
      {
        title: 'Use a GRU',
        edits: [
          { path: ['model', 'layers', 0, 'type'], value: 'gru' },
          { path: ['model', 'layers', 0, 'activation'], value: undefined },
        ],
      },
    ];
    const finding = {
      id: 'vanishing',
      severity: 'warning',
      message: 'm',
      layer: null,
      evidence: {},
      fixes,
    } as const;
    writer.event({ kind: 'finding', step: 1, time: 1, finding: { ...finding, fixes } });
    writer.close();
    const reader = readAll(folder);
    assert.deepEqual(reader.problems, []);
    assert.deepEqual(
      reader.findings[0]?.fixes[0]?.edits.map(({ path, value }) => [path.at(-1), value]),
      [
        ['type', 'gru'],
        ['activation', undefined],
      ],
    );
  });

  it('drops what stood beyond the step a run resumed from, for readers old and new', () => {
    const folder = scratch.run();
    const first = RunWriter.open(folder);
    const flow = first.series('gradient-flow', sidecar);
    const finding = { severity: 'info' as const, message: 'm', layer: null, evidence: {}, fixes: [] };
    const sample = { type: 'text', prompt: 'a', text: 'b', temperature: 1 } as const;
    for (let step = 1; step <= 10; step++) {
      first.event(scalars(step, { trainLoss: step, ...(step % 2 ? {} : { valLoss: step }) }));
      flow.row(step, row(step));
      if (step < 6) continue;
      first.event({ kind: 'finding', step, time: 1, finding: { id: `plateau-${step}`, ...finding } });
      first.event({ kind: 'sample', step, time: 1, sample });
    }
    const old = readAll(folder);
    first.close();

    const second = RunWriter.open(folder);
    second.truncateAfter(6);
    second.event({ kind: 'resumed', step: 6, time: 2, fromStep: 6 });
    const again = second.series('gradient-flow', sidecar);
    for (let step = 7; step <= 12; step++) {
      second.event(scalars(step, { trainLoss: step * 100 }));
      again.row(step, row(step * 100));
    }
    second.close();
    old.poll();
    for (const reader of [old, readAll(folder)]) {
      const expected = [1, 2, 3, 4, 5, 6, 700, 800, 900, 1000, 1100, 1200];
      assert.deepEqual([...reader.scalars.get('trainLoss')!.mean.values()], expected);
      assert.deepEqual([...reader.scalars.get('valLoss')!.steps.values()], [2, 4, 6]);
      const stepsOf = (kept: readonly { step: number }[]) => kept.map(({ step }) => step);
      assert.deepEqual(stepsOf(reader.findings), [6], 'findings');
      assert.deepEqual(stepsOf(reader.samples), [6], 'samples');
      const series = reader.series.get('gradient-flow')!;
      assert.deepEqual(
        series.rows.map(values => values[0]),
        expected,
      );
      assert.deepEqual(reader.problems, []);
    }
  });

  it('starts over when events.jsonl is replaced by another file', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    for (let step = 1; step <= 3; step++) writer.event(scalars(step, { trainLoss: step }));
    writer.close();
    const reader = readAll(folder);
    const other = `${JSON.stringify(scalars(1, { trainLoss: 7 }))}\n`.repeat(5);
    writeFileSync(join(folder, 'other'), other);
    renameSync(join(folder, 'other'), join(folder, 'events.jsonl'));
    reader.poll();
    assert.deepEqual([...reader.scalars.get('trainLoss')!.mean.values()], [7, 7, 7, 7, 7]);
  });

  it('replaces the status whole, with a heartbeat that grows across writers', () => {
    const folder = scratch.run();
    const first = RunWriter.open(folder);
    for (let i = 0; i < 5; i++) first.status({ step: i });
    first.close();
    const second = RunWriter.open(folder);
    assert.equal(second.lastStatus.step, 4);
    second.status({ state: 'training' });
    second.close();
    const status = JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8'));
    assert.equal(status.heartbeat, 6);
    assert.deepEqual(
      readdirSync(folder).filter(name => name.endsWith('.tmp')),
      [],
    );
  });

  describe('checkpoints', () => {
    const files = (text: string) =>
      new Map([
        ['weights.safetensors', Buffer.from(text)],
        ['state.json', Buffer.from('{}')],
      ]);

    it('keeps the best and the last', () => {
      const folder = scratch.run();
      const writer = RunWriter.open(folder);
      for (const [step, best] of [
        [10, true],
        [20, true],
        [30, false],
        [40, false],
      ] as const) {
        writer.checkpoint(step, files(`w${step}`), { best });
      }
      writer.close();
      assert.deepEqual(readdirSync(join(folder, 'checkpoints')).sort(), ['20', '40', 'best.json']);
      assert.equal(latestCheckpoint(folder)?.step, 40);
      assert.equal(bestCheckpoint(folder)?.step, 20);
      assert.deepEqual(latestCheckpoint(folder)?.files, [
        'checksums.json',
        'state.json',
        'weights.safetensors',
      ]);
    });

    it('replaces one of the same step, and never loses both to a crash in between', () => {
      const folder = scratch.run();
      const parent = join(folder, 'checkpoints');
      const writer = RunWriter.open(folder);
      writer.checkpoint(10, files('old'), { best: false });
      writer.checkpoint(10, files('new'), { best: false });
      const weights = join(parent, '10', 'weights.safetensors');
      assert.equal(readFileSync(weights, 'utf8'), 'new');
      writer.close();
      // as a crash between removing the old and renaming the new one leaves it
      renameSync(join(parent, '10'), join(parent, '.new-10'));
      RunWriter.open(folder).close();
      assert.equal(readFileSync(weights, 'utf8'), 'new');
    });

    it('has no file of an attempt that was cut off, and leaves none behind when it fails', () => {
      const folder = scratch.run();
      const parent = join(folder, 'checkpoints');
      const half = join(parent, '.tmp-10');
      mkdirSync(half, { recursive: true });
      writeFileSync(join(half, 'junk'), 'half');
      writeCheckpoint(folder, 10, files('whole'), { best: false });
      assert.deepEqual(latestCheckpoint(folder)?.files, [
        'checksums.json',
        'state.json',
        'weights.safetensors',
      ]);
      assert.throws(() =>
        writeCheckpoint(folder, 20, new Map([['no/folder', Buffer.from('')]]), { best: true }),
      );
      assert.deepEqual(readdirSync(parent), ['10']);
    });

    it('is on the disk before it takes its place, and its place before it is called the best', () => {
      const folder = scratch.run();
      const done: string[] = [];
      const { fsyncSync, openSync, renameSync } = fs;
      const opened = new Map<number, string>();
      const nameOf = (file: fs.PathLike) => basename(String(file));
      fs.openSync = (file, ...more) => {
        const descriptor = openSync(file, ...more);
        opened.set(descriptor, nameOf(file));
        return descriptor;
      };
      fs.fsyncSync = descriptor => {
        done.push(`sync ${opened.get(descriptor)}`);
        fsyncSync(descriptor);
      };
      fs.renameSync = (from, to) => {
        done.push(`rename ${nameOf(to)}`);
        renameSync(from, to);
      };
      syncBuiltinESMExports();
      try {
        writeCheckpoint(folder, 10, files('w'), { best: true });
      } finally {
        Object.assign(fs, { fsyncSync, openSync, renameSync });
        syncBuiltinESMExports();
      }
      const own = ['weights.safetensors', 'state.json', 'checksums.json', '.tmp-10'];
      assert.deepEqual(done.slice(0, 6), [
        ...own.map(name => `sync ${name}`),
        'rename 10',
        'sync checkpoints',
      ]);
      assert.equal(done.at(-1), 'rename best.json');
      assert.match(done.at(-2)!, /^sync best\.json/);
    });

    it('removes what a crash left half-made', () => {
      const folder = scratch.run();
      const half = join(folder, 'checkpoints', '.tmp-50');
      mkdirSync(half, { recursive: true });
      writeFileSync(join(half, 'weights.safetensors'), 'half');
      writeFileSync(join(folder, 'status.json.123.tmp'), '{');
      RunWriter.open(folder).close();
      assert.ok(!existsSync(half));
      assert.ok(!existsSync(join(folder, 'status.json.123.tmp')));
      assert.equal(latestCheckpoint(folder), null);
    });
  });

  describe('control', () => {
    const now = performance.now.bind(performance);
    let passed = 0;
    const later = (milliseconds: number) => {
      passed += milliseconds;
    };
    before(() => {
      performance.now = () => now() + passed;
    });
    after(() => {
      performance.now = now;
    });

    it('is taken once, unknown files are left alone, and a new writer starts without any', async () => {
      const folder = scratch.run();
      requestControl(folder, 'stop');
      const writer = RunWriter.open(folder);
      assert.deepEqual(writer.takeControl(), []);
      requestControl(folder, 'pause');
      requestControl(folder, 'checkpoint');
      writeFileSync(join(folder, 'control', 'rm -rf'), '');
      assert.deepEqual(writer.takeControl(), [], 'listed at most every 100 ms');
      later(120);
      assert.deepEqual(writer.takeControl(), ['pause', 'checkpoint']);
      later(120);
      assert.deepEqual(writer.takeControl(), []);
      writer.close();
    });

    it('takes the later of pause and resume', async () => {
      const folder = scratch.run();
      const writer = RunWriter.open(folder);
      requestControl(folder, 'resume');
      requestControl(folder, 'pause');
      later(120);
      assert.deepEqual(writer.takeControl(), ['pause']);
      writer.close();
    });
  });

  it('says when it was deleted, and does not bring it back', () => {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    const flow = writer.series('gradient-flow', sidecar);
    writer.event(scalars(1, { trainLoss: 1 }));
    const reader = readAll(folder);
    rmSync(folder, { recursive: true });
    assert.throws(() => writer.event(scalars(2, { trainLoss: 1 })), RunFolderGoneError);
    assert.throws(() => flow.row(2, row(1)), RunFolderGoneError);
    assert.throws(() => writer.status({ step: 2 }), RunFolderGoneError);
    assert.throws(
      () => writer.checkpoint(2, new Map([['a', Buffer.from('b')]]), { best: true }),
      RunFolderGoneError,
    );
    writer.close();
    assert.ok(!existsSync(folder));
    reader.poll();
    assert.equal(reader.gone, true);
    assert.equal(reader.scalars.get('trainLoss')!.length, 1);
  });

  it('refuses a folder that is no run', () => {
    assert.throws(() => RunWriter.open(scratch.folder()), /is not a run folder/);
  });
});
