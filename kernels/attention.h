// Attention: A. Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, a few rows of scores at a time, as M. N. Rabe and
// C. Staats, 2021, https://arxiv.org/abs/2112.05682, and T. Dao et al., 2022, https://arxiv.org/abs/2205.14135: memory is
// linear in T, and the backward pass computes the scores again from log Σ exp.
//
//   s_ti = q_t · k_i / √d      p_ti = exp(s_ti - L_t), L_t = log Σ_i exp s_ti      o_t = Σ_i p_ti v_i
//
//   ∂L/∂v_i = Σ_t p_ti ∂L/∂o_t      ∂L/∂s_ti = p_ti (∂L/∂o_t · v_i - ∂L/∂o_t · o_t) = δ_ti
//   ∂L/∂q_t = Σ_i δ_ti k_i / √d     ∂L/∂k_i = Σ_t δ_ti q_t / √d
//
// A task is one head of one sequence; threads share the tasks. All products run on register tiles (tiles.h): keys and
// values are packed once for a head, queries are taken QUERIES at a time against all keys that one of them sees.
// Legend: T steps, d numbers of a head, D all heads.
#pragma once
#include "gemm.h"
#include "layer_norm.h"

namespace UNROLL_NAMESPACE {

constexpr int QUERIES = 32;

struct AttentionPlan {
  Index T, d;
  /** panels whose columns are steps, and panels whose columns are the numbers of a head */
  Blocks steps, numbers;

  AttentionPlan(Index seq_len, Index head_size)
      : T(seq_len), d(head_size), steps(blocks_of(seq_len)), numbers(blocks_of(head_size)) {}

  Index step_panel() const { return (Index)steps.vectors * WIDTH; }
  Index number_panel() const { return (Index)numbers.vectors * WIDTH; }
  Index padded_steps() const { return steps.blocks * step_panel(); }
  Index padded_numbers() const { return numbers.blocks * number_panel(); }

