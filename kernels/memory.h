// The matrix memory of linear attention and the delta rule: linear attention, A. Katharopoulos et al., 2020,
// https://arxiv.org/abs/2006.16236; DeltaNet, S. Yang et al., 2024, https://arxiv.org/abs/2406.06484, gated:
// https://arxiv.org/abs/2412.06464; mLSTM, M. Beck et al., 2024, https://arxiv.org/abs/2405.04517; RWKV-6, B. Peng et al.,
// 2024, https://arxiv.org/abs/2404.05892. With P = S_{t-1} diag(α):
//
//   add      S_t = P + γ v kᵀ
//   delta    S_t = P + γ (v - P k) kᵀ = P + γ w kᵀ
//   general  S_t = P + c bᵀ + γ v kᵀ, c = S_{t-1} a
//
// and o = S_t q, or o = S_{t-1} q + γ (u ⊙ q · k) v with a bonus u. Backward, with G the total derivative of S_t:
//
//   add      ∂v = γ G k    ∂k = γ Gᵀ v              ∂γ = v·G k    ∂P = G
//   delta    ∂v = γ G k    ∂k = γ Gᵀ w - Pᵀ ∂v      ∂γ = w·G k    ∂P = G - ∂v kᵀ
//   general  as add, and   ∂b = Gᵀ c    ∂c = G b    ∂a = S_{t-1}ᵀ ∂c
//
//   ∂α = Σ over rows of ∂P ⊙ S_{t-1}      ∂S_{t-1} = ∂P diag(α), and + ∂c aᵀ of `general`
//
// `add` goes back in memory_by_keys.h, save in products of chunks where states are large. Else a state is stored transposed,
// (K, R): a vector holds WIDTH rows of S, which know nothing of each other save the sums that are ∂q, ∂k, ∂α. Up to MEMORY_VECTORS vectors go through a step together. States are kept before each chunk of steps;
// the backward pass computes the others of a chunk again. A task is a head of a sequence; threads share the tasks.
//
// Legend: K key size, V value size, R rows of a state: V, and one more for n when the memory is normalised.
#pragma once
#include "memory_by_keys.h"

namespace UNROLL_NAMESPACE {

enum Read { READ_NOTHING, READ_AFTER, READ_BEFORE };

/** found (rows of the panel) = state · by */
template <int NV>
UNROLL_INLINE void state_times(Vec (&found)[NV], const float *state, Index stride, const float *by, Index K) {
  Vec odd[NV] = {};
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) found[v] = Vec{};
  Index j = 0;
  for (; j + 1 < K; j += 2, state += 2 * stride) {
    const Vec first = splat(by[j]), second = splat(by[j + 1]);
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      found[v] = multiply_add(first, load(state + v * WIDTH), found[v]);
      odd[v] = multiply_add(second, load(state + stride + v * WIDTH), odd[v]);
    }
  }
  if (j < K)
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) found[v] = multiply_add(splat(by[j]), load(state + v * WIDTH), found[v]);
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) found[v] += odd[v];
}

/**
 * A panel of rows through one step: after (which may be before) from before; `found` (rows) what q reads, `written` (w or v)
 * and `turned` (c) unless null.
 */
template <int NV, int UPDATE, int READ>
UNROLL_NOINLINE void memory_step(const MemoryStep &step, Index K, Index stride, Index row, const float *before, float *after,
                                 float *found, float *written, float *turned) {
  constexpr bool PROBES = UPDATE != UNROLL_UPDATE_ADD, TURNS = UPDATE == UNROLL_UPDATE_GENERAL;
  Vec w[NV], c[NV] = {}, out[NV] = {}, odd[NV] = {};
  before += row, after += row;
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) w[v] = load(step.v + row + v * WIDTH);
  if constexpr (PROBES) {
    state_times<NV>(c, before, stride, step.probe, K);
    if (!TURNS)
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) w[v] -= c[v];
  }
  if (written)
    for (int v = 0; v < NV; v++) store(written + row + v * WIDTH, w[v]);
  if (TURNS && turned)
    for (int v = 0; v < NV; v++) store(turned + row + v * WIDTH, c[v]);
  const Vec strength = splat(step.strength);
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) w[v] *= strength;
  const auto column = [&](Index j, Vec (&sums)[NV]) {
    const Vec alpha = splat(step.alpha[j]), k = splat(step.k[j]), q = splat(READ == READ_NOTHING ? 0.f : step.q[j]);
    const Vec b = TURNS ? splat(step.b[j]) : Vec{};
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const Vec old = load(before + j * stride + v * WIDTH);
      Vec next = multiply_add(w[v], k, old * alpha);
      if (TURNS) next = multiply_add(c[v], b, next);
      store(after + j * stride + v * WIDTH, next);
      if (READ == READ_AFTER) sums[v] = multiply_add(q, next, sums[v]);
      if (READ == READ_BEFORE) sums[v] = multiply_add(q, old, sums[v]);
    }
  };
  Index j = 0;
  for (; j + 1 < K; j += 2) {
    column(j, out);
    column(j + 1, odd);
  }
  if (j < K) column(j, out);
  if (READ != READ_NOTHING)
    for (int v = 0; v < NV; v++) store(found + row + v * WIDTH, out[v] + odd[v]);
}

