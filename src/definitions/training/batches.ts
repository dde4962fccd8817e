// The batch size that code trains with.
import { argument, type CodeReader } from './reader.ts';
import type { Taken } from './taken.ts';

const NAMES = /batch_?size|BATCH_?SIZE|batchSize|BATCH|n_?batch/;

export function batchSizeOf(code: CodeReader): Taken<number> | null {
  for (const [calls, place, names] of [
    // the training loader comes first, as a rule
    [code.calls(/DataLoader/), 1, ['batch_size']],
    [code.calls(/fit/), undefined, ['batch_size', 'batchSize']],
    [code.calls(/timeseries_dataset_from_array/), undefined, ['batch_size']],
  ] as const)
    for (const call of calls)
      for (const name of names) {
        const value = code.number(argument(call, name, place));
        if (isSize(value)) return { value, line: call.line };
      }
  for (const call of code.calls(/(?:Seq2Seq)?TrainingArguments/)) {
    const value = code.number(argument(call, 'per_device_train_batch_size'));
    if (isSize(value)) return { value, line: call.line };
    // transformers' own
    if (value === null) return { value: 8, line: call.line };
  }
  const named = code.constant(NAMES);
  if (named && isSize(named.value)) return named;
  // Keras and TensorFlow.js train on 32 where nothing is said
  const [fit] = code.calls(/fit/);
  return fit && code.calls(/compile/).length > 0 ? { value: 32, line: fit.line } : null;
}

export function isSize(value: number | null): value is number {
  return value !== null && Number.isInteger(value) && value >= 1;
}
