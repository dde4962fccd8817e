// tanh, sigmoid, exp and log of vectors. Errors are against float64 over the whole range, on any instruction set.
#pragma once
#include "vector.h"

namespace UNROLL_NAMESPACE {

/**
 * tanh(x) = p / q: the rational minimax approximation of Eigen (13/6 degrees) on |x| <= 7.9, beyond which tanh is 1 in
 * float32. Absolute error of p / q below 2.6e-7. NaN stays NaN, infinities give 1 and -1.
 */
UNROLL_INLINE void tanh_fraction(Vec x, Vec &p, Vec &q) {
  const Vec limit = splat(7.90531110763549805f);
  x = at_least(at_most(x, limit), -limit);
  Vec s = x * x;
  Vec a = multiply_add(s, splat(-2.76076847742355e-16f), splat(2.00018790482477e-13f));
  a = multiply_add(s, a, splat(-8.60467152213735e-11f));
  a = multiply_add(s, a, splat(5.12229709037114e-08f));
  a = multiply_add(s, a, splat(1.48572235717979e-05f));
  a = multiply_add(s, a, splat(6.37261928875436e-04f));
  a = multiply_add(s, a, splat(4.89352455891786e-03f));
  p = x * a;
  Vec b = multiply_add(s, splat(1.19825839466702e-06f), splat(1.18534705686654e-04f));
  b = multiply_add(s, b, splat(2.26843463243900e-03f));
  q = multiply_add(s, b, splat(4.89352518554385e-03f));
}

/**
 * N times tanh in place with one division, which costs as much as a dozen products. Absolute error below 3.4e-7: four
 * roundings of the fraction and up to three of the shared division.
 */
template <int N> UNROLL_INLINE void tanh_all(Vec (&x)[N]) {
  Vec p[N], q[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; i++) tanh_fraction(x[i], p[i], q[i]);
  if constexpr (N == 1) {
    x[0] = p[0] / q[0];
  } else if constexpr (N == 2) {
    Vec r = splat(1.f) / (q[0] * q[1]);
    x[0] = p[0] * q[1] * r;
    x[1] = p[1] * q[0] * r;
  } else if constexpr (N == 3) {
    Vec q01 = q[0] * q[1];
    Vec r = splat(1.f) / (q01 * q[2]);
    Vec r01 = r * q[2];
    x[2] = p[2] * (r * q01);
    x[0] = p[0] * (r01 * q[1]);
    x[1] = p[1] * (r01 * q[0]);
  } else {
    static_assert(N == 4, "one to four");
    Vec q01 = q[0] * q[1], q23 = q[2] * q[3];
    Vec r = splat(1.f) / (q01 * q23);
    Vec r01 = r * q23, r23 = r * q01;
    x[0] = p[0] * (r01 * q[1]);
    x[1] = p[1] * (r01 * q[0]);
    x[2] = p[2] * (r23 * q[3]);
    x[3] = p[3] * (r23 * q[2]);
  }
}

// sigmoid(x) = (1 + tanh(x / 2)) / 2, in two parts around a tanh_all; absolute error below 2.3e-7
UNROLL_INLINE Vec sigmoid_before(Vec x) { return x * splat(.5f); }
UNROLL_INLINE Vec sigmoid_after(Vec t) { return multiply_add(t, splat(.5f), splat(.5f)); }

/** x = n ln 2 + f with a whole n, |f| <= 0.35; returns 2^n and leaves e^f - 1 (Cephes' expf polynomial) in `rest`. */
UNROLL_INLINE Vec power_of_two(Vec x, Vec &rest) {
  const Vec magic = splat(12582912.f);  // 1.5 * 2^23: adding it rounds to a whole number, in the low bits
  Vec shifted = x * splat(1.44269504088896341f) + magic;
  Vec n = shifted - magic;
  Vec f = multiply_add(n, splat(-0.693359375f), x);
  f = multiply_add(n, splat(2.12194440e-4f), f);
  Vec p = multiply_add(f, splat(1.9875691500e-4f), splat(1.3981999507e-3f));
  p = multiply_add(p, f, splat(8.3334519073e-3f));
  p = multiply_add(p, f, splat(4.1665795894e-2f));
  p = multiply_add(p, f, splat(1.6666665459e-1f));
  p = multiply_add(p, f, splat(5.0000001201e-1f));
  rest = multiply_add(p, f * f, f);
  return (Vec)(((IntVec)shifted << 23) + (127 << 23));
}

/**
 * exp(x), relative error 8e-8. Below -87 it stays at e^-87 = 1.6e-38; above 88 it stays at e^88. NaN stays NaN.
 */
UNROLL_INLINE Vec exponential(Vec x) {
  Vec rest, power = power_of_two(at_least(at_most(x, splat(88.f)), splat(-87.f)), rest);
  return (rest + splat(1.f)) * power;
}

/**
 * tanh|x| = E / (E + 2), or 1 - 2 / (E + 2) where that is the larger part; E = e^2|x| - 1. Absolute error below 9e-8, a
 * quarter of what tanh_all has: for the states of simple RNNs and the candidates of GRUs, whose slope 1 - tanh² is
 * multiplied over all steps.
 */
UNROLL_INLINE Vec precise_tanh(Vec x) {
  const Vec one = splat(1.f), two = splat(2.f);
  const IntVec sign = (IntVec)x & (int)0x80000000;
  x = at_most((Vec)((IntVec)x ^ sign), splat(9.01f));
  Vec rest, power = power_of_two(x + x, rest);
  Vec e = multiply_add(power, rest, power - one);
  const IntVec large = e > two;
  Vec part = (large ? two : e) / (e + two);
  return (Vec)((IntVec)(large ? one - part : part) | sign);
}

/** Natural logarithm of normal numbers > 0: x = m 2^e, log m by the series of artanh; absolute error 1e-7. */
UNROLL_INLINE Vec logarithm(Vec x) {
  IntVec bits = (IntVec)x;
  IntVec e = (bits - 0x3f3504f3) >> 23;
  Vec m = (Vec)(bits - (e << 23));  // sqrt(1/2) to sqrt(2)
  Vec t = (m - splat(1.f)) / (m + splat(1.f)), t2 = t * t;
  Vec p = multiply_add(t2, splat(1 / 9.f), splat(1 / 7.f));
  p = multiply_add(p, t2, splat(1 / 5.f));
  p = multiply_add(p, t2, splat(1 / 3.f));
  p = multiply_add(p, t2, splat(1.f));
  Vec result = multiply_add(__builtin_convertvector(e, Vec), splat(0.69314718056f), (t + t) * p);
  return x == x ? result : x;
}

}  // namespace UNROLL_NAMESPACE