/** All rows through one step. */
template <int UPDATE, int READ>
static void memory_advance(const MemoryPlan &p, const MemoryStep &step, const float *before, float *after, float *found,
                           float *written, float *turned) {
  for (Index row = 0; row < p.stride; row += MEMORY_VECTORS * WIDTH)
    with_constant<MEMORY_VECTORS>((int)smaller<Index>(MEMORY_VECTORS, (p.stride - row) / WIDTH), [&](auto vectors) {
      memory_step<vectors.value, UPDATE, READ>(step, p.K, p.stride, row, before, after, found, written, turned);
    });
}

/** f(Constant<update>) */
template <class F> UNROLL_INLINE void with_update(int update, F f) {
  if (update == UNROLL_UPDATE_DELTA) return f(Constant<UNROLL_UPDATE_DELTA>{});
  if (update == UNROLL_UPDATE_GENERAL) return f(Constant<UNROLL_UPDATE_GENERAL>{});
  f(Constant<UNROLL_UPDATE_ADD>{});
}

/** o (T, B, H·V), s_n (B, H, R, K), and kept unless null */
static double matrix_memory(const UnrollMatrixMemory *call) {
  const MemoryPlan p(call);
  const Reading reading{call->lengths, p.T, call->reverse != 0};
  share_tasks(p.B * p.H, (double)p.T * p.B * p.H * p.K * p.R, [&](Index first, Index end, int thread) {
    Scratch scratch{call->scratch + thread * p.forward_floats()};
    float *state = scratch.take(p.state()), *found = scratch.take(p.stride);
    const StepReader<UnrollMatrixMemory> reader(p, *call, scratch.take(2 * p.K + p.stride));
    for (Index task = first; task < end; task++) {
      const Index b = task / p.H, head = task % p.H, length = reading.length(b);
      const float *bonus = call->bonus ? call->bonus + head * p.K : nullptr;
      state_in(p, call->s0 ? call->s0 + task * p.R * p.K : nullptr, state);
      with_update(call->update, [&](auto update) {
        for (Index s = 0; s < length; s++) {
          if (call->kept && s % p.chunk == 0) {
            float *kept = kept_state(p, call->kept, s / p.chunk, task);
            for (Index j = 0; j < p.K; j++) copy(kept + j * p.R, state + j * p.stride, p.R);
          }
          const Index row = (reading.place(length, s) * p.B + b) * p.H + head;
          const MemoryStep step = reader.read(row);
          float *out = call->o + row * p.V;
          if (s + STEPS_AHEAD < length) {
            const Index later = (reading.place(length, s + STEPS_AHEAD) * p.B + b) * p.H + head;
            call_step_in(p, *call, later);
            call_in<true>(call->o + later * p.V, p.V);
          }
          if (bonus) {
            memory_advance<update.value, READ_BEFORE>(p, step, state, state, found, nullptr, nullptr);
            scaled(out, 1.f, found, step.strength * bonus_of(bonus, step.q, step.k, p.K), step.v, p.V);
          } else {
            memory_advance<update.value, READ_AFTER>(p, step, state, state, found, nullptr, nullptr);
            scaled(out, call->normalised ? 1.f / larger(absolute(found[p.V]), step.floor) : 1.f, found, 0.f, nullptr,
                   p.V);
          }
        }
      });
      for (Index t = length; t < p.T; t++) fill(call->o + ((t * p.B + b) * p.H + head) * p.V, p.V, 0.f);
      state_out(p, state, call->s_n + task * p.R * p.K);
    }
  });
  return 0;
}

/** What the backward pass of one thread keeps. */
struct MemoryBack {
  float *states, *g, *written, *turned, *of_row, *dout;
  /** (K, WIDTH) each, to be summed over the lanes */
  float *dq, *dk, *dalpha, *da, *db;
  /** (K) */
  float *sums;
  float *chunk;

