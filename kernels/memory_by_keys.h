// The way back through `add` (memory.h) with keys in the lanes of a vector: a state is stored (R, K). ∂q, ∂k and ∂α, which are
// sums over its rows, then stay in registers, and ∂v alone is a sum over lanes. With S_t = P + γ v kᵀ, P = S_{t-1} diag(α):
//
//   ∂q = S_tᵀ ∂o        ∂k = γ Gᵀ v        ∂v = γ G k        ∂γ = v · G k        ∂α = Σ over rows of G ⊙ S_{t-1}
//
// of o = S_t q. A normalised output o = S_t q / d, d = |n·q| or the floor, needs no product of its own: Σ ∂o ⊙ S_t q is
// Sᵀ∂o · q. States of a chunk are computed again from the one that was kept, and ∂q with them; then G goes back through it.
#pragma once
#include "memory_plan.h"

namespace UNROLL_NAMESPACE {

/** What the way back of one thread keeps. Rows of states are K_ numbers apart: K, then zeros. */
struct KeyBack {
  Index K_, state;
  /** (chunk + 1, R, K_); (at_once, R, K_), of all tasks that take turns */
  float *states, *all_g;
  /** (R, K_) of the task whose turn it is */
  float *g;
  /** (chunk, R in whole vectors): gradients of what q read, and v */
  float *dfound, *v;
  /** (chunk, K_) */
  float *q, *k, *alpha;
  /** (chunk) */
  float *strength;
  /** (R, WIDTH): products with k, to be summed over the lanes */
  float *products;
  /** (R) G k */
  float *along;

  KeyBack(const MemoryPlan &p, float *memory) : K_(padded(p.K)), state(p.R * K_) {
    Scratch scratch{memory};
    states = scratch.take((p.chunk + 1) * state);
    all_g = g = scratch.take(p.at_once * state);
    dfound = scratch.take(p.chunk * p.stride);
    v = scratch.take(p.chunk * p.stride);
    q = scratch.take(p.chunk * K_);
    k = scratch.take(p.chunk * K_);
    alpha = scratch.take(p.chunk * K_);
    strength = scratch.take(padded(p.chunk));
    products = scratch.take(p.stride * WIDTH);
    along = scratch.take(p.stride);
  }
};

/** to (R, K_) = from (R, K); null is zeros. */
static void key_state_in(const MemoryPlan &p, const float *from, float *to) {
  const Index K_ = padded(p.K);
  fill(to, p.R * K_, 0.f);
  for (Index r = 0; from && r < p.R; r++) copy(to + r * K_, from + r * p.K, p.K);
}

/** Up to MEMORY_VECTORS vectors of keys from `first` on: f(Constant<vectors>, first) */
template <class F> UNROLL_INLINE void each_panel_of_keys(Index K_, F f) {
  for (Index first = 0; first < K_; first += MEMORY_VECTORS * WIDTH)
    with_constant<MEMORY_VECTORS>((int)smaller<Index>(MEMORY_VECTORS, (K_ - first) / WIDTH),
                                  [&](auto vectors) { f(vectors, first); });
}

template <int NV> UNROLL_INLINE void load_panel(Vec (&to)[NV], const float *from) {
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) to[v] = load(from + v * WIDTH);
}

/** The first `count` numbers. */
template <int NV> UNROLL_INLINE void store_panel(float *to, const Vec (&from)[NV], Index count) {
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++)
    if (count - v * WIDTH > 0) store_part(to + v * WIDTH, from[v], count - v * WIDTH);
}

/**
 * A panel of keys through a step again: `after` from `before`, and dq = Σ over rows of ∂o ⊙ what q reads, the state after the
 * step or, if BEFORE, the one before. The row of the normaliser, which no output shows, adds nothing.
 */
