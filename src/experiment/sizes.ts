// What a task asks of a model: the width of what it reads and of what it says.

/** `each`: ids that a step has, whose vectors are averaged; left out: 1 */
export type InputSize =
  | { kind: 'tokens'; vocabulary: number; each?: number | undefined }
  | { kind: 'vectors'; features: number };

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
