// Parts of a training that Unroll does not take from code.
import type { CodeReader, Note } from './reader.ts';

const SCHEDULERS =
  /\w*LR|ReduceLROnPlateau|CosineAnnealingWarmRestarts|LearningRateScheduler|ExponentialDecay|CosineDecay|PiecewiseConstantDecay/;

export function otherNotes(code: CodeReader, note: Note): void {
  for (const call of code.calls(SCHEDULERS))
    note(call.line, `The schedule ${call.name} is not taken: the learning rate stays as it is.`);
  for (const call of code.calls(/EarlyStopping|earlyStopping/))
    note(call.line, 'Early stopping is not taken: the run ends after its steps.');
}