template <int NV, bool BEFORE>
UNROLL_NOINLINE void key_step(const MemoryPlan &p, const MemoryStep &step, Index K_, Index first, const float *before,
                              float *after, const float *dout, float *dq) {
  const Index left = p.K - first;
  Vec k[NV], alpha[NV], sums[NV] = {};
  load_panel(k, step.k + first);
  load_panel(alpha, step.alpha + first);
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) k[v] *= splat(step.strength);
  before += first, after += first;
  const auto advance = [&](Index r, bool shown) __attribute__((always_inline)) {
    const Vec value = splat(step.v[r]), d = splat(shown ? dout[r] : 0.f);
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const Vec old = load(before + r * K_ + v * WIDTH), next = multiply_add(value, k[v], old * alpha[v]);
      store(after + r * K_ + v * WIDTH, next);
      if (shown) sums[v] = multiply_add(d, BEFORE ? old : next, sums[v]);
    }
  };
  for (Index r = 0; r < p.V; r++) advance(r, true);
  if (p.R > p.V) advance(p.V, false);
  store_panel(dq + first, sums, left);
}

/** What panels of keys hand back by lanes: ‖G‖², and ∂α where it is not one of a channel. */
struct KeySums {
  Vec squares, alpha;
};

/** What the way back does with decays: nothing, their gradients too, or multiply alone where no one learns them. */
enum Decays { NO_DECAYS = 0, LEARNED_DECAYS = 1, FIXED_DECAYS = 2 };

/**
 * A panel of keys one step back: g becomes the derivative of the state before the step; dk, and dalpha unless null; products of
 * G with k are begun with the first panel.
 */
template <int NV, bool BEFORE, int DECAYS>
UNROLL_NOINLINE void key_step_back(const MemoryPlan &p, const MemoryStep &step, Index first, const float *before,
                                   const KeyBack &m, const float *dfound, float *dk_out, float *dalpha_out, KeySums &sums) {
  const Index left = p.K - first, K_ = m.K_;
  Vec q[NV], k[NV], alpha[NV] = {}, dk[NV] = {}, dalpha[NV] = {}, squares[NV] = {};
  load_panel(q, step.q + first);
  load_panel(k, step.k + first);
  if (DECAYS) load_panel(alpha, step.alpha + first);
  float *g = m.g + first;
  before += first;
  const auto back = [&](Index r, bool counts) __attribute__((always_inline)) {
    const Vec value = splat(step.v[r]), d = splat(dfound[r]);
    Vec along = first > 0 ? load(m.products + r * WIDTH) : Vec{};
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const Index at = r * K_ + v * WIDTH;
      const Vec carried = load(g + at), total = BEFORE ? carried : multiply_add(d, q[v], carried);
      along = multiply_add(total, k[v], along);
      dk[v] = multiply_add(value, total, dk[v]);
      if (counts) squares[v] = multiply_add(total, total, squares[v]);
      Vec next = total;
      if (DECAYS == LEARNED_DECAYS) dalpha[v] = multiply_add(total, load(before + at), dalpha[v]);
      if (DECAYS) next *= alpha[v];
      if (BEFORE) next = multiply_add(d, q[v], next);
      store(g + at, next);
    }
    store(m.products + r * WIDTH, along);
  };
  for (Index r = 0; r < p.V; r++) back(r, true);
  if (p.R > p.V) back(p.V, false);
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) {
    dk[v] *= splat(step.strength);
    sums.squares += squares[v];
    sums.alpha += dalpha[v];
  }
  store_panel(dk_out + first, dk, left);
  if (DECAYS && dalpha_out) store_panel(dalpha_out + first, dalpha, left);
}

/** From ∂L/∂o, in dfound (R) and in dq = Sᵀ ∂o, through the divisor of o: n is the last row of the state that q read. */
UNROLL_INLINE void through_divisor(const MemoryPlan &p, const float *q, const float *n, float floor, float *dq, float *dfound) {
  const float along = dot(n, q, p.K), size = absolute(along), divisor = larger(size, floor);
  const float of_divisor = -dot(dq, q, p.K) / divisor / divisor;
  const float of_normaliser = size > floor ? (along < 0 ? -of_divisor : of_divisor) : 0.f;
  scaled(dfound, 1.f / divisor, dfound, 0.f, nullptr, p.V);
  dfound[p.V] = of_normaliser;
  scaled(dq, 1.f / divisor, dq, of_normaliser, n, p.K);
}

