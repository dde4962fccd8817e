// The loss that code trains with: what it compares, and a note where Unroll's tasks train with another.
import { argument, type CodeReader, type Note } from './reader.ts';
import type { LossTaken, Taken } from './taken.ts';

const MODULES =
  /L1Loss|SmoothL1Loss|HuberLoss|Huber|MeanAbsoluteError|CTCLoss|TripletMarginLoss|CosineEmbeddingLoss|GaussianNLLLoss|PoissonNLLLoss|KLDivLoss/;
const OTHER_BY_NAME =
  /^(mae|meanAbsoluteError|mean_absolute_error|huber|huberLoss|log_?cosh|mape|poisson|kld|hinge)$/i;

const COMPARES: readonly [LossTaken, RegExp, RegExp][] = [
  ['alignments', /CTCLoss|ctc_loss/, /^ctc$/i],
  [
    'classes',
    /CrossEntropyLoss|NLLLoss|BCELoss|BCEWithLogitsLoss|cross_entropy|nll_loss|(Sparse)?CategoricalCrossentropy|BinaryCrossentropy|softmaxCrossEntropy/,
    /^(sparse_?)?categorical_?crossentropy$|^binary_?crossentropy$|^softmaxCrossEntropy$/i,
  ],
  ['values', /MSELoss|mse_loss|MeanSquaredError/, /^(mse|mean_?squared_?error)$/i],
];

/** null where the code says none, or losses of several kinds. */
export function lossOf(code: CodeReader): Taken<LossTaken> | null {
  const found = COMPARES.flatMap(([value, modules, byName]): Taken<LossTaken>[] => {
    const named = code.calls(/compile/).find(call => {
      const name = code.string(argument(call, 'loss', 1));
      return name !== null && byName.test(name);
    });
    const call = code.calls(modules)[0] ?? named;
    return call ? [{ value, line: call.line }] : [];
  });
  return found.length === 1 ? found[0]! : null;
}

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
