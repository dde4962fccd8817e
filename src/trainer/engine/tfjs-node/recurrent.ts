// UnrollRecurrent on TensorFlow: what the cells have in common. Sequences are turned into step order and cleaned
// beyond their lengths; since what stands there gets no gradient, the cells need no masks.
import {
  add,
  engine,
  gather,
  keep,
  mul,
  reshape,
  type Tensor,
  tensor,
  tensor1d,
  tensor2d,
  tensor3d,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  type OutputGradients,
  outputGradients,
  type RecurrentContext,
  recurrentThunks,
} from '../kernels/recurrent.ts';
import type { RecurrentCell } from '../provider.ts';
import { tapeIsOn } from '../storage.ts';
import { type CellCall, type TensorflowCell, type Trace, zeroState } from './cell.ts';
import { gruResetAfter, gruResetBefore } from './gru.ts';
import type { TensorflowKernel } from './kernel.ts';
import { lstm } from './lstm.ts';
import type { NodeBackend } from './node-backend.ts';
import { cellGradients, reportOf } from './report.ts';
import { rnnLeakyRelu, rnnLinear, rnnRelu, rnnSigmoid, rnnTanh } from './rnn.ts';

const cells: Record<RecurrentCell, TensorflowCell> = {
  'rnn-tanh': rnnTanh,
  'rnn-relu': rnnRelu,
  lstm,
  'gru-reset-after': gruResetAfter,
  'gru-reset-before': gruResetBefore,
  'rnn-sigmoid': rnnSigmoid,
  'rnn-leaky-relu': rnnLeakyRelu,
  'rnn-linear': rnnLinear,
};

/** What waits for the backward pass; the tape's own scope would drop it. */
interface Waiting {
  call: CellCall;
  trace: Trace;
}
type Gradients = Record<string, Float32Array | null>;
const waiting = new WeakMap<RecurrentContext, Waiting>();
const computed = new WeakMap<RecurrentContext, Gradients>();
/** Forward passes whose gradient nobody took give their memory back when their context is gone. */
const abandoned = new FinalizationRegistry<Tensor[]>(release);

export const recurrentOnTensorflow: TensorflowKernel = {
  name: 'UnrollRecurrent',
  saved: [],
  run: (inputs, context) => forward(inputs, context as RecurrentContext),
  gradient(dy, _saved, attrs) {
    const context = attrs as RecurrentContext;
    return recurrentThunks(context, name => gradientsOf(outputGradients(dy), context)[name]);
  },
};

function forward(
  given: Readonly<Record<string, Tensor | undefined>>,
  context: RecurrentContext,
): Tensor | Tensor[] {
  const { shape, cell } = context;
  const call: CellCall = {
    shape,
    x: cleaned(turned(given.x!, context), context),
    weightIh: given.weightIh!,
    weightHh: given.weightHh!,
    biasIh: given.biasIh ?? null,
    biasHh: given.biasHh ?? null,
    h0: given.h0 ?? zeroState(shape),
    c0: cell === 'lstm' ? (given.c0 ?? zeroState(shape)) : null,
  };
  const raw = cells[cell].forward(call);
  const trace = { ...raw, h: cleaned(raw.h, context) };
  lastStates(trace.h, call.h0, context, context.hN);
  if (context.cN) lastStates(trace.c!, call.c0!, context, context.cN);
  if (tapeIsOn()) keepForBackward(context, call, trace);
  const y = turned(trace.h, context).clone();
  if (!context.lastStates) return y;
  const states = context.cN ? [context.hN, context.cN] : [context.hN];
  return [y, ...states.map(state => tensor2d(state, [shape.batch, shape.hiddenSize]))];
}

function keepForBackward(context: RecurrentContext, call: CellCall, trace: Trace): void {
  const hold = (held: Tensor): Tensor => keep(held.clone());
  const holdMaybe = (held: Tensor | null) => held && hold(held);
  const held: Waiting = {
    call: {
      shape: call.shape,
      x: hold(call.x),
      weightIh: hold(call.weightIh),
      weightHh: hold(call.weightHh),
      biasIh: holdMaybe(call.biasIh),
      biasHh: holdMaybe(call.biasHh),
      h0: hold(call.h0),
      c0: holdMaybe(call.c0),
    },
    trace: {
      h: hold(trace.h),
      c: holdMaybe(trace.c),
      gates: trace.gates.map(hold),
      kept: trace.kept.map(hold),
    },
  };
  waiting.set(context, held);
  abandoned.register(context, tensorsOf(held), context);
}

function tensorsOf({ call, trace }: Waiting): Tensor[] {
  const { shape: _, ...operands } = call;
  const all = [...Object.values(operands), trace.h, trace.c, ...trace.gates, ...trace.kept];
  return all.filter(held => held !== null);
}

function release(held: Tensor[]): void {
  for (const one of held) one.dispose();
}

