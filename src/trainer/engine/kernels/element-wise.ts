// tfjs's own element-wise operations on the provider, where operands are float32 of one shape, or one of them is a number,
// a row of the other's last axis or a column of numbers for its rows. The rest stays with tfjs-backend-cpu, which finds the
// place of each number by its coordinates.
import { getKernel, type TensorInfo } from '@tensorflow/tfjs-core';
import { type Expression, f, formula, type Program } from '../formula.ts';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import { floats, livesInFloats, whole } from '../storage.ts';
import { type EngineKernel, output, sizeOf } from './kernel.ts';

interface Operand {
  values: Float32Array;
  row: boolean;
}

/** The operand as numbers of `shape`, or as a row of it; null: neither. */
function fitted(x: TensorInfo, shape: readonly number[]): Operand | null {
  const own = [...shape.slice(x.shape.length).map(() => 1), ...x.shape];
  const width = shape.at(-1) ?? 1;
  if (alike(own, shape)) return { values: floats(x), row: false };
  if (alike(own, [...shape.slice(1).map(() => 1), width])) return { values: floats(x), row: true };
  if (sizeOf(own) === 1) return { values: newFloats(width).fill(floats(x)[0]!), row: true };
  if (alike(own, [...shape.slice(0, -1), 1])) return { values: columns(floats(x), width), row: false };
  return null;
}

function alike(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function columns(values: Float32Array, width: number): Float32Array {
  const all = newFloats(values.length * width);
  for (let row = 0; row < values.length; row++) all.fill(values[row]!, row * width, (row + 1) * width);
  return all;
}

function run(program: Program, shape: readonly number[], operands: readonly Operand[]): Float32Array {
  const count = sizeOf(shape);
  const out = newFloats(count);
  operations().formula({
    program,
    count,
    width: shape.at(-1) ?? 1,
    inputs: operands.map(({ values, row }) => ({ slice: whole(values), row })),
    outputs: [whole(out)],
  });
  return out;
}

function binary(name: string, verb: (a: Expression, b: Expression) => Expression): EngineKernel {
  const { forward } = formula(2, (a, b) => [verb(a, b)]);
  return {
    name,
    run(params) {
      const { a, b } = params.inputs as Record<'a' | 'b', TensorInfo>;
      const [larger, other] = sizeOf(a.shape) >= sizeOf(b.shape) ? [a, b] : [b, a];
      const { shape } = larger;
      const whole =
        [a, b].every(x => x.dtype === 'float32' && livesInFloats(x)) && shape.length >= other.shape.length;
      const operands = whole && sizeOf(other.shape) > 0 ? [fitted(a, shape), fitted(b, shape)] : [null];
      if (operands.includes(null)) return getKernel(name, 'cpu').kernelFunc(params);
      return output(params.backend, [...shape], run(forward, shape, operands as Operand[]));
    },
  };
}

function unary(name: string, verb: (x: Expression) => Expression): EngineKernel {
  const { forward } = formula(1, x => [verb(x)]);
  return {
    name,
    run(params) {
      const x = params.inputs['x']!;
      if (x.dtype !== 'float32' || !livesInFloats(x) || sizeOf(x.shape) === 0)
        return getKernel(name, 'cpu').kernelFunc(params);
      const values = run(forward, x.shape, [{ values: floats(x), row: false }]);
      return output(params.backend, [...x.shape], values);
    },
  };
}

export const elementWiseKernels: readonly EngineKernel[] = [
  binary('Add', f.add),
  binary('Sub', f.sub),
  binary('Multiply', f.mul),
  binary('RealDiv', f.div),
  unary('Neg', f.neg),
  unary('Square', x => f.mul(x, x)),
  unary('Sqrt', f.sqrt),
  unary('Exp', f.exp),
];
