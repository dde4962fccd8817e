// Cases of linear recurrences, from golden files or drawn, and one run of each through a provider's operations: forward
// and backward, with NaN around the operands and beyond the lengths.
import type { MemoryUpdate, RecurrenceOperations } from '../../../../src/trainer/engine/recurrences.ts';
import type { GoldenTensor } from './golden.ts';
import { type Memory, read } from './memory.ts';

type Tensors = Record<string, GoldenTensor | undefined>;

interface Common {
  name: string;
  reverse: boolean;
  lengths: number[] | null;
  inputs: Tensors;
  /** what comes from above for each result; left out: zeros */
  given: Tensors;
}

export type RecurrenceCase = Common &
  (
    | { operation: 'scan'; complex: boolean; constant: boolean }
    | { operation: 'selective' }
    | {
        operation: 'memory';
        heads: number;
        keySize: number;
        valueSize: number;
        update: MemoryUpdate;
        decayOf: 'none' | 'head' | 'channel';
        normalised: boolean;
        exponential: boolean;
        floor: GoldenTensor | null;
      }
  );

export type GoldenRecurrence = RecurrenceCase & {
  results: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
};

type Case<Operation> = Extract<RecurrenceCase, { operation: Operation }>;

/** Every result and gradient by its name. */
export function runRecurrence(
  operations: RecurrenceOperations,
  one: RecurrenceCase,
  memory: Memory,
  chunk = 3,
): Record<string, Float32Array> {
  const ready = new Run(one, memory);
  if (one.operation === 'scan') runScan(operations, one, ready);
  else if (one.operation === 'selective') runSelective(operations, one, ready, chunk);
  else runMemory(operations, one, ready, chunk);
  return ready.read();
}

class Run {
  readonly #one: RecurrenceCase;
  readonly #memory: Memory;
  readonly #written: Record<string, { slice: ReturnType<Memory['slot']>; size: number }> = {};

  constructor(one: RecurrenceCase, memory: Memory) {
    this.#one = one;
    this.#memory = memory;
  }

  get lengths() {
    const { lengths } = this.#one;
    return lengths && { data: Int32Array.from([-1, ...lengths]), offset: 1 };
  }