  MemoryBack(const MemoryPlan &p, float *memory) {
    Scratch scratch{memory};
    states = scratch.take((p.chunk + 1) * p.state());
    g = scratch.take(p.state());
    written = scratch.take(p.chunk * p.stride);
    turned = scratch.take(p.chunk * p.stride);
    dout = scratch.take(p.stride);
    of_row = scratch.take(p.stride);
    dq = scratch.take(p.K * WIDTH);
    dk = scratch.take(p.K * WIDTH);
    dalpha = scratch.take(p.K * WIDTH);
    da = scratch.take(p.K * WIDTH);
    db = scratch.take(p.K * WIDTH);
    sums = scratch.take(p.K);
    chunk = scratch.take(p.chunk_floats());
  }
};

/** What a panel hands back: ∂γ and ‖G‖² by lanes, ∂α by lanes where it is not one of a channel. */
struct PanelSums {
  Vec strength, squares, alpha;
};

/**
 * A panel of rows one step back: g becomes the derivative of the state before the step. Row sums are begun if `begin`, else
 * added to.
 */
template <int NV, int UPDATE>
UNROLL_NOINLINE void memory_step_back(const MemoryPlan &p, const MemoryStep &step, Index row, const float *before,
                                      const float *after, const MemoryBack &m, Index i, bool by_channel, bool begin,
                                      PanelSums &sums) {
  constexpr bool DELTA = UPDATE == UNROLL_UPDATE_DELTA, TURNS = UPDATE == UNROLL_UPDATE_GENERAL;
  const Index K = p.K, stride = p.stride;
  float *g = m.g + row;
  before += row, after += row;
  Vec w[NV], c[NV] = {}, seen[NV] = {}, gk[NV] = {}, gb[NV] = {}, squares[NV] = {};
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) {
    w[v] = load(m.written + i * stride + row + v * WIDTH);
    if (TURNS) c[v] = load(m.turned + i * stride + row + v * WIDTH);
    seen[v] = load(m.dout + row + v * WIDTH);
  }
  // 1. what q read joins G, and with it G k, G b
  for (Index j = 0; j < K; j++) {
    const Vec k = splat(step.k[j]), q = splat(step.q[j]), b = TURNS ? splat(step.b[j]) : Vec{};
    Vec dq = begin ? Vec{} : load(m.dq + j * WIDTH);
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const Index at = j * stride + v * WIDTH;
      const Vec total = multiply_add(seen[v], q, load(g + at));
      store(g + at, total);
      dq = multiply_add(seen[v], load(after + at), dq);
      gk[v] = multiply_add(k, total, gk[v]);
      squares[v] = multiply_add(total, total, squares[v]);
      if (TURNS) gb[v] = multiply_add(b, total, gb[v]);
    }
    store(m.dq + j * WIDTH, dq);
  }
  // 2. through what was written
  const Vec strength = splat(step.strength);
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) {
    sums.squares += only(squares[v], larger<Index>(0, p.V - row - v * WIDTH));
    sums.strength = multiply_add(w[v], gk[v], sums.strength);
    gk[v] *= strength;
    w[v] *= strength;
    store(m.of_row + row + v * WIDTH, gk[v]);
  }
  // 3. through the change of the state
  for (Index j = 0; j < K; j++) {
    const Vec k = splat(step.k[j]), alpha = splat(step.alpha[j]), a = TURNS ? splat(step.a[j]) : Vec{};
    const Index lane = j * WIDTH;
    Vec dk = begin ? Vec{} : load(m.dk + lane), dalpha{}, recalled{}, da{}, db{};
    if (TURNS && !begin) da = load(m.da + lane), db = load(m.db + lane);
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const Index at = j * stride + v * WIDTH;
      const Vec old = load(before + at), total = load(g + at);
      dk = multiply_add(total, w[v], dk);
      Vec through = total;
      if (DELTA) {
        recalled = multiply_add(old, gk[v], recalled);
        through -= gk[v] * k;
      }
      dalpha = multiply_add(through, old, dalpha);
      Vec next = through * alpha;
      if (TURNS) {
        db = multiply_add(total, c[v], db);
        da = multiply_add(old, gb[v], da);
        next = multiply_add(gb[v], a, next);
      }
      store(g + at, next);
    }
    if (DELTA) dk -= alpha * recalled;
    store(m.dk + lane, dk);
    if (TURNS) store(m.da + lane, da), store(m.db + lane, db);
    if (by_channel)
      store(m.dalpha + lane, begin ? dalpha : dalpha + load(m.dalpha + lane));
    else
      sums.alpha += dalpha;
  }
}

