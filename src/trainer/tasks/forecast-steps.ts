// A forecaster read row by row, in the units of its file. After `window` rows it says what it says of that window in a file;
// beyond it, where its layers carry a state, earlier rows count too.
import { targetsOf } from '../../experiment/tasks/forecast.ts';
import { DataError } from '../data/errors.ts';
import { answerShape, type ForecastArtifact, levelsOf, pathOf } from './forecast-artifact.ts';
import { numbersInput, type Stepping } from './stepping.ts';

/** A string: why rows cannot be read one by one. */
export function forecastSteps(artifact: ForecastArtifact): Stepping | string {
  const { features, known: told, difference, missing, scaling, quantiles, calendar } = artifact;
  if (calendar.length > 0) return 'its inputs are of a calendar, and a step tells no date';
  if (told.length > 0) return 'it reads values of the rows to come, and a step tells those of one row';
  const targets = targetsOf(artifact.target);
  const isChange = (column: string) => difference > 0 && targets.includes(column);
  const shape = answerShape(artifact);
  const columns = difference > 0 ? [...new Set([...features, ...targets])] : [...features];
  // only then does a value that is missing have a meaning before the next one is known
  const mayMiss = missing === 'previous' || missing === 'mask';
  return {
    reads: `an object of numbers by column, or an array of ${columns.join(', ')}`,
    begin() {
      let last = new Map<string, number>();
      // the newest rows of the targets: levels, the value before where one is missing, and whether it was there
      let newest: { level: ReadonlyMap<string, number>; known: ReadonlySet<string> }[] = [];
      return {
        read(input) {
          const values = numbersInput(input, columns, mayMiss);
          const carried = new Map(
            columns.map((column, at) => [column, Number.isNaN(values[at]) ? last.get(column) : values[at]]),
          );
          const empty = columns.find(column => carried.get(column) === undefined);
          if (empty !== undefined) throw new DataError(`"${empty}" is missing in the first row.`);
          last = carried as Map<string, number>;
          const there = new Set(columns.filter((_, at) => !Number.isNaN(values[at])));
          const isFull = newest.length >= difference;
          const before = newest.at(-difference);
          newest = difference > 0 ? [...newest, { level: last, known: there }].slice(-difference) : [];
          if (!isFull) return [];
          const scaled = features.map(column => {
            const value = last.get(column)! - (isChange(column) ? before!.level.get(column)! : 0);
            return (value - scaling[column]!.mean) / scaling[column]!.std;
          });
          const masks = features.map(column => {
            const isKnown = there.has(column) && (!isChange(column) || before!.known.has(column));
            return isKnown ? 0 : 1;
          });
          return [Float32Array.from(missing === 'mask' ? [...scaled, ...masks] : scaled)];
        },
        answer(outputs) {
          const levels = (place?: number) => {
            const own = targets.map((column, target) => {
              const level = newest.map(row => row.level.get(column)!);
              const path = pathOf(outputs, 0, shape, target, place);
              return levelsOf(path, level.length, row => level[row]!, scaling[column]!, difference);
            });
            return typeof artifact.target === 'string'
              ? own[0]!
              : Object.fromEntries(targets.map((column, target) => [column, own[target]!]));
          };
          return {
            prediction: levels(),
            ...(quantiles.length > 0
              ? { quantiles: Object.fromEntries(quantiles.map((q, place) => [String(q), levels(place)])) }
              : {}),
          };
        },
      };
    },
  };
}
