// Bytes of a run folder that are not as they were written: rows, checkpoints, locks, and folders nobody may write.
import assert from 'node:assert/strict';
import fs, { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isRows } from '../../../src/runs/append-file.ts';
import { checkpointsOf, damageOf, latestCheckpoint, setAside } from '../../../src/runs/checkpoints.ts';
import { contentionOf } from '../../../src/runs/contention.ts';
import { RunsFolderError } from '../../../src/runs/errors.ts';
import { acquireWriter, releaseWriter } from '../../../src/runs/lock.ts';
import { originLines, originTitle } from '../../../src/runs/weights-origin.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'unroll-on-disk-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('a file of rows', () => {
  const ROW = 12;
  const of = (steps: readonly number[], rest = 0) => {
    const bytes = Buffer.alloc(steps.length * ROW + rest);
    for (const [row, step] of steps.entries()) bytes.writeUInt32LE(step, row * ROW);
    const file = path.join(folder, 'a.f32');
    writeFileSync(file, bytes);
    return isRows(file, ROW);
  };

  it('is known by steps that rise', () => {
    assert.ok(of([0]));
    assert.ok(of([3, 4, 900]));
    assert.ok(of([3, 4, 900], ROW - 1), 'a torn last row');
    assert.ok(of([0, 1_000_000_000]));
    assert.ok(!of([0, 1_000_000_001]));
    assert.ok(!of([3, 3]));
    assert.ok(!of([3, 4, 2]));
    assert.ok(!of([], ROW - 1));
  });
});

describe('a checkpoint on the disk', () => {
  const write = (step: number, files: Readonly<Record<string, string>>) => {
    const own = path.join(folder, 'checkpoints', String(step));
    mkdirSync(own, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(own, name), text);
    return latestCheckpoint(folder)!;
  };
  // of the bytes "abc", as the authors of SHA-1 give it
  const sums = '{"a.bin": {"bytes": 3, "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d"}}';

  it('is whole, or tells which of its files is not', () => {
    const damage = (files: Readonly<Record<string, string>>, only?: readonly string[]) => {
      rmSync(path.join(folder, 'checkpoints'), { recursive: true, force: true });
      return damageOf(write(7, files), only);
    };
    assert.equal(damage({ 'checksums.json': sums, 'a.bin': 'abc' }), null);
    assert.equal(damage({ 'checksums.json': sums, 'a.bin': 'abd' }), 'a.bin is not what was written');
    assert.equal(damage({ 'checksums.json': sums, 'a.bin': 'abcd' }), 'a.bin has 4 bytes, 3 were written');
    assert.match(damage({ 'checksums.json': sums })!, /^a\.bin cannot be read: /);
    assert.equal(damage({ 'checksums.json': sums, 'a.bin': 'abd' }, ['b.bin']), null);
    assert.equal(
      damage({ 'checksums.json': sums, 'a.bin': 'abd' }, ['a.bin']),
      'a.bin is not what was written',
    );
    assert.equal(damage({ 'checksums.json': '{' }), 'checksums.json cannot be read');
    for (const sum of ['null', '3', '{"sha1": "a9"}', '{"bytes": 3}', '{"bytes": "3", "sha1": "a9"}'])
      assert.equal(
        damage({ 'checksums.json': `{"a.bin": ${sum}}`, 'a.bin': 'abc' }),
        'checksums.json does not say what was written as a.bin',
      );
    assert.equal(damage({ 'a.bin': 'abc' }), null, 'of an old version, without sums');
  });

  it('that is set aside makes room for the one before it, and is kept', () => {
    write(7, { 'weights.safetensors': '7' });
    write(30, { 'weights.safetensors': '30' });
    assert.deepEqual(
      checkpointsOf(folder).map(({ step }) => step),
      [30, 7],
    );
    const aside = setAside(latestCheckpoint(folder)!);
    assert.equal(path.basename(aside), '.before-30');
    assert.equal(readFileSync(path.join(aside, 'weights.safetensors'), 'utf8'), '30');
    assert.equal(latestCheckpoint(folder)?.step, 7);
    write(30, { 'weights.safetensors': 'again' });
    setAside(latestCheckpoint(folder)!);
    assert.equal(readFileSync(path.join(aside, 'weights.safetensors'), 'utf8'), 'again');
    assert.deepEqual(readdirSync(path.join(folder, 'checkpoints')).sort(), ['.before-30', '7']);
  });
});

describe('a lock where the file system has no hard links', () => {
  const { linkSync } = fs;
  afterEach(() => {
    fs.linkSync = linkSync;
    syncBuiltinESMExports();
  });

  it('is taken by one writer alone', () => {
    fs.linkSync = () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    syncBuiltinESMExports();

    const lock = acquireWriter(folder);
    assert.throws(() => acquireWriter(folder), /writ/);
    releaseWriter(folder, lock);
    assert.deepEqual(readdirSync(folder), []);
    releaseWriter(folder, acquireWriter(folder));
  });
});

describe('sentences of a run', () => {
  it('that could not be made say why', () => {
    const said = (code: string) => new RunsFolderError('/a', Object.assign(new Error(), { code })).message;
    assert.equal(said('ENOSPC'), 'No run can be made in /a: the disk is full (ENOSPC).');
    assert.equal(said('EDQUOT'), 'No run can be made in /a: the disk is full (EDQUOT).');
    assert.equal(said('EROFS'), 'No run can be made in /a: it cannot be written (EROFS).');
  });

  it('whose threads were held up say for how long, from 5 % on', () => {
    assert.equal(contentionOf(0.049, 4), null);
    assert.equal(
      contentionOf(0.05, 4),
      'For 5 % of its time one thread did the work of 4, since other programs held the processors.',
    );
    assert.equal(contentionOf('x', 4), null);
  });

  it('that began with weights of a file name it, and what was taken and left', () => {
    const origin = {
      file: '/models/a.safetensors',
      bytes: 9,
      sha256: '0123456789abcdef'.repeat(4),
      taken: [{ to: 'layers.0', from: 'layers.0', tensors: ['w'] }],
      left: [],
    };
    assert.equal(originTitle(origin), 'began with a.safetensors (SHA-256 0123456789ab…)');
    assert.deepEqual(originLines(origin), [
      '/models/a.safetensors',
      'Taken: 1 tensor, each by its own name.',
      'Left: nothing.',
    ]);
    const taken = Array.from({ length: 7 }, (_, index) => ({
      to: `layers.${index}`,
      from: `rnn${index}`,
      tensors: ['w', 'b'],
    }));
    const left = Array.from({ length: 7 }, (_, index) => `t${index}`);
    assert.deepEqual(originLines({ ...origin, taken, left }).slice(1), [
      `Taken: ${[0, 1, 2, 3, 4, 5].map(index => `layers.${index} from "rnn${index}" (2 tensors)`).join(', ')}, ….`,
      'Left: 7 tensors, t0, t1, t2, t3, t4, t5, ….',
    ]);
    assert.deepEqual(originLines({ ...origin, taken: taken.slice(1), left: left.slice(1) }).slice(1), [
      `Taken: ${[1, 2, 3, 4, 5, 6].map(index => `layers.${index} from "rnn${index}" (2 tensors)`).join(', ')}.`,
      'Left: 6 tensors, t1, t2, t3, t4, t5, t6.',
    ]);
  });
});
