// Forecasts of several columns, with columns known in advance, and row by row from their own predictions: windows, paths
// and scores against loops over the file's values.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Batch, Task } from '../../../../src/trainer/tasks/task.ts';
import { answersOf } from '../../../../src/trainer/tasks/values.ts';
import { figuresOf, scorePart, whole } from '../../../../src/trainer/training/validation.ts';

const ROWS = 60;
const WINDOW = 5;
const TRAINED = Math.floor(ROWS * 0.6);
const VALIDATED = Math.floor(ROWS * 0.8);

type Columns = Record<'a' | 'b' | 'k', (row: number) => number>;
const smooth: Columns = {
  a: row => Math.sin(row * 1.3) * 3 + row / 10,
  b: row => Math.cos(row * 0.7) * 100 - row,
  k: row => ((row * 37) % 11) - 4,
};

describe('forecasts of several columns and rows', () => {
  let folder = '';
  before(() => startEngine('reference', null));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-horizons-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function open(data: object, columns: Columns = smooth) {
    const cell = (value: number) => (Number.isNaN(value) ? '' : String(value));
    const lines = Array.from({ length: ROWS }, (_, row) => {
      const date = new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10);
      return [date, cell(columns.a(row)), cell(columns.b(row)), cell(columns.k(row))].join(',');
    });
    writeFileSync(join(folder, 'a.csv'), `day,a,b,k\n${lines.join('\n')}\n`);
    const experiment = experimentSchema.parse({
      data: {
        task: 'forecast',
        path: 'a.csv',
        target: ['a', 'b'],
        window: WINDOW,
        split: [0.6, 0.2, 0.2],
        ...data,
      },
      model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
      training: { batchSize: 4 },
    });
    const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
    const { scaling } = task.artifact() as unknown as {
      scaling: Record<string, { mean: number; std: number }>;
    };
    const scale = (column: keyof Columns, row: number, difference = 0) => {
      const change = difference > 0 ? columns[column](row - difference) : 0;
      return (columns[column](row) - change - scaling[column]!.mean) / scaling[column]!.std;
    };
    return { task, scaling, scale, model: () => buildModel(experiment, task.sizes, 3) };
  }

  const near = (found: number, expected: number, what: string, within = 1e-4) =>
    assert.ok(
      Math.abs(found - expected) <= within * Math.max(1, Math.abs(expected)),
      `${what}: ${found} for ${expected}`,
    );
  const widthOf = (task: Task) => (task.sizes.input.kind === 'vectors' ? task.sizes.input.features : 0);
  const windows = (task: Task, batches: Iterable<Batch>) =>
    [...batches].flatMap(({ input, targets, batch }) => {
      const width = widthOf(task);
      return Array.from({ length: batch }, (_, row) => ({
        shown: Array.from({ length: WINDOW }, (_, t) =>
          Array.from(input.subarray((t * batch + row) * width, (t * batch + row + 1) * width)),
        ),
        targets: Array.from(
          targets.subarray((row * targets.length) / batch, ((row + 1) * targets.length) / batch),
        ),
      }));
    });
  /** First predicted rows of a part. */
  const placesOf = (from: number, to: number, horizon: number, stride = 1) =>
    Array.from({ length: to - horizon + 1 - from }, (_, at) => from + at).filter(
      at => (at - from) % stride === 0,
    );
  const figures = (task: Task, model: Model) =>
    figuresOf(task, whole(scorePart(model, task, task.validation()))!);

  it('windows hold the targets side by side, and the values to come of what is known', async () => {
    const horizon = 3;
    const { task, scale } = await open({ horizon, known: ['k'] });
    assert.deepEqual([widthOf(task), task.sizes.outputs], [2 + horizon, 2 * horizon]);
    const places = placesOf(TRAINED, VALIDATED, horizon);
    const found = windows(task, task.validation());
    assert.equal(found.length, places.length);
    places.forEach((at, index) => {
      const rows = Array.from({ length: WINDOW }, (_, t) => at - WINDOW + t);
      const shown = rows.map(row => [
        scale('a', row),
        scale('b', row),
        ...[1, 2, 3].map(lead => scale('k', row + lead)),
      ]);
      const targets = [0, 1, 2].flatMap(k => [scale('a', at + k), scale('b', at + k)]);
      shown.flat().forEach((value, place) => {
        near(found[index]!.shown.flat()[place]!, value, `window ${index}, ${place}`, 1e-5);
      });
      targets.forEach((value, place) => {
        near(found[index]!.targets[place]!, value, `target ${index}, ${place}`, 1e-5);
      });
    });
  });

  it('scores each column in its own unit, and all in deviations of the training part', async () => {
    const horizon = 3;
    const stride = 2;
    const { task, scaling, model } = await open({ horizon, stride });
    const own = model();
    const places = placesOf(TRAINED, VALIDATED, horizon, stride);
    const all = [...task.validation()];
    const said = all.flatMap(batch => {
      const answers = answersOf(own, batch);
      const size = answers.length / batch.batch;
      return Array.from({ length: batch.batch }, (_, row) => answers.slice(row * size, (row + 1) * size));
    });
    assert.equal(said.length, places.length, 'an origin every two rows');
    const got = figures(task, own);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const columns = ['a', 'b'] as const;
    const errors = columns.map((column, target) =>
      places.map((at, row) =>
        Array.from({ length: horizon }, (_, k) => {
          const predicted = said[row]![k * 2 + target]! * scaling[column]!.std + scaling[column]!.mean;
          return predicted - smooth[column](at + k);
        }),
      ),
    );
    columns.forEach((column, target) => {
      const flat = errors[target]!.flat();
      const naive = mean(
        Array.from({ length: TRAINED - 1 }, (_, at) => Math.abs(smooth[column](at + 1) - smooth[column](at))),
      );
      near(got[`rmse.${column}`]!, Math.sqrt(mean(flat.map(e => e * e))), `RMSE of ${column}`);
      near(got[`mase.${column}`]!, mean(flat.map(Math.abs)) / naive, `MASE of ${column}`);
    });
    const scaled = errors.map((rows, target) =>
      rows.map(path => path.map(error => error / scaling[columns[target]!]!.std)),
    );
    const together = (pick: (path: number[]) => number[]) =>
      Math.sqrt(mean(scaled.flatMap(rows => rows.flatMap(pick)).map(e => e * e)));
    near(
      got['rmse']!,
      together(path => path),
      'RMSE together',
    );
    near(got['valLoss']!, got['rmse']! ** 2, 'the loss is its square', 1e-3);
    for (const step of [1, 2, 3])
      near(
        got[`rmseStep${step}`]!,
        together(path => [path[step - 1]!]),
        `RMSE at step ${step}`,
      );
    near(got['mase']!, (got['mase.a']! + got['mase.b']!) / 2, 'MASE together');
    own.dispose();
  });

  for (const data of [
    {},
    { difference: 1 },
    { difference: 2, known: ['k'] },
    { features: ['a', 'b', 'k'], known: ['k'], missing: 'mask' },
    { calendar: ['weekday'] },
    { features: ['k'], known: ['k'] },
  ])
    it(`goes on from its own predictions: ${JSON.stringify(data)}`, async () => {
      const horizon = 4;
      const {
        difference = 0,
        features = ['a', 'b'],
        known = [],
        calendar = [],
      } = data as {
        difference?: number;
        features?: (keyof Columns)[];
        known?: (keyof Columns)[];
        calendar?: string[];
      };
      const isMasked = 'missing' in data;
      const { task, scaling, scale, model } = await open({ horizon, strategy: 'recursive', ...data });
      assert.equal(task.sizes.outputs, 2);
      const own = model();
      const changeOf = (column: keyof Columns, row: number) =>
        scale(column, row, column === 'k' ? 0 : difference);
      const turn = (row: number) => {
        const angle = (2 * Math.PI * new Date(Date.UTC(2024, 0, 1 + row)).getUTCDay()) / 7;
        return [Math.sin(angle), Math.cos(angle)];
      };
      const errors: number[][] = [];
      const scaledErrors: number[] = [];
      for (const at of placesOf(TRAINED, VALIDATED, horizon)) {
        // scaled values of rows that have not come, by column
        const made: Record<string, number[]> = { a: [], b: [] };
        const value = (column: keyof Columns, row: number) =>
          column !== 'k' && row >= at ? made[column]![row - at]! : changeOf(column, row);
        for (let k = 0; k < horizon; k++) {
          const rows = Array.from({ length: WINDOW }, (_, t) => at + k - WINDOW + t);
          const input = rows.flatMap(row => [
            ...features.map(column => value(column, row)),
            ...(isMasked ? features.map(() => 0) : []),
            ...(calendar.length > 0 ? turn(row) : []),
            ...known.map(column => scale(column, row + 1)),
          ]);
          const [a, b] = answersOf(own, {
            seqLen: WINDOW,
            batch: 1,
            input: Float32Array.from(input),
            targets: new Float32Array(0),
            lengths: null,
            continues: false,
          });
          made['a']!.push(a!);
          made['b']!.push(b!);
        }
        for (const column of ['a', 'b'] as const) {
          const levels: number[] = [];
          made[column]!.forEach((scaled, k) => {
            const change = scaled * scaling[column]!.std + scaling[column]!.mean;
            const before = k < difference ? smooth[column](at + k - difference) : levels[k - difference]!;
            levels.push(difference > 0 ? before + change : change);
            scaledErrors.push(scaled - changeOf(column, at + k));
          });
          errors.push(levels.map((level, k) => (level - smooth[column](at + k)) / scaling[column]!.std));
        }
      }
      const root = (list: number[]) => Math.sqrt(list.reduce((sum, e) => sum + e * e, 0) / list.length);
      const got = figures(task, own);
      near(got['rmse']!, root(errors.flat()), 'RMSE');
      for (const step of [1, 2, 3, 4])
        near(got[`rmseStep${step}`]!, root(errors.map(path => path[step - 1]!)), `RMSE at step ${step}`);
      near(got['freeLoss']!, root(scaledErrors) ** 2, 'the loss over the horizon');
      // training and the loss of validation are of one row ahead
      const batch = task.trainingBatch(1);
      assert.equal(batch.targets.length, batch.batch * 2);
      own.dispose();
    });

  it('shows no window a target that it is to predict, whatever is chosen', async () => {
    // values of the training part stand still, so that its scaling cannot tell either
    const changed = 50;
    for (const strategy of ['direct', 'recursive'])
      for (const missing of ['previous', 'mask', 'interpolate', 'drop'])
        for (const difference of [0, 2]) {
          const gap = (row: number) => row % 9 === 4;
          const at = async (value: number | null) => {
            const a = (row: number) =>
              gap(row) ? Number.NaN : row === changed && value !== null ? value : smooth.a(row);
            const data = { strategy, missing, difference, horizon: 3, known: ['k'], calendar: ['day'] };
            const { task, model } = await open(data, { ...smooth, a });
            const own = model();
            const batches = [...task.test()];
            const said = batches.flatMap(batch => Array.from(answersOf(own, batch)));
            const found = { seen: windows(task, batches), said, origins: placesIn(batches) };
            own.dispose();
            return found;
          };
          const [before, after] = [await at(null), await at(99)];
          const what = `${strategy} ${missing} ${difference}`;
          const last = before.seen.findIndex(({ targets }, index) =>
            targets.some((value, place) => value !== after.seen[index]!.targets[place]),
          );
          assert.ok(last >= 0, what);
          before.seen.forEach(({ shown }, index) => {
            // rows are left out with "drop", so that a place is no longer its number
            if (missing === 'drop' ? index <= last : before.origins[index]! <= changed)
              assert.deepEqual(after.seen[index]!.shown, shown, `${what} ${index}`);
          });
        }
  });

  it('scores no window with a target missing, of any column', async () => {
    const hole = TRAINED + 4;
    for (const strategy of ['direct', 'recursive']) {
      const b = (row: number) => (row === hole ? Number.NaN : smooth.b(row));
      const { task } = await open({ strategy, horizon: 2 }, { ...smooth, b });
      const origins = placesIn([...task.validation()]);
      assert.deepEqual(
        origins,
        placesOf(TRAINED, VALIDATED, 2).filter(at => at !== hole && at + 1 !== hole),
      );
    }
  });

  it('its sample has whole paths, and errors by row ahead and by origin', async () => {
    const horizon = 3;
    const { task, model } = await open({ horizon, strategy: 'recursive' });
    const own = model();
    const sample = whole(task.sample(own, 1));
    assert.ok(sample?.type === 'series');
    const places = placesOf(TRAINED, VALIDATED, horizon);
    for (const [one, column] of [
      [sample, 'a'],
      [sample.others![0]!, 'b'],
    ] as const) {
      assert.equal(one.target, column);
      assert.deepEqual(
        one.paths!.at(-1)!.index,
        [0, 1, 2].map(k => places.at(-1)! + k),
      );
      assert.equal(one.paths!.at(-1)!.prediction.at(-1), one.prediction.at(-1));
      assert.deepEqual(
        one.origins!.index,
        places.map(at => at - 1),
      );
      const still = places.map(at =>
        Math.sqrt(
          [0, 1, 2].reduce((sum, k) => sum + (smooth[column](at + k) - smooth[column](at - 1)) ** 2 / 3, 0),
        ),
      );
      one.origins!.persistence.forEach((value, row) => {
        near(value as number, still[row]!, `persistence from ${row}`);
      });
      // both say the same in the mean
      const square = (values: readonly unknown[]) =>
        values.reduce<number>((sum, value) => sum + (value as number) ** 2 / values.length, 0);
      near(square(one.steps!.rmse), square(one.origins!.rmse), 'steps and origins');
    }
    own.dispose();
  });

  it('says what does not fit', () => {
    const problems = (data: object) =>
      parseExperiment(
        JSON.stringify({
          data: { task: 'forecast', path: 'a.csv', target: ['a', 'b'], ...data },
          model: { layers: [{ type: 'gru', units: 2 }, { type: 'dense' }] },
        }),
      ).problems.map(({ message }) => message);
    assert.deepEqual(problems({ target: ['a', 'a'] }), ['"a" stands twice among the targets.']);
    assert.match(problems({ known: ['k', 'b'] })[0]!, /^"b" is a target: the model would read/);
    assert.match(
      problems({ strategy: 'recursive', features: ['a', 'x'] })[0]!,
      /^A recursive model would need "x" of rows that have not come yet/,
    );
    assert.match(problems({ strategy: 'recursive', quantiles: [0.5] })[0]!, /leave `quantiles` out/);
    assert.deepEqual(problems({ strategy: 'recursive', features: ['a', 'x'], known: ['x'] }), []);
  });
});

function placesIn(batches: readonly Batch[]): number[] {
  return batches.flatMap(batch => (batch as Batch & { places: number[] }).places);
}