/** From ∂L/∂(found / divisor), in `gradient` with a place for n·q, to ∂L/∂found. */
static void through_divisor_of(const MemoryPlan &p, const float *found, float floor, float *gradient) {
  const float along = found[p.V], size = absolute(along), divisor = larger(size, floor);
  const float of_divisor = -dot(gradient, found, p.V) / divisor / divisor;
  scaled(gradient, 1.f / divisor, gradient, 0.f, nullptr, p.V);
  gradient[p.V] = size > floor ? (along < 0 ? -of_divisor : of_divisor) : 0.f;
}

/** The gradients of a step's operands, once all panels have gone back. */
static void memory_step_out(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, Index row, const MemoryBack &m,
                            const PanelSums &sums) {
  const Index K = p.K;
  float *dq = call.dq + row * K, *dk = call.dk + row * K, *dv = call.dv + row * p.V;
  sum_lanes_of_rows(m.dq, K, dq);
  sum_lanes_of_rows(m.dk, K, dk);
  copy(dv, m.of_row, p.V);
  if (call.dstrength) call.dstrength[row] = sum_of_lanes(sums.strength);
  if (p.general) {
    if (call.da) sum_lanes_of_rows(m.da, K, call.da + row * K);
    if (call.db) sum_lanes_of_rows(m.db, K, call.db + row * K);
  }
  if (!call.ddecay) return;
  if (call.decay_of == UNROLL_DECAY_CHANNEL)
    sum_lanes_of_rows(m.dalpha, K, call.ddecay + row * K);
  else
    call.ddecay[row] = sum_of_lanes(sums.alpha);
}

/** What the step of `row` will write. */
UNROLL_INLINE void call_gradients_in(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, Index row) {
  call_in<true>(call.dq + row * p.K, p.K);
  call_in<true>(call.dk + row * p.K, p.K);
  call_in<true>(call.dv + row * p.V, p.V);
  if (call.decay_of == UNROLL_DECAY_CHANNEL && call.ddecay) call_in<true>(call.ddecay + row * p.K, p.K);
}

/** The steps of a chunk: their states again, then back through them. */
template <int UPDATE>
static void memory_back_chunk(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, const Reading &reading,
                              const StepReader<UnrollMatrixMemoryBackward> &reader, const MemoryBack &m, Index task,
                              Index length, Index from, float *squares) {
  const Index b = task / p.H, head = task % p.H, steps = smaller(p.chunk, length - from);
  const auto row_of = [&](Index i) { return (reading.place(length, from + i) * p.B + b) * p.H + head; };
  const float *kept = kept_state(p, (float *)call.kept, from / p.chunk, task);
  fill(m.states, p.state(), 0.f);
  for (Index j = 0; j < p.K; j++) copy(m.states + j * p.stride, kept + j * p.R, p.R);
  for (Index i = 0; i < steps; i++) {
    if (i + STEPS_AHEAD < steps) call_step_in(p, call, row_of(i + STEPS_AHEAD));
    const MemoryStep step = reader.read(row_of(i));
    float *before = m.states + i * p.state(), *after = before + p.state(), *written = m.written + i * p.stride;
    memory_advance<UPDATE, READ_NOTHING>(p, step, before, after, nullptr, written, m.turned + i * p.stride);
  }
  for (Index i = steps - 1; i >= 0; i--) {
    const Index row = row_of(i);
    if (i >= STEPS_AHEAD) {
      call_gradients_in(p, call, row_of(i - STEPS_AHEAD));
      call_in(call.dout + row_of(i - STEPS_AHEAD) * p.V, p.V);
    }
    const MemoryStep step = reader.read(row);
    const float *before = m.states + i * p.state();
    copy(m.dout, call.dout + row * p.V, p.V);
    PanelSums sums = {};
    for (Index first = 0; first < p.stride; first += MEMORY_VECTORS * WIDTH)
      with_constant<MEMORY_VECTORS>((int)smaller<Index>(MEMORY_VECTORS, (p.stride - first) / WIDTH), [&](auto vectors) {
        memory_step_back<vectors.value, UPDATE>(p, step, first, before, before + p.state(), m, i,
                                                call.decay_of == UNROLL_DECAY_CHANNEL, first == 0, sums);
      });
    squares[row] = sum_of_lanes(sums.squares);
    memory_step_out(p, call, row, m, sums);
  }
}

