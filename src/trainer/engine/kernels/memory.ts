// A matrix memory as a kernel: linear attention, RetNet, GLA, Mamba-2, mLSTM, RWKV, DeltaNet. For authors of layers:
//
//   memory({ q, k, v, decay?, strength?, a?, b?, bonus?, s0?, m0? },
//          { heads, update?, normalised?, exponential?, floor?, reverse?, lengths?, onReport? }) → { o, sN, mN }
//
//   add      S_t = P + γ_t v_t k_tᵀ                     P = S_{t-1} diag(α_t)
//   delta    S_t = P + γ_t (v_t - P k_t) k_tᵀ
//   general  S_t = P + (S_{t-1} a_t) b_tᵀ + γ_t v_t k_tᵀ           o_t = S_t q_t
//
//   q, k, a, b (T, B, H·K), v (T, B, H·V), heads side by side; α = decay (T, B, H) or (T, B, H·K), left out: 1;
//   γ = strength (T, B, H), left out: 1 → o (T, B, H·V), sN (B, H, R, K) with R = V, or V + 1 when normalised.
//   The kernel scales nothing: 1/√K belongs into q.
//
//   linear attention  add, no decay                RetNet   add, decay (T, B, H) from a constant
//   Mamba-2           add, decay and strength      GLA      add, decay (T, B, H·K)
//   DeltaNet          delta, strength β            gated    delta, decay (T, B, H), strength β
//   RWKV-6            add, decay by channel, bonus u (H·K): o_t = S_{t-1} q_t + γ_t (Σ u q k) v_t
//   RWKV-7            general, decay by channel
//   mLSTM             add, normalised, exponential: decay is log f, strength is log i, (T, B, H) both
//
// normalised: o_t = S_t q_t / max(|n_t · q_t|, floor), n_t = α_t n_{t-1} + γ_t k_t; the state's last row is n.
// exponential: decay and strength are logarithms. The state is that divided by exp(m_t), m_t = max(log f + m_{t-1}, log i),
// and the floor multiplied by exp(-m_t), which changes no output: m needs no gradient, save that of sN, in which it counts as
// a constant. mN (B, H) goes with sN and comes back as m0; left out, both are those of an empty memory.
//
// All inputs but m0, and both o and sN, have gradients; `decay` has none with `fixedDecay`.
import { add, exp, type NamedTensorMap, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { MatrixMemoryShape } from '../recurrences.ts';
import { borrow, giveBack, glance, optionalSlice, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, hasKernel, once, output, runKernel, sizeOf } from './kernel.ts';
import {
  arraysOf,
  assertLengths,
  assertShapes,
  gradientThunks,
  intSlice,
  reportNorms,
  sliceIn,
} from './recurrence.ts';
import { memoryComposition } from './recurrence-compositions.ts';
import type { MemoryInputs, MemoryOptions, RecurrenceOptions } from './recurrence-operands.ts';
import { stabilised } from './stabiliser.ts';

export type { MemoryInputs, MemoryOptions } from './recurrence-operands.ts';

export interface MemoryResult {
  o: Tensor3D;
  /** (B, H, R, K) */
  sN: Tensor;
  /** (B, H) of exponential gates, else null; a plain copy */
  mN: Float32Array | null;
}

interface MemoryContext extends RecurrenceOptions {
  shape: MatrixMemoryShape;
  floors: Float32Array | null;
  /** of exponential gates: exp of what they are after stabilising */
  gates: { decay: Float32Array; strength: Float32Array } | null;
  fixedDecay?: boolean;
  arrays?: Record<string, Float32Array | undefined>;
  kept?: Float32Array;
}

/** Steps between two kept states, so that states of 64 x 64 are recomputed within a second-level cache. */
const CHUNK = 32;

export function memory(inputs: MemoryInputs, options: MemoryOptions): MemoryResult {
  const shape = checkedShape(inputs, options);
  const { seqLen, batch, heads } = shape;
  const { m0, ...operands } = inputs;
  const { lengths = null, reverse = false, floor = 1 } = options;
  let [floors, mN]: [Float32Array | null, Float32Array | null] = [null, null];
  let gates: MemoryContext['gates'] = null;
  if (options.exponential) {
    const made = stabilised({
      seqLen,
      batch,
      heads,
      reverse,
      lengths,
      floor,
      logDecay: inputs.decay ? glance(inputs.decay) : null,
      logStrength: inputs.strength ? glance(inputs.strength) : null,
      m0: m0 ? glance(m0) : null,
    });
    ({ mN } = made);
    floors = made.floors;
    gates = { decay: made.decay, strength: made.strength };
  } else if (shape.normalised && floor !== 1) floors = new Float32Array(seqLen * batch * heads).fill(floor);
  if (!hasKernel('UnrollMemory')) {
    const asTensor = shape.normalised
      ? tensor(floors ?? new Float32Array(seqLen * batch * heads).fill(1), [seqLen, batch, heads])
      : null;
    return { ...memoryComposition(gates ? plainGates(operands, gates) : operands, options, asTensor), mN };
  }
  const context: MemoryContext = { ...options, shape, floors, gates };
  const given = Object.fromEntries(Object.entries(operands).filter(([, input]) => input)) as NamedTensorMap;
  const [o, sN] = runKernel('UnrollMemory', given, context) as unknown as [Tensor3D, Tensor];
  return { o, sN, mN };
}

/** With exponential gates as plain ones: exp of each, shifted by what the stabiliser did, which counts as a constant. */
function plainGates(
  operands: Omit<MemoryInputs, 'm0'>,
  gates: NonNullable<MemoryContext['gates']>,
): Omit<MemoryInputs, 'm0'> {
  const shifted = (logarithms: Tensor3D, stabilised: Float32Array) => {
    const values = glance(logarithms);
    const shifts = stabilised.map((gate, i) => Math.log(gate) - values[i]!);
    return exp(add(logarithms, tensor(shifts, logarithms.shape))) as Tensor3D;
  };
  const { decay, strength } = operands;
  return { ...operands, decay: shifted(decay!, gates.decay), strength: shifted(strength!, gates.strength) };
}

function checkedShape(inputs: MemoryInputs, options: MemoryOptions): MatrixMemoryShape {
  const { heads, update = 'add', normalised = false, exponential = false, reverse = false } = options;
  const { decay, strength, a, b, bonus, m0 } = inputs;
  const [seqLen, batch, keys] = inputs.q.shape;
  const [keySize, valueSize] = [keys / heads, inputs.v.shape[2] / heads];
  if (!Number.isInteger(keySize) || !Number.isInteger(valueSize))
    throw new Error(
      `memory: ${keys} numbers of keys and ${inputs.v.shape[2]} of values do not make ${heads} heads.`,
    );
  const [ofKeys, ofHeads] = [
    [seqLen, batch, keys],
    [seqLen, batch, heads],
  ];
  const byHead = decay !== undefined && (keySize === 1 || decay.shape[2] === heads);
  assertShapes('memory', inputs, {
    q: ofKeys,
    k: ofKeys,
    v: [seqLen, batch, heads * valueSize],
    decay: byHead ? ofHeads : ofKeys,
    strength: ofHeads,
    a: ofKeys,
    b: ofKeys,
    bonus: [keys],
    s0: [batch, heads, normalised ? valueSize + 1 : valueSize, keySize],
    m0: [batch, heads],
  });
  assertLengths('memory', seqLen, batch, options.lengths);
  if (
    (update === 'general') !== (a !== undefined && b !== undefined) ||
    (a === undefined) !== (b === undefined)
  )
    throw new Error('memory: a and b belong to the update "general", which needs both.');
  if (update !== 'add' && (normalised || bonus))
    throw new Error(`memory: the update "${update}" has no normaliser and no bonus; "add" has.`);
  if (normalised && bonus) throw new Error('memory: a bonus and a normaliser cannot go together.');
  if (exponential && !(byHead && strength && normalised))
    throw new Error('memory: exponential gates need a normaliser, and decay and strength for each head.');
  if (m0 && !exponential) throw new Error('memory: m0 belongs to exponential gates.');
  const decayOf = decay ? (byHead ? 'head' : 'channel') : 'none';
  return { seqLen, batch, heads, keySize, valueSize, update, decayOf, normalised, reverse, chunk: CHUNK };
}

/** (B, H, R, K) */
function stateShape({ batch, heads, keySize, valueSize, normalised }: MatrixMemoryShape): number[] {
  return [batch, heads, normalised ? valueSize + 1 : valueSize, keySize];
}

export const memoryKernel: EngineKernel = {
  name: 'UnrollMemory',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as MemoryContext;
    const { shape, lengths, floors, gates } = context;
    const { q, k, v, decay, strength, a, b, bonus, s0 } = inputs;
    const states = stateShape(shape);
    const [o, sN] = [newFloats(sizeOf(v!.shape)), newFloats(sizeOf(states))];
    if (tapeIsOn()) {
      context.arrays = arraysOf({ q, k, v, decay, strength, a, b, bonus, s0 });
      context.kept = borrow(Math.ceil(shape.seqLen / shape.chunk) * sN.length);
    }
    operations().matrixMemory({
      ...shape,
      q: slice(q!),
      k: slice(k!),
      v: slice(v!),
      decay: gates ? whole(gates.decay) : optionalSlice(decay),
      strength: gates ? whole(gates.strength) : optionalSlice(strength),
      a: optionalSlice(a),
      b: optionalSlice(b),
      bonus: optionalSlice(bonus),
      floor: floors && whole(floors),
      lengths: intSlice(lengths),
      s0: optionalSlice(s0),
      o: whole(o),
      sN: whole(sN),
      kept: context.kept ? whole(context.kept) : null,
    });
    return [output(backend, v!.shape, o), output(backend, states, sN)];
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as MemoryContext;
    const { shape, arrays = {} } = context;
    const { seqLen, batch, heads, keySize, decayOf } = shape;
    const [dO, dsN] = dy as Tensor[];
    const [ofKeys, ofHeads] = [
      [seqLen, batch, heads * keySize],
      [seqLen, batch, heads],
    ];
    const all: Record<string, number[]> = {
      q: ofKeys,
      k: ofKeys,
      v: dO!.shape,
      decay: decayOf === 'channel' ? ofKeys : ofHeads,
      strength: ofHeads,
      a: ofKeys,
      b: ofKeys,
      bonus: [heads * keySize],
      s0: stateShape(shape),
    };
    const learned = (name: string) => name !== 'decay' || !context.fixedDecay;
    const shapes = Object.fromEntries(Object.entries(all).filter(([name]) => arrays[name] && learned(name)));
    const gradients = once(() => backward(context, dO!, dsN!, shapes));
    return gradientThunks(gradients, shapes);
  },
};

