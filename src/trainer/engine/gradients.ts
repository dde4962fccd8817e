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
  const gradients = new Gradients(value.id, scalar(1));
  const kept = new Set(variables.map(({ id }) => id));
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i]!;
    if (!node.outputs.some(({ id }) => dependent.has(id) && gradients.has(id))) continue;
    const thunks = backwardOf(node)(node.outputs.map(({ id }) => gradients.get(id)!));
    for (const name in node.inputs) {
      const input = node.inputs[name]!;
      if (!dependent.has(input.id)) continue;
      const thunk = thunks[name];
      if (!thunk) throw new Error(`${node.kernelName}: there is no gradient with respect to ${name}.`);
      const gradient = scoped(thunk);
      if (!util.arraysEqual(gradient.shape, input.shape))
        throw new Error(
          `${node.kernelName}: the gradient of ${name} has shape [${gradient.shape}], but [${input.shape}] is needed.`,
        );
      gradients.add(input.id, gradient);
    }
    // all that read these outputs stand behind it on the tape: what comes now takes their arrays again while they are warm
    for (const { id } of node.outputs) if (!kept.has(id)) gradients.drop(id);
  }
  return variables.map(({ id }) => gradients.get(id) ?? null);
}

/** As `tidy` of a function that mostly makes what it gives and no other tensor: then nothing is looked for. */
function scoped(thunk: () => Tensor): Tensor {
  const scopes = engine();
  const { state } = scopes;
  const parent = state.activeScope;
  scopes.startScope();
  let made: Tensor | undefined;
  try {
    made = thunk();
  } catch (cause) {
    scopes.endScope();
    throw cause;
  }
  const { track } = state.activeScope;
  if (!parent || track.length !== 1 || track[0] !== made || made.kept) {
    scopes.endScope(made);
    return made;
  }
  state.scopeStack.pop();
  state.activeScope = parent;
  made.scopeId = parent.id;
  parent.track.push(made);
  return made;
}

/** Gradients by the tensor that they belong to. One may belong to several: that of a sum is those of its parts. */
class Gradients {
  readonly #byTensor = new Map<number, Tensor>();
  readonly #owners = new Map<number, number>();

  constructor(id: number, gradient: Tensor) {
    this.#set(id, gradient);
  }

  has(id: number): boolean {
    return this.#byTensor.has(id);
  }

  get(id: number): Tensor | undefined {
    return this.#byTensor.get(id);
  }

  add(id: number, gradient: Tensor): void {
    const before = this.#byTensor.get(id);
    if (!before) {
      this.#set(id, gradient);
      return;
    }
    const both = add(before, gradient);
    this.drop(id);
    this.#set(id, both);
    if (!this.#owners.has(gradient.id)) gradient.dispose();
  }

  drop(id: number): void {
    const gradient = this.#byTensor.get(id);
    if (!gradient) return;
    this.#byTensor.delete(id);
    const owners = this.#owners.get(gradient.id)! - 1;
    if (owners > 0) {
      this.#owners.set(gradient.id, owners);
      return;
    }
    this.#owners.delete(gradient.id);
    gradient.dispose();
  }

  #set(id: number, gradient: Tensor): void {
    this.#byTensor.set(id, gradient);
    this.#owners.set(gradient.id, (this.#owners.get(gradient.id) ?? 0) + 1);
  }
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
