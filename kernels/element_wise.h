// Element by element, and columns of matrices: activations with their gradients, sums, copies.
#pragma once
#include "abi.h"
#include "activations.h"
#include "parallel.h"

namespace UNROLL_NAMESPACE {

/** to (N, D) = from (N, D), each in rows of its own stride. */
static double copy_columns(const UnrollCopyColumns *call) {
  share_tasks(call->rows, (double)call->rows * call->width, [&](Index first, Index end, int) {
    for (Index row = first; row < end; row++)
      copy(call->to + row * call->to_stride, call->from + row * call->from_stride, call->width);
  });
  return 0;
}

/** out = a + b */
static double add(const UnrollAdd *call) {
  each_vector(call->count, [&](Index i, Index lanes) {
    store_part(call->out + i, load_part(call->a + i, lanes) + load_part(call->b + i, lanes), lanes);
  });
  return 0;
}

/**
 * Φ(x), and e^(-x²/2), which its slope √(2π) Φ' is: erf by M. Abramowitz, I. Stegun, 1964, formula 7.1.26. Absolute
 * error of Φ below 1.5e-7. NaN stays NaN.
 */
UNROLL_INLINE Vec normal_cdf(Vec x, Vec &bell) {
  const Vec one = splat(1.f), size = x < Vec{} ? -x : x;
  Vec t = one / multiply_add(size, splat(0.3275911f * 0.70710678f), one);
  Vec p = multiply_add(t, splat(1.061405429f), splat(-1.453152027f));
  p = multiply_add(p, t, splat(1.421413741f));
  p = multiply_add(p, t, splat(-0.284496736f));
  p = multiply_add(p, t, splat(0.254829592f));
  bell = exponential(x * x * splat(-.5f));
  Vec tail = p * t * bell * splat(.5f);
  return x < Vec{} ? tail : one - tail;
}

UNROLL_INLINE Vec activated(int kind, Vec x) {
  Vec bell;
  switch (kind) {
    case UNROLL_RELU: return x < Vec{} ? Vec{} : x;
    case UNROLL_GELU: return x * normal_cdf(x, bell);
    case UNROLL_TANH: return precise_tanh(x);
    default: return sigmoid_after(precise_tanh(sigmoid_before(x)));
  }
}

/** The slope at x, where y = φ(x); gelu looks at x, the others at y. */
UNROLL_INLINE Vec slope(int kind, Vec x, Vec y) {
  const Vec one = splat(1.f);
  switch (kind) {
    case UNROLL_RELU: return y > Vec{} ? one : y;
    case UNROLL_GELU: {
      Vec bell, cdf = normal_cdf(x, bell);
      return multiply_add(x * splat(0.3989422804f), bell, cdf);
    }
    case UNROLL_TANH: return one - y * y;
    default: return y * (one - y);
  }
}

/** y = φ(x) by one thread; y may be x. */
static void activate(int kind, const float *x, float *y, Index count) {
  Index i = 0;
  for (; i + WIDTH <= count; i += WIDTH) store(y + i, activated(kind, load(x + i)));
  if (i < count) store_part(y + i, activated(kind, load_part(x + i, count - i)), count - i);
}

static double activation(const UnrollActivation *call) {
  each_vector(call->count, [&](Index i, Index lanes) {
    store_part(call->y + i, activated(call->kind, load_part(call->x + i, lanes)), lanes);
  });
  return 0;
}

/** dx = dy φ'(x) */
static double activation_backward(const UnrollActivationBackward *call) {
  const float *seen = call->kind == UNROLL_GELU ? call->x : call->y;
  each_vector(call->count, [&](Index i, Index lanes) {
    Vec v = load_part(seen + i, lanes);
    store_part(call->dx + i, load_part(call->dy + i, lanes) * slope(call->kind, v, v), lanes);
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