// Steps of `add` with one α for a head, a chunk at a time: with D_ij = α_{j+1} … α_i, c_i = α_1 … α_i, e_j = D_Cj,
// A_ij = γ_j D_ij (q_i · k_j) for j ≤ i, S the state before the chunk and G the derivative of the one after it,
//
//   o_i = Σ_j A_ij v_j + c_i S q_i      and with T_ij = ∂o_i · v_j, W_ij = γ_j D_ij T_ij:
//   ∂v_j = Σ_i A_ij ∂o_i + γ_j e_j G k_j        ∂q_i = Σ_j W_ij k_j + c_i Sᵀ ∂o_i
//   ∂k_j = Σ_i W_ij q_i + γ_j e_j Gᵀ v_j        ∂S = c_C G + Σ_i c_i ∂o_i q_iᵀ
//   ∂D_ij = γ_j T_ij (q_i · k_j)                 ∂c_i = ∂o_i · S q_i      ∂e_j = γ_j v_j · G k_j
//
// and back through D_ij = α_i D_{i-1,j}, c_i = α_i c_{i-1} without a division. Products of whole chunks reuse what they
// load, and take no state of every step.

/** Smaller states go back by keys, step by step: those of a chunk, of which ∂α asks for each, stay in a second-level cache. */
constexpr Index CHUNKED_STATE = 8192;

template <class Call> static bool goes_in_chunks(const MemoryPlan &p, const Call &call) {
  return call.update == UNROLL_UPDATE_ADD && call.decay_of == UNROLL_DECAY_HEAD && !call.bonus && p.K * p.R >= CHUNKED_STATE;
}

/** Sizes of a chunk's arrays: C steps, padded to C_ and K_ numbers. */
struct ChunkArrays {
  Index C_, K_;
  /** (C, K_), and transposed (K, C_) */
  float *q, *k, *k_t;
  /** (C, stride), and transposed (R, C_) */
  float *v, *v_t, *dout, *scaled_dout;
  /** (R, K_): transposes of S and G */
  float *s_t, *g_t;
  /** (C, C_) */
  float *scores, *decays, *a, *t;
  /** (C, stride), (C, K_) */
  float *gk, *dv, *s_dout, *g_v, *dq, *dk;
  /** (C_) each */
  float *alpha, *gamma, *c, *dgamma, *dc;

  ChunkArrays(const MemoryPlan &p, float *memory) : C_(padded(p.chunk)), K_(padded(p.K)) {
    Scratch scratch{memory};
    const Index C = p.chunk;
    q = scratch.take(C * K_);
    k = scratch.take(C * K_);
    s_dout = scratch.take(C * K_);
    g_v = scratch.take(C * K_);
    dq = scratch.take(C * K_);
    dk = scratch.take(C * K_);
    k_t = scratch.take(p.K * C_);
    v = scratch.take(C * p.stride);
    dout = scratch.take(C * p.stride);
    scaled_dout = scratch.take(C * p.stride);
    gk = scratch.take(C * p.stride);
    dv = scratch.take(C * p.stride);
    v_t = scratch.take(p.stride * C_);
    s_t = scratch.take(p.stride * K_);
    g_t = scratch.take(p.stride * K_);
    scores = scratch.take(C * C_);
    decays = scratch.take(C * C_);
    a = scratch.take(C * C_);
    t = scratch.take(C * C_);
    alpha = scratch.take(C_);
    gamma = scratch.take(C_);
    c = scratch.take(C_);
    dgamma = scratch.take(C_);
    dc = scratch.take(C_);
  }
};

/** out (rows, columns) = a (rows, depth) · b (depth, columns), added to out if `add`; TRANSPOSED: a is (depth, rows). */
template <bool TRANSPOSED>
static void chunk_product(float *out, Index out_stride, const float *a, Index a_stride, const float *b, Index b_stride,
                          Index rows, Index columns, Index depth, bool add) {
  for (Index column = 0; column < columns; column += MAX_VECTORS * WIDTH)
    with_constant<MAX_VECTORS>((int)smaller<Index>(MAX_VECTORS, (columns - column + WIDTH - 1) / WIDTH), [&](auto vectors) {
      constexpr int NV = vectors.value;
      each_tile<max_rows(NV)>((int)rows, [&](int row, auto tile) {
        float *c = out + row * out_stride + column;
        if constexpr (TRANSPOSED)
          transposed_gemm_tile<tile.value, NV>(c, out_stride, NV * WIDTH, add, nullptr, a + row, a_stride, b + column,
                                               b_stride, depth);
        else
          taps_tile<tile.value, NV>(c, out_stride, NV * WIDTH, add, nullptr, {a, a_stride, 0, 0, depth, depth}, row, 1,
                                    b + column, b_stride);
      });
    });
}

/** to (columns, padded rows) = the transpose of from (rows, columns) */
static void transposed_copy(float *to, Index to_stride, const float *from, Index from_stride, Index rows, Index columns) {
  for (Index row = 0; row < to_stride; row += WIDTH) {
    const Index lanes = clamp_lanes(rows - row);
    pack_column(to + row, to_stride, from + (lanes > 0 ? row : 0) * from_stride, from_stride, lanes, columns);
  }
}

