// What a trained run says of one input, for people: the trainer makes it, the dashboard shows it.

/** One layer that reads across steps, over the steps of one sequence. */
export interface TriedStates {
  /** "layers.1", "encoder.0" */
  layer: string;
  title: string;
  /** what each step read; numbers from 1 where it has no text */
  steps: string[];
  /** ‖h_t‖₂ over all units */
  norms: number[];
  /** the outputs of the first units, a row each */
  units: number[][];
  /** units that the layer has */
  width: number;
}

export interface Tried {
  /** as it was read */
  input: string;
  /** empty where `likely` or `table` says all */
  answer: string;
  /** of a row of the data; null: it is not known */
  truth: string | null;
  /** what `likely` is of: "class", "next character" */
  of: string;
  /** the likeliest, falling; empty where the answer is no choice */
  likely: { label: string; probability: number }[];
  /** the answer step by step; null: it is one */
  table: { columns: string[]; rows: string[][] } | null;
  /** where the decoder looks: [unit of the answer][unit of the source] */
  attention: { source: string[]; target: string[]; weights: number[][] } | null;
  states: TriedStates[];
  /** the row that was taken, and how many the data have; null: the input was typed */
  row: number | null;
  rows: number | null;
  /** training steps of the checkpoint */
  step: number;
  best: boolean;
  notes: string[];
}
