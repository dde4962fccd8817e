// Every task of the registry has an experiment among the samples, with a row in their README, and a row in docs/systems.md.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import type { Experiment } from '../../../src/experiment/schema.ts';
import { TASK_NAMES, taskOf } from '../../../src/experiment/tasks/index.ts';

const files = readdirSync('samples').filter(file => file.endsWith('.rnn.json'));
const rows = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('|'));

function experimentIn(file: string): Experiment {
  const { experiment, problems } = parseExperiment(readFileSync(`samples/${file}`, 'utf8'), {
    fileName: file,
  });
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
    file,
  );
  return experiment!;
}

describe('samples', () => {
  it('have an experiment of every task, alone or in a comparison of data', () => {
    const shown = new Set(files.map(experimentIn).map(({ data }) => data.task));
    assert.deepEqual(
      TASK_NAMES.filter(task => !shown.has(task)),
      [],
    );
  });

  it('have a row in their README each', () => {
    const named = rows('samples/README.md').flatMap(row =>
      [...row.split('|')[1]!.matchAll(/`([\w-]+)(?:\.rnn\.json)?`/g)].map(([, name]) => `${name}.rnn.json`),
    );
    assert.deepEqual(
      files.filter(file => !named.includes(file)),
      [],
    );
    const data = readFileSync('samples/README.md', 'utf8');
    for (const file of readdirSync('samples/data')) assert.ok(data.includes(`data/${file}`), file);
  });

  it('are of tasks that docs/systems.md has, with their metrics', () => {
    const told = rows('docs/systems.md').join('\n');
    assert.deepEqual(
      TASK_NAMES.filter(task => !told.includes(`\`${task}\``)),
      [],
    );
    const metrics = new Set(
      TASK_NAMES.flatMap(task => taskOf({ task } as never).metrics.map(({ name }) => name)),
    );
    assert.deepEqual(
      [...metrics].filter(name => !told.includes(`\`${name}\``)),
      [],
    );
  });
});