/** What the bonus u adds: o = … + γ (u ⊙ q · k) v. Hands ∂γ back. */
static float through_bonus(const MemoryPlan &p, const MemoryStep &step, const float *u, const float *dout, float *dq, float *dk,
                           float *dv, float *dbonus) {
  const Index K = p.K;
  const float own = bonus_of(u, step.q, step.k, K), along = dot(dout, step.v, p.V);
  scaled(dv, 1.f, dv, step.strength * own, dout, p.V);
  const Vec factor = splat(step.strength * along);
  for (Index j = 0; j < K; j += WIDTH) {
    const Vec q = load_part(step.q + j, K - j), k = load_part(step.k + j, K - j), each = load_part(u + j, K - j);
    store_part(dq + j, multiply_add(factor * each, k, load_part(dq + j, K - j)), K - j);
    store_part(dk + j, multiply_add(factor * each, q, load_part(dk + j, K - j)), K - j);
    store_part(dbonus + j, multiply_add(factor * q, k, load_part(dbonus + j, K - j)), K - j);
  }
  return own * along;
}

/**
 * The operands of step i of a chunk beside those of its other steps, where the way back finds them: rows of one task stand a
 * power of two apart in memory, and push each other out of a cache.
 */
UNROLL_INLINE MemoryStep step_kept(const MemoryPlan &p, const KeyBack &m, Index i, const MemoryStep *given) {
  float *q = m.q + i * m.K_, *k = m.k + i * m.K_, *alpha = m.alpha + i * m.K_, *v = m.v + i * p.stride;
  if (given) {
    for (Index j = 0; j < m.K_; j += WIDTH) {
      store(q + j, load_part(given->q + j, p.K - j));
      store(k + j, load_part(given->k + j, p.K - j));
      store(alpha + j, load_part(given->alpha + j, p.K - j));
    }
    copy(v, given->v, p.stride);
    m.strength[i] = given->strength;
  }
  return {q, k, v, nullptr, nullptr, alpha, nullptr, m.strength[i], 1.f};
}

/** Steps that rows are called for before they are read; more would push each other out. */
constexpr Index KEY_STEPS_AHEAD = 4;

/** What a step reads when its state is computed again, and ∂q. */
UNROLL_INLINE void call_step_again_in(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, Index row) {
  call_step_in(p, call, row);
  call_in(call.dout + row * p.V, p.V);
  call_in<true>(call.dq + row * p.K, p.K);
}

/** What a step writes on the way back. */
UNROLL_INLINE void call_step_back_in(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, Index row) {
  call_in<true>(call.dk + row * p.K, p.K);
  call_in<true>(call.dv + row * p.V, p.V);
  if (call.decay_of == UNROLL_DECAY_CHANNEL && call.ddecay) call_in<true>(call.ddecay + row * p.K, p.K);
}

/** Where a step of a task stands; -1: not in its sequence. */
UNROLL_INLINE Index row_of_step(const MemoryPlan &p, const Reading &reading, Index task, Index s) {
  const Index b = task / p.H, length = reading.length(b);
  return s < length ? (reading.place(length, s) * p.B + b) * p.H + task % p.H : -1;
}

