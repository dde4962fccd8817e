// The selective scan of Mamba: A. Gu and T. Dao, 2023, https://arxiv.org/abs/2312.00752. For a channel with its N states, x
// and Δ being numbers, a, b, c and h rows of N:
//
//   A = exp(Δ a)      h_t = A ⊙ h_{t-1} + Δ x b      y = h_t · c + skip x
//
// Backward, with g_t the total derivative of h_t:
//
//   g_t = ∂L/∂y_t c_t + A_{t+1} ⊙ g_{t+1}      ∂c = ∂y h_t      ∂b = Δ x g      ∂x = Δ (g·b) + skip ∂y
//   ∂Δ = Σ_n g a A h_{t-1} + x (g·b)           ∂a = Δ g A h_{t-1}
//
// States of all steps are never stored: those before each chunk of steps are, and the backward pass computes the others
// of a chunk again. A vector holds a state of WIDTH channels, a group. Threads share the sequences.
#pragma once
#include "attention.h"
#include "scan.h"

namespace UNROLL_NAMESPACE {

struct SelectivePlan {
  Index T, B, D, N, chunk, groups;

  SelectivePlan(Index seq_len, Index batch, Index width, Index states, Index chunk_steps)
      : T(seq_len), B(batch), D(width), N(states), chunk(smaller(chunk_steps, seq_len)),
        groups((width + WIDTH - 1) / WIDTH) {}

  /** one state of a group, and one of all groups */
  Index of_group() const { return N * WIDTH; }
  Index of_all() const { return groups * N * WIDTH; }

  Index forward_floats() const { return 2 * of_all(); }
  /** a, g and ∂a of all groups, ∂skip; of a chunk: states, decays, ∂b, ∂c, squares; a chunk's ∂a of a group */
  Index backward_floats() const {
    return 3 * of_all() + groups * WIDTH + (4 * chunk + 2) * of_group() + chunk * WIDTH;
  }
};

static double selective_scan_memory(const UnrollSelectiveScanMemory *call) {
  const SelectivePlan p(call->seq_len, call->batch, call->width, call->states, call->chunk);
  const double threads = unroll::thread_count();
  return call->backward ? threads * p.backward_floats() + (double)p.T * p.B : threads * p.forward_floats();
}

/** to (groups, N, WIDTH) = from (D, N); null is zeros. */
static void to_groups(const SelectivePlan &p, const float *from, float *to) {
  fill(to, p.of_all(), 0.f);
  if (!from) return;
  for (Index d = 0; d < p.D; d++)
    for (Index n = 0; n < p.N; n++) to[(d / WIDTH * p.N + n) * WIDTH + d % WIDTH] = from[d * p.N + n];
}

static void from_groups(const SelectivePlan &p, const float *from, float *to) {
  for (Index d = 0; d < p.D; d++)
    for (Index n = 0; n < p.N; n++) to[d * p.N + n] = from[(d / WIDTH * p.N + n) * WIDTH + d % WIDTH];
}

/** Where the states of a group stand that were kept before a chunk: (N, lanes of the group). */
UNROLL_INLINE float *kept_group(const SelectivePlan &p, float *kept, Index chunk, Index b, Index group) {
  return kept + ((chunk * p.B + b) * p.D + group * WIDTH) * p.N;
}

/** y (T, B, D), h_n (B, D, N), and kept (chunks, B, D, N) unless null */
static double selective_scan(const UnrollSelectiveScan *call) {
  const SelectivePlan p(call->seq_len, call->batch, call->width, call->states, call->chunk);
  const Reading reading{call->lengths, p.T, call->reverse != 0};
  const Index B = p.B, D = p.D, N = p.N;
  share_tasks(B, (double)p.T * B * D * N, [&](Index first_b, Index end_b, int thread) {
    Scratch scratch{call->scratch + thread * p.forward_floats()};
    float *rates = scratch.take(p.of_all()), *state = scratch.take(p.of_all());
    to_groups(p, call->a, rates);
    for (Index b = first_b; b < end_b; b++) {
      const Index length = reading.length(b);
      to_groups(p, call->h0 ? call->h0 + b * D * N : nullptr, state);
      for (Index from = 0; from < length; from += p.chunk) {
        const Index steps = smaller(p.chunk, length - from);
        for (Index group = 0; group < p.groups; group++) {
          const Index d = group * WIDTH, lanes = smaller<Index>(WIDTH, D - d);
          float *h = state + group * p.of_group();
          const float *rate = rates + group * p.of_group();
          if (call->kept) {
            float *kept = kept_group(p, call->kept, from / p.chunk, b, group);
            for (Index n = 0; n < N; n++) store_part(kept + n * lanes, load(h + n * WIDTH), lanes);
          }
          const Vec skip = call->skip ? load_part(call->skip + d, lanes) : Vec{};
          for (Index i = 0; i < steps; i++) {
            const Index row = reading.place(length, from + i) * B + b;
            const float *b_row = call->b + row * N, *c_row = call->c + row * N;
            const Vec x = load_part(call->x + row * D + d, lanes), step = load_part(call->delta + row * D + d, lanes);
            const Vec input = step * x;
            Vec y = skip * x;
            for (Index n = 0; n < N; n++) {
              const Vec decay = exponential(step * load(rate + n * WIDTH));
              const Vec next = multiply_add(decay, load(h + n * WIDTH), input * splat(b_row[n]));
              store(h + n * WIDTH, next);
              y = multiply_add(next, splat(c_row[n]), y);
            }
            store_part(call->y + row * D + d, y, lanes);
          }
        }
      }
      for (Index t = length; t < p.T; t++) fill(call->y + (t * B + b) * D, D, 0.f);
      from_groups(p, state, call->h_n + b * D * N);
    }
  });
  return 0;
}

/** What the backward pass of one thread keeps. */
struct SelectiveBack {
  float *rates, *g, *da, *dskip, *h, *decays, *db, *dc, *squares, *da_part;

