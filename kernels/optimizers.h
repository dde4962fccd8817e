// One update of one parameter, as torch.optim defines it (provider.ts has the equations), and what clipping needs.
// Adam: D. Kingma, J. Ba, 2015, https://arxiv.org/abs/1412.6980; AdamW: I. Loshchilov, F. Hutter, 2019,
// https://arxiv.org/abs/1711.05101; Nesterov momentum: I. Sutskever et al., 2013,
// https://proceedings.mlr.press/v28/sutskever13.html; RMSProp: G. Hinton, lecture 6 of "Neural networks for machine
// learning", 2012. Factors are computed in float64, updates in float32.
#pragma once
#include "abi.h"
#include "parallel.h"

namespace UNROLL_NAMESPACE {

/**
 * f(i, lanes) for vectors of `count` numbers. Returns Σ |p| of what f leaves in p, summed roughly: it tells large
 * numbers from small ones, and is NaN or infinite where a number is.
 */
template <class F> UNROLL_INLINE double update_each(const float *p, Index count, F f) {
  constexpr int MAX_THREADS = 256;
  const int threads = count < WORTH_THREADS ? 1 : smaller(unroll::thread_count(), MAX_THREADS);
  double sizes[MAX_THREADS];
  on_threads(threads, [&](int thread) {
    const Index to = begin_of(count, thread + 1, threads);
    Vec size{};
    for (Index i = begin_of(count, thread, threads); i < to; i += WIDTH) {
      const Index lanes = smaller<Index>(WIDTH, to - i);
      f(i, lanes);
      const Vec left = load_part(p + i, lanes);
      size += left < Vec{} ? -left : left;
    }
    sizes[thread] = sum_of_lanes(size);
  });
  double size = 0;
  for (int thread = 0; thread < threads; thread++) size += sizes[thread];
  return size;
}

static double power(double base, double exponent) {
  double result = 1;
  for (Index n = (Index)exponent; n > 0; n /= 2, base *= base)
    if (n % 2) result *= base;
  return result;
}

static double adam_step(const UnrollAdam *call) {
  const double step_size = call->learning_rate / (1 - power(call->beta1, call->step));
  const Vec root = splat((float)(1 / __builtin_sqrt(1 - power(call->beta2, call->step))));
  const Vec beta1 = splat((float)call->beta1), rest1 = splat((float)(1 - call->beta1));
  const Vec beta2 = splat((float)call->beta2), rest2 = splat((float)(1 - call->beta2));
  const Vec decay = splat((float)(1 - call->learning_rate * call->weight_decay));
  const Vec rate = splat((float)step_size), epsilon = splat((float)call->epsilon);
  return update_each(call->parameter, call->count, [&](Index i, Index lanes) {
    Vec g = load_part(call->gradient + i, lanes), p = load_part(call->parameter + i, lanes);
    Vec m = multiply_add(beta1, load_part(call->first_moment + i, lanes), rest1 * g);
    Vec v = multiply_add(beta2, load_part(call->second_moment + i, lanes), rest2 * g * g);
    store_part(call->first_moment + i, m, lanes);
    store_part(call->second_moment + i, v, lanes);
    store_part(call->parameter + i, p * decay - rate * m / multiply_add(square_root(v), root, epsilon), lanes);
  });
}

static double sgd_step(const UnrollSgd *call) {
  const Vec rate = splat((float)call->learning_rate), momentum = splat((float)call->momentum);
  return update_each(call->parameter, call->count, [&](Index i, Index lanes) {
    Vec g = load_part(call->gradient + i, lanes), update = g;
    if (call->momentum_buffer) {
      Vec b = multiply_add(momentum, load_part(call->momentum_buffer + i, lanes), g);
      store_part(call->momentum_buffer + i, b, lanes);
      update = call->nesterov ? multiply_add(momentum, b, g) : b;
    }
    store_part(call->parameter + i, load_part(call->parameter + i, lanes) - rate * update, lanes);
  });
}

static double rmsprop_step(const UnrollRmsprop *call) {
  const Vec rate = splat((float)call->learning_rate), momentum = splat((float)call->momentum);
  const Vec decay = splat((float)call->decay), rest = splat((float)(1 - call->decay));
  const Vec epsilon = splat((float)call->epsilon);
  return update_each(call->parameter, call->count, [&](Index i, Index lanes) {
    Vec g = load_part(call->gradient + i, lanes);
    Vec s = multiply_add(decay, load_part(call->square_average + i, lanes), rest * g * g);
    store_part(call->square_average + i, s, lanes);
    Vec update = g / (square_root(s) + epsilon);
    if (call->momentum_buffer) {
      update = multiply_add(momentum, load_part(call->momentum_buffer + i, lanes), update);
      store_part(call->momentum_buffer + i, update, lanes);
    }
    store_part(call->parameter + i, load_part(call->parameter + i, lanes) - rate * update, lanes);
  });
}

typedef double FourDoubles __attribute__((vector_size(32)));
typedef float FourFloats __attribute__((vector_size(16), aligned(4), may_alias));

/**
 * Sixteen sums in float64, number i going to sum i mod 16, added in order: the same on every instruction set. Four at a
 * time: conversions of eight are taken apart lane by lane where there is no register for them.
 */
static double sum_of_squares_part(const float *a, Index count) {
  FourDoubles sums[4] = {};
  Index i = 0;
  for (; i + 16 <= count; i += 16)
    for (int part = 0; part < 4; part++) {
      const FourDoubles numbers = __builtin_convertvector(*(const FourFloats *)(a + i + 4 * part), FourDoubles);
      sums[part] += numbers * numbers;
    }
  double sum = 0;
  for (int part = 0; part < 4; part++)
    for (int lane = 0; lane < 4; lane++) sum += sums[part][lane];
  for (; i < count; i++) sum += (double)a[i] * a[i];
  return sum;
}

/** Parts do not depend on the number of threads, and are added in order. */
static double sum_of_squares(const UnrollSumOfSquares *call) {
  constexpr int MAX_PARTS = 64;
  double sums[MAX_PARTS];
  const Index size = larger<Index>(16384, (call->count + MAX_PARTS - 1) / MAX_PARTS);
  const int parts = (int)((call->count + size - 1) / size);
  const int threads = call->count < WORTH_THREADS ? 1 : unroll::thread_count();
  on_threads(threads, [&](int thread) {
    for (int part = thread; part < parts; part += threads)
      sums[part] = sum_of_squares_part(call->a + part * size, smaller(size, call->count - part * size));
  });
  double total = 0;
  for (int part = 0; part < parts; part++) total += sums[part];
  return total;
}

static double scale(const UnrollScale *call) {
  const Vec factor = splat((float)call->factor);
  each_vector(call->count, [&](Index i, Index lanes) {
    store_part(call->a + i, load_part(call->a + i, lanes) * factor, lanes);
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