/** The steps of a chunk, from `from` on: their states again, then back through them. Behind it comes `next_from` of `next`. */
template <bool BEFORE, int DECAYS>
static void keys_back_chunk(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, const Reading &reading,
                            const StepReader<UnrollMatrixMemoryBackward> &reader, const KeyBack &m, Index task, Index from,
                            Index next, Index next_from, float *squares, float *dbonus) {
  const Index head = task % p.H, steps = smaller(p.chunk, reading.length(task / p.H) - from), K = p.K;
  const auto row_of = [&](Index i) { return row_of_step(p, reading, task, from + i); };
  // without gradients of decays nothing asks for earlier states
  const Index apart = DECAYS == LEARNED_DECAYS || BEFORE ? m.state : 0;
  const float *kept = kept_state(p, (float *)call.kept, from / p.chunk, task);
  for (Index j = 0; j < m.K_; j += WIDTH) pack_column(m.states + j, m.K_, kept + j * p.R, p.R, clamp_lanes(K - j), p.R);
  for (Index i = 0; i < steps; i++) {
    const Index row = row_of(i);
    if (i + KEY_STEPS_AHEAD < steps)
      call_step_again_in(p, call, row_of(i + KEY_STEPS_AHEAD));
    else
      call_step_back_in(p, call, row_of(i));
    const MemoryStep read = reader.read(row), step = step_kept(p, m, i, &read);
    const float *before = m.states + i * apart;
    float *after = m.states + (i + 1) * apart, *dfound = m.dfound + i * p.stride, *dq = call.dq + row * K;
    copy(dfound, call.dout + row * p.V, p.V);
    each_panel_of_keys(m.K_, [&](auto vectors, Index first) {
      key_step<vectors.value, BEFORE>(p, step, m.K_, first, before, after, dfound, dq);
    });
    if (call.normalised) through_divisor(p, step.q, after + p.V * m.K_, read.floor, dq, dfound);
  }
  for (Index i = steps - 1; i >= 0; i--) {
    const Index row = row_of(i);
    if (i >= KEY_STEPS_AHEAD)
      call_step_back_in(p, call, row_of(i - KEY_STEPS_AHEAD));
    else if (const Index later = row_of_step(p, reading, next, next_from + KEY_STEPS_AHEAD - 1 - i); later >= 0)
      call_step_again_in(p, call, later);
    const MemoryStep step = step_kept(p, m, i, nullptr);
    const float *dfound = m.dfound + i * p.stride;
    float *dk = call.dk + row * K, *dv = call.dv + row * p.V;
    float *dalpha = call.decay_of == UNROLL_DECAY_CHANNEL && call.ddecay ? call.ddecay + row * K : nullptr;
    KeySums sums = {};
    each_panel_of_keys(m.K_, [&](auto vectors, Index first) {
      key_step_back<vectors.value, BEFORE, DECAYS>(p, step, first, m.states + i * apart, m, dfound, dk, dalpha, sums);
    });
    sum_lanes_of_rows(m.products, call.dstrength ? p.R : p.V, m.along);
    scaled(dv, step.strength, m.along, 0.f, nullptr, p.V);
    float dstrength = call.dstrength ? dot(step.v, m.along, p.R) : 0.f;
    if (BEFORE)
      dstrength += through_bonus(p, step, call.bonus + head * K, dfound, call.dq + row * K, dk, dv, dbonus);
    if (call.dstrength) call.dstrength[row] = dstrength;
    if (DECAYS && call.ddecay && !dalpha) call.ddecay[row] = sum_of_lanes(sums.alpha);
    squares[row] = sum_of_lanes(sums.squares);
  }
}

/**
 * Tasks first ... end-1 back, at most p.at_once; ∂s_0 unless null. They take turns chunk by chunk: the rows of neighbours stand
 * beside each other, those of the next step a whole batch apart.
 */
static void keys_back(const MemoryPlan &p, const UnrollMatrixMemoryBackward &call, const Reading &reading,
                      const StepReader<UnrollMatrixMemoryBackward> &reader, float *memory, Index first, Index end,
                      float *squares, float *dbonus) {
  KeyBack m(p, memory);
  const Index size = p.R * p.K;
  const auto each_task = [&](auto f) {
    for (Index task = first; task < end; task++) {
      m.g = m.all_g + (task - first) * m.state;
      f(task);
    }
  };
  each_task([&](Index task) { key_state_in(p, call.ds_n ? call.ds_n + task * size : nullptr, m.g); });
  const auto chunks_back = [&](auto before, auto decays) {
    for (Index from = (p.T - 1) / p.chunk * p.chunk; from >= 0; from -= p.chunk)
      each_task([&](Index task) {
        if (from >= reading.length(task / p.H)) return;
        const Index next = task + 1 < end ? task + 1 : first, next_from = task + 1 < end ? from : larger<Index>(0, from - p.chunk);
        keys_back_chunk<before.value, decays.value>(p, call, reading, reader, m, task, from, next, next_from, squares,
                                                    dbonus + task * p.K);
      });
  };
  if (call.bonus)
    chunks_back(Constant<1>{}, Constant<LEARNED_DECAYS>{});
  else if (call.decay_of == UNROLL_DECAY_NONE)
    chunks_back(Constant<0>{}, Constant<NO_DECAYS>{});
  else if (call.ddecay)
    chunks_back(Constant<0>{}, Constant<LEARNED_DECAYS>{});
  else
    chunks_back(Constant<0>{}, Constant<FIXED_DECAYS>{});
  each_task([&](Index task) {
    for (Index r = 0; call.ds0 && r < p.R; r++) copy(call.ds0 + task * size + r * p.K, m.g + r * m.K_, p.K);
  });
}

}  // namespace UNROLL_NAMESPACE