function backward(
  context: MemoryContext,
  dO: Tensor,
  dsN: Tensor,
  shapes: Record<string, number[]>,
): Record<string, Float32Array> {
  const { shape, arrays = {}, kept, lengths, floors, gates, onReport } = context;
  if (!kept) throw new Error('memory: the gradient of one forward pass was taken twice.');
  const made: Record<string, Float32Array> = {};
  for (const [name, of] of Object.entries(shapes)) made[name] = newFloats(sizeOf(of));
  const norms = onReport ? new Float32Array(shape.seqLen) : null;
  operations().matrixMemoryBackward({
    ...shape,
    q: sliceIn(arrays, 'q')!,
    k: sliceIn(arrays, 'k')!,
    v: sliceIn(arrays, 'v')!,
    decay: gates ? whole(gates.decay) : sliceIn(arrays, 'decay'),
    strength: gates ? whole(gates.strength) : sliceIn(arrays, 'strength'),
    a: sliceIn(arrays, 'a'),
    b: sliceIn(arrays, 'b'),
    bonus: sliceIn(arrays, 'bonus'),
    floor: floors && whole(floors),
    lengths: intSlice(lengths),
    kept: whole(kept),
    do: slice(dO),
    dsN: slice(dsN),
    dq: whole(made['q']!),
    dk: whole(made['k']!),
    dv: whole(made['v']!),
    dDecay: sliceIn(made, 'decay'),
    dStrength: sliceIn(made, 'strength'),
    da: sliceIn(made, 'a'),
    db: sliceIn(made, 'b'),
    dBonus: sliceIn(made, 'bonus'),
    ds0: sliceIn(made, 's0'),
    gradNorm: norms && whole(norms),
  });
  giveBack(kept);
  context.kept = undefined;
  // ∂L/∂log f = f ∂L/∂f
  if (gates)
    for (const name of ['decay', 'strength'] as const)
      gates[name].forEach((gate, i) => {
        made[name]![i]! *= gate;
      });
  reportNorms(norms, onReport);
  return made;
}
