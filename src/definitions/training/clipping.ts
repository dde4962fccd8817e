// The gradient norm at which code clips; that it trains and does not clip is a setting too.
import { argument, type CodeReader, type Note } from './reader.ts';
import type { Taken } from './taken.ts';

export function clippingOf(code: CodeReader, note: Note): Taken<number | null> | null {
  for (const call of code.calls(/clip_grad_norm_?/)) {
    const value = code.number(argument(call, 'max_norm', 1));
    if (value !== null && value > 0) return { value, line: call.line };
    note(call.line, 'The norm at which gradients are clipped comes from outside of this file.');
  }
  for (const call of code.calls(/Trainer/)) {
    const value = code.number(argument(call, 'gradient_clip_val'));
    if (value === null || value <= 0) continue;
    if (code.string(argument(call, 'gradient_clip_algorithm')) !== 'value') return { value, line: call.line };
    note(call.line, 'gradient_clip_algorithm="value" is left out; Unroll clips the norm.');
  }
  for (const call of code.calls(/(?:Seq2Seq)?TrainingArguments/)) {
    // transformers' own
    const value = code.number(argument(call, 'max_grad_norm')) ?? 1;
    return { value: value > 0 ? value : null, line: call.line };
  }
  const optimizers = code.calls(/AdamW|Adam|SGD|RMSprop/);
  for (const call of optimizers) {
    const value = code.number(argument(call, 'global_clipnorm'));
    if (value !== null && value > 0) return { value, line: call.line };
    const each = code.number(argument(call, 'clipnorm'));
    if (each !== null)
      note(
        call.line,
        `clipnorm=${each} clips each weight's gradient by itself; Unroll clips all together, and is left without.`,
      );
    const limit = code.number(argument(call, 'clipvalue'));
    if (limit !== null) note(call.line, `clipvalue=${limit} is left out; Unroll clips the norm.`);
  }
  for (const call of code.calls(/clip_grad_value_?/))
    note(call.line, 'clip_grad_value_ is left out; Unroll clips the norm.');
  const [trains] = code.calls(code.isPython ? /backward|fit/ : /fit|fitDataset|minimize/);
  return trains ? { value: null, line: trains.line } : null;
}
