// The settings that code trains with, read from its text: optimizer, batch size, epochs or steps, clipping, window,
// columns, and what of it Unroll does not take. No code is run.
import type { Language, Tree } from '../code/syntax.ts';
import type { FoundModel } from '../definition.ts';
import { batchSizeOf } from './batches.ts';
import { clippingOf } from './clipping.ts';
import { columnsOf, pathOf } from './data-file.ts';
import { lengthOf, shapeOf } from './length.ts';
import { lossNote } from './losses.ts';
import { optimizerOf } from './optimizers.ts';
import { CodeReader } from './reader.ts';
import { otherNotes, seedOf } from './seed.ts';

/** A setting with the 1-based line that says it. */
export interface Taken<T> {
  value: T;
  line: number;
}

export type OptimizerTaken =
  | { type: 'adam'; learningRate: number; beta1?: number; beta2?: number; epsilon?: number }
  | {
      type: 'adamw';
      learningRate: number;
      beta1?: number;
      beta2?: number;
      epsilon?: number;
      weightDecay?: number;
    }
  | { type: 'sgd'; learningRate: number; momentum?: number; nesterov?: boolean }
  | { type: 'rmsprop'; learningRate: number; decay?: number; momentum?: number; epsilon?: number };

export interface TrainingSettings {
  optimizer: Taken<OptimizerTaken> | null;
  batchSize: Taken<number> | null;
  /** passes over the data; null where updates are counted, or neither is said */
  epochs: Taken<number> | null;
  steps: Taken<number> | null;
  /** value null: the code trains without clipping; null: it is not seen to train */
  clipNorm: Taken<number | null> | null;
  seed: Taken<number> | null;
  /** time steps of an input sequence */
  window: Taken<number> | null;
  /** numbers that the model reads at each time step */
  inputs: Taken<number> | null;
  /** the data file that the code reads, as it is written there */
  path: Taken<string> | null;
  /** columns that the model reads, by name */
  features: Taken<string[]> | null;
  target: Taken<string> | null;
  /** what the code says and Unroll does otherwise, a sentence each */
  notTaken: Taken<string>[];
}

export function trainingSettings(
  tree: Tree,
  text: string,
  language: Language,
  model: FoundModel | null,
): TrainingSettings {
  const code = new CodeReader(tree, text, language);
  const notTaken: Taken<string>[] = [];
  const note = (line: number, value: string) => void notTaken.push({ line, value });
  const optimizer = optimizerOf(code, note);
  const length = lengthOf(code);
  const shape = shapeOf(code, model);
  const settings: TrainingSettings = {
    optimizer,
    batchSize: batchSizeOf(code),
    epochs: length && 'epochs' in length ? length.epochs : null,
    steps: length && 'steps' in length ? length.steps : null,
    clipNorm: clippingOf(code, note),
    seed: seedOf(code),
    window: shape.window,
    inputs: shape.inputs,
    path: pathOf(code),
    ...columnsOf(code),
    notTaken,
  };
  lossNote(code, note);
  otherNotes(code, note);
  notTaken.sort((a, b) => a.line - b.line);
  return settings;
}