/** out += factor · from, `count` a multiple of WIDTH */
UNROLL_INLINE void add_scaled(float *out, float factor, const float *from, Index count) {
  for (Index i = 0; i < count; i += WIDTH) store(out + i, multiply_add(splat(factor), load(from + i), load(out + i)));
}

/** A chunk of a head back: m.g becomes the derivative of the state before it. */
static void memory_back_products(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, const Reading &reading,
                                 const MemoryBack &m, const ChunkArrays &x, Index task, Index length, Index from,
                                 float *squares) {
  const Index b = task / p.H, head = task % p.H, C = smaller(p.chunk, length - from), K = p.K, C_ = x.C_, K_ = x.K_;
  const Index stride = p.stride;
  const auto row_of = [&](Index i) { return (reading.place(length, from + i) * p.B + b) * p.H + head; };
  const float *kept = kept_state(p, (float *)call.kept, from / p.chunk, task);
  float *S = m.states, *G = m.g;
  fill(S, p.state(), 0.f);
  for (Index j = 0; j < K; j++) copy(S + j * stride, kept + j * p.R, p.R);
  // 1. the operands, padded with zeros
  fill(x.alpha, C_, 1.f);
  fill(x.gamma, C_, 1.f);
  for (Index i = 0; i < C; i++) {
    const Index row = row_of(i);
    if (i + STEPS_AHEAD < C) {
      call_step_in(p, call, row_of(i + STEPS_AHEAD));
      call_in(call.dout + row_of(i + STEPS_AHEAD) * p.V, p.V);
    }
    // a part of the state that the next chunk begins with
    if (from > 0) call_in(kept - p.B * p.H * p.K * p.R + i * (p.K * p.R / C), p.K * p.R / C);
    fill(x.q + i * K_, K_, 0.f);
    fill(x.k + i * K_, K_, 0.f);
    fill(x.v + i * stride, stride, 0.f);
    fill(x.dout + i * stride, stride, 0.f);
    copy(x.q + i * K_, call.q + row * K, K);
    copy(x.k + i * K_, call.k + row * K, K);
    copy(x.v + i * stride, call.v + row * p.V, p.V);
    copy(x.dout + i * stride, call.dout + row * p.V, p.V);
    if (call.normalised) x.v[i * stride + p.V] = 1.f;
    if (call.decay) x.alpha[i] = call.decay[row];
    if (call.strength) x.gamma[i] = call.strength[row];
  }
  // 2. decays (D), scores q_i · k_j and A, lower triangles
  float product = 1.f;
  for (Index i = 0; i < C; i++) {
    product *= x.alpha[i];
    x.c[i] = product;
    float *decays = x.decays + i * C_;
    if (i > 0)
      scaled(decays, x.alpha[i], decays - C_, 0.f, nullptr, C_);
    else
      fill(decays, C_, 0.f);
    decays[i] = 1.f;
  }
  transposed_copy(x.k_t, C_, x.k, K_, C, K);
  chunk_product<false>(x.scores, C_, x.q, K_, x.k_t, C_, C, C_, K, false);
  const auto each_score = [&](auto f) {
    for (Index i = 0; i < C; i++)
      for (Index j = 0; j <= i; j += WIDTH) f(i * C_ + j, j);
  };
  each_score([&](Index at, Index j) {
    store(x.a + at, load(x.scores + at) * load(x.decays + at) * load(x.gamma + j));
  });
  const auto clear_above = [&](float *square) {
    for (Index i = 0; i < C; i++)
      for (Index j = i / WIDTH * WIDTH + WIDTH; j < C_; j += WIDTH) store(square + i * C_ + j, Vec{});
  };
  clear_above(x.a);
  // 3. from the outputs to what q found
  if (call.normalised) {
    chunk_product<false>(x.dv, stride, x.q, K_, S, stride, C, stride, K, false);
    for (Index i = 0; i < C; i++) scaled(x.dv + i * stride, x.c[i], x.dv + i * stride, 0.f, nullptr, stride);
    chunk_product<false>(x.dv, stride, x.a, C_, x.v, stride, C, stride, C, true);
    for (Index i = 0; i < C; i++)
      through_divisor_of(p, x.dv + i * stride, call.floor ? call.floor[row_of(i)] : 1.f, x.dout + i * stride);
  }
  // 4. within the chunk: T, W in its place, and with them ∂γ and ∂D
  transposed_copy(x.v_t, C_, x.v, stride, C, p.R);
  fill(x.dgamma, C_, 0.f);
  chunk_product<false>(x.t, C_, x.dout, stride, x.v_t, C_, C, C_, p.R, false);
  chunk_product<true>(x.dv, stride, x.a, C_, x.dout, stride, C, stride, C, false);
  float *of_decays = x.a;
  each_score([&](Index at, Index j) {
    const Vec t = load(x.t + at), scored = t * load(x.scores + at), decays = load(x.decays + at), gamma = load(x.gamma + j);
    store(x.dgamma + j, multiply_add(scored, decays, load(x.dgamma + j)));
    store(of_decays + at, scored * gamma);
    store(x.t + at, t * decays * gamma);
  });
  clear_above(x.t);
  chunk_product<false>(x.dq, K_, x.t, C_, x.k, K_, C, K_, C, false);
  chunk_product<true>(x.dk, K_, x.t, C_, x.q, K_, C, K_, C, false);
  // 5. through the state before and the one after
  transposed_copy(x.s_t, K_, S, stride, K, p.R);
  transposed_copy(x.g_t, K_, G, stride, K, p.R);
  chunk_product<false>(x.s_dout, K_, x.dout, stride, x.s_t, K_, C, K_, p.R, false);
  chunk_product<false>(x.g_v, K_, x.v, stride, x.g_t, K_, C, K_, p.R, false);
  chunk_product<false>(x.gk, stride, x.k, K_, G, stride, C, stride, K, false);
  const float *ends = x.decays + (C - 1) * C_;
  for (Index i = 0; i < C; i++) {
    const float along = dot(x.v + i * stride, x.gk + i * stride, stride), end = ends[i] * x.gamma[i];
    x.dc[i] = dot(x.q + i * K_, x.s_dout + i * K_, K);
    x.dgamma[i] += ends[i] * along;
    of_decays[(C - 1) * C_ + i] += x.gamma[i] * along;
    add_scaled(x.dq + i * K_, x.c[i], x.s_dout + i * K_, K_);
    add_scaled(x.dk + i * K_, end, x.g_v + i * K_, K_);
    add_scaled(x.dv + i * stride, end, x.gk + i * stride, stride);
    const Index row = row_of(i);
    if (i + STEPS_AHEAD < C) call_gradients_in(p, call, row_of(i + STEPS_AHEAD));
    copy(call.dq + row * K, x.dq + i * K_, K);
    copy(call.dk + row * K, x.dk + i * K_, K);
    copy(call.dv + row * p.V, x.dv + i * stride, p.V);
    if (call.dstrength) call.dstrength[row] = x.dgamma[i];
  }
  // 6. back through the products of decays
  if (call.ddecay) {
    x.dc[C - 1] += dot(G, S, p.state());
    for (Index i = C - 1; i >= 0; i--) {
      float *here = of_decays + i * C_;
      float sum = x.dc[i] * (i > 0 ? x.c[i - 1] : 1.f);
      if (i > 0) {
        sum += dot(here, x.decays + (i - 1) * C_, i);
        x.dc[i - 1] += x.alpha[i] * x.dc[i];
        scaled(here - C_, 1.f, here - C_, x.alpha[i], here, i);
      }
      call.ddecay[row_of(i)] = sum;
    }
  }
  // 7. the derivative of the state before: step by step where its norms are wanted
  if (call.grad_norm) {
    for (Index i = C - 1; i >= 0; i--) {
      Vec norms{};
      const float *dout = x.dout + i * stride, *q = x.q + i * K_;
      const Vec alpha = splat(x.alpha[i]);
      for (Index at = 0; at < stride; at += WIDTH) {
        const Vec seen = load(dout + at);
        Vec sum{}, odd{};
        Index j = 0;
        for (; j + 1 < K; j += 2) {
          const Vec first = multiply_add(seen, splat(q[j]), load(G + j * stride + at));
          const Vec second = multiply_add(seen, splat(q[j + 1]), load(G + (j + 1) * stride + at));
          sum = multiply_add(first, first, sum), odd = multiply_add(second, second, odd);
          store(G + j * stride + at, first * alpha), store(G + (j + 1) * stride + at, second * alpha);
        }
        if (j < K) {
          const Vec first = multiply_add(seen, splat(q[j]), load(G + j * stride + at));
          sum = multiply_add(first, first, sum);
          store(G + j * stride + at, first * alpha);
        }
        norms += only(sum + odd, larger<Index>(0, p.V - at));
      }
      squares[row_of(i)] = sum_of_lanes(norms);
    }
    return;
  }
  for (Index i = 0; i < C; i++) scaled(x.scaled_dout + i * stride, x.c[i], x.dout + i * stride, 0.f, nullptr, stride);
  scaled(G, x.c[C - 1], G, 0.f, nullptr, p.state());
  chunk_product<true>(G, stride, x.q, K_, x.scaled_dout, stride, K, stride, C, true);
}

