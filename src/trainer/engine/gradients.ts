// The gradient of a loss over tfjs's tape. tfjs's own walk (variableGrads) looks tensors up by their growing numbers in
// objects and copies every node: for the few operations of a fused model that takes as long as writing them down did.
import {
  add,
  engine,
  type Scalar,
  scalar,
  type Tensor,
  tidy,
  util,
  type Variable,
} from '@tensorflow/tfjs-core';
import { tapeIsDone } from './pool.ts';

type Tape = ReturnType<typeof engine>['state']['activeTape'];
type TapeNode = Tape[number];

/** Gradients in the order of the variables, null where the loss does not depend on one; all belong to the caller. */
export function gradientsOf(
  loss: () => Scalar,
  variables: readonly Variable[],
): { value: Scalar; gradients: (Tensor | null)[] } {
  const { state } = engine();
  if (state.gradientDepth > 0)
    throw new Error('gradientsOf: a gradient inside of a gradient is not computed.');
  const tape: Tape = [];
  try {
    const value = recorded(tape, loss);
    // tfjs's types know no null among what is tidied
    const gradients: (Tensor | null)[] = tidy(() => walk(tape, value, variables) as Tensor[]);
    return { value, gradients };
  } finally {
    for (const { saved } of tape) for (const kept of saved ?? []) kept.dispose();
    (state as { activeTape: Tape | null }).activeTape = null;
    tapeIsDone();
  }
}

function recorded(tape: Tape, loss: () => Scalar): Scalar {
  const { state } = engine();
  state.activeTape = tape;
  state.gradientDepth++;
  try {
    return tidy(loss);
  } finally {
    state.gradientDepth--;
  }
}

/** From the loss back: each node hands on to those of its inputs that depend on a variable. */
function walk(tape: Tape, value: Scalar, variables: readonly Variable[]): (Tensor | null)[] {
  const dependent = dependentOn(tape, variables);
  const gradients = new Map<number, Tensor>([[value.id, scalar(1)]]);
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i]!;
    if (!node.outputs.some(({ id }) => dependent.has(id) && gradients.has(id))) continue;
    const thunks = backwardOf(node)(node.outputs.map(({ id }) => gradients.get(id)!));
    for (const name in node.inputs) {
      const input = node.inputs[name]!;
      if (!dependent.has(input.id)) continue;
      const thunk = thunks[name];
      if (!thunk) throw new Error(`${node.kernelName}: there is no gradient with respect to ${name}.`);
      const gradient = tidy(thunk);
      if (!util.arraysEqual(gradient.shape, input.shape))
        throw new Error(
          `${node.kernelName}: the gradient of ${name} has shape [${gradient.shape}], but [${input.shape}] is needed.`,
        );
      const before = gradients.get(input.id);
      gradients.set(input.id, before ? add(before, gradient) : gradient);
    }
  }
  return variables.map(({ id }) => gradients.get(id) ?? null);
}

/** The tensors that a variable flows into, and the variables. */
function dependentOn(tape: Tape, variables: readonly Variable[]): Set<number> {
  const dependent = new Set(variables.map(({ id }) => id));
  for (const { inputs, outputs } of tape)
    for (const name in inputs)
      if (dependent.has(inputs[name]!.id)) {
        for (const { id } of outputs) dependent.add(id);
        break;
      }
  return dependent;
}

function backwardOf({ kernelName, gradient }: TapeNode): NonNullable<TapeNode['gradient']> {
  if (gradient) return gradient;
  throw new Error(`${kernelName} has no gradient.`);
}
