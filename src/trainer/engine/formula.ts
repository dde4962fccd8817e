// Element-wise formulas: written once as expressions, compiled to programs that a provider runs in one pass over memory,
// the gradient's program derived. For authors of layers:
//
//   const gates = formula(2, (z, c) => [f.sub(1, f.sigmoid(z)), f.mul(f.sigmoid(z), c)]);
//   const [a, b] = applied(gates, [gate(x), hidden(x)]);            // kernels/formula.ts
//
// Equal parts of a formula are computed once. A program is a list of verbs; each has a place to write to and one or two to
// read from. Places: inputs from 0 on, outputs from FORMULA_INPUTS on, then registers.

/** Most operands and registers of a program, as in kernels/formula.h. */
export const FORMULA_INPUTS = 12;
export const FORMULA_OUTPUTS = 8;
export const FORMULA_REGISTERS = 20;

/** In the order of UnrollVerb. */
export const VERBS = [
  'affine',
  'add',
  'sub',
  'mul',
  'div',
  'exp',
  'sigmoid',
  'tanh',
  'softplus',
  'sqrt',
  'relu',
  'atMost',
  'step',
] as const;

export type Verb = (typeof VERBS)[number];

/** An input, or a verb of one or two operands with its constants. */
export type Expression =
  | { readonly input: number }
  | {
      readonly verb: Verb;
      readonly a: Expression;
      readonly b?: Expression;
      readonly p: number;
      readonly q: number;
    };

type Operand = Expression | number;

function one(verb: Verb, a: Expression, p = 0, q = 0): Expression {
  return { verb, a, p, q };
}

function two(verb: Verb, a: Expression, b: Expression): Expression {
  return { verb, a, b, p: 0, q: 0 };
}

/** The verbs of formulas. */
export const f = {
  /** p a + q */
  affine: (a: Expression, p: number, q = 0) => one('affine', a, p, q),
  neg: (a: Expression) => f.affine(a, -1),
  add: (a: Operand, b: Operand): Expression =>
    typeof a === 'number'
      ? f.affine(b as Expression, 1, a)
      : typeof b === 'number'
        ? f.affine(a, 1, b)
        : two('add', a, b),
  sub: (a: Operand, b: Operand): Expression =>
    typeof a === 'number'
      ? f.affine(b as Expression, -1, a)
      : typeof b === 'number'
        ? f.affine(a, 1, -b)
        : two('sub', a, b),
  mul: (a: Operand, b: Operand): Expression =>
    typeof a === 'number'
      ? f.affine(b as Expression, a)
      : typeof b === 'number'
        ? f.affine(a, b)
        : two('mul', a, b),
  div: (a: Expression, b: Expression) => two('div', a, b),
  exp: (a: Expression) => one('exp', a),
  sigmoid: (a: Expression) => one('sigmoid', a),
  tanh: (a: Expression) => one('tanh', a),
  /** log(1 + exp(a)) */
  softplus: (a: Expression) => one('softplus', a),
  sqrt: (a: Expression) => one('sqrt', a),
  relu: (a: Expression) => one('relu', a),
  atMost: (a: Expression, bound: number) => one('atMost', a, bound),
  /** 1 where a ≥ 0, else 0; without a gradient */
  step: (a: Expression) => one('step', a),
  /** a σ(a): P. Ramachandran et al., 2017, https://arxiv.org/abs/1710.05941. */
  silu: (a: Expression) => f.mul(a, f.sigmoid(a)),
};

/** What one more of y, the value of an expression, adds through it: ∂L/∂a and ∂L/∂b of its operands, from g = ∂L/∂y. */
function slopes(y: Exclude<Expression, { input: number }>, g: Expression): (Expression | null)[] {
  const { verb, a, b, p } = y;
  switch (verb) {
    case 'affine':
      return [f.affine(g, p)];
    case 'add':
      return [g, g];
    case 'sub':
      return [g, f.neg(g)];
    case 'mul':
      return [f.mul(g, b!), f.mul(g, a)];
    case 'div':
      return [f.div(g, b!), f.neg(f.div(f.mul(g, y), b!))];
    case 'exp':
      return [f.mul(g, y)];
    case 'sigmoid':
      return [f.mul(g, f.sub(y, f.mul(y, y)))];
    case 'tanh':
      return [f.mul(g, f.sub(1, f.mul(y, y)))];
    case 'softplus':
      return [f.mul(g, f.sigmoid(a))];
    case 'sqrt':
      return [f.affine(f.div(g, y), 0.5)];
    case 'relu':
      return [f.mul(g, f.step(a))];
    case 'atMost':
      return [f.mul(g, f.sub(1, f.step(f.affine(a, 1, -p))))];
    case 'step':
      return [null];
  }
}

