// The seed of the random numbers.
import { argument, type CodeReader } from './reader.ts';
import type { Taken } from './taken.ts';

export function seedOf(code: CodeReader): Taken<number> | null {
  for (const call of code.calls(/manual_seed|set_random_seed|set_seed|seed_everything/)) {
    const value = code.number(argument(call, 'seed', 0));
    if (value !== null && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)
      return { value, line: call.line };
  }
  for (const call of code.calls(/(?:Seq2Seq)?TrainingArguments/)) {
    const value = code.number(argument(call, 'seed'));
    if (value !== null && Number.isInteger(value) && value >= 0) return { value, line: call.line };
  }
  return null;
}