/** Zeros for the steps beyond a sequence's length. */
static void memory_clear_rest(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, Index b, Index head, Index length) {
  for (Index t = length; t < p.T; t++) {
    const Index row = (t * p.B + b) * p.H + head;
    float *const of_keys[] = {call.dq, call.dk, call.da, call.db};
    for (float *keys : of_keys)
      if (keys) fill(keys + row * p.K, p.K, 0.f);
    fill(call.dv + row * p.V, p.V, 0.f);
    if (call.dstrength) call.dstrength[row] = 0.f;
    if (call.ddecay && call.decay_of == UNROLL_DECAY_CHANNEL) fill(call.ddecay + row * p.K, p.K, 0.f);
    if (call.ddecay && call.decay_of == UNROLL_DECAY_HEAD) call.ddecay[row] = 0.f;
  }
}

/** A head of a sequence back, values in the lanes; ∂s_0 unless null. */
static void rows_back(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, const Reading &reading,
                      const StepReader<UnrollMatrixMemoryBackward> &reader, const MemoryBack &m, const ChunkArrays &arrays,
                      bool chunked, Index task, float *squares) {
  const Index length = reading.length(task / p.H);
  state_in(p, call.ds_n ? call.ds_n + task * p.R * p.K : nullptr, m.g);
  const Index last = (length + p.chunk - 1) / p.chunk * p.chunk - p.chunk;
  for (Index from = last; from >= 0; from -= p.chunk)
    if (chunked)
      memory_back_products(p, call, reading, m, arrays, task, length, from, squares);
    else if (p.general)
      memory_back_chunk<UNROLL_UPDATE_GENERAL>(p, call, reading, reader, m, task, length, from, squares);
    else
      memory_back_chunk<UNROLL_UPDATE_DELTA>(p, call, reading, reader, m, task, length, from, squares);
  if (call.ds0) state_out(p, m.g, call.ds0 + task * p.R * p.K);
}

