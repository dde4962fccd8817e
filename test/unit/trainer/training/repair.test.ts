// Any one file of a run folder lost, cut, emptied, replaced by a folder or a link that leads to itself: the run is read
// and goes on, or one sentence says what is wrong.
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { bestCheckpoint, checkpointsOf, damageOf } from '../../../../src/runs/checkpoints.ts';
import { readSummary } from '../../../../src/runs/list.ts';
import { explain } from '../../../../src/trainer/cli/exit.ts';
import { openFinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import { predictOwnData } from '../../../../src/trainer/inference/predict/index.ts';
import { sampleText } from '../../../../src/trainer/inference/sample.ts';
import { trainRuns } from '../../../../src/trainer/training/work.ts';
import {
  bitsOf,
  inShortTurns,
  makeRun,
  readRun,
  tinyExperiment,
  useWorkspace,
  workspaceFolder,
} from './runs.ts';

describe('a run folder with one file damaged', () => {
  useWorkspace();
  let stoppedRun = '';
  let wholeRun = '';
  /** where it was stopped: at 20 or a step later */
  let at = 0;

  beforeEach(async () => {
    const experiment = tinyExperiment({ steps: 30, checkpoint: { every: 10 }, validation: { every: 10 } });
    wholeRun = makeRun(experiment);
    await trainRuns([wholeRun]);
    stoppedRun = makeRun(experiment);
    const controller = new AbortController();
    await inShortTurns(async () => {
      await trainRuns([stoppedRun], {
        signal: controller.signal,
        onEvent: (_, event) => event.step === 20 && event.kind === 'checkpoint' && controller.abort(),
      });
    });
    at = checkpointsOf(stoppedRun)[0]!.step;
    assert.ok(at >= 20 && at < 30);
  });

  const copyOf = (name: string) => {
    const folder = join(workspaceFolder(), 'copies', name.replace(/\W+/g, '-'));
    rmSync(folder, { recursive: true, force: true });
    cpSync(stoppedRun, folder, { recursive: true });
    return folder;
  };
  const resume = async (folder: string) => {
    const notes: string[] = [];
    try {
      const [outcome] = await trainRuns([folder], { onData: (_, told) => notes.push(...told) });
      return { message: outcome!.message, reason: outcome!.reason, notes: notes.join(' ') };
    } catch (cause) {
      const { message, exitCode } = explain(cause, false);
      assert.ok(exitCode === 2 || exitCode === 3, message);
      return { message, reason: 'refused', notes: '' };
    }
  };
  const assertPlain = (message: string, name: string) =>
    assert.doesNotMatch(message, /undefined|TypeError|\bE[A-Z]{4,}\b|^\s+at |unroll failed/m, name);

  const damages: [name: string, damage: (path: string) => void][] = [
    ['lost', path => rmSync(path, { recursive: true })],
    ['emptied', path => writeFileSync(path, '')],
    ['cut', path => writeFileSync(path, readFileSync(path).subarray(0, readFileSync(path).length >> 1))],
    ['another', path => writeFileSync(path, '{"a":')],
    [
      'a folder',
      path => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    [
      'a link loop',
      path => {
        rmSync(path);
        symlinkSync(path, path);
      },
    ],
  ];

  it('is read and goes on, or says why not', async () => {
    const names = (readdirSync(stoppedRun, { recursive: true }) as string[]).filter(
      name =>
        !/control/.test(name) &&
        readdirSync(dirname(join(stoppedRun, name)), { withFileTypes: true })
          .find(entry => name.endsWith(entry.name))!
          .isFile(),
    );
    assert.ok(names.length > 10, names.join());
    for (const name of names)
      for (const [kind, damage] of damages) {
        const folder = copyOf(`${name}-${kind}`);
        damage(join(folder, name));
        const what = `${name} ${kind}`;
        const reader = readRun(folder);
        for (const problem of reader.problems) assertPlain(problem, what);
        const outcome = await resume(folder);
        assertPlain(outcome.message, what);
        if (outcome.reason === 'finished' && !/Going on from step/.test(outcome.notes))
          assert.deepEqual(bitsOf(folder), bitsOf(wholeRun), what);
        else if (outcome.reason !== 'finished') assert.match(outcome.message, /\w+ .*\.$/, what);
      }
  });

  it('has its status again from the events', async () => {
    for (const [kind, damage] of damages) {
      const folder = copyOf(`status-${kind}`);
      damage(join(folder, 'status.json'));
      assert.equal(readRun(folder).status?.state, 'stopped', kind);
      assert.equal(readRun(folder).status?.step, at, kind);
      assert.equal(readSummary(folder)?.status.step, at, kind);
      assert.equal((await resume(folder)).reason, 'finished', kind);
      assert.equal(readRun(folder).status?.step, 30);
    }
  });

  it('goes on from the checkpoint before a damaged one, which is set aside', async () => {
    const folder = copyOf('damaged');
    const [last, before] = checkpointsOf(folder);
    assert.equal(last!.step, at);
    assert.ok(before || at === 20);
    if (!before)
      cpSync(join(folder, `checkpoints/${at}`), join(folder, 'checkpoints/10'), { recursive: true });
    const path = join(folder, `checkpoints/${at}/optimizer.safetensors`);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 200), Buffer.from([0]), bytes.subarray(200)]));
    assert.match(
      damageOf(checkpointsOf(folder)[0]!)!,
      /^optimizer\.safetensors has \d+ bytes, \d+ were written$/,
    );
    const { notes, reason } = await resume(folder);
    assert.equal(reason, 'finished');
    assert.match(
      notes,
      /^The checkpoint of step \d+ is damaged: optimizer\.safetensors has .* Going on from step \d+\.$/,
    );
    assert.ok(existsSync(join(folder, `checkpoints/.before-${at}/weights.safetensors`)));
  });

  it('is used where only what training goes on with is damaged; damaged weights name the other checkpoint', () => {
    for (const name of ['optimizer.safetensors', 'carried.safetensors', 'state.json']) {
      const folder = copyOf(`use-${name}`);
      for (const { folder: checkpoint } of checkpointsOf(folder)) writeFileSync(join(checkpoint, name), '');
      assert.ok(openFinishedRun(folder, 'last').weights.size > 0);
    }
    const folder = copyOf('use-weights');
    const damage = (checkpoint: string) => writeFileSync(join(checkpoint, 'weights.safetensors'), '');
    const [last] = checkpointsOf(folder);
    if (bestCheckpoint(folder)!.step === last!.step)
      cpSync(last!.folder, join(folder, `checkpoints/${at + 1}`), { recursive: true });
    damage(checkpointsOf(folder)[0]!.folder);
    assert.throws(
      () => openFinishedRun(folder, 'last'),
      /weights\.safetensors has 0 bytes, .*Use --checkpoint best\.$/,
    );
    for (const { folder: checkpoint } of checkpointsOf(folder)) damage(checkpoint);
    for (const which of ['best', 'last'] as const)
      assert.throws(() => openFinishedRun(folder, which), /is damaged: .* There is no other one to use\.$/);
  });

  it('has its task.json again from its own data, when it goes on and when it is used', async () => {
    writeFileSync(
      join(workspaceFolder(), 'repair.txt'),
      'the quick brown fox jumps over the lazy dog. '.repeat(40),
    );
    const run = makeRun({
      data: { task: 'char-lm', path: 'repair.txt' },
      model: { layers: [{ type: 'embedding', dim: 4 }, { type: 'gru', units: 4 }, { type: 'dense' }] },
      training: { steps: 3, batchSize: 2, seqLen: 8 },
    });
    await trainRuns([run]);
    const path = join(run, 'task.json');
    const whole = readFileSync(path, 'utf8');
    const { text } = await sampleText(run, { length: 20 });
    for (const [kind, damage] of damages) {
      damage(path);
      assert.equal((await sampleText(run, { length: 20 })).text, text, kind);
      assert.equal(readFileSync(path, 'utf8'), whole, kind);
    }
    rmSync(path);
    assert.equal((await predictOwnData(run)).step, 3);
    assert.equal(readFileSync(path, 'utf8'), whole);
    // other data would give another vocabulary
    rmSync(path);
    writeFileSync(join(workspaceFolder(), 'repair.txt'), 'Other words. '.repeat(40));
    await assert.rejects(
      sampleText(run, { length: 20 }),
      /has lost its task\.json, which cannot be made again without its data: repair\.txt is not the file .*\.$/,
    );
    rmSync(join(workspaceFolder(), 'repair.txt'));
    await assert.rejects(sampleText(run, { length: 20 }), /has lost its task\.json, .*does not exist.*\.$/);
    // what says another thing is not made again without a word
    writeFileSync(path, whole.replace('char-lm', 'word-lm'));
    await assert.rejects(sampleText(run, { length: 20 }), /does not hold together|no usable task\.json/);
  });

  it('refuses one flipped bit in weights or moments', async () => {
    for (const name of [
      'weights.safetensors',
      'optimizer.safetensors',
      'carried.safetensors',
      'state.json',
    ]) {
      const folder = copyOf(`flip-${name}`);
      for (const { folder: checkpoint, step } of checkpointsOf(folder))
        if (step < at) rmSync(checkpoint, { recursive: true });
      const path = join(folder, `checkpoints/${at}`, name);
      const bytes = readFileSync(path);
      bytes[bytes.length - 5]! ^= 4;
      writeFileSync(path, bytes);
      const { message, reason } = await resume(folder);
      assert.notEqual(reason, 'finished');
      assert.match(
        message,
        new RegExp(
          `^The checkpoint of step \\d+ is damaged: ${name} is not what was written, and there is no other one\\.$`,
        ),
      );
    }
  });

  it('keeps rows whose sidecar is of another width under another name', async () => {
    const folder = copyOf('width');
    const [name] = readdirSync(join(folder, 'series')).filter(file => file.endsWith('.f32'));
    const sidecar = join(folder, 'series', name!.replace('.f32', '.json'));
    const content = JSON.parse(readFileSync(sidecar, 'utf8'));
    const rows = readFileSync(join(folder, 'series', name!));
    writeFileSync(
      sidecar,
      JSON.stringify({
        ...content,
        width: 1,
        axes: [{ name: 'layer', size: 1 }],
        layers: content.layers.slice(0, 1),
      }),
    );
    assert.equal((await resume(folder)).reason, 'finished');
    const kept = readFileSync(join(folder, 'series', `${name}.before-${at}`));
    assert.ok(rows.subarray(0, kept.length).equals(kept) && kept.length > 0);
  });

  it('has an old checkpoint without checksums', async () => {
    const folder = copyOf('old');
    for (const { folder: checkpoint } of checkpointsOf(folder)) rmSync(join(checkpoint, 'checksums.json'));
    assert.equal((await resume(folder)).reason, 'finished');
    assert.deepEqual(bitsOf(folder), bitsOf(wholeRun));
    assert.ok(bestCheckpoint(folder));
  });
});
