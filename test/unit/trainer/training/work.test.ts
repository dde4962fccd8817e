// A worker's life with its run folders: what ends, what goes on, and what one run does to another.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { requestControl } from '../../../../src/runs/control.ts';
import { RunBusyError } from '../../../../src/runs/errors.ts';
import type { RunEvent, RunStatus } from '../../../../src/runs/format.ts';
import { RunWriter } from '../../../../src/runs/writer.ts';
import { referenceProvider } from '../../../../src/trainer/engine/reference/provider.ts';
import { trainRuns } from '../../../../src/trainer/training/work.ts';
import {
  bitsOf,
  eventsOf,
  inShortTurns,
  makeRun,
  readRun,
  subfolder,
  tinyExperiment,
  train,
  trainNew,
  useWorkspace,
  workspaceFolder,
} from './runs.ts';

/** Names, sizes and contents of all files. */
function snapshot(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true }) as string[];
  return new Map(
    files
      .map(name => join(folder, name))
      .filter(path => statSync(path).isFile())
      .map(path => [path, readFileSync(path, 'latin1')]),
  );
}

/** Rows of scalars, without the one of the test part that follows the last step. */
function rowsOfSteps(events: readonly RunEvent[]) {
  return events.flatMap(event => (event.kind === 'scalars' && !('testLoss' in event.values) ? [event] : []));
}