  /** An input, or what is given from above, with NaN beyond the lengths of sequences. */
  operand(tensor: GoldenTensor | undefined | null) {
    if (!tensor) return null;
    const values = Float32Array.from(tensor.data);
    const [seqLen, batch] = this.sequence();
    if (tensor.shape.length === 3 && tensor.shape[0] === seqLen && tensor.shape[1] === batch)
      this.#one.lengths?.forEach((length, b) => {
        const each = values.length / (seqLen * batch);
        for (let t = length; t < seqLen; t++)
          values.fill(Number.NaN, (t * batch + b) * each, (t * batch + b + 1) * each);
      });
    return this.#memory.slot(values.length, values);
  }

  sequence(): [number, number] {
    const [seqLen, batch] = (this.#one.inputs.b ?? this.#one.inputs.q)!.shape as [number, number];
    return [seqLen, batch];
  }

  input(name: string) {
    return this.operand(this.#one.inputs[name]);
  }

  from(name: string) {
    return this.operand(this.#one.given[name]);
  }

  out(name: string, size: number) {
    const slice = this.#memory.slot(size);
    this.#written[name] = { slice, size };
    return slice;
  }

  /** Where the gradient of an input goes; null where there is no such input. */
  gradient(name: string) {
    const size = this.#one.inputs[name]?.data.length;
    return size === undefined ? null : this.out(name, size);
  }

  slot(size: number) {
    return this.#memory.slot(size);
  }

  read(): Record<string, Float32Array> {
    return Object.fromEntries(
      Object.entries(this.#written).map(([name, { slice, size }]) => [name, read(slice, size)]),
    );
  }
}

function runScan(operations: RecurrenceOperations, one: Case<'scan'>, run: Run): void {
  const [seqLen, batch] = run.sequence();
  const row = one.inputs.b!.shape[2]!;
  const { complex, constant, reverse } = one;
  const shape = { seqLen, batch, width: complex ? row / 2 : row, complex, constant, reverse };
  const common = { ...shape, a: run.input('a')!, lengths: run.lengths, h0: run.input('h0') };
  const h = run.out('h', seqLen * batch * row);
  operations.scan({ ...common, b: run.input('b')!, h, hN: run.out('hN', batch * row) });
  const back = { ...common, h, dh: run.from('h')!, dhN: run.from('hN') };
  const [spare, none] = [run.slot(seqLen * batch * row), { da: null, dh0: null, gradNorm: null }];
  operations.scanBackward({ ...back, db: spare, ...none });
  operations.scanBackward({
    ...back,
    da: run.gradient('a'),
    db: run.gradient('b')!,
    dh0: run.gradient('h0'),
    gradNorm: run.out('gradNorm', seqLen),
  });
}

function runSelective(
  operations: RecurrenceOperations,
  one: Case<'selective'>,
  run: Run,
  chunk: number,
): void {
  const [seqLen, batch] = run.sequence();
  const [width, states] = one.inputs.a!.shape as [number, number];
  const size = batch * width * states;
  const common = {
    ...{ seqLen, batch, width, states, reverse: one.reverse, chunk },
    x: run.input('x')!,
    delta: run.input('delta')!,
    a: run.input('a')!,
    b: run.input('b')!,
    c: run.input('c')!,
    skip: run.input('skip'),
    lengths: run.lengths,
  };
  const forward = {
    ...common,
    h0: run.input('h0'),
    y: run.out('y', seqLen * batch * width),
    hN: run.out('hN', size),
  };
  const kept = run.slot(Math.ceil(seqLen / chunk) * size);
  operations.selectiveScan({ ...forward, kept: null });
  operations.selectiveScan({ ...forward, kept });
  operations.selectiveScanBackward({
    ...common,
    kept,
    dy: run.from('y')!,
    dhN: run.from('hN'),
    dx: run.gradient('x')!,
    dDelta: run.gradient('delta')!,
    da: run.gradient('a')!,
    db: run.gradient('b')!,
    dc: run.gradient('c')!,
    dSkip: run.gradient('skip'),
    dh0: run.gradient('h0'),
    gradNorm: run.out('gradNorm', seqLen),
  });
}

function runMemory(operations: RecurrenceOperations, one: Case<'memory'>, run: Run, chunk: number): void {
  const [seqLen, batch] = run.sequence();
  const { heads, keySize, valueSize, update, decayOf, normalised, reverse } = one;
  const states = batch * heads * (normalised ? valueSize + 1 : valueSize) * keySize;
  const common = {
    ...{ seqLen, batch, heads, keySize, valueSize, update, decayOf, normalised, reverse, chunk },
    q: run.input('q')!,
    k: run.input('k')!,
    v: run.input('v')!,
    decay: run.input('decay'),
    strength: run.input('strength'),
    a: run.input('a'),
    b: run.input('b'),
    bonus: run.input('bonus'),
    floor: run.operand(one.floor),
    lengths: run.lengths,
  };
  const forward = {
    ...common,
    s0: run.input('s0'),
    o: run.out('o', seqLen * batch * heads * valueSize),
    sN: run.out('sN', states),
  };
  const kept = run.slot(Math.ceil(seqLen / chunk) * states);
  operations.matrixMemory({ ...forward, kept: null });
  operations.matrixMemory({ ...forward, kept });
  operations.matrixMemoryBackward({
    ...common,
    kept,
    do: run.from('o')!,
    dsN: run.from('sN'),
    dq: run.gradient('q')!,
    dk: run.gradient('k')!,
    dv: run.gradient('v')!,
    dDecay: run.gradient('decay'),
    dStrength: run.gradient('strength'),
    da: run.gradient('a'),
    db: run.gradient('b'),
    dBonus: run.gradient('bonus'),
    ds0: run.gradient('s0'),
    gradNorm: run.out('gradNorm', seqLen),
  });
}
