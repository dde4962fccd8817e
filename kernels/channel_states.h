// Diagonal state spaces of single channels, as S4D has them (A. Gu et al., 2022, https://arxiv.org/abs/2206.11893): a channel's
// number u drives N complex states, and is read from them:
//
//   h_t = a ⊙ h_{t-1} + u_t      y_t = Σ_n c_re Re h_t + c_im Im h_t
//
// Backward, with g_t the total derivative of h_t (∂re, ∂im) and ¯ the conjugate:
//
//   g_t = ∂y_t c + ā g_{t+1}      ∂u_t = Σ_n Re g_t      ∂c = Σ_t ∂y_t h_t      ∂a = Σ_t g_t h̄_{t-1}
//
// States of all steps are never stored: those before each chunk of steps are, and the backward pass computes the others of a
// chunk again. A vector holds a state of WIDTH channels, a group. A task is a group; it goes through all sequences, so that no
// order of a sum depends on the number of threads.
#pragma once
#include "attention.h"
#include "scan.h"

namespace UNROLL_NAMESPACE {

/** Steps between two kept states. */
constexpr Index CHANNEL_CHUNK = 16;

struct ChannelPlan {
  Index T, B, D, N, groups, chunks;

  ChannelPlan(Index seq_len, Index batch, Index width, Index states)
      : T(seq_len), B(batch), D(width), N(states), groups((width + WIDTH - 1) / WIDTH),
        chunks((seq_len + CHANNEL_CHUNK - 1) / CHANNEL_CHUNK) {}

  /** Complex numbers (2, N, WIDTH) of a group. */
  Index of_group() const { return 2 * N * WIDTH; }
  Index kept_floats() const { return groups * B * chunks * of_group(); }
  Index forward_floats() const { return 3 * of_group(); }
  /** a, c, g, ∂a, ∂c and parts of both; states of a chunk and the one before it */
  Index backward_floats() const { return (7 + CHANNEL_CHUNK + 1) * of_group(); }
};

/** Floats: kept states and scratch of the forward pass, or scratch of the backward one. */
static double channel_states_memory(const UnrollChannelStatesMemory *call) {
  const ChannelPlan p(call->seq_len, call->batch, call->width, call->states);
  const double threads = unroll::thread_count();
  switch (call->kind) {
    case 0: return (double)p.kept_floats();
    case 1: return threads * p.forward_floats();
    default: return threads * p.backward_floats() + (double)p.groups * p.T * p.B;
  }
}

/** to (2, N, WIDTH) = the channels of a group of from (2, D, N); null is zeros. */
static void group_in(const ChannelPlan &p, Index group, const float *from, float *to) {
  fill(to, p.of_group(), 0.f);
  if (!from) return;
  for (Index part = 0; part < 2; part++)
    for (Index lane = 0; lane < smaller<Index>(WIDTH, p.D - group * WIDTH); lane++)
      for (Index n = 0; n < p.N; n++)
        to[(part * p.N + n) * WIDTH + lane] = from[(part * p.D + group * WIDTH + lane) * p.N + n];
}

static void group_out(const ChannelPlan &p, Index group, const float *from, float *to) {
  for (Index part = 0; part < 2; part++)
    for (Index lane = 0; lane < smaller<Index>(WIDTH, p.D - group * WIDTH); lane++)
      for (Index n = 0; n < p.N; n++)
        to[(part * p.D + group * WIDTH + lane) * p.N + n] = from[(part * p.N + n) * WIDTH + lane];
}

/** h of one step from the one before, which may be the same place; y of it. */
UNROLL_INLINE Vec channel_step(Index N, const float *a, const float *c, const float *before, float *after, Vec u) {
  const Index im = N * WIDTH;
  Vec y{}, odd{};
  for (Index at = 0; at < im; at += WIDTH) {
    const Vec a_re = load(a + at), a_im = load(a + im + at), h_re = load(before + at), h_im = load(before + im + at);
    const Vec re = multiply_add(a_re, h_re, u - a_im * h_im), imaginary = multiply_add(a_re, h_im, a_im * h_re);
    store(after + at, re);
    store(after + im + at, imaginary);
    y = multiply_add(load(c + at), re, y);
    odd = multiply_add(load(c + im + at), imaginary, odd);
  }
  return y + odd;
}

/** Where the states of a group stand that were kept before a chunk. */
UNROLL_INLINE float *kept_channels(const ChannelPlan &p, float *kept, Index group, Index b, Index chunk) {
  return kept + ((group * p.B + b) * p.chunks + chunk) * p.of_group();
}

/** y (T, B, D), h_n (B, 2, D, N), and kept unless null */
static double channel_states(const UnrollChannelStates *call) {
  const ChannelPlan p(call->seq_len, call->batch, call->width, call->states);
  const Reading reading{call->lengths, p.T, false};
  const Index state = 2 * p.D * p.N;
  share_tasks(p.groups, (double)p.T * p.B * p.D * p.N, [&](Index first, Index end, int thread) {
    Scratch scratch{call->scratch + thread * p.forward_floats()};
    float *a = scratch.take(p.of_group()), *c = scratch.take(p.of_group()), *h = scratch.take(p.of_group());
    for (Index group = first; group < end; group++) {
      const Index d = group * WIDTH, lanes = p.D - d;
      group_in(p, group, call->a, a);
      group_in(p, group, call->c, c);
      for (Index b = 0; b < p.B; b++) {
        const Index length = reading.length(b);
        group_in(p, group, call->h0 ? call->h0 + b * state : nullptr, h);
        for (Index t = 0; t < p.T; t++) {
          const Index at = (t * p.B + b) * p.D + d;
          if (t >= length) {
            store_part(call->y + at, Vec{}, lanes);
            continue;
          }
          if (call->kept && t % CHANNEL_CHUNK == 0)
            copy(kept_channels(p, call->kept, group, b, t / CHANNEL_CHUNK), h, p.of_group());
          store_part(call->y + at, channel_step(p.N, a, c, h, h, load_part(call->u + at, lanes)), lanes);
        }
        group_out(p, group, h, call->h_n + b * state);
      }
    }
  });
  return 0;
}

/** What the backward pass of one thread keeps. */
struct ChannelBack {
  float *a, *c, *g, *da, *dc, *da_part, *dc_part, *h;

