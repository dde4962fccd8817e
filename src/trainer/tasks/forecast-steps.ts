// A forecaster read row by row, in the units of its file. After `window` rows it says what it says of that window in a file;
// beyond it, where its layers carry a state, earlier rows count too.
import { DataError } from '../data/errors.ts';
import { type ForecastArtifact, levelsOf, pathOf } from './forecast-artifact.ts';
import { numbersInput, type Stepping } from './stepping.ts';

/** A string: why rows cannot be read one by one. */
export function forecastSteps(artifact: ForecastArtifact): Stepping | string {
  const { target, features, difference, missing, scaling, quantiles, calendar } = artifact;
  if (calendar.length > 0) return 'its inputs are of a calendar, and a step tells no date';
  const columns = difference > 0 ? [...new Set([...features, target])] : [...features];
  // only then does a value that is missing have a meaning before the next one is known
  const mayMiss = missing === 'previous' || missing === 'mask';
  return {
    reads: `an object of numbers by column, or an array of ${columns.join(', ')}`,
    begin() {
      let last = new Map<string, number>();
      // the newest rows of the target: its level, the value before where it is missing, and whether it was there
      let level: number[] = [];
      let known: boolean[] = [];
      return {
        read(input) {
          const values = numbersInput(input, columns, mayMiss);
          const carried = new Map(
            columns.map((column, at) => [column, Number.isNaN(values[at]) ? last.get(column) : values[at]]),
          );
          const empty = columns.find(column => carried.get(column) === undefined);
          if (empty !== undefined) throw new DataError(`"${empty}" is missing in the first row.`);
          last = carried as Map<string, number>;
          const [before, wasKnown] = [level.at(-difference), known.at(-difference) ?? false];
          const isThere = (column: string) => !Number.isNaN(values[columns.indexOf(column)]);
          const isFull = level.length >= difference;
          level = difference > 0 ? [...level, last.get(target)!].slice(-difference) : [];
          known = difference > 0 ? [...known, isThere(target)].slice(-difference) : [];
          if (!isFull) return [];
          const scaled = features.map(column => {
            const isChange = column === target && difference > 0;
            const value = last.get(column)! - (isChange ? before! : 0);
            return (value - scaling[column]!.mean) / scaling[column]!.std;
          });
          const masks = features.map(column => {
            const isKnown = isThere(column) && (column !== target || difference === 0 || wasKnown);
            return isKnown ? 0 : 1;
          });
          return [Float32Array.from(missing === 'mask' ? [...scaled, ...masks] : scaled)];
        },
        answer(outputs) {
          const levels = (place?: number) =>
            levelsOf(pathOf(outputs, 0, artifact, place), level.length, level, scaling[target]!, difference);
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
