// What is found in source text: recurrent layers, and the models they stand in.
import type { TextRange } from '../experiment/place.ts';
import type { Convention } from '../experiment/schema.ts';
import type { Origin } from './code/evaluation.ts';

export type { Origin };

export type Framework = 'tfjs' | 'keras' | 'torch';
export type CellKind = 'LSTM' | 'GRU' | 'RNN';

export const FRAMEWORK_NAMES: Readonly<Record<Framework, string>> = {
  torch: 'PyTorch',
  keras: 'Keras',
  tfjs: 'TensorFlow.js',
};
export const CONVENTION_OF: Readonly<Record<Framework, Convention>> = {
  torch: 'pytorch',
  keras: 'keras',
  tfjs: 'tfjs',
};
/** The cells' names in an experiment. */
export const CELL_NAME = { LSTM: 'lstm', GRU: 'gru', RNN: 'rnn' } as const;

/** What a text must hold for anything to be found in it. */
export const MENTIONS = /lstm|gru|rnn/i;
/** Sequence layers without such a name, which are named and counted. */
export const OTHER_MENTIONS =
  /\b(?:MultiheadAttention|Transformer(?:(?:En|De)coder(?:Layer)?)?|Conv1d|CTCLoss|Mamba2?)\s*\(/;
/** Of Keras and TensorFlow.js: no model is found by them, but text diagnostics look at them. */
export const CONVOLUTIONS = /\b(?:Conv1D|conv1d)\s*\(/;

/** A number or flag as the code gives it. */
export interface Given<T> {
  /** null: it comes from outside, or cannot be told from the file */
  value: T | null;
  /** where a list of sizes is given, such as an input's shape: all of them, of which `value` is the last */
  sizes?: readonly (number | null)[];
  /** where it is a parameter: what it is when the caller says nothing */
  fallback: T | null;
  /** as written; "" where it is not and the framework's default holds */
  text: string;
  range: TextRange | null;
  /** where the value, or else the fallback, is written, if not here */
  from?: Origin | null;
  /** what each of several calls of the code around it gives, where they differ */
  called?: readonly { value: T | null; fallback: T | null; from: Origin | null }[];
}

/** One layer of a model, recurrent or not. */
export interface FoundLayer {
  framework: Framework;
  /** the constructor's own name, such as "LSTM", "lstm", "Dense" */
  name: string;
  /** of that name, and of the whole call */
  range: TextRange;
  callRange: TextRange;
  /** arguments by the framework's names, those without a name too */
  options: ReadonlyMap<string, Given<number | string | boolean>>;
  /** false where `**options` may bring more */
  isWhole: boolean;
  inLoop: boolean;
  isConditional: boolean;
  recurrent: FoundRecurrent | null;
}

export interface FoundRecurrent {
  /** null: several are possible */
  cell: CellKind | null;
  /** those that are possible; empty where any is */
  cells: readonly CellKind[];
  /** where a caller gives the class: the one that it is otherwise */
  cellDefault: CellKind | null;
  /** of one time step, such as `nn.LSTMCell` */
  isCell: boolean;
  units: Given<number>;
  /** PyTorch's; elsewhere what comes before it in the model tells */
  inputSize: Given<number>;
  layers: Given<number>;
  bidirectional: Given<boolean>;
  /** Keras and tfjs; null in PyTorch */
  returnSequences: Given<boolean> | null;
  /** PyTorch; null elsewhere and for cells */
  batchFirst: Given<boolean> | null;
  /** in the framework's own convention; null where a size is not known */
  parameters: number | null;
  /** with the defaults of what comes from outside; null where there is none, or nothing comes from outside */
  parametersDefault: number | null;
  /** the least and the most that calls, turns of a loop or possible cells make; null where they are not several */
  parametersRange: readonly [number, number] | null;
  /** where only the width of the input is open: the count is `fixed + perInput · inputs` */
  parametersByInput: InputFormula | null;
  /** the layer as each of several calls makes it; empty where there is one way only */
  variants: readonly FoundLayer[];
  /** of a Keras `Bidirectional`: the layer of its own that reads backwards */
  backward: FoundRecurrent | null;
}

/** Parameters as a function of the input's width. */
export interface InputFormula {
  fixed: number;
  perInput: number;
}

/** A sequence layer that is named and counted, not trained from code. */
export interface FoundSequenceLayer extends FoundLayer {
  /** of what it gives */
  width: Given<number>;
  /** null where a size is not known */
  parameters: number | null;
  parametersDefault: number | null;
}

export interface FoundModel {
  framework: Framework;
  kind: 'class' | 'sequential' | 'functional' | 'function';
  name: string;
  /** where the lenses stand: the line of the class, the function or the call */
  range: TextRange;
  /** in the order in which data passes, as far as it can be told */
  layers: readonly FoundLayer[];
  /** an error of syntax stands in it: what was read may be less than is meant, or more */
  isBroken: boolean;
  /** it cannot be read now, and is told as it last was */
  isKept: boolean;
}

export interface Definitions {
  /** recurrent ones */
  layers: readonly FoundLayer[];
  /** attention, Transformers, convolutions, CTC and newer recurrences */
  others: readonly FoundSequenceLayer[];
  models: readonly FoundModel[];
  hasErrors: boolean;
}