  ChannelBack(const ChannelPlan &p, float *memory) {
    Scratch scratch{memory};
    float **const places[] = {&a, &c, &g, &da, &dc, &da_part, &dc_part};
    for (float **place : places) *place = scratch.take(p.of_group());
    h = scratch.take((CHANNEL_CHUNK + 1) * p.of_group());
  }
};

/** g, ∂u and the parts of ∂a and ∂c of one step. */
UNROLL_INLINE Vec channel_step_back(Index N, const ChannelBack &m, const float *before, const float *after, Vec dy,
                                    Vec &squares) {
  const Index im = N * WIDTH;
  Vec du{};
  for (Index at = 0; at < im; at += WIDTH) {
    const Vec re = multiply_add(dy, load(m.c + at), load(m.g + at));
    const Vec imaginary = multiply_add(dy, load(m.c + im + at), load(m.g + im + at));
    du += re;
    squares = multiply_add(re, re, multiply_add(imaginary, imaginary, squares));
    store(m.dc_part + at, multiply_add(dy, load(after + at), load(m.dc_part + at)));
    store(m.dc_part + im + at, multiply_add(dy, load(after + im + at), load(m.dc_part + im + at)));
    const Vec h_re = load(before + at), h_im = load(before + im + at);
    store(m.da_part + at, multiply_add(re, h_re, multiply_add(imaginary, h_im, load(m.da_part + at))));
    store(m.da_part + im + at, multiply_add(imaginary, h_re, load(m.da_part + im + at) - re * h_im));
    const Vec a_re = load(m.a + at), a_im = load(m.a + im + at);
    store(m.g + at, multiply_add(a_re, re, a_im * imaginary));
    store(m.g + im + at, multiply_add(a_re, imaginary, -(a_im * re)));
  }
  return du;
}

UNROLL_INLINE void add_part(float *total, float *part, Index count) {
  for (Index at = 0; at < count; at += WIDTH) {
    store(total + at, load(total + at) + load(part + at));
    store(part + at, Vec{});
  }
}

/** du (T, B, D), da and dc (2, D, N), grad_norm (T) unless null */
static double channel_states_backward(const UnrollChannelStatesBackward *call) {
  const ChannelPlan p(call->seq_len, call->batch, call->width, call->states);
  const Reading reading{call->lengths, p.T, false};
  float *squares = call->scratch + unroll::thread_count() * p.backward_floats();
  const Index size = p.of_group();
  share_tasks(p.groups, (double)p.T * p.B * p.D * p.N, [&](Index first, Index end, int thread) {
    const ChannelBack m(p, call->scratch + thread * p.backward_floats());
    for (Index group = first; group < end; group++) {
      const Index d = group * WIDTH, lanes = p.D - d;
      group_in(p, group, call->a, m.a);
      group_in(p, group, call->c, m.c);
      float *const sums[] = {m.da, m.dc, m.da_part, m.dc_part};
      for (float *each : sums) fill(each, size, 0.f);
      for (Index b = 0; b < p.B; b++) {
        const Index length = reading.length(b);
        fill(m.g, size, 0.f);
        for (Index t = length; t < p.T; t++) store_part(call->du + (t * p.B + b) * p.D + d, Vec{}, lanes);
        for (Index chunk = (length + CHANNEL_CHUNK - 1) / CHANNEL_CHUNK - 1; chunk >= 0; chunk--) {
          const Index from = chunk * CHANNEL_CHUNK, steps = smaller(CHANNEL_CHUNK, length - from);
          copy(m.h, kept_channels(p, (float *)call->kept, group, b, chunk), size);
          for (Index i = 0; i < steps; i++) {
            // of this chunk what comes next, of the chunk before it the numbers that this pass over states reads
            const Index here = ((from + i) * p.B + b) * p.D + d, past = here - CHANNEL_CHUNK * p.B * p.D;
            call_in(call->dy + here, 1);
            call_in<true>(call->du + here, 1);
            if (chunk > 0) call_in(call->u + past, 1);
            channel_step(p.N, m.a, m.c, m.h + i * size, m.h + (i + 1) * size,
                         load_part(call->u + here, lanes));
          }
          for (Index i = steps - 1; i >= 0; i--) {
            const Index row = (from + i) * p.B + b, at = row * p.D + d;
            Vec square{};
            const Vec dy = load_part(call->dy + at, lanes);
            store_part(call->du + at, channel_step_back(p.N, m, m.h + i * size, m.h + (i + 1) * size, dy, square), lanes);
            squares[group * p.T * p.B + row] = sum_of_lanes(square);
          }
          add_part(m.da, m.da_part, size);
          add_part(m.dc, m.dc_part, size);
        }
      }
      group_out(p, group, m.da, call->da);
      group_out(p, group, m.dc, call->dc);
    }
  });
  if (!call->grad_norm) return 0;
  for (Index row = 0; row < p.T * p.B; row++) {
    float sum = 0;
    for (Index group = 0; group < p.groups; group++) sum += squares[group * p.T * p.B + row];
    squares[row] = __builtin_sqrtf(sum);
  }
  mean_over_sequences(squares, reading, p.B, call->grad_norm);
  return 0;
}

}  // namespace UNROLL_NAMESPACE
