// What a task asks of a model: the width of what it reads and of what it says.

export type InputSize = { kind: 'tokens'; vocabulary: number } | { kind: 'vectors'; features: number };

export interface ModelSizes {
  input: InputSize;
  outputs: number;
  /** what the encoder reads, of tasks that have a source */
  source?: InputSize | undefined;
  /** steps of the longest training sequence, where the data decide; left out: the experiment tells */
  steps?: number | undefined;
}

/** Tokens without an embedding enter as one-hot vectors of this width. */
export function widthOf(input: InputSize): number {
  return input.kind === 'tokens' ? input.vocabulary : input.features;
}
