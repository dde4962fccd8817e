// Nothing of the future reaches a forecaster, whatever is missing and however it is filled: what rows show does not depend
// on the rows behind them, and on noise the best linear use of what is shown is no better than the noise.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { readTable } from '../../../../src/trainer/data/table.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { type MissingPolicy, prepareSeries } from '../../../../src/trainer/tasks/series-data.ts';
import type { Batch } from '../../../../src/trainer/tasks/task.ts';

const POLICIES: readonly MissingPolicy[] = ['previous', 'mask', 'interpolate', 'drop'];

let folder = '';

/** Gaussian noise of standard deviation 1; NaN: missing. */
function noiseOf(rows: number, missing: number, seed: number): number[] {
  const random = randomStream(seed, 'noise', 0);
  return Array.from({ length: rows }, () => {
    const value = Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
    return random.uniform() < missing ? Number.NaN : value;
  });
}

function write(name: string, columns: Record<string, readonly number[]>): string {
  const names = Object.keys(columns);
  const rows = columns[names[0]!]!.map((_, row) => {
    const day = new Date(Date.UTC(2024, 0, 1) + row * 36e5).toISOString();
    return [day, ...names.map(each => columns[each]![row]!)]
      .map(cell => (Number.isNaN(cell) ? '' : cell))
      .join();
  });
  const path = join(folder, name);
  writeFileSync(path, `time,${names.join()}\n${rows.join('\n')}\n`);
  return path;
}

/** Least squares with an intercept, on rows of numbers. */
function leastSquares(rows: readonly number[][], wanted: readonly number[]): number[] {
  const size = rows[0]!.length + 1;
  const sums = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) => (i === j ? 1e-6 : 0)),
  );
  rows.forEach((row, index) => {
    const all = [1, ...row, wanted[index]!];
    for (let i = 0; i < size; i++) for (let j = 0; j <= size; j++) sums[i]![j]! += all[i]! * all[j]!;
  });
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) {
      const factor = sums[k]![i]! / sums[i]![i]!;
      if (k !== i) for (let j = i; j <= size; j++) sums[k]![j]! -= factor * sums[i]![j]!;
    }
  return sums.map((row, i) => row[size]! / row[i]!);
}

/** What each sequence of the batches shows, flat, and its targets. */
function windowsOf(batches: Iterable<Batch>): { shown: number[]; wanted: number[] }[] {
  return [...batches].flatMap(({ input, targets, batch, seqLen }) => {
    const width = input.length / batch / seqLen;
    const outputs = targets.length / batch;
    return Array.from({ length: batch }, (_, row) => ({
      shown: Array.from(
        { length: seqLen * width },
        (_, k) => input[(Math.floor(k / width) * batch + row) * width + (k % width)]!,
      ),
      wanted: Array.from({ length: outputs }, (_, k) => targets[row * outputs + k]!),
    }));
  });
}

