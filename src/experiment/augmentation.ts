// How training sequences are varied, and where that would make their targets wrong.
import * as z from 'zod';
import { rate } from './fields.ts';
import { error, type Remark } from './remark.ts';
import type { InputSize } from './sizes.ts';

export const augmentationSchema = z
  .strictObject({
    jitter: z.number().min(0).default(0).describe('Deviation of the noise that is added to each number.'),
    scaling: z
      .number()
      .min(0)
      .default(0)
      .describe('Deviation, around 1, of the factor by which each feature of a sequence is multiplied.'),
    timeWarp: rate
      .default(0)
      .describe('Share by which stretches of a sequence run faster or slower; its length stays.'),
    crop: rate.default(0).describe('Largest share of the steps that is cut off each end.'),
    tokenDrop: rate
      .default(0)
      .describe(
        'Share of the tokens that is left out; where each step has a target, a token of the batch stands in for it.',
      ),
    tokenSwap: rate.default(0).describe('Share of the tokens that change places with the next one.'),
  })
  .describe('Variations of what training reads, drawn anew at each step (Iwana & Uchida 2021).');

export type Augmentation = z.output<typeof augmentationSchema>;

const OF_NUMBERS = ['jitter', 'scaling', 'timeWarp'] as const;
const OF_TOKENS = ['tokenDrop', 'tokenSwap'] as const;

/** Paths are relative to `training.augmentation`. `input`: what is varied, of data that have been read; null: not yet. */
export function checkAugmentation(
  augmentation: Augmentation,
  { loss, needs }: { loss: { at: string; of: string }; needs: string },
  input: InputSize | null,
  task: string,
): Remark[] {
  const wrong = (field: keyof Augmentation, why: string): Remark[] =>
    augmentation[field] > 0 ? [error([field], `\`${field}\` ${why}; leave it out for "${task}".`)] : [];
  const unfit = (input?.kind === 'tokens' ? OF_NUMBERS : input ? OF_TOKENS : []).flatMap(field =>
    wrong(
      field,
      input!.kind === 'tokens'
        ? 'varies numbers, but this task reads symbols'
        : 'varies symbols, but this task reads numbers',
    ),
  );
  if (unfit.length > 0) return unfit;
  if (loss.of === 'values')
    return [
      ...wrong('scaling', 'changes what the target is computed from'),
      ...wrong('timeWarp', 'changes what the target is computed from'),
      ...wrong('crop', 'cuts off what the target is computed from'),
    ];
  // a source has no target at its steps
  if (needs === 'encoder' || loss.at === 'sequence') return [];
  if (loss.of === 'alignments')
    return [
      ...wrong('crop', 'may cut off what a label says'),
      ...wrong('tokenDrop', 'may leave out what a label says'),
    ];
  return [
    ...wrong('timeWarp', 'moves steps away from their targets'),
    ...wrong('crop', 'moves steps away from their targets'),
  ];
}