  SelectiveBack(const SelectivePlan &p, float *memory) {
    Scratch scratch{memory};
    rates = scratch.take(p.of_all());
    g = scratch.take(p.of_all());
    da = scratch.take(p.of_all());
    dskip = scratch.take(p.groups * WIDTH);
    h = scratch.take((p.chunk + 1) * p.of_group());
    decays = scratch.take(p.chunk * p.of_group());
    db = scratch.take(p.chunk * p.of_group());
    dc = scratch.take(p.chunk * p.of_group());
    da_part = scratch.take(p.of_group());
    squares = scratch.take(p.chunk * WIDTH);
  }
};

/** A group's steps of a chunk: its states again, then back through them. */
static void selective_back_group(const SelectivePlan &p, const UnrollSelectiveScanBackward &call, const Reading &reading,
                                 SelectiveBack &m, Index b, Index length, Index from, Index group) {
  const Index D = p.D, N = p.N, B = p.B, steps = smaller(p.chunk, length - from);
  const Index d = group * WIDTH, lanes = smaller<Index>(WIDTH, D - d), size = p.of_group();
  const float *rate = m.rates + group * size;
  const float *kept = kept_group(p, (float *)call.kept, from / p.chunk, b, group);
  for (Index n = 0; n < N; n++) store(m.h + n * WIDTH, load_part(kept + n * lanes, lanes));
  for (Index i = 0; i < steps; i++) {
    const Index row = reading.place(length, from + i) * B + b;
    const float *b_row = call.b + row * N, *before = m.h + i * size;
    call_in(call.dy + row * D + d, 1);
    call_in<true>(call.dx + row * D + d, 1);
    call_in<true>(call.ddelta + row * D + d, 1);
    if (i + STEPS_AHEAD < steps) {
      const Index later = (reading.place(length, from + i + STEPS_AHEAD) * B + b) * D + d;
      call_in(call.x + later, 1);
      call_in(call.delta + later, 1);
    }
    float *after = m.h + (i + 1) * size, *decays = m.decays + i * size;
    const Vec step = load_part(call.delta + row * D + d, lanes), input = step * load_part(call.x + row * D + d, lanes);
    for (Index n = 0; n < N; n++) {
      const Vec decay = exponential(step * load(rate + n * WIDTH));
      store(decays + n * WIDTH, decay);
      store(after + n * WIDTH, multiply_add(decay, load(before + n * WIDTH), input * splat(b_row[n])));
    }
  }
  const Vec skip = call.skip ? load_part(call.skip + d, lanes) : Vec{};
  Vec dskip{};
  fill(m.da_part, size, 0.f);
  float *g = m.g + group * size;
  for (Index i = steps - 1; i >= 0; i--) {
    const Index row = reading.place(length, from + i) * B + b;
    const float *b_row = call.b + row * N, *c_row = call.c + row * N;
    const float *before = m.h + i * size, *after = before + size, *decays = m.decays + i * size;
    float *db = m.db + i * size, *dc = m.dc + i * size;
    const Vec step = load_part(call.delta + row * D + d, lanes), x = load_part(call.x + row * D + d, lanes);
    const Vec dy = load_part(call.dy + row * D + d, lanes), input = step * x;
    Vec along_b{}, of_step{}, squares = load(m.squares + i * WIDTH);
    for (Index n = 0; n < N; n++) {
      const Index at = n * WIDTH;
      const Vec total = multiply_add(dy, splat(c_row[n]), load(g + at));
      squares = multiply_add(total, total, squares);
      store(dc + at, multiply_add(dy, load(after + at), load(dc + at)));
      store(db + at, multiply_add(input, total, load(db + at)));
      along_b = multiply_add(total, splat(b_row[n]), along_b);
      const Vec carried = total * load(decays + at), of_exponent = carried * load(before + at);
      of_step = multiply_add(of_exponent, load(rate + at), of_step);
      store(m.da_part + at, multiply_add(of_exponent, step, load(m.da_part + at)));
      store(g + at, carried);
    }
    store(m.squares + i * WIDTH, squares);
    store_part(call.dx + row * D + d, multiply_add(step, along_b, skip * dy), lanes);
    store_part(call.ddelta + row * D + d, multiply_add(x, along_b, of_step), lanes);
    dskip = multiply_add(x, dy, dskip);
  }
  float *da = m.da + group * size;
  for (Index at = 0; at < size; at += WIDTH) store(da + at, load(da + at) + load(m.da_part + at));
  store(m.dskip + d, load(m.dskip + d) + dskip);
}

/** out (count) = Σ over the lanes of rows (count, WIDTH) */
static void sum_lanes_of_rows(const float *rows, Index count, float *out) {
  for (Index at = 0; at < count; at += WIDTH) {
    Vec v[WIDTH];
    for (Index i = 0; i < WIDTH; i++) v[i] = at + i < count ? load(rows + (at + i) * WIDTH) : Vec{};
    store_part(out + at, reduce_rows<Sum>(v), count - at);
  }
}

/** dx, ddelta (T, B, D), da (D, N), db, dc (T, B, N), and what else is not null: dskip, dh0, grad_norm */
static double selective_scan_backward(const UnrollSelectiveScanBackward *call) {
  const SelectivePlan p(call->seq_len, call->batch, call->width, call->states, call->chunk);
  const Reading reading{call->lengths, p.T, call->reverse != 0};
  const Index T = p.T, B = p.B, D = p.D, N = p.N;
  const int threads = unroll::thread_count();
  float *norms = call->scratch + threads * p.backward_floats();
  for (int thread = 0; thread < threads; thread++) {
    const SelectiveBack m(p, call->scratch + thread * p.backward_floats());
    fill(m.da, p.of_all(), 0.f);
    fill(m.dskip, p.groups * WIDTH, 0.f);
  }
  share_tasks(B, (double)T * B * D * N, [&](Index first_b, Index end_b, int thread) {
    SelectiveBack m(p, call->scratch + thread * p.backward_floats());
    to_groups(p, call->a, m.rates);
    for (Index b = first_b; b < end_b; b++) {
      const Index length = reading.length(b);
      to_groups(p, call->dh_n ? call->dh_n + b * D * N : nullptr, m.g);
      for (Index from = (length + p.chunk - 1) / p.chunk * p.chunk - p.chunk; from >= 0; from -= p.chunk) {
        const Index steps = smaller(p.chunk, length - from);
        fill(m.db, steps * p.of_group(), 0.f);
        fill(m.dc, steps * p.of_group(), 0.f);
        fill(m.squares, steps * WIDTH, 0.f);
        for (Index group = 0; group < p.groups; group++)
          selective_back_group(p, *call, reading, m, b, length, from, group);
        for (Index i = 0; i < steps; i++) {
          const Index row = reading.place(length, from + i) * B + b;
          sum_lanes_of_rows(m.db + i * p.of_group(), N, call->db + row * N);
          sum_lanes_of_rows(m.dc + i * p.of_group(), N, call->dc + row * N);
          norms[row] = __builtin_sqrtf(sum_of_lanes(load(m.squares + i * WIDTH)));
        }
      }
      for (Index t = length; t < T; t++) {
        const Index row = t * B + b;
        fill(call->dx + row * D, D, 0.f);
        fill(call->ddelta + row * D, D, 0.f);
        fill(call->db + row * N, N, 0.f);
        fill(call->dc + row * N, N, 0.f);
      }
      if (call->dh0) from_groups(p, m.g, call->dh0 + b * D * N);
    }
  });
  const SelectiveBack sums(p, call->scratch);
  for (int thread = 1; thread < threads; thread++) {
    const SelectiveBack m(p, call->scratch + thread * p.backward_floats());
    for (Index at = 0; at < p.of_all(); at += WIDTH) store(sums.da + at, load(sums.da + at) + load(m.da + at));
    for (Index d = 0; d < D; d += WIDTH) store(sums.dskip + d, load(sums.dskip + d) + load(m.dskip + d));
  }
  from_groups(p, sums.da, call->da);
  if (call->dskip) copy(call->dskip, sums.dskip, D);
  if (call->grad_norm) mean_over_sequences(norms, reading, B, call->grad_norm);
  return 0;
}

}  // namespace UNROLL_NAMESPACE