  Size forward_floats() const { return (Size)d * padded_steps() + (Size)T * padded_numbers() + rows_floats(1, 1); }
  Size backward_floats() const { return (Size)2 * d * padded_steps() + (Size)3 * T * padded_numbers() + rows_floats(2, 3); }
  Size rows_floats(Index of_steps, Index of_numbers) const {
    return (Size)QUERIES * (of_steps * padded_steps() + of_numbers * padded_numbers());
  }
};

/** Cuts a thread's scratch into arrays. */
struct Scratch {
  float *next;
  float *take(Index floats) {
    float *taken = next;
    next += floats;
    return taken;
  }
};

static double attention_memory(const UnrollAttentionMemory *call) {
  const AttentionPlan plan(call->seq_len, call->head_size);
  return (double)unroll::thread_count() * (call->backward ? plan.backward_floats() : plan.forward_floats());
}

/** One head of one sequence in (T, B, ...): row t of it stands `stride` numbers after row t - 1. */
struct HeadRows {
  const float *rows;
  Index stride;
  const float *row(Index t) const { return rows + t * stride; }
};

/** Panels (d, steps) of rows (count, d): the right side of products with the rows' transposes. */
static void pack_steps(const AttentionPlan &p, HeadRows in, Index count, float *panels) {
  const Index width = p.step_panel();
  for (Index column = 0; column < p.padded_steps(); column += WIDTH) {
    float *panel = panels + column / width * width * p.d + column % width;
    const Index lanes = clamp_lanes(count - column);
    pack_column(panel, width, in.row(lanes > 0 ? column : 0), in.stride, lanes, p.d);
  }
}

/** Panels (count, d) of rows (count, d), `depth` rows apart from the next panel: the right side of products with them. */
static void pack_numbers(const AttentionPlan &p, HeadRows in, Index count, float *panels, Index depth) {
  const Index width = p.number_panel();
  for (int block = 0; block < p.numbers.blocks; block++)
    for (int v = 0; v < p.numbers.vectors; v++) {
      const Index column = block * width + v * WIDTH, lanes = clamp_lanes(p.d - column);
      float *out = panels + block * width * depth + v * WIDTH;
      for (Index t = 0; t < count; t++)
        store(out + t * width, lanes > 0 ? load_part(in.row(t) + column, lanes) : Vec{});
    }
}

/** out (rows, blocks' width) = a (rows, K) · panels (blocks, depth, width), of which K rows from the first are read. */
static void times_panels(float *out, Index out_stride, const float *a, Index a_stride, const float *panels, int vectors,
                         int first_block, int end_block, Index depth, int rows, Index K) {
  const Index width = (Index)vectors * WIDTH;
  for (int block = first_block; block < end_block; block++)
    with_constant<MAX_VECTORS>(vectors, [&](auto count) {
      constexpr int NV = count.value;
      each_tile<max_rows(NV)>(rows, [&](int row, auto tile) {
        product_tile<tile.value, NV>(out + row * out_stride + block * width, out_stride, nullptr, a + row * a_stride,
                                     a_stride, panels + block * width * depth, K);
      });
    });
}

/** Steps that the queries first ... first+rows-1 look at, and each of them. */
struct Reach {
  const UnrollAttention &call;
  Index length;
  Index from(Index t) const { return call.window > 0 ? larger<Index>(0, t - call.window + 1) : 0; }
  Index to(Index t) const {
    if (call.causal) return t + 1;
    return call.window > 0 ? smaller<Index>(length, t + call.window) : length;
  }
};

/** scores (rows, steps from ... to-1) of a block of queries, for whole panels of steps. */
static void score_block(const AttentionPlan &p, const float *q, Index q_stride, const float *key_panels, int rows,
                        Index from, Index to, float *scores) {
  const Index width = p.step_panel();
  times_panels(scores, p.padded_steps(), q, q_stride, key_panels, p.steps.vectors, (int)(from / width),
               (int)((to + width - 1) / width), p.d, rows, p.d);
}

/** 1 in the lanes of steps s ... s+WIDTH-1 that stand in [from, to), else 0: as a choice between v and 0. */
UNROLL_INLINE Vec within(Vec v, Index s, Index from, Index to) {
  const IntVec step = lane_numbers() + (int)s;
  return step < (int)from ? Vec{} : step < (int)to ? v : Vec{};
}

/** Scores become exp(s · scale - max), zero outside of the row's reach but inside [from, to); returns log Σ exp. */
static float softmax_row(float *scores, Index row_from, Index row_to, Index from, Index to, float scale, float &sum) {
  const Vec lowest = splat(-__builtin_inff());
  Vec max = lowest;
  for (Index s = row_from / WIDTH * WIDTH; s < row_to; s += WIDTH) {
    const IntVec step = lane_numbers() + (int)s;
    Vec v = load(scores + s);
    max = Max::join(max, step < (int)row_from ? lowest : step < (int)row_to ? v : lowest);
  }
  float maxima[WIDTH], top = -__builtin_inff();
  store(maxima, max);
  for (int i = 0; i < WIDTH; i++) top = maxima[i] > top ? maxima[i] : top;
  top *= scale;
  Vec total{};
  for (Index s = from / WIDTH * WIDTH; s < to; s += WIDTH) {
    Vec e = within(exponential(multiply_add(load(scores + s), splat(scale), splat(-top))), s, row_from, row_to);
    store(scores + s, e);
    total += e;
  }
  sum = sum_of_lanes(total);
  return top + logarithm(splat(sum))[0];
}

static void attention_head(const AttentionPlan &p, const UnrollAttention &call, Index length, HeadRows q, float *out,
                           float *log_sums, float *room) {
  const Index D = (Index)call.heads * p.d, out_stride = (Index)call.batch * D;
  const HeadRows k{q.rows + D, q.stride}, v{q.rows + 2 * D, q.stride};
  Scratch scratch{room};
  float *keys = scratch.take(p.d * p.padded_steps()), *values = scratch.take(p.T * p.padded_numbers());
  float *scores = scratch.take(QUERIES * p.padded_steps()), *mixed = scratch.take(QUERIES * p.padded_numbers());
  pack_steps(p, k, length, keys);
  pack_numbers(p, v, length, values, p.T);
  const Reach reach{call, length};
  const float scale = 1.f / __builtin_sqrtf((float)p.d);
  for (Index t = 0; t < length; t += QUERIES) {
    const int rows = (int)smaller<Index>(QUERIES, length - t);
    const Index from = reach.from(t), to = reach.to(t + rows - 1);
    score_block(p, q.row(t), q.stride, keys, rows, from, to, scores);
    float sums[QUERIES];
    for (int r = 0; r < rows; r++) {
      float log_sum = softmax_row(scores + r * p.padded_steps(), reach.from(t + r), reach.to(t + r), from, to, scale,
                                  sums[r]);
      if (log_sums) log_sums[t + r] = log_sum;
    }
    times_panels(mixed, p.padded_numbers(), scores + from, p.padded_steps(), values + from * p.number_panel(),
                 p.numbers.vectors, 0, p.numbers.blocks, p.T, rows, to - from);
    for (int r = 0; r < rows; r++)
      for (Index j = 0; j < p.d; j += WIDTH)
        store_part(out + (t + r) * out_stride + j, load(mixed + r * p.padded_numbers() + j) / splat(sums[r]), p.d - j);
  }
  for (Index t = length; t < p.T; t++) fill(out + t * out_stride, p.d, 0.f);
  if (log_sums) fill(log_sums + length, p.T - length, 0.f);
}

/** f(sequence, head, its scratch) for every head of every sequence. */
template <class F> UNROLL_INLINE void each_head(const UnrollAttention &call, float *scratch, Size floats, F f) {
  const Index tasks = (Index)call.batch * call.heads;
  share_tasks(tasks, (double)tasks * call.seq_len * call.head_size * 8, [&](Index first, Index end, int thread) {
    for (Index task = first; task < end; task++)
      f(task / call.heads, task % call.heads, scratch + thread * floats);
  });
}

UNROLL_INLINE HeadRows head_of(const float *qkv, const UnrollAttention &call, Index b, Index head) {
  const Index D = (Index)call.heads * call.head_size;
  return {qkv + b * 3 * D + head * call.head_size, (Index)call.batch * 3 * D};
}

static double attention(const UnrollAttention *call) {
  const AttentionPlan plan(call->seq_len, call->head_size);
  const Index D = (Index)call->heads * plan.d;
  each_head(*call, call->scratch, plan.forward_floats(), [&](Index b, Index head, float *scratch) {
    float *log_sums = call->log_sum_exp ? call->log_sum_exp + (b * call->heads + head) * plan.T : nullptr;
    attention_head(plan, *call, call->lengths ? call->lengths[b] : plan.T, head_of(call->qkv, *call, b, head),
                   call->out + b * D + head * plan.d, log_sums, scratch);
  });
  return 0;
}

/** weights: exp(s · scale - L); deltas in: ∂L/∂o_t · v_i; both zero outside of the row's reach but inside [from, to). */
static void delta_row(float *weights, float *deltas, Index row_from, Index row_to, Index from, Index to, float scale,
                      float log_sum, float through_sum) {
  for (Index s = from / WIDTH * WIDTH; s < to; s += WIDTH) {
    Vec e = exponential(multiply_add(load(weights + s), splat(scale), splat(-log_sum)));
    Vec p = within(e, s, row_from, row_to);
    store(weights + s, p);
    Vec delta = p * (load(deltas + s) - splat(through_sum)) * splat(scale);
    store(deltas + s, within(delta, s, row_from, row_to));
  }
}

/** sums (steps from ... to-1, d) += wᵀ (steps, rows) · panels (rows, d): what a block of queries gives to the steps. */
static void add_transposed(const AttentionPlan &p, float *sums, const float *w, const float *panels, int rows,
                           Index from, Index to) {
  for (int block = 0; block < p.numbers.blocks; block++)
    with_constant<MAX_VECTORS>(p.numbers.vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      transposed_product<NV, NV>(sums + from * p.padded_numbers() + block * p.number_panel(), p.padded_numbers(),
                                 w + from, p.padded_steps(), panels + block * p.number_panel() * QUERIES,
                                 (int)(to - from), rows, false);
    });
}

