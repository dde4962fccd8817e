// A vector of floats and its verbs, in GCC's and Clang's vector extensions. The loops of the kernels are written once
// over it; with a width of 1 it is ordinary C++. Each kernel translation unit is compiled once per instruction set into
// a namespace of its own (UNROLL_NAMESPACE), so that no code of one set is ever linked into another.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef UNROLL_NAMESPACE
#define UNROLL_NAMESPACE unroll_kernels
#endif

#define UNROLL_INLINE static inline __attribute__((always_inline))
#define UNROLL_NOINLINE static __attribute__((noinline))

// bench/phases.cpp measures what parts of a step take: from here on the time is this part's
#ifndef UNROLL_PHASE
#define UNROLL_PHASE(part)
#endif

// UNROLL_WIDTH floats in a vector, UNROLL_REGISTERS of them to hold tiles of a product
#ifndef UNROLL_WIDTH
#if defined(__AVX512F__)
#define UNROLL_WIDTH 16
#define UNROLL_REGISTERS 32
#elif defined(__AVX__)
#define UNROLL_WIDTH 8
#define UNROLL_REGISTERS 16
#elif defined(__aarch64__)
#define UNROLL_WIDTH 4
#define UNROLL_REGISTERS 32
#else
#define UNROLL_WIDTH 4
#define UNROLL_REGISTERS 15 /* x86 without three-operand forms, and WASM, whose host keeps one for itself */
#endif
#endif
#ifndef UNROLL_REGISTERS
#define UNROLL_REGISTERS 16
#endif

namespace UNROLL_NAMESPACE {

/** As wide as a pointer; `long` is not on 64-bit Windows. */
typedef __PTRDIFF_TYPE__ Index;
/** Counts of floats that may be asked for. They may be more than a 32-bit memory holds, which the caller then says. */
typedef __INT64_TYPE__ Size;

constexpr int WIDTH = UNROLL_WIDTH;

typedef float Vec __attribute__((vector_size(4 * WIDTH)));
typedef int IntVec __attribute__((vector_size(4 * WIDTH)));
typedef float UnalignedVec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef int UnalignedIntVec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

UNROLL_INLINE Vec load(const float *p) { return *(const UnalignedVec *)p; }
UNROLL_INLINE IntVec load_integers(const int *p) { return *(const UnalignedIntVec *)p; }
UNROLL_INLINE void store(float *p, Vec v) { *(UnalignedVec *)p = v; }
UNROLL_INLINE Vec splat(float s) { return Vec{} + s; }

/** 0, 1, ... in the lanes: `lane_numbers() < count` is a mask of the first ones. */
UNROLL_INLINE IntVec lane_numbers() {
  IntVec v{};
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) v[i] = i;
  return v;
}

/** p + offset; null where there is no array. */
template <class T> UNROLL_INLINE T *beyond(T *p, Index offset) { return p ? p + offset : nullptr; }

/** The first `count` of WIDTH floats; the others are 0 and are not read. */
UNROLL_INLINE Vec load_part(const float *p, Index count) {
  if (count >= WIDTH) return load(p);
#if UNROLL_WIDTH == 16 && defined(__AVX512F__)
  return (Vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#elif UNROLL_WIDTH == 8 && defined(__AVX2__)
  return (Vec)_mm256_maskload_ps(p, (__m256i)(lane_numbers() < (int)count));
#else
  Vec v{};
  for (Index i = 0; i < count && i < WIDTH; i++) v[i] = p[i];
  return v;
#endif
}

UNROLL_INLINE void store_part(float *p, Vec v, Index count) {
  if (count >= WIDTH) return store(p, v);
#if UNROLL_WIDTH == 16 && defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#elif UNROLL_WIDTH == 8 && defined(__AVX2__)
  _mm256_maskstore_ps(p, (__m256i)(lane_numbers() < (int)count), (__m256)v);
#else
  for (Index i = 0; i < count && i < WIDTH; i++) p[i] = v[i];
#endif
}

/** a b + c; fused where the instruction set can, by -ffp-contract=fast. */
UNROLL_INLINE Vec multiply_add(Vec a, Vec b, Vec c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}

// NaN in v passes, since the second operand of x86's own verbs does; GCC makes two steps of the plain form
#if UNROLL_WIDTH == 16 && defined(__AVX512F__)
UNROLL_INLINE Vec at_most(Vec v, Vec bound) { return (Vec)_mm512_min_ps((__m512)bound, (__m512)v); }
UNROLL_INLINE Vec at_least(Vec v, Vec bound) { return (Vec)_mm512_max_ps((__m512)bound, (__m512)v); }
#elif UNROLL_WIDTH == 8 && defined(__AVX__)
UNROLL_INLINE Vec at_most(Vec v, Vec bound) { return (Vec)_mm256_min_ps((__m256)bound, (__m256)v); }
UNROLL_INLINE Vec at_least(Vec v, Vec bound) { return (Vec)_mm256_max_ps((__m256)bound, (__m256)v); }
#elif UNROLL_WIDTH == 4 && defined(__SSE2__)
UNROLL_INLINE Vec at_most(Vec v, Vec bound) { return (Vec)_mm_min_ps((__m128)bound, (__m128)v); }
UNROLL_INLINE Vec at_least(Vec v, Vec bound) { return (Vec)_mm_max_ps((__m128)bound, (__m128)v); }
#elif UNROLL_WIDTH == 4 && defined(__wasm_simd128__)
// for relaxed SIMD clang would make the plain form a relaxed minimum, in which NaN may get lost
UNROLL_INLINE Vec at_most(Vec v, Vec bound) { return __builtin_wasm_pmin_f32x4(v, bound); }
UNROLL_INLINE Vec at_least(Vec v, Vec bound) { return __builtin_wasm_pmax_f32x4(v, bound); }
#else
UNROLL_INLINE Vec at_most(Vec v, Vec bound) { return bound < v ? bound : v; }
UNROLL_INLINE Vec at_least(Vec v, Vec bound) { return v < bound ? bound : v; }
#endif

UNROLL_INLINE Vec square_root(Vec v) {
#if UNROLL_WIDTH == 16 && defined(__AVX512F__)
  return (Vec)_mm512_sqrt_ps((__m512)v);
#elif UNROLL_WIDTH == 8 && defined(__AVX__)
  return (Vec)_mm256_sqrt_ps((__m256)v);
#elif UNROLL_WIDTH == 4 && defined(__SSE2__)
  return (Vec)_mm_sqrt_ps((__m128)v);
#elif UNROLL_WIDTH == 4 && defined(__wasm_simd128__)
  return (Vec)__builtin_wasm_sqrt_f32x4(v);
#else
  for (int i = 0; i < WIDTH; i++) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

// ---------------------------------------------------------------- lanes

template <int... I> struct Indices {};
template <int N, int... I> struct CountTo : CountTo<N - 1, N - 1, I...> {};
template <int... I> struct CountTo<0, I...> { typedef Indices<I...> type; };
typedef CountTo<WIDTH>::type Lanes;

template <int... I> UNROLL_INLINE Vec even_lanes(Vec a, Vec b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
template <int... I> UNROLL_INLINE Vec odd_lanes(Vec a, Vec b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I + 1)...);
}
template <int HALF, int... I> UNROLL_INLINE Vec interleave(Vec a, Vec b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + (I % 2) * WIDTH + HALF * (WIDTH / 2))...);
}