/** All gradients as arrays: each thunk of the tape has a scope of its own, and must not pass on another's tensor. */
function gradientsOf(given: OutputGradients<Tensor>, context: RecurrentContext): Gradients {
  const done = computed.get(context);
  if (done) return done;
  const held = waiting.get(context);
  if (!held) throw new Error(`${context.cell}: the gradient of one forward pass was taken twice.`);
  const gradients = backward(given, held, context);
  waiting.delete(context);
  abandoned.unregister(context);
  release(tensorsOf(held));
  computed.set(context, gradients);
  return gradients;
}

function backward(
  { dy, dhN, dcN }: OutputGradients<Tensor>,
  { call, trace }: Waiting,
  context: RecurrentContext,
): Gradients {
  const { cell, shape, lengths, onReport, inputGradient } = context;
  const dc = dcN && atLastStep(dcN, context);
  const wanted = { inputGradient, report: onReport !== undefined, dc };
  const throughY = cleaned(turned(dy, context), context);
  const dySteps = dhN ? add(throughY, atLastStep(dhN, context)) : throughY;
  const made = cells[cell].backward(call, trace, dySteps, wanted);
  if (onReport) {
    const inPlace = (steps: Tensor) => turned(steps, context);
    const [, f, , o] = trace.gates;
    const cellGradient =
      cell === 'lstm'
        ? tensor3d(
            cellGradients(made.total, o!, trace.kept[0]!, f!, dc),
            made.total.shape as [number, number, number],
          )
        : null;
    const observed = {
      total: inPlace(made.total),
      gates: trace.gates.map(inPlace),
      cellGradient: cellGradient && inPlace(cellGradient),
    };
    onReport(reportOf(shape, lengths, observed));
  }
  const { total: _, x, h0, c0, ...others } = made;
  const all = {
    ...others,
    x: x && turned(x, context),
    h0: dhN ? add(h0, ofEmptySequences(dhN, context)) : h0,
    c0: c0 && dcN ? add(c0, ofEmptySequences(dcN, context)) : c0,
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, gradient]) => [name, gradient && (gradient.dataSync() as Float32Array)]),
  );
}

// ---------------------------------------------------------------- time and lengths

/** A (T, B, …) sequence read from each one's last valid step to its first, or back again. */
function turned(sequence: Tensor, { reverse, lengths, shape }: RecurrentContext): Tensor {
  if (!reverse) return sequence;
  const backend = engine().backend as NodeBackend;
  const { TF_ATTR_INT, TF_ATTR_TYPE, TF_FLOAT, TF_INT32 } = backend.binding;
  const attributes = [
    { name: 'seq_dim', type: TF_ATTR_INT, value: 0 },
    { name: 'batch_dim', type: TF_ATTR_INT, value: 1 },
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: 'Tlen', type: TF_ATTR_TYPE, value: TF_INT32 },
  ];
  const valid = tensor1d(lengths ?? new Int32Array(shape.batch).fill(shape.seqLen), 'int32');
  return backend.executeSingleOutput('ReverseSequence', attributes, [sequence, valid]);
}

/** Zero beyond each sequence's length, whatever stood there. */
function cleaned(steps: Tensor, { lengths, shape: { seqLen, batch } }: RecurrentContext): Tensor {
  if (!lengths) return steps;
  const valid = new Uint8Array(seqLen * batch);
  for (let b = 0; b < batch; b++) for (let t = 0; t < lengths[b]!; t++) valid[t * batch + b] = 1;
  return where(tensor(valid, [seqLen, batch, 1], 'bool'), steps, zerosLike(steps));
}

/** (T, B, H): a gradient (B, H) of the last states at each sequence's last step, in step order. */
function atLastStep(
  gradient: Tensor,
  { shape: { seqLen, batch, hiddenSize }, lengths }: RecurrentContext,
): Tensor {
  const last = new Float32Array(seqLen * batch);
  for (let b = 0; b < batch; b++) {
    const length = lengths?.[b] ?? seqLen;
    if (length > 0) last[(length - 1) * batch + b] = 1;
  }
  return mul(tensor(last, [seqLen, batch, 1]), reshape(gradient, [1, batch, hiddenSize]));
}

/** (B, H): what a sequence without steps hands on to its first state, which is its last. */
function ofEmptySequences(gradient: Tensor, { shape: { batch }, lengths }: RecurrentContext): Tensor {
  const empty = Float32Array.from({ length: batch }, (_, b) => Number(lengths?.[b] === 0));
  return mul(gradient, tensor(empty, [batch, 1]));
}

/** The states (B, H) after each sequence's last step. */
function lastStates(
  states: Tensor,
  initial: Tensor,
  { shape, lengths }: RecurrentContext,
  out: Float32Array,
): void {
  const { seqLen, batch, hiddenSize } = shape;
  const places = Int32Array.from(
    { length: batch },
    (_, b) => Math.max(0, (lengths?.[b] ?? seqLen) - 1) * batch + b,
  );
  const rows = reshape(states, [seqLen * batch, hiddenSize]);
  out.set(gather(rows, tensor1d(places, 'int32')).dataSync() as Float32Array);
  for (const [b, length] of lengths?.entries() ?? []) {
    if (length > 0) continue;
    const from = (initial.dataSync() as Float32Array).subarray(b * hiddenSize, (b + 1) * hiddenSize);
    out.set(from, b * hiddenSize);
  }
}
