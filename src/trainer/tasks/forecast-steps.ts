// A forecaster read row by row, in the units of its file. After `window` rows it says what it says of that window in a file;
// beyond it, where its layers carry a state, earlier rows count too.
import { targetsOf } from '../../experiment/tasks/forecast.ts';
import { DataError } from '../data/errors.ts';
import type { Stepper } from '../layers/stepper.ts';
import { answerShape, type ForecastArtifact, levelsOf, pathOf } from './forecast-artifact.ts';
import { type Json, listInput, numbersInput, type Stepping } from './stepping.ts';

/** A string: why rows cannot be read one by one. */
export function forecastSteps(artifact: ForecastArtifact): Stepping | string {
  const { features, known: told, difference, missing, scaling, quantiles, calendar, horizon } = artifact;
  if (calendar.length > 0) return 'its inputs are of a calendar, and a step tells no date';
  const targets = targetsOf(artifact.target);
  const isChange = (column: string) => difference > 0 && targets.includes(column);
  const shape = answerShape(artifact);
  const needed = difference > 0 ? [...new Set([...features, ...targets])] : features;
  const columns = needed.filter(column => !told.includes(column));
  // only then does a value that is missing have a meaning before the next one is known
  const mayMiss = missing === 'previous' || missing === 'mask';
  const scaledOf = (column: string, value: number) => (value - scaling[column]!.mean) / scaling[column]!.std;
  /** Of rows from 1, counted from the row that was read: step after step, each with all columns. */
  const aheadOf = (toCome: ReadonlyMap<string, readonly number[]>, row: number) =>
    Array.from({ length: shape.ahead }, (_, k) =>
      told.map(column => scaledOf(column, toCome.get(column)![row + k]!)),
    ).flat();
  return {
    reads: readsOf(columns, told, features, horizon),
    begin() {
      let last = new Map<string, number>();
      // what is known of the newest row, at 0, and of those to come
      let toCome: ReadonlyMap<string, readonly number[]> = new Map();
      // the newest rows of the targets: levels, the value before where one is missing, and whether it was there
      let newest: { level: ReadonlyMap<string, number>; known: ReadonlySet<string> }[] = [];
      return {
        read(input) {
          const given = toldInput(input, told, features, horizon);
          const values = numbersInput(given.rest, columns, mayMiss);
          const carried = new Map(
            columns.map((column, at) => [column, Number.isNaN(values[at]) ? last.get(column) : values[at]]),
          );
          for (const [column, [own]] of given.toCome) carried.set(column, own);
          const empty = columns.find(column => carried.get(column) === undefined);
          if (empty !== undefined) throw new DataError(`"${empty}" is missing in the first row.`);
          last = carried as Map<string, number>;
          ({ toCome } = given);
          const there = new Set([...told, ...columns.filter((_, at) => !Number.isNaN(values[at]))]);
          const isFull = newest.length >= difference;
          const before = newest.at(-difference);
          newest = difference > 0 ? [...newest, { level: last, known: there }].slice(-difference) : [];
          if (!isFull) return [];
          const scaled = features.map(column =>
            scaledOf(column, last.get(column)! - (isChange(column) ? before!.level.get(column)! : 0)),
          );
          const masks = features.map(column => {
            const isKnown = there.has(column) && (!isChange(column) || before!.known.has(column));
            return isKnown ? 0 : 1;
          });
          const own = missing === 'mask' ? [...scaled, ...masks] : scaled;
          return [Float32Array.from([...own, ...aheadOf(toCome, 1)])];
        },
        answer(outputs, stepper) {
          const paths = targets.map((_, target) => pathOf(outputs, 0, shape, target));
          if (shape.ahead < horizon) goOn(paths, stepper);
          const named = (pathAt: (target: number) => number[]): Json => {
            const own = targets.map((column, target) => {
              const level = newest.map(row => row.level.get(column)!);
              return levelsOf(pathAt(target), level.length, row => level[row]!, scaling[column]!, difference);
            });
            return typeof artifact.target === 'string'
              ? own[0]!
              : Object.fromEntries(targets.map((column, target) => [column, own[target]!]));
          };
          const quantile = (place: number) => named(target => pathOf(outputs, 0, shape, target, place));
          return {
            prediction: named(target => paths[target]!),
            ...(quantiles.length > 0
              ? { quantiles: Object.fromEntries(quantiles.map((q, place) => [String(q), quantile(place)])) }
              : {}),
          };
        },
      };

      /** A recursive model reads its own predictions as if they had come; the session itself stays where it is. */
      function goOn(paths: number[][], stepper: Stepper): void {
        const ahead = stepper.fork([0]);
        for (let k = 1; k < horizon; k++) {
          const row = features.map(column => {
            const target = targets.indexOf(column);
            return target < 0 ? scaledOf(column, toCome.get(column)![k]!) : paths[target]![k - 1]!;
          });
          const own = missing === 'mask' ? [...row, ...features.map(() => 0)] : row;
          const outputs = ahead.step(Float32Array.from([...own, ...aheadOf(toCome, k + 1)]));
          targets.forEach((_, target) => {
            paths[target]!.push(...pathOf(outputs, 0, shape, target));
          });
        }
      }
    },
  };
}

function readsOf(
  columns: readonly string[],
  told: readonly string[],
  features: readonly string[],
  horizon: number,
): string {
  if (told.length === 0) return `an object of numbers by column, or an array of ${columns.join(', ')}`;
  const own = told.filter(column => features.includes(column));
  const ahead = told.filter(column => !features.includes(column));
  const lists = [
    ...(ahead.length > 0
      ? [`an array of the next ${horizon} rows' values for each of ${ahead.join(', ')}`]
      : []),
    ...(own.length > 0
      ? [
          `an array of ${horizon + 1} for each of ${own.join(', ')}: this row's value, then the next ${horizon}`,
        ]
      : []),
  ];
  return `an object by column: ${[...(columns.length > 0 ? [`numbers for ${columns.join(', ')}`] : []), ...lists].join('; ')}`;
}

/** What is known in advance, this row's at 0 (NaN where the model does not read it), and the input without it. */
function toldInput(
  input: unknown,
  told: readonly string[],
  features: readonly string[],
  horizon: number,
): { rest: unknown; toCome: Map<string, number[]> } {
  const toCome = new Map<string, number[]>();
  if (told.length === 0) return { rest: input, toCome };
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new DataError(
      `"input" must be an object by column, with an array of values to come for ${told.slice(0, 8).join(', ')}.`,
    );
  const rest = { ...input } as Record<string, unknown>;
  for (const column of told) {
    const isOwn = features.includes(column);
    const values = listInput(
      Object.hasOwn(rest, column) ? rest[column] : undefined,
      isOwn ? horizon + 1 : horizon,
      column,
      isOwn ? `this row's value and those of the next ${horizon} rows` : `those of the next rows`,
    );
    toCome.set(column, isOwn ? values : [Number.NaN, ...values]);
    delete rest[column];
  }
  return { rest, toCome };
}
