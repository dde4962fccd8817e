// The interface of a task kind: what any room may ask of a task without knowing which one it is.
import type * as z from 'zod';
import type { Remark } from '../remark.ts';
import type { ModelSizes } from '../sizes.ts';
import type { Training } from '../training.ts';
import type { Ability } from './theory.ts';

/** A scalar that a task records beside its loss, by the name it has in the run. */
export interface Metric {
  name: string;
  label: string;
  /** such as "%", "nats/char"; empty for a plain number */
  unit: string;
  better: 'lower' | 'higher';
}

/** What is known of a column of a file before anything is learned from it. */
export interface ColumnFacts {
  name: string;
  /** list: of texts in each row, such as tokens */
  kind: 'number' | 'text' | 'time' | 'array' | 'list' | 'other' | 'empty';
  /** different values, of lists different items, as far as they are counted */
  different: number;
  /** it changes from row to row */
  varies: boolean;
  /** the column could be a class: few values, of lists few items, most of them more than once */
  isLabel: boolean;
  /** typical length, of texts, arrays and lists */
  median: number;
  /** of arrays and lists: equal where two columns have equally many items in each row */
  lengths: number;
  /** each value names a file */
  names: 'sounds' | 'files' | null;
  /** cells that are not empty */
  filled: number;
  /** how many times a value stands that the row before has not */
  stretches: number;
}

/** Whether cells could be classes: few different ones, each more than once; of numbers, whole ones. */
export function couldBeClass(cells: {
  numbers: number;
  texts: number;
  different: number;
  isWhole: boolean;
}): boolean {
  const { numbers, texts, different, isWhole } = cells;
  if (numbers > 0 && (different > 30 || !isWhole)) return false;
  return different >= 2 && different <= Math.max(2, Math.min(100, (numbers + texts) / 5));
}

/** What a data file holds, for the tasks that may fit it. */
export interface FileFacts {
  path: string;
  /** no line names the columns: they have numbers, from 0 */
  isHeadless: boolean;
  columns: readonly ColumnFacts[];
  /** of a model that is known: how many numbers it reads at each step, and of which columns, where its code says so */
  learner?: { inputs: number | null; columns: readonly string[] | null } | undefined;
  /** of plain texts; null: it is a table */
  text: { characters: number; words: number; symbols: number } | null;
}

export interface Suggestion<D = unknown> {
  data: D;
  /** what would be learned, as a part of a sentence */
  why: string;
  /** numbers a step, where the columns decide */
  features?: number;
  /** steps are numbers, also where those of the task's starter are symbols: nothing is embedded */
  vectors?: boolean;
}

/** How one input is given to a trained model by hand. */
export interface TryForm {
  /** what is typed, as a label; null: nothing is */
  typed: string | null;
  /** what a row of the run's data is called; null: the data are drawn */
  row: string | null;
  /** a WAV file is chosen */
  sound: boolean;
  /** 'text': it goes on with what is typed; 'target': it writes an answer symbol by symbol; null: it chooses */
  writes: 'text' | 'target' | null;
}

export interface TaskKind<S extends z.ZodObject = z.ZodObject> {
  /** z.strictObject with `task: z.literal(…)` and a description, which the editor shows */
  readonly schema: S;
  readonly title: string;
  /** `at`: where the loss stands; `of`: what it compares */
  readonly loss: {
    at: 'every-step' | 'sequence' | 'labels';
    of: 'classes' | 'values' | 'alignments';
    unit: string;
  };
  /** where the data decide; left out: as above */
  lossOf?(data: z.output<S>): TaskKind<S>['loss'];
  /** the first is the one that lists and lenses show beside the loss */
  readonly metrics: readonly Metric[];
  /** those of these data, where they decide; left out: all */
  metricsOf?(data: z.output<S>): readonly Metric[];
  /** the answer is the input one step later: no layer may look ahead */
  readonly predictsNext: boolean;
  /** batches follow one another in one stream: carryState and seqLen mean something */
  readonly stream: boolean;
  /** gives each step of its input a class */
  readonly tags?: boolean;
  readonly needs: 'layers' | 'encoder' | 'either';
  /** where its data come from: drawn anew, or a file of this sort */
  readonly reads: 'nothing' | 'text' | 'table' | 'arrays';
  /** the field that sets the steps of a sequence, as messages name it */
  readonly stepsField: string;
  /** what sets the width of the outputs where `sizes` is null */
  readonly outputsFrom: string;
  /** of a training sequence; NaN where only the data tell */
  steps(data: z.output<S>, training: Training): number;
  /** faults across fields; paths are relative to `data` */
  check?(data: z.output<S>): Remark[];
  /** null: the data must be read first */
  sizes(data: z.output<S>): ModelSizes | null;
  /** what a layer must be able to do for it, beside fitting its data; see theory.ts */
  readonly needsAbility?: Ability | undefined;
  /** the data of an experiment that fits this file; null: the task does not fit */
  suits?(file: FileFacts): Suggestion<z.input<S>> | null;
  /** left out: nothing is given to it by hand */
  tries?(data: z.output<S>): TryForm;
  /** how the palette begins an experiment of this task */
  readonly starter: Starter<S>;
}

export interface Starter<S extends z.ZodObject = z.ZodObject> {
  /** one line that says what is learned */
  description: string;
  /**
   * The fields of `data` that a file tells by its first lines; null: it holds no such data. Left out: any file of the sort
   * that the task reads will do, and its column is asked for.
   */
  found?(head: string): Partial<z.input<S>> | null;
  /** `path` and `column` of the chosen file, for tasks that read one */
  data(file: { path: string; column: string }): z.input<S>;
  /** width of an embedding before the first cell; 0: none */
  embedding: number;
  training: { learningRate: number; steps: number; seqLen?: number };
}
