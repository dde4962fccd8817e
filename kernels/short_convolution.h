// A short causal convolution of each channel by itself, with SiLU behind it or nothing, as selective state spaces and the
// delta rule's layers read their input:
//
//   s_t = bias + Σ_k w_k ⊙ x_{t-(K-1)+k}      y_t = s_t σ(s_t), or s_t
//
// Backward, with g_t = ∂L/∂s_t: ∂L/∂x_t = Σ_k w_k ⊙ g_{t+(K-1)-k}, ∂L/∂w_k = Σ_t g_t ⊙ x_{t-(K-1)+k}, ∂L/∂bias = Σ_t g_t. s is
// computed again. Threads share the columns, so that no order of a sum depends on their number.
#pragma once
#include "attention.h"
#include "scan.h"

namespace UNROLL_NAMESPACE {

struct ShortConvolution {
  Index T, B, D, K;
  bool silu;
  const float *x, *before;

  template <class Call>
  explicit ShortConvolution(const Call *call)
      : T(call->seq_len), B(call->batch), D(call->width), K(call->kernel_size), silu(call->silu != 0), x(call->x),
        before(call->before) {}

  /** The inputs of a step, those before the first one included: (B, D). */
  const float *row(Index t) const { return t < 0 ? before + (t + K - 1) * B * D : x + t * B * D; }
};

/** to (K, D) = the transpose of weight (D, K) */
static void taps_of(const ShortConvolution &c, const float *weight, float *to) {
  for (Index d = 0; d < c.D; d++)
    for (Index k = 0; k < c.K; k++) to[k * c.D + d] = weight[d * c.K + k];
}

/** s_t of WIDTH channels; `at` is their place in a row of (B, D). */
UNROLL_INLINE Vec short_sum(const ShortConvolution &c, const float *taps, const float *bias, Index t, Index at, Index d,
                            Index lanes) {
  Vec sum = load_part(bias + d, lanes);
  for (Index k = 0; k < c.K; k++)
    sum = multiply_add(load_part(taps + k * c.D + d, lanes), load_part(c.row(t - c.K + 1 + k) + at, lanes), sum);
  return sum;
}

/** y (T, B, D); scratch: K·D floats */
static double short_convolution(const UnrollShortConvolution *call) {
  const ShortConvolution c(call);
  taps_of(c, call->weight, call->scratch);
  share_tasks(c.T, (double)c.T * c.B * c.D * c.K, [&](Index first, Index end, int) {
    for (Index t = first; t < end; t++)
      for (Index at = 0; at < c.B * c.D; at += c.D)
        for (Index d = 0; d < c.D; d += WIDTH) {
          const Index lanes = c.D - d;
          const Vec s = short_sum(c, call->scratch, call->bias, t, at + d, d, lanes);
          store_part(call->y + t * c.B * c.D + at + d, c.silu ? s * activated(UNROLL_SIGMOID, s) : s, lanes);
        }
  });
  return 0;
}

/** Steps whose products are added up before they join the others, so that rounding grows with the root of T. */
constexpr Index SHORT_SUM = 16;

/** g of all steps, and the gradients of the weights, of channels from … to-1. */
static void short_sums_back(const ShortConvolution &c, const UnrollShortConvolutionBackward *call, const float *taps, float *g,
                            float *parts, float *totals, Index from, Index to) {
  for (Index k = 0; k <= c.K; k++) {
    fill(parts + k * c.D + from, to - from, 0.f);
    fill(totals + k * c.D + from, to - from, 0.f);
  }
  for (Index t = 0; t < c.T; t++) {
    for (Index at = 0; at < c.B * c.D; at += c.D)
      for (Index d = from; d < to; d += WIDTH) {
        const Index lanes = to - d, place = t * c.B * c.D + at + d;
        Vec given = load_part(call->dy + place, lanes);
        if (c.silu) {
          const Vec s = short_sum(c, taps, call->bias, t, at + d, d, lanes), y = activated(UNROLL_SIGMOID, s);
          given *= y * multiply_add(s, splat(1.f) - y, splat(1.f));
          store_part(g + place, given, lanes);
        }
        for (Index k = 0; k < c.K; k++) {
          float *part = parts + k * c.D + d;
          const Vec read = load_part(c.row(t - c.K + 1 + k) + at + d, lanes);
          store_part(part, multiply_add(given, read, load_part(part, lanes)), lanes);
        }
        float *part = parts + c.K * c.D + d;
        store_part(part, load_part(part, lanes) + given, lanes);
      }
    if (t % SHORT_SUM != SHORT_SUM - 1 && t + 1 < c.T) continue;
    for (Index k = 0; k <= c.K; k++)
      for (Index d = from; d < to; d += WIDTH) {
        float *total = totals + k * c.D + d, *part = parts + k * c.D + d;
        store_part(total, load_part(total, to - d) + load_part(part, to - d), to - d);
        store_part(part, Vec{}, to - d);
      }
  }
  for (Index d = from; d < to; d++) {
    for (Index k = 0; k < c.K; k++) call->dweight[d * c.K + k] = totals[k * c.D + d];
    call->dbias[d] = totals[c.K * c.D + d];
  }
}

/** dx (T, B, D), dweight (D, K), dbias (D); scratch: (3 K + 2) D floats, and T·B·D more with SiLU */
static double short_convolution_backward(const UnrollShortConvolutionBackward *call) {
  const ShortConvolution c(call);
  Scratch scratch{call->scratch};
  float *taps = scratch.take(c.K * c.D), *parts = scratch.take((c.K + 1) * c.D), *totals = scratch.take((c.K + 1) * c.D);
  float *g = c.silu ? scratch.take(c.T * c.B * c.D) : (float *)call->dy;
  taps_of(c, call->weight, taps);
  share_tasks((c.D + WIDTH - 1) / WIDTH, (double)c.T * c.B * c.D * c.K, [&](Index first, Index end, int) {
    const Index from = first * WIDTH, to = smaller(end * WIDTH, c.D);
    if (from >= to) return;
    short_sums_back(c, call, taps, g, parts, totals, from, to);
    for (Index t = 0; t < c.T; t++)
      for (Index at = 0; at < c.B * c.D; at += c.D)
        for (Index d = from; d < to; d += WIDTH) {
          Vec sum{};
          for (Index k = smaller(c.T - 1 - t, c.K - 1), tap = c.K - 1 - k; tap < c.K; k--, tap++)
            sum = multiply_add(load_part(taps + tap * c.D + d, to - d),
                               load_part(g + (t + k) * c.B * c.D + at + d, to - d), sum);
          store_part(call->dx + t * c.B * c.D + at + d, sum, to - d);
        }
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
