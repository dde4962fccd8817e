// A program of formula.ts, verb after verb over whole arrays.
import { FORMULA_INPUTS, FORMULA_OUTPUTS, VERBS, type Verb } from '../formula.ts';
import type { FormulaCall } from '../provider.ts';
import { sigmoid, tanh } from './activations.ts';

// written so that NaN stays NaN
const functions: Record<Verb, (x: number, y: number, p: number, q: number) => number> = {
  affine: (x, _, p, q) => p * x + q,
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  exp: x => Math.exp(x),
  sigmoid,
  tanh,
  softplus: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sqrt: x => Math.sqrt(x),
  relu: x => (x < 0 ? 0 : x),
  atMost: (x, _, p) => (x > p ? p : x),
  step: x => (x < 0 ? 0 : 1),
};

export function formula({ program, count, width, inputs, outputs }: FormulaCall): void {
  const registers: Float32Array[] = [];
  const read = (place: number, i: number) => {
    if (place >= FORMULA_INPUTS) return written(place).data[written(place).offset + i]!;
    const { slice, row } = inputs[place]!;
    return slice.data[slice.offset + (row ? i % width : i)]!;
  };
  const written = (place: number) =>
    outputs[place - FORMULA_INPUTS] ?? {
      data: (registers[place - FORMULA_INPUTS - FORMULA_OUTPUTS] ??= new Float32Array(count)),
      offset: 0,
    };
  for (let step = 0; step < program.steps.length / 4; step++) {
    const [verb, to, a, b] = program.steps.subarray(4 * step, 4 * step + 4) as unknown as number[];
    const [p, q] = program.constants.subarray(2 * step) as unknown as number[];
    const [apply, out] = [functions[VERBS[verb!]!], written(to!)];
    for (let i = 0; i < count; i++) out.data[out.offset + i] = apply(read(a!, i), read(b!, i), p!, q!);
  }
}
