// The settings of a training as code gives them, each with its place.

/** A setting with the 1-based line that says it. */
export interface Taken<T> {
  value: T;
  line: number;
  /** another file of the project, which trains the model; absent: the model's own */
  file?: string;
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

/** What a loss compares, as tasks say it. */
export type LossTaken = 'classes' | 'values' | 'alignments';

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
  /** what the loss compares */
  loss: Taken<LossTaken> | null;
  /** what the code says and Unroll does otherwise, a sentence each */
  notTaken: Taken<string>[];
}