describe('the future of a forecaster', () => {
  before(() => startEngine('reference', null));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-future-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const missing of POLICIES)
    for (const difference of [0, 1, 3])
      it(`changes nothing that rows show: "${missing}", differences of ${difference}`, async () => {
        const ROWS = 60;
        const columns = {
          y: noiseOf(ROWS, 0.5, 1),
          z: noiseOf(ROWS, 0.5, 2).map(value => value * 100),
          w: noiseOf(ROWS, 0, 3),
        };
        const options = {
          targets: ['y', 'z'],
          features: ['y', 'z', 'w'],
          difference,
          missing,
          trainShare: 0.5,
          calendar: ['hour'] as const,
        };
        const prepared = async (rows: number, scaling?: Record<string, { mean: number; std: number }>) => {
          const path = write(
            'a.csv',
            Object.fromEntries(
              Object.entries(columns).map(([name, values]) => [name, values.slice(0, rows)]),
            ),
          );
          const { table } = await readTable(path, 'a.csv', {
            targets: options.targets,
            features: options.features,
            order: 'file',
            unreadable: 0,
          });
          return prepareSeries(table, { ...options, scaling }, 'a.csv');
        };
        const whole = await prepared(ROWS);
        for (const rows of [31, 32, 33, 40, 47, 59]) {
          const part = await prepared(rows, whole.scaling);
          const shown = [...part.inputs];
          assert.ok(shown.length > 0);
          assert.deepEqual(shown, [...whole.inputs].slice(0, shown.length), `${rows} rows`);
          assert.deepEqual([...part.known], [...whole.known].slice(0, part.rows));
          for (const [index, { level, wanted }] of part.targets.entries()) {
            assert.deepEqual([...level], [...whole.targets[index]!.level].slice(0, part.rows));
            assert.deepEqual([...wanted], [...whole.targets[index]!.wanted].slice(0, part.rows));
          }
        }
        // scored are the rows where all targets are in the file, and with differences those before them
        for (let row = 0; row < whole.rows; row++) {
          const at = (place: number) => whole.tableRow(place);
          const isThere = (place: number) =>
            place >= 0 && !Number.isNaN(columns.y[at(place)]! + columns.z[at(place)]!);
          assert.equal(
            Boolean(whole.known.get(row)),
            isThere(row) && (difference === 0 || isThere(row - difference)),
            `row ${row}`,
          );
        }
      });

  it('begins with the value before where a column has a hole as the last one begins', async () => {
    // y begins in row 1, z in row 3, where y is missing; the value before and the line both come from row 2
    const y = [5, 2, Number.NaN, Number.NaN, 8, 3, 6, 1, 7, 4];
    const z = [Number.NaN, Number.NaN, 1, 2, 3, 5, 4, 6, 8, 7];
    const path = write('a.csv', { y, z });
    const facts = { targets: ['y'], features: ['y', 'z'] };
    for (const [missing, first] of [
      ['previous', [2, 2, 8]],
      ['mask', [2, 2, 8]],
      ['interpolate', [4, 6, 8]],
    ] as const) {
      const { table } = await readTable(path, 'a.csv', { ...facts, order: 'file', unreadable: 0 });
      const series = prepareSeries(table, { ...facts, difference: 0, missing, trainShare: 0.7 }, 'a.csv');
      assert.equal(series.leftOut, 2);
      const { mean, std } = series.scaling['y']!;
      const shown = series.interpolated?.inputs ?? series.inputs;
      const found = [0, 1, 2].map(row => shown.get(row * series.width) * std + mean);
      for (const [row, value] of found.entries())
        assert.ok(Math.abs(value - first[row]!) < 1e-5, `${missing} ${found}`);
      assert.deepEqual([...series.known].slice(0, 3), [0, 0, 1]);
    }
  });

  const data: Record<string, object> = {
    'one target': {},
    'two targets and two rows ahead': { target: ['y', 'z'], horizon: 2 },
    'a further feature': { features: ['y', 'z'] },
    differences: { difference: 1 },
    'a calendar': { calendar: ['hour'] },
    'rows by time': { order: 'time' },
  };
  for (const missing of POLICIES)
    for (const [what, more] of Object.entries(data))
      it(`is not to be guessed from noise: "${missing}", ${what}`, async () => {
        const ROWS = 3600;
        write('noise.csv', { y: noiseOf(ROWS, 0.6, 5), z: noiseOf(ROWS, 0.6, 6) });
        const experiment = experimentSchema.parse({
          data: {
            task: 'forecast',
            path: 'noise.csv',
            target: 'y',
            window: 4,
            horizon: 1,
            split: [0.3, 0.35, 0.35],
            missing,
            ...more,
          } as ExperimentInput['data'],
          model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
        });
        const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
        const artifact = task.artifact() as unknown as { scaling: Record<string, { std: number }> };
        const [learned, held] = [windowsOf(task.validation()), windowsOf(task.test())];
        const outputs = held[0]!.wanted.length;
        const enough = outputs > 1 ? 15 : 100;
        assert.ok(learned.length > enough && held.length > enough, `${learned.length}, ${held.length}`);
        for (let output = 0; output < outputs; output++) {
          const weights = leastSquares(
            learned.map(({ shown }) => shown),
            learned.map(({ wanted }) => wanted[output]!),
          );
          let sum = 0;
          for (const { shown, wanted } of held)
            sum +=
              ([1, ...shown].reduce((all, value, k) => all + value * weights[k]!, 0) - wanted[output]!) ** 2;
          const { std } = artifact.scaling[outputs > 1 && output % 2 === 1 ? 'z' : 'y']!;
          const error = (sum / held.length) * std ** 2;
          // the mean of n squares of noise has a standard deviation of sqrt(2 / n)
          assert.ok(error > 1 - 4 * Math.sqrt(2 / held.length), `${error} of ${held.length}`);
        }
      });
});
