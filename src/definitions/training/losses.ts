// The loss that code trains with, where Unroll's tasks train with another.
import { argument, type CodeReader, type Note } from './reader.ts';

const MODULES =
  /L1Loss|SmoothL1Loss|HuberLoss|Huber|MeanAbsoluteError|CTCLoss|TripletMarginLoss|CosineEmbeddingLoss|GaussianNLLLoss|PoissonNLLLoss|KLDivLoss/;
const OTHER_BY_NAME =
  /^(mae|meanAbsoluteError|mean_absolute_error|huber|huberLoss|log_?cosh|mape|poisson|kld|hinge)$/i;

/** Mean squared error and cross-entropy are what the tasks have. */
export function lossNote(code: CodeReader, note: Note): void {
  for (const call of code.calls(MODULES))
    note(call.line, `The loss ${call.name} is not taken: values are learned by the mean squared error.`);
  for (const call of code.calls(/compile/)) {
    const name = code.string(argument(call, 'loss', 1));
    if (name && OTHER_BY_NAME.test(name))
      note(call.line, `The loss "${name}" is not taken: values are learned by the mean squared error.`);
  }
}
