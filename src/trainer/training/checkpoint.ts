// What a run needs to go on bit for bit: weights, optimizer, carried state, and where it stands.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { BadRunError } from '../../runs/errors.ts';
import { fromJsonNumber, jsonText } from '../../runs/json.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../runs/safetensors.ts';
import { whyOf } from '../../runs/system-errors.ts';
import type { Model } from '../layers/model.ts';
import type { State } from '../layers/state.ts';
import { readWeights } from '../layers/weights.ts';

/** Losses may be NaN or infinite. */
const loss = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]).transform(fromJsonNumber);

const progress = z.object({
  format: z.literal(1),
  step: z.int().min(0),
  epoch: z.int().min(0),
  tokens: z.number().min(0),
  ownSeconds: z.number().min(0),
  trainLoss: loss.nullable(),
  valLoss: loss.nullable(),
  /** what the last step has not had yet: a run may be stopped while it validates */
  todo: z.enum(['validate', 'sample', 'step']),
  best: z.object({ best: loss.nullable(), bestStep: z.int().min(0), since: z.int().min(0) }),
  /** of the schedule of that name */
  plateau: z
    .object({
      scale: z.number().min(0).max(1),
      best: loss.nullable(),
      bad: z.int().min(0),
      cooldown: z.int().min(0),
    })
    .optional(),
});

export type Progress = z.infer<typeof progress>;

export const CHECKPOINT = {
  weights: 'weights.safetensors',
  optimizer: 'optimizer.safetensors',
  carried: 'carried.safetensors',
  state: 'state.json',
} as const;

export function encodeCheckpoint(
  model: Model,
  optimizer: ReadonlyMap<string, Float32Array>,
  carried: State | null,
  at: Progress,
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  files.set(CHECKPOINT.weights, encodeSafetensors(readWeights(model)));
  files.set(CHECKPOINT.optimizer, encodeSafetensors(flat(optimizer)));
  files.set(CHECKPOINT.carried, encodeSafetensors(flat(new Map(Object.entries(carried ?? {})))));
  files.set(CHECKPOINT.state, Buffer.from(`${jsonText(at, 2)}\n`));
  return files;
}

/** The same weights before the first step of another run: nothing is carried, and the optimizer remembers nothing. */
export function freshCheckpoint(folder: string): Map<string, Uint8Array> {
  const { weights, optimizer } = readCheckpoint(folder);
  for (const values of optimizer.values()) values.fill(0);
  const at: Progress = {
    format: 1,
    step: 0,
    epoch: 0,
    tokens: 0,
    ownSeconds: 0,
    trainLoss: null,
    valLoss: null,
    todo: 'step',
    best: { best: null, bestStep: 0, since: 0 },
  };
  return new Map<string, Uint8Array>([
    [CHECKPOINT.weights, encodeSafetensors(weights)],
    [CHECKPOINT.optimizer, encodeSafetensors(flat(optimizer))],
    [CHECKPOINT.carried, encodeSafetensors(new Map())],
    [CHECKPOINT.state, Buffer.from(`${jsonText(at, 2)}\n`)],
  ]);
}

export interface LoadedCheckpoint {
  weights: Map<string, NamedTensor>;
  optimizer: Map<string, Float32Array>;
  carried: State | null;
  progress: Progress;
}

/** @throws BadRunError when a file is missing or does not hold together */
export function readCheckpoint(folder: string): LoadedCheckpoint {
  const file = (name: string) => {
    try {
      return readFileSync(join(folder, name));
    } catch (cause) {
      throw new BadRunError(
        `The checkpoint ${folder} cannot be used: ${name} cannot be read, ${whyOf(cause)}.`,
      );
    }
  };
  let json: unknown;
  try {
    json = JSON.parse(file(CHECKPOINT.state).toString('utf8'));
  } catch (cause) {
    if (cause instanceof BadRunError) throw cause;
  }
  const checked = progress.safeParse(json);
  if (!checked.success) throw new BadRunError(`The checkpoint ${folder} has no valid ${CHECKPOINT.state}.`);
  const carried = arrays(decodeSafetensors(file(CHECKPOINT.carried)));
  return {
    weights: decodeSafetensors(file(CHECKPOINT.weights)),
    optimizer: arrays(decodeSafetensors(file(CHECKPOINT.optimizer))),
    carried: carried.size > 0 ? Object.fromEntries(carried) : null,
    progress: checked.data,
  };
}

function flat(values: ReadonlyMap<string, Float32Array>): Map<string, NamedTensor> {
  return new Map([...values].map(([name, data]) => [name, { shape: [data.length], data }]));
}

function arrays(tensors: Map<string, NamedTensor>): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}
