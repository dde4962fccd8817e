// Where the sizes of a run's model come from: its run.json, and in folders of version 0.1.0 its task.json.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFile } from '../../../../src/runs/format.ts';
import { openFinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import { tinyExperiment, trainNew, useWorkspace } from '../training/runs.ts';

describe('a finished run', () => {
  useWorkspace();

  function change(folder: string, edit: (task: RunFile['task']) => void): void {
    const path = join(folder, 'run.json');
    const run = JSON.parse(readFileSync(path, 'utf8')) as RunFile;
    edit(run.task);
    writeFileSync(path, JSON.stringify(run));
  }

  it('has the sizes that its worker wrote', async () => {
    const { folder } = await trainNew(tinyExperiment({ steps: 10 }));
    const { sizes } = openFinishedRun(folder);
    change(folder, task => {
      assert.deepEqual(task.sizes, sizes);
      task.sizes!.outputs += 1;
    });
    assert.throws(() => openFinishedRun(folder), /holds .* weights, but its experiment has/);
    change(folder, task => delete task.sizes);
    assert.deepEqual(openFinishedRun(folder).sizes, sizes);
  });
});
