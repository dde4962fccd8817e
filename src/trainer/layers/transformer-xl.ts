// Transformer-XL: Z. Dai et al., 2019, https://arxiv.org/abs/1901.02860. A block reads x (T, B, D) and h, what it has read
// before, through which no gradient goes:
//
//   q = W_q norm1(x)      k, v = W_kv norm1([h ; x])      r_j = W_r sinusoid(j), of distance j
//   a_t = Σ_s softmax_s(((q_t + u) · k_s + (q_t + v) · r_{t-s}) / √(D/heads)) v_s      over t - M ≤ s ≤ t
//   x = x + W_out a      x = x + W_2 φ(W_1 norm2(x) + b_1) + b_2
//
// `norm` "post": x = norm1(x + …), and so for both parts. A step sees M steps before its own, whether they stand in its
// segment or before it, so that a sequence gives the same outputs however it is cut (the paper's `same_length`).
// With `compression` c (J. Rae et al., 2019, https://arxiv.org/abs/1911.05507) segments of M steps are counted from the
// sequence's beginning: a step sees its own segment so far, the one before it, and of older ones the mean of each c
// steps, `compressedMemory` of them; distances are counted in rows of [compressed ; memory ; segment]. Inside of a
// training sequence gradients go through means too.
// Variables of block k: blocks.<k>.self_attn.q, kv, r, out (weights without biases), u and v (D), at first zeros; the dense
// parts and norms as those of a Transformer. Initial values: Glorot-uniform q, kv, r; the others as a dense layer's.
// State, of each block: "<layer>.blocks.<k>.memory" (B, slots, D), newest last, and ".compressed"; and how many of the slots
// are filled, "<layer>.remembered" and "<layer>.compressed".
import { add, concat, mean, reshape, slice, type Tensor3D, tensor, tensor2d } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { memoryLength, memorySlots } from '../../experiment/layers/transformer-xl.ts';
import { glance } from '../engine/storage.ts';
import { sinusoids } from './attention-positions.ts';
import { ModelError } from './errors.ts';
import { dropping, feedForward } from './feed-forward.ts';
import { glorotUniform, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { normIn } from './layer-norm.ts';
import { crossAttention, dense } from './operations.ts';

type XlLayer = LayerOf<'transformer-xl'>;

const EPSILON = 1e-5;

/** What stands before the steps of a pass; (rows, B, D), of which sequence b has the newest `counts[b]`. */
interface Before {
  rows: Tensor3D | null;
  counts: Int32Array;
}

/** What a block reads: rows before x, and of each sequence the first of them that is there; null: all are. */
interface Segment {
  x: Tensor3D;
  before: Tensor3D | null;
  starts: Int32Array | null;
  /** valid steps of x; null: all */
  lengths: Int32Array | null;
  /** steps before its own that a step sees; 0: all */
  reach: number;
}

type Block = (segment: Segment, pass: Pass) => Tensor3D;

export function buildTransformerXl(layer: XlLayer, place: Place): BuiltLayer {
  const { width } = place.input;
  if (width % layer.heads !== 0)
    throw new ModelError(
      `Layer ${place.index + 1} shares ${width} numbers among ${layer.heads} heads, which does not come out even; take a number of heads that divides ${width}, or put a dense layer before it.`,
      ['model', 'layers', place.index, 'heads'],
    );
  const M = memoryLength(layer, place.seqLen);
  const slots = memorySlots(layer, place.seqLen);
  const names = Array.from({ length: layer.layers }, (_, index) => `blocks.${index}`);
  const blocks = names.map(name => blockOf(layer, place, name));
  const stateName = (what: string, block = '') => `${place.name}.${block && `${block}.`}${what}`;
  const compresses = layer.compression !== undefined;
  const read = compresses ? compressing(layer, M, slots.compressed) : remembering(M);
  return {
    output: { kind: 'vectors', width, learned: true },
    states: [
      ...names.flatMap(name => [
        { name: stateName('memory', name), size: slots.memory * width },
        ...(compresses ? [{ name: stateName('compressed', name), size: slots.compressed * width }] : []),
      ]),
      { name: stateName('remembered'), size: 1 },
      ...(compresses ? [{ name: stateName('compressed'), size: 1 }] : []),
    ],
    forward(input, pass) {
      let x = input as Tensor3D;
      const [T, B] = x.shape;
      const lengths = pass.options.lengths ?? new Int32Array(B).fill(T);
      const counts = countsIn(pass, stateName('remembered'), B);
      const older = countsIn(pass, stateName('compressed'), B);
      let after: Kept | null = null;
      for (const [index, block] of blocks.entries()) {
        const [memoryName, olderName] = [
          stateName('memory', names[index]!),
          stateName('compressed', names[index]!),
        ];
        const memory = beforeOf(pass.state(memoryName), counts, slots.memory, width);
        const compressed = beforeOf(pass.state(olderName), older, slots.compressed, width);
        const result = read(block, { x, memory, compressed, lengths }, pass);
        after = result.kept;
        pass.keep(memoryName, padded(after.memory, slots.memory, width));
        if (compresses) pass.keep(olderName, padded(after.compressed, slots.compressed, width));
        x = result.y;
      }
      pass.keep(stateName('remembered'), filled(after!.memory, width));
      if (compresses) pass.keep(stateName('compressed'), filled(after!.compressed, width));
      return x;
    },
  };
}

/** By sequence, the rows that are kept after a pass, each row D numbers. */
interface Kept {
  memory: Float32Array[];
  compressed: Float32Array[];
}

interface Reading {
  x: Tensor3D;
  memory: Before;
  compressed: Before;
  lengths: Int32Array;
}

type Read = (block: Block, reading: Reading, pass: Pass) => { y: Tensor3D; kept: Kept };

function countsIn(pass: Pass, name: string, batch: number): Int32Array {
  const counts = pass.state(name);
  return counts ? Int32Array.from(counts) : new Int32Array(batch);
}

/** The newest slots (B, slots, D), as many as one of the sequences has filled. */
function beforeOf(state: Float32Array | null, counts: Int32Array, slots: number, width: number): Before {
  const rows = Math.max(...counts);
  if (!state || rows === 0) return { rows: null, counts };
  const B = counts.length;
  const values = new Float32Array(rows * B * width);
  for (let b = 0; b < B; b++)
    for (let row = 0; row < rows; row++) {
      const from = (b * slots + slots - rows + row) * width;
      values.set(state.subarray(from, from + width), (row * B + b) * width);
    }
  return { rows: tensor(values, [rows, B, width]), counts };
}

/** (B, slots, D), the rows of each sequence at the end. */
function padded(rows: readonly Float32Array[], slots: number, width: number): Float32Array {
  const state = new Float32Array(rows.length * slots * width);
  for (const [b, values] of rows.entries()) state.set(values, (b + 1) * slots * width - values.length);
  return state;
}

function filled(rows: readonly Float32Array[], width: number): Float32Array {
  return Float32Array.from(rows, ({ length }) => length / width);
}

function stacked(...parts: readonly (Tensor3D | null)[]): Tensor3D {
  const given = parts.filter(part => part !== null);
  return given.length === 1 ? given[0]! : (concat(given, 0) as Tensor3D);
}

/** Rows `from` … `to`-1 of sequence b of (rows, B, D), as they stand now. */
function rowsOf(
  values: Float32Array,
  [B, D]: readonly [number, number],
  b: number,
  from: number,
  to: number,
) {
  const rows = new Float32Array(Math.max(0, to - from) * D);
  for (let row = from; row < to; row++)
    rows.set(values.subarray((row * B + b) * D, (row * B + b + 1) * D), (row - from) * D);
  return rows;
}

/** Each step sees M steps before its own. */
function remembering(M: number): Read {
  return (block, { x, memory, lengths }, pass) => {
    const [T, B, D] = x.shape;
    const rows = memory.rows?.shape[0] ?? 0;
    const starts = memory.rows && Int32Array.from(memory.counts, count => rows - count);
    const y = block({ x, before: memory.rows, starts, lengths, reach: M }, pass);
    const history = glance(memory.rows ? stacked(memory.rows, x) : x);
    const kept = Array.from(lengths, (length, b) => {
      const end = rows + Math.min(length, T);
      const known = memory.counts[b]! + Math.min(length, T);
      return rowsOf(history, [B, D], b, end - Math.min(M, known), end);
    });
    return { y, kept: { memory: kept, compressed: [] } };
  };
}

/** Segments of M steps, counted from the beginning: a step sees its own, the one before it, and means of older ones. */
function compressing({ compression }: XlLayer, M: number, most: number): Read {
  const c = compression!;
  const together: Read = (block, { x, memory, compressed, lengths }, pass) => {
    const [T, B, D] = x.shape;
    const before = memory.rows?.shape[0] ?? 0;
    const history = stacked(memory.rows, x);
    /** rows of the memory that have become means when a sequence has read `read` of the history */
    const evicted = (read: number) => (read < 2 * M ? 0 : (Math.floor(read / M) - 1) * M);
    const all = evicted(before + T);
    const means = all === 0 ? null : meansOf(slice(history, [0, 0, 0], [all, B, D]) as Tensor3D, c);
    const old = compressed.rows?.shape[0] ?? 0;
    const older = means || compressed.rows ? stacked(compressed.rows, means) : null;
    const parts: Tensor3D[] = [];
    for (let t = 0; t < T; ) {
      const gone = evicted(before + t);
      const end = Math.min(T, gone + 2 * M - before);
      const compressedRows = old + gone / c;
      const first = Math.max(0, compressedRows - most);
      const parts_ = [
        older && compressedRows > 0
          ? (slice(older, [first, 0, 0], [compressedRows - first, B, D]) as Tensor3D)
          : null,
        before + t > gone ? (slice(history, [gone, 0, 0], [before + t - gone, B, D]) as Tensor3D) : null,
      ];
      const segment = {
        x: slice(x, [t, 0, 0], [end - t, B, D]) as Tensor3D,
        before: parts_.some(part => part !== null) ? stacked(...parts_) : null,
        starts: null,
        lengths: lengths.map(length => Math.min(Math.max(length - t, 0), end - t)),
        reach: 0,
      };
      parts.push(block(segment, pass));
      t = end;
    }
    const [values, oldest] = [glance(history), older && glance(older)];
    const kept: Kept = { memory: [], compressed: [] };
    for (let b = 0; b < B; b++) {
      const read = before + Math.min(lengths[b]!, T);
      const rows = old + evicted(read) / c;
      kept.memory.push(rowsOf(values, [B, D], b, evicted(read), read));
      const from = Math.max(0, rows - most);
      kept.compressed.push(oldest ? rowsOf(oldest, [B, D], b, from, rows) : new Float32Array(0));
    }
    return { y: stacked(...parts), kept };
  };
  return (block, reading, pass) => {
    const { memory, compressed, x } = reading;
    const alike = ({ counts }: Before) => counts.every(count => count === counts[0]);
    if (alike(memory) && alike(compressed)) return together(block, reading, pass);
    // segments of these sequences end at different steps
    const each = Array.from({ length: x.shape[1] }, (_, b) => together(block, alone(reading, b), pass));
    return {
      y: concat(
        each.map(({ y }) => y),
        1,
      ) as Tensor3D,
      kept: {
        memory: each.map(({ kept }) => kept.memory[0]!),
        compressed: each.map(({ kept }) => kept.compressed[0]!),
      },
    };
  };
}

/** Of one sequence, what it has filled. */
function alone({ x, memory, compressed, lengths }: Reading, b: number): Reading {
  const [T, , D] = x.shape;
  const own = ({ rows, counts }: Before): Before => {
    const count = counts[b]!;
    const given =
      rows && count > 0 ? (slice(rows, [rows.shape[0] - count, b, 0], [count, 1, D]) as Tensor3D) : null;
    return { rows: given, counts: Int32Array.of(count) };
  };
  return {
    x: slice(x, [0, b, 0], [T, 1, D]) as Tensor3D,
    memory: own(memory),
    compressed: own(compressed),
    lengths: Int32Array.of(lengths[b]!),
  };
}

/** (n, B, D) → (n / c, B, D) */
function meansOf(x: Tensor3D, c: number): Tensor3D {
  const [n, B, D] = x.shape;
  return reshape(mean(reshape(x, [n / c, c, B, D]), 1), [n / c, B, D]);
}

function blockOf(layer: XlLayer, place: Place, name: string): Block {
  const { width } = place.input;
  const drop = dropping(layer, place, name);
  const norm1 = normIn(place, `${name}.norm1.`, EPSILON);
  const attend = relativeAttention(layer, place, name);
  const norm2 = normIn(place, `${name}.norm2.`, EPSILON);
  const inner = feedForward(layer, place, name);
  const pre = layer.norm === 'pre';
  return (segment, pass) => {
    const { x, before } = segment;
    const T = x.shape[0];
    const all = before ? stacked(before, x) : x;
    const normal = pre ? norm1(all) : all;
    const own = before ? (slice(normal, [before.shape[0], 0, 0], [T, -1, width]) as Tensor3D) : normal;
    const attended = add(x, drop(attend(own, normal, segment), 'attention', pass)) as Tensor3D;
    const between = pre ? attended : norm1(attended);
    const ended = add(between, drop(inner(pre ? norm2(between) : between, pass), 'outer', pass)) as Tensor3D;
    return pre ? ended : norm2(ended);
  };
}

function relativeAttention({ heads }: XlLayer, place: Place, name: string) {
  const { width } = place.input;
  const prefix = `${name}.self_attn`;
  const weight = (of: string, outputs: number) =>
    place.variable(`${prefix}.${of}.weight`, [outputs, width], glorotUniform);
  const [q, kv, r] = [weight('q', width), weight('kv', 2 * width), weight('r', width)];
  const spread = place.convention === 'pytorch' ? uniform(1 / Math.sqrt(width)) : glorotUniform;
  const out = place.variable(`${prefix}.out.weight`, [width, width], spread);
  const [u, v] = ['u', 'v'].map(of => place.variable(`${prefix}.${of}`, [width], zeros));
  return (own: Tensor3D, all: Tensor3D, { before, starts, lengths, reach }: Segment): Tensor3D => {
    const offset = before?.shape[0] ?? 0;
    const keys = all.shape[0];
    const distances = tensor2d(sinusoids(keys, width), [keys, width]);
    const table = reshape(dense(reshape(distances, [keys, 1, width]), r, null), [keys, width]);
    const answer = crossAttention(dense(own, q, u!), dense(all, kv, null), {
      ...{ heads, causal: true, offset, window: reach === 0 ? 0 : reach + 1, starts },
      lengths: lengths?.map(length => offset + length) ?? null,
      queryLengths: lengths,
      relative: { q: dense(own, q, v!), table },
    });
    return dense(answer, out, null);
  };
}