describe('trainRuns', () => {
  useWorkspace();
  // a minute and more; a row at every step
  const endless = { steps: 20_000, checkpoint: { every: 20_000 }, validation: { every: 20_000 } };

  it('tells what a finished run came to, and changes no byte of it', async () => {
    const { folder, outcome } = await trainNew(tinyExperiment());
    const before = snapshot(folder);
    assert.deepEqual(await train(folder), outcome);
    assert.deepEqual(snapshot(folder), before);
  });

  it('says in its figures and at its end that other programs held the processors', async () => {
    referenceProvider.timeAlone = () => 0.25;
    try {
      const experiment = tinyExperiment({ steps: 2000 });
      const { folder, outcome } = await trainNew(experiment);
      assert.equal(readRun(folder).status!.last['timeAlone'], 0.25);
      assert.match(outcome.contention!, /^For 25 % of its time one thread did the work of/);
    } finally {
      delete referenceProvider.timeAlone;
    }
  });

  it('writes the checkpoints it is asked for, and of others none within two seconds of another', async () => {
    const { now } = performance;
    const stepsOf = async (checkpoint: { every?: number }) => {
      // the time of a step: all take less than two seconds
      performance.now = () => 1e6;
      try {
        const { folder } = await trainNew(tinyExperiment({ steps: 40, checkpoint }));
        return eventsOf(folder).flatMap(event => (event.kind === 'checkpoint' ? [event.step] : []));
      } finally {
        performance.now = now;
      }
    };
    const asked = await stepsOf({ every: 10 });
    assert.deepEqual(
      [10, 20, 30, 40].filter(step => !asked.includes(step)),
      [],
    );
    const own = await stepsOf({});
    assert.equal(own.at(-1), 40);
    // the first, the best that waits at the end, and the last
    assert.ok(own.length <= 3, `checkpoints of steps ${own.join(', ')}`);
  });

  it('hears a stop while the data are read and the engine starts, and trains when it is asked again', async () => {
    for (const wait of [0, 1]) {
      const folder = makeRun(tinyExperiment());
      const controller = new AbortController();
      let told = 0;
      const [outcome] = await trainRuns([folder], {
        signal: controller.signal,
        // the first word of a run is that it starts
        onStatus: () => told++ === 0 && (wait ? setImmediate(() => controller.abort()) : controller.abort()),
      });
      assert.equal(outcome!.reason, 'stopped');
      assert.equal(outcome!.wrongInput, false);
      const { status, run, checkpoints } = readRun(folder);
      assert.equal(status?.state, 'stopped');
      assert.equal(run, null);
      assert.deepEqual(checkpoints, []);
      const again = await train(folder);
      assert.equal(again.reason, 'finished');
    }
  });

  it('writes run.json with what was found out, and the last step as a checkpoint', async () => {
    const { folder } = await trainNew(tinyExperiment());
    const { run, checkpoints, ended, status, problems } = readRun(folder);
    assert.deepEqual(problems, []);
    assert.equal(run?.task.name, 'char-lm');
    assert.equal(run?.task.tokensPerStep, 32);
    assert.ok(run!.task.baseline!.loss > 1 && run!.task.baseline!.loss < 3);
    assert.equal(run?.engineUsed.provider, 'reference');
    assert.equal(
      run?.parameters.total,
      run?.parameters.layers.reduce((sum, { count }) => sum + count, 0),
    );
    assert.equal(checkpoints.at(-1)?.step, 60);
    assert.equal(status?.state, 'finished');
    assert.equal(ended?.reason, 'finished');
    assert.ok(!existsSync(join(folder, 'writer.json')));
    const state = JSON.parse(readFileSync(join(folder, 'checkpoints/60/state.json'), 'utf8'));
    assert.equal(state.step, 60);
    assert.equal(state.todo, 'step');
  });

  it('keeps the newest and the best validation in what lists read, also when it goes on', async () => {
    const controller = new AbortController();
    const folder = makeRun(tinyExperiment({ validation: { every: 10 }, checkpoint: { every: 25 } }));
    let isOver = false;
    await inShortTurns(async () => {
      const { reason } = await train(folder, {
        signal: controller.signal,
        onEvent: (_, event) => {
          if (event.step >= 34 && !isOver) controller.abort();
          isOver = event.step >= 34;
        },
      });
      assert.equal(reason, 'stopped');
    });
    const best = (status: RunStatus | null) => [status?.last['valLoss'], status?.last['bestValLoss']];
    const validations = () => {
      const { valLoss } = Object.fromEntries(readRun(folder).scalars);
      return Array.from({ length: valLoss!.length }, (_, row) => valLoss!.mean.at(row));
    };
    const expected = () => [validations().at(-1), Math.min(...validations())];
    assert.deepEqual(best(readRun(folder).status), expected());
    const told: RunStatus[] = [];
    await inShortTurns(async () => {
      await train(folder, { onStatus: (_, status) => told.push(status) });
    });
    const first = told.find(({ state }) => state === 'training')!;
    assert.ok(typeof first.last['valLoss'] === 'number' && typeof first.last['bestValLoss'] === 'number');
    assert.deepEqual(best(readRun(folder).status), expected());
  });

  it('writes one row for each step, in order, with what validation found in it, and the sample after it', async () => {
    const experiment = tinyExperiment({ steps: 60, validation: { every: 20 }, sample: { every: 20 } });
    const events = eventsOf((await trainNew(experiment)).folder);
    const rows = rowsOfSteps(events);
    assert.deepEqual(
      rows.map(({ step }) => step),
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
    for (const { step, values } of rows)
      assert.equal('valLoss' in values && 'trainLoss' in values, step % 20 === 0, `step ${step}`);
    const order = events.filter(({ step }) => step === 20).map(({ kind }) => kind);
    assert.ok(order.indexOf('scalars') < order.indexOf('sample'), order.join());
  });

  it('writes one row too where its turn ends between a step and its validation', async () => {
    await inShortTurns(async () => {
      const { folder } = await trainNew(tinyExperiment({ steps: 12, validation: { every: 3 } }));
      const rows = rowsOfSteps(eventsOf(folder));
      assert.deepEqual(
        rows.map(({ step, values }) => [step, 'valLoss' in values && 'trainLoss' in values]),
        Array.from({ length: 12 }, (_, index) => [index + 1, (index + 1) % 3 === 0]),
      );
    });
  });

  it('shows life while it trains, each time anew, and stops when asked', async () => {
    const folder = makeRun(tinyExperiment(endless));
    const seen: RunStatus[] = [];
    const outcome = await train(folder, {
      onStatus(_, status) {
        seen.push(status);
        if (seen.length === 6) requestControl(folder, 'stop');
      },
    });
    assert.equal(outcome.reason, 'stopped');
    const states = seen.map(({ state }) => state);
    assert.deepEqual(
      states.filter((state, i) => state !== states[i - 1]),
      ['starting', 'training', 'stopped'],
    );
    const beats = seen.map(({ heartbeat }) => heartbeat);
    assert.deepEqual(beats, [...new Set(beats)], 'every status has its own heartbeat');
    assert.equal(readRun(folder).checkpoints.at(-1)?.step, outcome.steps);
  });

  it('pauses with a checkpoint, computes nothing while it is paused, and goes on', async () => {
    const folder = makeRun(tinyExperiment(endless));
    let pausedAt = 0;
    let beats = 0;
    const outcome = await train(folder, {
      onEvent(_, event) {
        if (event.kind === 'scalars' && event.step === 5) requestControl(folder, 'pause');
        if (event.kind === 'paused') pausedAt = event.step;
        if (event.kind === 'scalars' && pausedAt > 0 && event.step === pausedAt + 5)
          requestControl(folder, 'stop');
      },
      onStatus(_, status) {
        if (status.state !== 'paused') return;
        assert.equal(status.step, pausedAt);
        if (++beats === 4) requestControl(folder, 'resume');
      },
    });
    const events = eventsOf(folder);
    const place = events.findIndex(({ kind }) => kind === 'paused');
    assert.deepEqual(
      events.slice(place - 1, place + 2).map(({ kind, step }) => [kind, step]),
      [
        ['checkpoint', pausedAt],
        ['paused', pausedAt],
        ['resumed', pausedAt],
      ],
    );
    assert.ok(outcome.steps > pausedAt);
    // own time leaves the pause out
    const pause = events[place + 1]!.time - events[place]!.time;
    const all = events.at(-1)!.time - events[0]!.time;
    assert.ok(pause > 0.1 && outcome.seconds < all - pause + 0.2, `${outcome.seconds} of ${all}, ${pause}`);
  });

  it('makes a checkpoint and a probe when asked', async () => {
    const folder = makeRun({ ...tinyExperiment(endless), probes: { gradientFlow: { every: 20_000 } } });
    let saved = false;
    await train(folder, {
      onEvent(_, event) {
        if (event.kind === 'scalars' && event.step === 5) {
          requestControl(folder, 'checkpoint');
          requestControl(folder, 'probe');
        }
        if (event.kind === 'checkpoint' && !saved) {
          saved = true;
        }
        const probed = () => readRun(folder).series.get('gradient-flow')?.steps.length === 2;
        if (event.kind === 'scalars' && event.step % 50 === 0 && saved && probed())
          requestControl(folder, 'stop');
      },
    });
    const run = readRun(folder);
    assert.ok(run.checkpoints.length >= 2, `${run.checkpoints.length} checkpoints`);
    assert.equal(run.series.get('gradient-flow')?.steps.length, 2);
  });

  it('refuses a run that another process writes', async () => {
    const folder = makeRun(tinyExperiment());
    const writer = RunWriter.open(folder);
    try {
      await assert.rejects(train(folder), RunBusyError);
      const other = makeRun(tinyExperiment());
      const outcomes = await trainRuns([folder, other]);
      assert.deepEqual(
        outcomes.map(({ reason }) => reason),
        ['failed', 'finished'],
      );
      assert.match(outcomes[0]!.message, /being written by process/);
    } finally {
      writer.close();
    }
  });

  it('ends a run whose folder is deleted in mid-run, and no other', async () => {
    for (const how of ['deleted', 'moved'] as const) {
      const doomed = makeRun(tinyExperiment(endless));
      const other = makeRun(tinyExperiment({ steps: 150 }));
      const outcomes = await trainRuns([doomed, other], {
        onEvent(index, event) {
          if (index !== 0 || event.kind !== 'scalars' || event.step !== 10) return;
          if (how === 'deleted') rmSync(doomed, { recursive: true });
          else renameSync(doomed, join(workspaceFolder(), 'trash'));
        },
      });
      assert.equal(outcomes[0]!.reason, 'failed');
      assert.match(outcomes[0]!.message, /is gone: it was deleted or moved while the run was training\.$/);
      assert.equal(outcomes[1]!.reason, 'finished');
      assert.ok(!existsSync(doomed), `${how}: the folder came back`);
    }
  });

  it('says in the folder and the outcome what is wrong with the input, and trains the others', async () => {
    writeFileSync(join(workspaceFolder(), 'noise.txt'), Buffer.from([65, 66, 0xff, 0xfe, 0xfd, 67]));
    mkdirSync(subfolder('folder'), { recursive: true });
    const withPath = (path: string) => ({ ...tinyExperiment(), data: { task: 'char-lm' as const, path } });
    const bad = [
      [withPath('missing.txt'), /missing\.txt does not exist/],
      [withPath('folder'), /is a folder/],
      [withPath('noise.txt'), /noise\.txt is not UTF-8 text: byte 2 /],
      [withPath('/etc/hostname'), /is outside of the workspace/],
      [
        {
          ...tinyExperiment(),
          model: { layers: [{ type: 'embedding', dim: 2 }, { type: 'lstm', units: 1e7 }, { type: 'dense' }] },
        },
        /would take about .* of memory .* but this machine has/,
      ],
      [tinyExperiment({ batchSize: 10_000 }), /sequences of 8 need at least 80,001/],
    ] as const;
    const folders = [...bad.map(([spec]) => makeRun(spec as never)), makeRun(tinyExperiment())];
    const outcomes = await trainRuns(folders);
    for (const [index, [, message]] of bad.entries()) {
      const outcome = outcomes[index]!;
      assert.equal(outcome.reason, 'failed');
      assert.equal(outcome.wrongInput, true);
      assert.match(outcome.message, message);
      const { status, ended } = readRun(folders[index]!);
      assert.equal(status?.state, 'failed');
      assert.equal(status?.message, outcome.message);
      assert.equal(ended?.reason, 'failed');
    }
    assert.equal(outcomes.at(-1)!.reason, 'finished');
  });

  it('goes on with a run that could not begin, once its data are there', async () => {
    const folder = makeRun({
      ...tinyExperiment(),
      data: { task: 'char-lm', path: 'later.txt', split: [0.8, 0.1, 0.1] },
    });
    assert.equal((await train(folder)).reason, 'failed');
    writeFileSync(join(workspaceFolder(), 'later.txt'), readFileSync(join(workspaceFolder(), 'text.txt')));
    assert.equal((await train(folder)).reason, 'finished');
    const { folder: straight } = await trainNew(tinyExperiment());
    assert.equal(bitsOf(folder), bitsOf(straight));
  });

  it('goes on with the engine it began with, though "auto" would take a faster one by now', async () => {
    const folder = makeRun(tinyExperiment());
    await train(folder, {
      onEvent: (_, event) => event.kind === 'scalars' && event.step === 5 && requestControl(folder, 'stop'),
    });
    const path = join(folder, 'run.json');
    const run = JSON.parse(readFileSync(path, 'utf8'));
    assert.equal(run.engineUsed.provider, 'reference');
    writeFileSync(path, JSON.stringify({ ...run, engine: 'auto' }));
    assert.equal((await train(folder)).reason, 'finished');
    assert.equal(readRun(folder).run?.engineUsed.provider, 'reference');
    assert.equal(bitsOf(folder), bitsOf((await trainNew(tinyExperiment())).folder));
  });

  it('refuses to go on where the bits would differ, unless forced', async () => {
    const folder = makeRun(tinyExperiment(endless));
    await train(folder, {
      onEvent: (_, event) => event.kind === 'scalars' && event.step === 5 && requestControl(folder, 'stop'),
    });
    const path = join(folder, 'run.json');
    const run = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(
      path,
      JSON.stringify({ ...run, engineUsed: { ...run.engineUsed, instructionSet: 'other' } }),
    );
    const refused = await train(folder);
    assert.equal(refused.reason, 'failed');
    assert.match(refused.message, /would not give the same bits\. Use --force/);
    const controller = new AbortController();
    const forced = await train(folder, {
      force: true,
      signal: controller.signal,
      onEvent: (_, event) => event.kind === 'resumed' && controller.abort(),
    });
    assert.equal(forced.reason, 'stopped');
  });

  it('says what is wrong with a damaged checkpoint', async () => {
    const folder = makeRun(tinyExperiment(endless));
    await train(folder, {
      onEvent: (_, event) => event.kind === 'scalars' && event.step === 5 && requestControl(folder, 'stop'),
    });
    const [step] = readdirSync(join(folder, 'checkpoints')).filter(name => /^\d+$/.test(name));
    const weights = join(folder, 'checkpoints', step!, 'weights.safetensors');
    writeFileSync(weights, readFileSync(weights).subarray(0, 300));
    const outcome = await train(folder);
    assert.equal(outcome.reason, 'failed');
    assert.doesNotMatch(outcome.message, /undefined|TypeError|at \w+ \(/);
  });
});
