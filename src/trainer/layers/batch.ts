// Sequences that a model reads together, in stretches of time. Time-major throughout: (seqLen, batch, …).
import { type Tensor, tensor } from '@tensorflow/tfjs-core';

/** Sequences with what is to be said of them. */
export interface Batch {
  seqLen: number;
  batch: number;
  /** token ids (seqLen, batch) or, where a step has several, (seqLen, batch, ids); or numbers (seqLen, batch, features) */
  input: Int32Array | Float32Array;
  /** class ids or numbers: one for each (step, sequence), or one for each sequence when the loss is at the last step */
  targets: Int32Array | Float32Array;
  /** valid steps of each sequence; null: all */
  lengths: Int32Array | null;
  /** (seqLen, batch): 1 where an answer is asked for, of tasks that do so at some steps alone; left out: at every valid step */
  asked?: Float32Array | undefined;
  /** what the encoder reads, of tasks that have a source: its own steps and lengths, the same sequences */
  source?: Pick<Batch, 'seqLen' | 'input' | 'lengths'>;
  /** this batch goes on where the one before it ended */
  continues: boolean;
}

/** Time steps from `from` up to but not including `to`. */
export interface Stretch {
  from: number;
  to: number;
}

/** seqLen steps in stretches of at most so many. */
export function stretchesOf(seqLen: number, most: number): Stretch[] {
  const stretches = [];
  for (let from = 0; from < seqLen; from += most) stretches.push({ from, to: Math.min(seqLen, from + most) });
  return stretches;
}

/** The whole source as a batch of its own; null: there is none. */
export function sourceOf({ source, batch }: Batch): Omit<Batch, 'targets' | 'continues'> | null {
  return source ? { ...source, batch } : null;
}

/** The input of a stretch, which is one piece of memory. */
export function inputOf(
  batch: Pick<Batch, 'seqLen' | 'batch' | 'input'>,
  { from, to }: Stretch = { from: 0, to: batch.seqLen },
): Tensor {
  const perStep = batch.input.length / batch.seqLen;
  const isWhole = from === 0 && to === batch.seqLen;
  const values = isWhole ? batch.input : batch.input.subarray(from * perStep, to * perStep);
  return values instanceof Int32Array
    ? tensor(
        values,
        perStep === batch.batch ? [to - from, batch.batch] : [to - from, batch.batch, perStep / batch.batch],
        'int32',
      )
    : tensor(values, [to - from, batch.batch, perStep / batch.batch]);
}

/** How much of each sequence stands in a stretch. */
export function lengthsIn({ lengths }: Batch, { from, to }: Stretch): Int32Array | null {
  return lengths?.map(length => Math.max(0, Math.min(length, to) - from)) ?? null;
}

/** Targets of a stretch: valid steps, or those of them that ask for an answer. */
export function askedSteps(batch: Batch, stretch: Stretch): number {
  const { asked, batch: rows } = batch;
  if (!asked) return validSteps(batch, stretch);
  return asked.subarray(stretch.from * rows, stretch.to * rows).reduce((sum, one) => sum + one, 0);
}

/** Steps between two times that stand inside their sequence: of the whole batch where no times are given. */
export function validSteps(
  { lengths, batch, seqLen }: Batch,
  { from, to } = { from: 0, to: seqLen },
): number {
  if (!lengths) return (to - from) * batch;
  return lengths.reduce((count, length) => count + Math.max(0, Math.min(length, to) - from), 0);
}

/** The batch without the steps that are padding in all of its sequences. */
export function trimmed<B extends Batch>(batch: B, outputs: 'every-step' | 'last-step'): B {
  const first = <A extends Int32Array | Float32Array>(values: A, steps: number, of: number): A =>
    values.subarray(0, (values.length / of) * steps) as A;
  const longest = (lengths: Int32Array | null, all: number) =>
    lengths ? lengths.reduce((most, own) => Math.max(most, own), 1) : all;
  const { seqLen, lengths, asked, source } = batch;
  const steps = longest(lengths, seqLen);
  const read = source && longest(source.lengths, source.seqLen);
  if (steps === seqLen && (!source || read === source.seqLen)) return batch;
  return {
    ...batch,
    seqLen: steps,
    input: first(batch.input, steps, seqLen),
    ...(outputs === 'every-step' && { targets: first(batch.targets, steps, seqLen) }),
    ...(asked && { asked: first(asked, steps, seqLen) }),
    ...(source && { source: { ...source, seqLen: read!, input: first(source.input, read!, source.seqLen) } }),
  };
}

/** Steps of a pass over the batch, padding included; of a source and a target, the longer one. */
export function tokensOf({ seqLen, batch, source }: Pick<Batch, 'seqLen' | 'batch' | 'source'>): number {
  return Math.max(seqLen, source?.seqLen ?? 0) * batch;
}

/** Sequences `from` up to but not including `to`, as a batch of their own; `outputs`: where their targets are. */
export function rowsOfBatch(
  batch: Batch,
  from: number,
  to: number,
  outputs: 'every-step' | 'last-step',
): Batch {
  const { seqLen, batch: all, lengths, asked, source } = batch;
  const rows = <A extends Int32Array | Float32Array>(values: A, steps: number): A => {
    const width = values.length / steps / all;
    const made = new (values.constructor as new (size: number) => A)(steps * (to - from) * width);
    for (let t = 0; t < steps; t++)
      made.set(values.subarray((t * all + from) * width, (t * all + to) * width), t * (to - from) * width);
    return made;
  };
  return {
    ...batch,
    batch: to - from,
    input: rows(batch.input, seqLen),
    targets: rows(batch.targets, outputs === 'every-step' ? seqLen : 1),
    lengths: lengths?.slice(from, to) ?? null,
    ...(asked && { asked: rows(asked, seqLen) }),
    ...(source && {
      source: {
        ...source,
        input: rows(source.input, source.seqLen),
        lengths: source.lengths?.slice(from, to) ?? null,
      },
    }),
  };
}