static void attention_head_backward(const AttentionPlan &p,
                                    const UnrollAttention &call, Index length, HeadRows q, HeadRows out, HeadRows dout,
                                    const float *log_sums, float *dq, float *room) {
  const Index D = (Index)call.heads * p.d, steps = p.padded_steps(), numbers = p.padded_numbers();
  const HeadRows k{q.rows + D, q.stride}, v{q.rows + 2 * D, q.stride};
  Scratch scratch{room};
  float *keys = scratch.take(p.d * steps), *values = scratch.take(p.d * steps), *key_rows = scratch.take(p.T * numbers);
  float *dk = scratch.take(p.T * numbers), *dv = scratch.take(p.T * numbers);
  float *weights = scratch.take(QUERIES * steps), *deltas = scratch.take(QUERIES * steps);
  float *q_panel = scratch.take(QUERIES * numbers), *dout_panel = scratch.take(QUERIES * numbers);
  float *dq_rows = scratch.take(QUERIES * numbers);
  pack_steps(p, k, length, keys);
  pack_steps(p, v, length, values);
  pack_numbers(p, k, length, key_rows, p.T);
  fill(dk, length * numbers, 0.f);
  fill(dv, length * numbers, 0.f);
  const Reach reach{call, length};
  const float scale = 1.f / __builtin_sqrtf((float)p.d);
  for (Index t = 0; t < length; t += QUERIES) {
    const int rows = (int)smaller<Index>(QUERIES, length - t);
    const Index from = reach.from(t), to = reach.to(t + rows - 1);
    score_block(p, q.row(t), q.stride, keys, rows, from, to, weights);
    score_block(p, dout.row(t), dout.stride, values, rows, from, to, deltas);
    for (int r = 0; r < rows; r++) {
      Vec through{};
      for (Index j = 0; j < p.d; j += WIDTH)
        through = multiply_add(load_part(dout.row(t + r) + j, p.d - j), load_part(out.row(t + r) + j, p.d - j), through);
      delta_row(weights + r * steps, deltas + r * steps, reach.from(t + r), reach.to(t + r), from, to, scale,
                log_sums[t + r], sum_of_lanes(through));
    }
    times_panels(dq_rows, numbers, deltas + from, steps, key_rows + from * p.number_panel(), p.numbers.vectors, 0,
                 p.numbers.blocks, p.T, rows, to - from);
    for (int r = 0; r < rows; r++) copy(dq + (t + r) * q.stride, dq_rows + r * numbers, p.d);
    pack_numbers(p, {q.row(t), q.stride}, rows, q_panel, QUERIES);
    pack_numbers(p, {dout.row(t), dout.stride}, rows, dout_panel, QUERIES);
    add_transposed(p, dk, deltas, q_panel, rows, from, to);
    add_transposed(p, dv, weights, dout_panel, rows, from, to);
  }
  for (Index t = 0; t < length; t++) {
    copy(dq + t * q.stride + D, dk + t * numbers, p.d);
    copy(dq + t * q.stride + 2 * D, dv + t * numbers, p.d);
  }
  for (Index t = length; t < p.T; t++)
    for (int part = 0; part < 3; part++) fill(dq + t * q.stride + part * D, p.d, 0.f);
}

static double attention_backward(const UnrollAttentionBackward *back) {
  const UnrollAttention call{
      .qkv = back->qkv,
      .lengths = back->lengths,
      .out = nullptr,
      .log_sum_exp = nullptr,
      .scratch = nullptr,
      .seq_len = back->seq_len,
      .batch = back->batch,
      .heads = back->heads,
      .head_size = back->head_size,
      .causal = back->causal,
      .window = back->window,
  };
  const AttentionPlan plan(call.seq_len, call.head_size);
  const Index D = (Index)call.heads * plan.d, stride = (Index)call.batch * D;
  each_head(call, back->scratch, plan.backward_floats(), [&](Index b, Index head, float *scratch) {
    const Index at = b * D + head * plan.d;
    attention_head_backward(plan, call, call.lengths ? call.lengths[b] : plan.T,
                            head_of(call.qkv, call, b, head), {back->out + at, stride}, {back->dout + at, stride},
                            back->log_sum_exp + (b * call.heads + head) * plan.T,
                            back->dqkv + b * 3 * D + head * plan.d, scratch);
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
