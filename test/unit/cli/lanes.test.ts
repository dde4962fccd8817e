// Members of a comparison side by side in processes of their own: who goes, with which bits, and what ends whom.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { latestCheckpoint } from '../../../src/runs/checkpoints.ts';
import { createRun } from '../../../src/runs/create.ts';
import { lanesOf } from '../../../src/trainer/cli/lanes.ts';
import { requestOf, runFileOf, Scratch } from '../runs/folder.ts';
import { jsonLines, startUnroll, unroll } from './unroll.ts';

const experiment = {
  name: 'tiny',
  data: { task: 'adding', length: 10 },
  model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
  training: { steps: 30, batchSize: 4, validation: { every: 10 }, checkpoint: { every: 10 } },
  compare: { seeds: 3 },
};

describe('members of a comparison on several cores', () => {
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

  const runsIn = (folder: string) => readdirSync(folder).map(name => join(folder, name));
  /** By label, since folders are named at random. */
  const weightsOf = (folder: string) =>
    new Map(
      runsIn(folder).map(run => [
        JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).group.label as string,
        readFileSync(join(latestCheckpoint(run)!.folder, 'weights.safetensors')).toString('base64'),
      ]),
    );
  const pidsOf = () =>
    existsSync(out)
      ? runsIn(out)
          .filter(run => latestCheckpoint(run) && existsSync(join(run, 'writer.json')))
          .map(run => JSON.parse(readFileSync(join(run, 'writer.json'), 'utf8')).pid as number)
      : [];
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise(resolve => setTimeout(resolve, 20));
  }

  it('are those that are small, in as many processes as there are cores', () => {
    const make = (units: number, threads: number | null, group = true) =>
      createRun(
        { workspace },
        {
          ...requestOf(workspace),
          experiment: experimentSchema.parse({
            ...experiment,
            compare: undefined,
            model: { layers: [{ type: 'gru', units }, { type: 'dense' }] },
          }),
          threads,
          group: group ? { id: 'g', index: 0, size: 5, label: '' } : null,
        },
      );
    const folders = [make(64, null), make(65, null), make(8, 1), make(8, null), make(4, null)];
    assert.deepEqual(lanesOf(folders, 2), [[0, 4], [3]]);
    assert.deepEqual(lanesOf(folders, 8), [[0], [3], [4]]);
    assert.deepEqual(lanesOf(folders, 1), []);
    assert.deepEqual(lanesOf([make(4, null, false), make(4, null, false)], 2), []);
    // what was begun with two threads goes on with two
    const begun = make(4, null);
    const request = JSON.parse(readFileSync(join(begun, 'request.json'), 'utf8'));
    const run = runFileOf(request);
    run.engineUsed = { ...run.engineUsed, threads: 2 };
    writeFileSync(join(begun, 'run.json'), JSON.stringify(run));
    assert.deepEqual(lanesOf([begun, folders[0]!], 2), []);
  });

  it('have the bits of the threads that are recorded, and are told in their order', () => {
    const { code, stdout, stderr } = unroll(['train', file, '--out', out, '--json']);
    assert.equal(code, 0, stderr);
    assert.equal(
      stderr,
      'Sequences of 10 steps, drawn anew for every training step; 200 fixed ones for validation.\n',
      'what three members say of their data is told once',
    );
    const lines = jsonLines(stdout);
    const ends = lines.slice(-4);
    assert.deepEqual(ends.map(({ kind, steps }) => [kind, steps]).slice(0, 3), Array(3).fill(['ended', 30]));
    const labels = ends.slice(0, 3).map(({ run }) => {
      const { group, engineUsed } = JSON.parse(readFileSync(join(String(run), 'run.json'), 'utf8'));
      assert.equal(engineUsed.threads, 1);
      return group.label;
    });
    assert.deepEqual(labels, ['seed 1', 'seed 2', 'seed 3']);
    for (const run of runsIn(out)) {
      const own = lines.filter(line => line['run'] === run).slice(0, -1);
      const written = jsonLines(readFileSync(join(run, 'events.jsonl'), 'utf8')).slice(0, -1);
      assert.deepEqual(
        own.map(({ kind, step }) => [kind, step]),
        written.map(({ kind, step }) => [kind, step]),
      );
    }
    const turns = join(workspace, 'turns');
    // who asks for threads is trained by turns, in one process
    assert.equal(unroll(['train', file, '--out', turns, '--threads', '1']).code, 0);
    assert.deepEqual(weightsOf(out), weightsOf(turns));
  });

  it('are in processes of their own, and all stop with a checkpoint at Ctrl+C', async () => {
    const child = startUnroll(['train', file, '--out', out, '--json', '--set', 'training.steps=100000']);
    let stdout = '';
    child.stdout!.on('data', chunk => (stdout += chunk));
    child.stderr!.resume();
    await until(() => pidsOf().length === 3);
    const pids = new Set(pidsOf());
    assert.equal(pids.size, Math.min(3, os.availableParallelism()));
    child.kill('SIGINT');
    assert.equal((await once(child, 'exit'))[0], 130);
    const ends = jsonLines(stdout).slice(-4, -1);
    assert.deepEqual(
      ends.map(({ reason }) => reason),
      Array(3).fill('stopped'),
    );
    for (const { run, steps } of ends) assert.equal(latestCheckpoint(String(run))!.step, steps);
  });

  it('go on when another process is killed, which is told', async function () {
    if (os.availableParallelism() < 2) return this.skip();
    const child = startUnroll(['train', file, '--out', out, '--json', '--set', 'training.steps=100000']);
    let stdout = '';
    child.stdout!.on('data', chunk => (stdout += chunk));
    child.stderr!.resume();
    await until(() => new Set(pidsOf()).size > 1);
    const [killed] = pidsOf() as [number];
    process.kill(killed, 'SIGKILL');
    const lastStep = () => Math.max(...runsIn(out).map(run => latestCheckpoint(run)?.step ?? 0));
    const before = lastStep();
    await until(() => lastStep() > before + 20);
    child.kill('SIGINT');
    assert.equal((await once(child, 'exit'))[0], 130);
    const ends = jsonLines(stdout).slice(-4, -1);
    assert.deepEqual([...new Set(ends.map(({ reason }) => reason))].sort(), ['failed', 'stopped']);
    const lost = ends.find(({ reason }) => reason === 'failed')!;
    assert.equal(lost['message'], 'The process that trained it ended with SIGKILL.');
  });
});
