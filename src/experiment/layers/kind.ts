// The interface of a layer kind: what any room may ask of a layer without knowing which one it is.
import type * as z from 'zod';
import type { Convention } from '../convention.ts';
import type { Remark } from '../remark.ts';

/** Hue and marker of a layer on every screen; `plain` layers work on each step by itself. */
export type Family = 'recurrent' | 'attention' | 'convolution' | 'scan' | 'memory' | 'plain';

/** Where a layer stands in a model. */
export interface At {
  /** place in its chain, from 0 */
  index: number;
  /** of the chain that gives the outputs */
  isLast: boolean;
  /** widths of what it reads and gives */
  inputs: number;
  outputs: number;
  /** steps that reach it of a training sequence */
  steps: number;
  /** width of the encoder's states; null where there is no encoder */
  memory: number | null;
  /** width of the encoder's last state that each level of a recurrent layer begins in; null: there is none */
  begins?: readonly (number | null)[];
  /** whether that state has a cell state */
  cellStates?: readonly (boolean | null)[];
  convention: Convention;
}

export interface Traits {
  reads: 'tokens' | 'vectors';
  /** the steps of its input that a step of its output depends on */
  sees: 'step' | 'past' | 'all';
  /** a sequence may be read in parts, with a state that goes on between them */
  carries: boolean;
  /** steps back that a step sees, itself included: the receptive field; Infinity where it has no end */
  reach: number;
  /** `keeps`: the gate whose value is memory */
  recurrent?: { gates: readonly string[]; keeps: string | null };
}

export interface Count {
  count: number;
  /** such as "4·128·(32 + 128 + 2)" */
  formula: string;
  /** of recurrent layers: weights of the input, of the previous state, and biases */
  parts?: { input: number; recurrent: number; bias: number };
}

export interface LayerKind<S extends z.ZodObject = z.ZodObject> {
  /** z.strictObject with `type: z.literal(…)` and a description, which the editor shows */
  readonly schema: S;
  readonly title: string;
  readonly family: Family;
  /** a cell that everyone knows: it stands in each table of counts */
  readonly classic?: boolean;
  /** the type it is compared with where there is room for one */
  readonly rival?: string;
  /** cannot stand in a model without an encoder */
  readonly needsEncoder?: boolean;
  /** of a layer that looks at an encoder where its fields say so */
  readsEncoder?(layer: z.output<S>): boolean;
  /** the field that sets the width of its output; none where the width stays, or follows from the layer's place */
  readonly widthField?: keyof z.output<S> & string;
  /** its `residual` stands inside of it: its input is not added to its output as a whole */
  readonly innerResidual?: boolean;
  /** scores the classes of a whole sequence together: only for tasks that tag each step */
  readonly tagsOnly?: boolean;
  /** whether it learns a position for each step of a training sequence, so that it reads no longer ones */
  learnsPositions?(layer: z.output<S>): boolean;
  /** whether a ReLU gives its output; left out: where its field `activation` says so */
  readonly rectified?: boolean;
  traits(layer: z.output<S>): Traits;
  /** `asked`: the width that the task asks of the last layer */
  width(
    layer: z.output<S>,
    at: { inputs: number; isLast: boolean; asked: number; memory?: number | null },
  ): number;
  /** width of the last state that a level of an encoder hands on; left out: the width of its output */
  lastState?(layer: z.output<S>): number;
  /** that state has a cell state c beside h */
  readonly hasCellState?: boolean;
  parameters(layer: z.output<S>, at: At): Count;
  /** numbers of each (sequence, step) kept for the backward pass, its output and that output's gradient included */
  kept(layer: z.output<S>, at: At): number;
  /** of one sequence of `at.steps`, forward; biases and element-wise work left out */
  multiplyAdds(layer: z.output<S>, at: At): number;
  /** steps of its output where it reads a sequence of so many; left out: as many. At least 1 of at least 1. */
  steps?(layer: z.output<S>, steps: number): number;
  /** numbers beside its weights that training keeps and no gradient changes, such as running means and fixed weights */
  statistics?(layer: z.output<S>, at: At): number;
  /** numbers carried from step to step, of one sequence: what streaming costs */
  state?(layer: z.output<S>, at: At): number;
  /** of a layer that may end a model; a linear one is computed together with the loss */
  readout?(layer: z.output<S>): 'linear' | 'activated';
  /** paths are relative to the layer; `at` is null where its widths are not known before the data is read */
  check?(layer: z.output<S>, at: At | null): Remark[];
  /** equations and a sentence for the hover, in Markdown; `steps`: of a training sequence, where they are known */
  about?(layer: z.output<S>, convention: Convention, steps?: number): string;
}