struct Sum {
  UNROLL_INLINE Vec join(Vec a, Vec b) { return a + b; }
};
struct Max {
  UNROLL_INLINE Vec join(Vec a, Vec b) { return a < b ? b : a; }
};

/** Lane i of the result is the sum (or maximum) over the lanes of v[i]; v is used up. */
template <class Join> UNROLL_INLINE Vec reduce_rows(Vec (&v)[WIDTH]) {
#pragma GCC unroll 16
  for (int n = WIDTH; n > 1; n /= 2)
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; i++) {
      Vec even = even_lanes(v[2 * i], v[2 * i + 1], Lanes{}), odd = odd_lanes(v[2 * i], v[2 * i + 1], Lanes{});
      v[i] = Join::join(even, odd);
    }
  return v[0];
}

UNROLL_INLINE float sum_of_lanes(Vec v) {
  Vec zero{};
#pragma GCC unroll 4
  for (int n = WIDTH; n > 1; n /= 2) v = even_lanes(v, zero, Lanes{}) + odd_lanes(v, zero, Lanes{});
  return v[0];
}

/** Lane j of v[i] goes to lane i of v[j]: log2(WIDTH) rounds that interleave halves. */
UNROLL_INLINE void transpose(Vec (&v)[WIDTH]) {
#pragma GCC unroll 4
  for (int round = 1; round < WIDTH; round *= 2) {
    Vec next[WIDTH];
#pragma GCC unroll 16
    for (int i = 0; i < WIDTH / 2; i++) {
      next[2 * i] = interleave<0>(v[i], v[i + WIDTH / 2], Lanes{});
      next[2 * i + 1] = interleave<1>(v[i], v[i + WIDTH / 2], Lanes{});
    }
#pragma GCC unroll 16
    for (int i = 0; i < WIDTH; i++) v[i] = next[i];
  }
}

// ---------------------------------------------------------------- arrays

UNROLL_INLINE void fill(float *p, Index count, float value) {
  Index i = 0;
  for (; i + WIDTH <= count; i += WIDTH) store(p + i, splat(value));
  if (i < count) store_part(p + i, splat(value), count - i);
}

UNROLL_INLINE void copy(float *to, const float *from, Index count) {
  Index i = 0;
  for (; i + WIDTH <= count; i += WIDTH) store(to + i, load(from + i));
  if (i < count) store_part(to + i, load_part(from + i, count - i), count - i);
}

/**
 * Calls `count` numbers into the L2 cache. Rows of one sequence, head or channel group stand a row of the whole batch apart,
 * often on pages of their own, which no processor foresees. Who does nothing else must be UNROLL_INLINE too: GCC drops calls
 * of a function that only calls in, since it takes that for no effect.
 */
template <bool WRITE = false> UNROLL_INLINE void call_in([[maybe_unused]] const float *row, [[maybe_unused]] Index count) {
#ifndef __wasm__ /* has no instruction for it */
  for (Index i = 0; i < count; i += 16) __builtin_prefetch(row + i, WRITE, 2);
#endif
}

/** Steps that rows are called for before they are read: measured, 8 to 12 alike; a whole chunk ahead they get lost again. */
constexpr Index STEPS_AHEAD = 8;

template <class T> UNROLL_INLINE constexpr T smaller(T a, T b) { return a < b ? a : b; }
template <class T> UNROLL_INLINE constexpr T larger(T a, T b) { return a < b ? b : a; }

}  // namespace UNROLL_NAMESPACE
