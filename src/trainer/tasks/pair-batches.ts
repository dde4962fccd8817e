// Pairs of a source and a target as batches: the decoder reads the start symbol and the target, and says the target and
// the end symbol; and what a model writes by itself for the sources of a batch.
import { tidy } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import { sourceOf } from '../layers/batch.ts';
import { type Ends, greedy, type Look } from '../layers/decode.ts';
import { encodedOf } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import type { Pair } from './pairs.ts';
import type { Batch } from './task.ts';
import { encoder } from './units.ts';

/** Symbols of a target that are no units: its start and its end. */
export const START = '<start>';
export const END = '<end>';
/** A target that does not end is cut at so many times the longest one of training. */
const MOST_TIMES = 1.5;

export interface EncodedPair {
  source: Ids;
  /** without start and end */
  target: Ids;
}

/** In the smallest kind of array that holds them. */
export type Ids = Int32Array | Uint16Array | Uint8Array;

const symbol = z.string().max(10_000);
const column = z.union([symbol, z.int().min(0)]);
const units = z.enum(['characters', 'words', 'spaced', 'bytes']);

/** `task.json` of a task that writes a target for a source. */
export function pairArtifact<T extends string>(task: T) {
  return z.object({
    task: z.literal(task),
    source: column,
    target: column,
    header: z.boolean().nullable(),
    units,
    targetUnits: units,
    /** units by id; targets end with start and end */
    sourceSymbols: z.array(symbol).min(1).max(10_000_000),
    targetSymbols: z.array(symbol).min(3).max(10_000_000),
    /** steps of the longest sequences, start and end left out */
    maxSource: z.int().min(1).max(10_000_000),
    maxTarget: z.int().min(1).max(10_000_000),
  });
}

export type PairArtifact = Omit<z.output<ReturnType<typeof pairArtifact>>, 'task'> & { task: string };

type Texts = Pick<Pair, 'source' | 'target'>;

export function encodeWith(artifact: PairArtifact): (pair: Texts) => {
  source: Int32Array;
  target: Int32Array;
} {
  const [ofSource, ofTarget] = [
    encoder(artifact.sourceSymbols),
    encoder(artifact.targetSymbols.slice(0, -2)),
  ];
  return ({ source, target }) => ({ source: ofSource(source).ids, target: ofTarget(target).ids });
}

export function endsOf({ targetSymbols, maxTarget }: PairArtifact): Ends {
  const { length } = targetSymbols;
  return { start: length - 2, end: length - 1, most: Math.ceil(MOST_TIMES * maxTarget) + 1 };
}

/** Symbols as a text: words with spaces between them. */
export function textWith({ targetSymbols, targetUnits }: PairArtifact): (ids: readonly number[]) => string {
  return ids => {
    const units = ids.map(id => targetSymbols[id]!);
    if (targetUnits === 'bytes') return Buffer.from(units.map(Number)).toString('utf8');
    return units.join(targetUnits === 'characters' ? '' : ' ');
  };
}

/** Time-major, each filled with zeros behind its end. */
function padded(sequences: readonly Ids[]) {
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const seqLen = lengths.reduce((most, length) => Math.max(most, length), 1);
  const batch = sequences.length;
  const input = new Int32Array(seqLen * batch);
  // plain loops: a step waits for its batch
  for (let row = 0; row < batch; row++) {
    const sequence = sequences[row]!;
    for (let t = 0; t < sequence.length; t++) input[t * batch + row] = sequence[t]!;
  }
  return { seqLen, input, lengths };
}

function joined(first: ArrayLike<number>, second: ArrayLike<number>): Int32Array {
  const ids = new Int32Array(first.length + second.length);
  ids.set(first);
  ids.set(second, first.length);
  return ids;
}

export function batchOf(pairs: readonly EncodedPair[], artifact: PairArtifact): Batch {
  const { start, end } = endsOf(artifact);
  const read = padded(pairs.map(({ target }) => joined([start], target)));
  const said = padded(pairs.map(({ target }) => joined(target, [end])));
  return {
    ...read,
    batch: pairs.length,
    targets: said.input,
    source: padded(pairs.map(({ source }) => source)),
    continues: false,
  };
}

/** The model's own targets for the sources of a batch, without the end. */
export function decoded(model: Model, batch: Batch, ends: Ends, look?: Look): number[][] {
  return tidy(() => {
    const encoded = encodedOf(model, batch, { training: false, step: 0 })!;
    return greedy(model, sourceOf(batch)!.batch, encoded, ends, look);
  });
}

export function sizesFor({ sourceSymbols, targetSymbols, maxSource, maxTarget }: PairArtifact) {
  return {
    input: { kind: 'tokens', vocabulary: targetSymbols.length } as const,
    source: { kind: 'tokens', vocabulary: sourceSymbols.length } as const,
    outputs: targetSymbols.length,
    steps: Math.max(maxSource, maxTarget + 1),
  };
}

/** Whether what a run folder says of its symbols holds together, as the end of a sentence; null: it does. */
export function pairFault({ targetSymbols }: PairArtifact): string | null {
  return targetSymbols.at(-2) === START && targetSymbols.at(-1) === END
    ? null
    : 'its target symbols do not end with start and end';
}
