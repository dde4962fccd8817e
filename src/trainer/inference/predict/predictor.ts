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

/** Takes rows while a file is read, so that those of a long one are never all in memory. */
export interface RowSink {
  /** before the first row */
  begin(columns: readonly string[]): void;
  take(rows: readonly Row[]): void | Promise<void>;
}

/** Rows in the order of the file: handed on where someone takes them, else kept. */
export class Rows {
  /** empty where they were handed on */
  readonly kept: Row[] = [];
  count = 0;
  readonly columns: string[];
  private readonly sink: RowSink | undefined;

  constructor(columns: string[], sink: RowSink | undefined) {
    this.columns = columns;
    this.sink = sink;
    sink?.begin(columns);
  }

  async add(rows: readonly Row[]): Promise<void> {
    this.count += rows.length;
    if (this.sink) await this.sink.take(rows);
    else for (const row of rows) this.kept.push(row);
  }
}

/** How sequences are written, by tasks that write them. */
export interface DecodeOptions {
  /** of tasks whose rows do not need each other; others give all rows at the end */
  sink?: RowSink | undefined;
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
