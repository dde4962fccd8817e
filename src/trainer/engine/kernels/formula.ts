// A formula (../formula.ts) of tensors in one pass, and its gradient in another. Inputs have the shape of the first one
// that is no row; a row (D) holds for every step of (…, D).
import {
  abs,
  add,
  div,
  exp,
  log,
  mul,
  neg,
  relu,
  sigmoid,
  sqrt,
  step,
  sub,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Expression, Formula, Program } from '../formula.ts';
import { operations } from '../operations.ts';
import { newFloats, newZeros } from '../pool.ts';
import { floats, provider, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, hasKernel, once, output, runKernels, sizeOf } from './kernel.ts';

interface FormulaContext {
  formula: Formula;
  shape: number[];
  arrays?: Float32Array[];
}

const nameOf = (index: number) => `in${index}`;

export function applied<T extends Tensor>(formula: Formula, inputs: Tensor[]): T[] {
  const shape = inputs.reduce((most, input) => (input.rank > most.rank ? input : most)).shape;
  const row = String(shape.at(-1));
  for (const input of inputs)
    if (String(input.shape) !== String(shape) && String(input.shape) !== row)
      throw new Error(`formula: an input [${input.shape}] does not fit [${shape}].`);
  if (!hasKernel('UnrollFormula')) return composed(formula, inputs, shape) as T[];
  const named = Object.fromEntries(inputs.map((input, i) => [nameOf(i), input]));
  return runKernels('UnrollFormula', named, { formula, shape } satisfies FormulaContext) as T[];
}

function run(program: Program, shape: number[], inputs: readonly Float32Array[]): Float32Array[] {
  const count = sizeOf(shape);
  const outputs = Array.from({ length: program.outputs }, () => newFloats(count));
  operations().formula({
    program,
    count,
    width: shape.at(-1)!,
    inputs: inputs.map(input => ({ slice: whole(input), row: input.length !== count })),
    outputs: outputs.map(whole),
  });
  return outputs;
}

export const formulaKernel: EngineKernel = {
  name: 'UnrollFormula',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as FormulaContext;
    const { formula, shape } = context;
    const arrays = Array.from({ length: formula.inputs }, (_, i) => floats(inputs[nameOf(i)]!));
    if (tapeIsOn()) context.arrays = arrays;
    return run(formula.forward, shape, arrays).map(values => output(backend, shape, values));
  },
  gradient(dy, _saved, attrs) {
    const { formula, shape, arrays } = attrs as unknown as Required<FormulaContext>;
    const given = Array.isArray(dy) ? dy : [dy];
    const gradients = once(() => {
      const ofOutputs = formula.outputs.map((_, i) =>
        given[i] ? slice(given[i]).data : newZeros(sizeOf(shape)),
      ) as Float32Array[];
      return run(formula.backward(), shape, [...arrays, ...ofOutputs]);
    });
    const thunk = (i: number) => () => {
      const [own, made] = [arrays[i]!, gradients()[i]!];
      if (own.length === made.length) return tensor(made, shape);
      const sums = newFloats(own.length);
      provider().columnSums(made.length / own.length, own.length, whole(made), whole(sums));
      // back to the pool, which takes the arrays of tensors
      tensor(made, shape).dispose();
      return tensor(sums, [own.length]);
    };
    return Object.fromEntries(arrays.map((_, i) => [nameOf(i), thunk(i)]));
  },
};

/** The same in plain tensor operations. */
function composed({ outputs }: Formula, inputs: Tensor[], shape: number[]): Tensor[] {
  const values = new Map<Expression, Tensor>();
  const tensorOf = (e: Expression): Tensor => {
    const known = values.get(e);
    if (known) return known;
    const value = 'input' in e ? inputs[e.input]! : verb(e, tensorOf(e.a), e.b ? tensorOf(e.b) : inputs[0]!);
    values.set(e, value);
    return value;
  };
  return outputs.map(output => add(tensorOf(output), zeros(shape)));
}

function verb({ verb, p, q }: Exclude<Expression, { input: number }>, a: Tensor, b: Tensor): Tensor {
  switch (verb) {
    case 'affine':
      return add(mul(a, p), q);
    case 'add':
      return add(a, b);
    case 'sub':
      return sub(a, b);
    case 'mul':
      return mul(a, b);
    case 'div':
      return div(a, b);
    case 'exp':
      return exp(a);
    case 'sigmoid':
      return sigmoid(a);
    case 'tanh':
      return tanh(a);
    case 'softplus':
      return add(relu(a), log(add(exp(neg(abs(a))), 1)));
    case 'sqrt':
      return sqrt(a);
    case 'relu':
      return relu(a);
    case 'atMost':
      return sub(a, relu(sub(a, p)));
    case 'step':
      return step(a);
  }
}