/** Gradients of all operands that are not null, ds0, grad_norm */
static double matrix_memory_backward(const UnrollMatrixMemoryBackward *call) {
  const MemoryPlan p(call);
  const Reading reading{call->lengths, p.T, call->reverse != 0};
  const int threads = unroll::thread_count();
  Scratch shared{call->scratch + threads * p.backward_floats()};
  float *squares = shared.take(p.T * p.B * p.H), *norms = shared.take(p.T * p.B);
  float *dbonus = shared.take(p.B * p.H * p.K);
  share_tasks(p.B * p.H, (double)p.T * p.B * p.H * p.K * p.R, [&](Index first, Index end, int thread) {
    const MemoryBack m(p, call->scratch + thread * p.backward_floats());
    const ChunkArrays arrays(p, m.chunk);
    const bool by_keys = call->update == UNROLL_UPDATE_ADD, chunked = goes_in_chunks(p, *call);
    fill(m.dout, p.stride, 0.f);
    float *memory = call->scratch + thread * p.backward_floats();
    const StepReader<UnrollMatrixMemoryBackward> reader(p, *call, memory + p.backward_floats() - 2 * p.K - p.stride);
    fill(dbonus + first * p.K, (end - first) * p.K, 0.f);
    for (Index task = first; task < end; task += p.at_once) {
      if (by_keys && !chunked)
        keys_back(p, *call, reading, reader, memory, task, smaller(end, task + p.at_once), squares, dbonus);
      for (Index one = task; one < smaller(end, task + p.at_once); one++) {
        if (!by_keys || chunked) rows_back(p, *call, reading, reader, m, arrays, chunked, one, squares);
        memory_clear_rest(p, *call, one / p.H, one % p.H, reading.length(one / p.H));
      }
    }
  });
  if (call->dbonus) {
    const Index width = p.H * p.K;
    fill(call->dbonus, width, 0.f);
    for (Index b = 0; b < p.B; b++) scaled(call->dbonus, 1.f, call->dbonus, 1.f, dbonus + b * width, width);
  }
  if (!call->grad_norm) return 0;
  for (Index t = 0; t < p.T; t++)
    for (Index b = 0; b < p.B; b++) {
      if (t >= reading.length(b)) continue;
      float sum = 0;
      for (Index head = 0; head < p.H; head++) sum += squares[(t * p.B + b) * p.H + head];
      norms[t * p.B + b] = __builtin_sqrtf(sum);
    }
  mean_over_sequences(norms, reading, p.B, call->grad_norm);
  return 0;
}

}  // namespace UNROLL_NAMESPACE
