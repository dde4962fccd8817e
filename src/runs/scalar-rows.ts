// The scalars of a run as rows, for exports.
import type { RunReader } from './reader.ts';

export interface ScalarRow {
  name: string;
  step: number;
  /** own training seconds */
  seconds: number;
  tokens: number;
  mean: number;
  min: number;
  max: number;
}

/** Name by name, in the order they first appear; steps ascending. */
export function* scalarRows(reader: RunReader): Generator<ScalarRow> {
  for (const [name, column] of reader.scalars) {
    for (let row = 0; row < column.length; row++) {
      yield {
        name,
        step: column.steps.at(row),
        seconds: column.seconds.at(row),
        tokens: column.tokens.at(row),
        mean: column.mean.at(row),
        min: column.min.at(row),
        max: column.max.at(row),
      };
    }
  }
}