export interface Program {
  /** (steps, 4): verb, where to, first and second operand */
  readonly steps: Int32Array;
  /** (steps, 2) */
  readonly constants: Float32Array;
  readonly outputs: number;
}

export interface Formula {
  readonly inputs: number;
  readonly outputs: readonly Expression[];
  readonly forward: Program;
  /** Of the inputs, then the outputs' gradients: the gradient of each input. */
  backward(): Program;
}

export function formula(inputs: number, make: (...inputs: Expression[]) => Expression[]): Formula {
  const outputs = make(...Array.from({ length: inputs }, (_, input) => ({ input })));
  let backward: Program | undefined;
  return {
    inputs,
    outputs,
    forward: compiled(outputs, inputs),
    backward: () => (backward ??= compiled(gradientsOf(outputs, inputs), inputs + outputs.length)),
  };
}

/** Each value once, those that it needs before it. */
function inOrder(outputs: readonly Expression[]): { values: Expression[]; of: (e: Expression) => number } {
  const values: Expression[] = [];
  const byKey = new Map<string, number>();
  const seen = new Map<Expression, number>();
  const visit = (e: Expression): number => {
    const known = seen.get(e);
    if (known !== undefined) return known;
    const key =
      'input' in e ? `input ${e.input}` : `${e.verb} ${visit(e.a)} ${e.b ? visit(e.b) : ''} ${e.p} ${e.q}`;
    const at = byKey.get(key) ?? values.push(e) - 1;
    byKey.set(key, at);
    seen.set(e, at);
    return at;
  };
  for (const output of outputs) visit(output);
  return { values, of: visit };
}

/** Of Σ outputs ⊙ g, g being the inputs behind the first `inputs`. */
function gradientsOf(outputs: readonly Expression[], inputs: number): Expression[] {
  const { values, of } = inOrder(outputs);
  const total: (Expression | undefined)[] = [];
  const collect = (e: Expression, g: Expression) => {
    const at = of(e);
    const before = total[at];
    total[at] = before ? f.add(before, g) : g;
  };
  outputs.forEach((output, i) => {
    collect(output, { input: inputs + i });
  });
  for (let at = values.length - 1; at >= 0; at--) {
    const [value, g] = [values[at]!, total[at]];
    if (!g || 'input' in value) continue;
    const [ofA, ofB] = slopes(value, g);
    if (ofA) collect(value.a, ofA);
    if (ofB && value.b) collect(value.b, ofB);
  }
  return Array.from({ length: inputs }, (_, input) => {
    const at = values.findIndex(value => 'input' in value && value.input === input);
    return total[at] ?? f.affine({ input }, 0);
  });
}

function compiled(outputs: readonly Expression[], inputs: number): Program {
  const { values, of } = inOrder(outputs);
  const places: number[] = [];
  outputs.forEach((output, i) => {
    if (!('input' in output)) places[of(output)] ??= FORMULA_INPUTS + i;
  });
  const lastUse: number[] = [];
  values.forEach((value, at) => {
    if ('input' in value) places[at] = value.input;
    else for (const operand of operandsOf(value)) lastUse[of(operand)] = at;
  });
  const free = Array.from(
    { length: FORMULA_REGISTERS },
    (_, i) => FORMULA_INPUTS + FORMULA_OUTPUTS + i,
  ).reverse();
  const firstRegister = FORMULA_INPUTS + FORMULA_OUTPUTS;
  const steps: number[] = [];
  const constants: number[] = [];
  values.forEach((value, at) => {
    if ('input' in value) return;
    const operands = operandsOf(value).map(of);
    for (const operand of new Set(operands))
      if (lastUse[operand] === at && places[operand]! >= firstRegister) free.push(places[operand]!);
    places[at] ??= free.pop() ?? Number.POSITIVE_INFINITY;
    const [a, b = a] = operands.map(operand => places[operand]!);
    steps.push(VERBS.indexOf(value.verb), places[at]!, a!, b!);
    constants.push(value.p, value.q);
  });
  // an output that is an input, or the same as another one, is a copy
  outputs.forEach((output, i) => {
    const place = places[of(output)]!;
    if (place === FORMULA_INPUTS + i) return;
    steps.push(VERBS.indexOf('affine'), FORMULA_INPUTS + i, place, place);
    constants.push(1, 0);
  });
  if (inputs > FORMULA_INPUTS || outputs.length > FORMULA_OUTPUTS || !steps.every(Number.isFinite))
    throw new Error(
      `A formula of ${inputs} inputs and ${outputs.length} outputs takes more room than a program has.`,
    );
  return { steps: Int32Array.from(steps), constants: Float32Array.from(constants), outputs: outputs.length };
}

function operandsOf(value: Exclude<Expression, { input: number }>): Expression[] {
  return value.b ? [value.a, value.b] : [value.a];
}
