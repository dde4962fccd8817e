// What the kinds of linear recurrences share: traits, and their counts from the shapes of their weights.
import type * as z from 'zod';
import type { Convention } from '../convention.ts';
import { positiveInt } from '../fields.ts';
import { error, type Remark } from '../remark.ts';
import type { Count, Family, LayerKind } from './kind.ts';
import { residual } from './residual.ts';

export const units = positiveInt.describe('Width of the output.');

export const heads = positiveInt
  .optional()
  .describe('Memories side by side, which share the width; default: 4, or as many of 3, 2, 1 as divide it.');

export const convSize = positiveInt
  .default(4)
  .describe('Steps that the short causal convolution before the recurrence reads; 1: there is none.');

/** The heads that were asked for, else the most of 4, 3, 2, 1 that share the width. */
export function headsOf(layer: { heads?: number | undefined }, width: number): number {
  return layer.heads ?? [4, 3, 2].find(count => width % count === 0) ?? 1;
}

export function checkHeads(layer: { heads?: number | undefined }, width: number): Remark[] {
  if (!layer.heads || width % layer.heads === 0) return [];
  return [
    error(
      ['heads'],
      `${width} numbers cannot be shared by ${layer.heads} heads; take a number of heads that divides them.`,
    ),
  ];
}

interface LinearRecurrence<S extends z.ZodObject> {
  schema: S;
  title: string;
  family: Family;
  /** shapes of all weights; a number before a shape's sizes, such as [2, 64, 32], counts matrices */
  weights(layer: z.output<S>, inputs: number): number[][];
  /** weights that do not learn */
  statistics?(layer: z.output<S>, inputs: number): number;
  /** multiply-adds of the recurrence itself at a step, and of convolutions before it */
  perStep(layer: z.output<S>, inputs: number): number;
  /** numbers of a step kept for the backward pass beside input, output and its gradient */
  kept(layer: z.output<S>, inputs: number): number;
  /** numbers carried to the next step */
  state(layer: z.output<S>, inputs: number): number;
  check?(layer: z.output<S>): Remark[];
  about(layer: z.output<S>, convention: Convention, steps?: number): string;
}

/** The kind of a layer whose state is carried on by a linear map, so that it reads a sequence in parts. */
export function linearRecurrence<S extends z.ZodObject<{ units: z.ZodType<number> }>>(
  kind: LinearRecurrence<S>,
): LayerKind<S> {
  // beside the fields of each kind, which alone its own functions read
  const { description = '' } = kind.schema;
  const schema = kind.schema.extend({ residual }).describe(description) as unknown as S;
  const unitsOf = (layer: z.output<S>) => (layer as unknown as { units: number }).units;
  return {
    schema,
    title: kind.title,
    family: kind.family,
    widthField: 'units' as keyof z.output<S> & string,
    traits: () => ({ reads: 'vectors', sees: 'past', carries: true, reach: Number.POSITIVE_INFINITY }),
    width: unitsOf,
    parameters: (layer, { inputs }) => countWeights(kind.weights(layer, inputs)),
    statistics: kind.statistics && ((layer, { inputs }) => kind.statistics!(layer, inputs)),
    kept: (layer, { inputs }) => kind.kept(layer, inputs) + inputs + 2 * unitsOf(layer),
    multiplyAdds(layer, { inputs, steps }) {
      const matrices = kind.weights(layer, inputs).filter(({ length }) => length > 1);
      return steps * (countWeights(matrices).count + kind.perStep(layer, inputs));
    },
    state: (layer, { inputs }) => kind.state(layer, inputs),
    check: kind.check,
    about: kind.about,
  };
}

export function countWeights(shapes: number[][]): Count {
  const sizes = shapes.filter(shape => !shape.includes(0));
  const count = sizes.reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const formula = sizes.map(shape => shape.filter((n, i) => n > 1 || i > 0).join('·')).join(' + ');
  return { count, formula: formula || '0' };
}
