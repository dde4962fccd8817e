// What all passes over a matrix memory (memory.h) share: sizes, the operands of a step, products of rows.
//
// Legend: K key size, V value size, R rows of a state: V, and one more for n when the memory is normalised.
#pragma once
#include "selective_scan.h"

namespace UNROLL_NAMESPACE {

constexpr int MEMORY_VECTORS = UNROLL_REGISTERS >= 32 ? 4 : 2;

/** Rounded up to whole vectors. */
UNROLL_INLINE Index padded(Index count) { return (count + WIDTH - 1) / WIDTH * WIDTH; }

struct MemoryPlan {
  Index T, B, H, K, V, R, chunk, stride;
  /** tasks that take turns, so that their states stay in a second-level cache */
  Index at_once;
  bool general;

  static constexpr Index FLOATS_AT_ONCE = 16384;

  MemoryPlan(Index seq_len, Index batch, Index heads, Index key_size, Index value_size, int update, bool normalised,
             Index chunk_steps)
      : T(seq_len), B(batch), H(heads), K(key_size), V(value_size), R(value_size + normalised),
        chunk(smaller(chunk_steps, seq_len)), stride(padded(R)),
        at_once(larger<Index>(1, smaller(B * H, FLOATS_AT_ONCE / (padded(K) * stride)))),
        general(update == UNROLL_UPDATE_GENERAL) {}

  template <class Call>
  explicit MemoryPlan(const Call *call)
      : MemoryPlan(call->seq_len, call->batch, call->heads, call->key_size, call->value_size, call->update,
                   call->normalised, call->chunk) {}

  Index state() const { return K * stride; }
  Index forward_floats() const { return state() + 2 * K + 4 * stride; }
  /** The largest of what `KeyBack`, `MemoryBack` and `ChunkArrays` take. */
  Index backward_floats() const { return larger(key_floats(), step_floats()) + 2 * K + stride; }
  Index key_floats() const {
    return (chunk + 1 + at_once) * R * padded(K) + (2 * chunk + 1 + WIDTH) * stride + 3 * chunk * padded(K) + padded(chunk);
  }
  Index step_floats() const {
    return (chunk + 2) * state() + (2 * chunk + 2) * stride + 5 * K * WIDTH + K + chunk_floats();
  }
  /** what `ChunkArrays` takes */
  Index chunk_floats() const {
    const Index C = chunk, C_ = padded(C), K_ = padded(K);
    return 6 * C * K_ + K * C_ + 5 * C * stride + stride * C_ + 2 * stride * K_ + 4 * C * C_ + 5 * C_;
  }
  /** squares (T, B, H), norms (T, B), ∂u (B, H, K) */
  Index shared_floats() const { return T * B * (H + 1) + B * H * K; }
};

static double matrix_memory_memory(const UnrollMatrixMemoryMemory *call) {
  const MemoryPlan p(call);
  const double threads = unroll::thread_count();
  return call->backward ? threads * p.backward_floats() + p.shared_floats() : threads * p.forward_floats();
}

/** to (K, stride) = the transpose of from (R, K); null is zeros. */
static void state_in(const MemoryPlan &p, const float *from, float *to) {
  fill(to, p.state(), 0.f);
  if (!from) return;
  for (Index i = 0; i < p.R; i++)
    for (Index j = 0; j < p.K; j++) to[j * p.stride + i] = from[i * p.K + j];
}

static void state_out(const MemoryPlan &p, const float *from, float *to) {
  for (Index i = 0; i < p.R; i++)
    for (Index j = 0; j < p.K; j++) to[i * p.K + j] = from[j * p.stride + i];
}

/** A step of a head. `alpha` (K); `probe` (K) is what the state is multiplied with before it changes: α ⊙ k, or a. */
struct MemoryStep {
  const float *q, *k, *v, *a, *b;
  const float *alpha, *probe;
  float strength, floor;
};

/** Reads steps into places that the next one takes again. */
template <class Call> struct StepReader {
  const MemoryPlan &p;
  const Call &call;
  float *alpha, *probe, *value;

  /** memory: 2 K + stride floats */
  StepReader(const MemoryPlan &plan, const Call &the_call, float *memory)
      : p(plan), call(the_call), alpha(memory), probe(memory + plan.K), value(memory + 2 * plan.K) {
    fill(alpha, p.K, 1.f);
    fill(value, p.stride, 0.f);
    if (call.normalised) value[p.V] = 1.f;
  }

  MemoryStep read(Index row) const {
    const float *k = call.k + row * p.K, *decay = alpha;
    if (call.decay_of == UNROLL_DECAY_CHANNEL) decay = call.decay + row * p.K;
    if (call.decay_of == UNROLL_DECAY_HEAD) fill(alpha, p.K, call.decay[row]);
    copy(value, call.v + row * p.V, p.V);
    const float *a = call.a ? call.a + row * p.K : nullptr, *b = call.b ? call.b + row * p.K : nullptr;
    if (call.update == UNROLL_UPDATE_DELTA)
      for (Index j = 0; j < p.K; j += WIDTH)
        store_part(probe + j, load_part(decay + j, p.K - j) * load_part(k + j, p.K - j), p.K - j);
    return {call.q + row * p.K, k, value, a, b, decay, p.general ? a : probe, call.strength ? call.strength[row] : 1.f,
            call.floor ? call.floor[row] : 1.f};
  }
};

UNROLL_INLINE float dot(const float *a, const float *b, Index count) {
  Vec sum{};
  for (Index j = 0; j < count; j += WIDTH) sum = multiply_add(load_part(a + j, count - j), load_part(b + j, count - j), sum);
  return sum_of_lanes(sum);
}

/** Σ u ⊙ q ⊙ k */
UNROLL_INLINE float bonus_of(const float *u, const float *q, const float *k, Index count) {
  Vec sum{};
  for (Index j = 0; j < count; j += WIDTH)
    sum = multiply_add(load_part(u + j, count - j) * load_part(q + j, count - j), load_part(k + j, count - j), sum);
  return sum_of_lanes(sum);
}

UNROLL_INLINE float absolute(float x) { return x < 0 ? -x : x; }

/** out (count) = factor · from + add */
UNROLL_INLINE void scaled(float *out, float factor, const float *from, float add_factor, const float *add, Index count) {
  for (Index i = 0; i < count; i += WIDTH) {
    Vec sum = splat(factor) * load_part(from + i, count - i);
    if (add) sum = multiply_add(splat(add_factor), load_part(add + i, count - i), sum);
    store_part(out + i, sum, count - i);
  }
}

/** The operands of a step that are as wide as keys and values. */
template <class Call> UNROLL_INLINE void call_step_in(const MemoryPlan &p, const Call &call, Index row) {
  call_in(call.q + row * p.K, p.K);
  call_in(call.k + row * p.K, p.K);
  call_in(call.v + row * p.V, p.V);
  if (call.decay_of == UNROLL_DECAY_CHANNEL) call_in(call.decay + row * p.K, p.K);
  if (p.general) {
    call_in(call.a + row * p.K, p.K);
    call_in(call.b + row * p.K, p.K);
  }
}

/** Where a kept state stands: (K, R). */
UNROLL_INLINE float *kept_state(const MemoryPlan &p, float *kept, Index chunk, Index task) {
  return kept + (chunk * p.B * p.H + task) * p.K * p.R;
}

}  // namespace UNROLL_NAMESPACE
