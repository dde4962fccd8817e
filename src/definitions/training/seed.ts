// The seed of the random numbers, and parts of a training that Unroll does not take from code.
import { argument, type CodeReader, type Note } from './reader.ts';
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

const SCHEDULERS =
  /\w*LR|ReduceLROnPlateau|CosineAnnealingWarmRestarts|LearningRateScheduler|ExponentialDecay|CosineDecay|PiecewiseConstantDecay/;

export function otherNotes(code: CodeReader, note: Note): void {
  for (const call of code.calls(SCHEDULERS))
    note(call.line, `The schedule ${call.name} is not taken: the learning rate stays as it is.`);
  for (const call of code.calls(/EarlyStopping|earlyStopping/))
    note(call.line, 'Early stopping is not taken: the run ends after its steps.');
}
