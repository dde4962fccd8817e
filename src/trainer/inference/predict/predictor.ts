// What any task's prediction of a file is.
import type { Model } from '../../layers/model.ts';
import type { Drawing } from '../../tasks/generate.ts';

export type Row = Readonly<Record<string, number | string | null>>;

export interface Predicted {
  /** of rows, in their order */
  columns: string[];
  /** what is known, with what the model says of it */
  rows: readonly Row[];
  /** what comes after the last row; of tasks that go on */
  next: readonly Row[];
  /** how the file was read */
  notes: string[];
  /** figures over all rows, for programs */
  facts: Readonly<Record<string, number | string | null>>;
  /** the same in a sentence; null: there are none */
  summary: string | null;
}

/** How sequences are written, by tasks that write them. */
export interface DecodeOptions {
  /** sequences that are followed side by side; 1: the most likely symbol at each step */
  beams?: number | undefined;
  /** α of Wu et al. 2016; 0: none */
  lengthPenalty?: number | undefined;
  /** draws each symbol in place of taking the most likely one; left out: it does not */
  drawing?: (Drawing & { seed: number }) | undefined;
}

/** The model is the caller's. @throws DataError */
export type Predictor<A> = (
  model: Model,
  artifact: A,
  path: string,
  options: DecodeOptions,
) => Promise<Predicted>;
