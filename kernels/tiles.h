// The heart of every product: a tile of R rows by NV vectors of the result stays in registers over the whole of K.
//
//   acc (R, NV) += a (R, K) · b (K, NV)
//
// b is packed: NV neighbouring vectors for each k. a is read in place, one number at a time, by rows or transposed.
#pragma once
#include "vector.h"

namespace UNROLL_NAMESPACE {

/** The widest tile, and how many rows fill the registers beside it (measured: more rows spill, fewer wait). */
constexpr int MAX_VECTORS = 4;
#if defined(__wasm_relaxed_simd__)
constexpr int ROWS_OF_TWO = 6;
#else
constexpr int ROWS_OF_TWO = 5; /* a product that is not fused takes a register */
#endif
constexpr int max_rows(int vectors) {
  if (UNROLL_REGISTERS >= 32) return vectors == 1 ? 8 : vectors == 2 ? 8 : vectors == 3 ? 5 : 4;
  if (UNROLL_REGISTERS >= 16) return vectors == 1 ? 8 : vectors == 2 ? 6 : vectors == 3 ? 4 : 3;
  return vectors == 1 ? 8 : vectors == 2 ? ROWS_OF_TWO : vectors == 3 ? 3 : 2;
}
/** With few registers four vectors go as twice two, with more rows. */
constexpr bool SPLIT_FOUR = UNROLL_REGISTERS < 16;

template <int N> struct Constant { static constexpr int value = N; };

/** f(Constant<n>) for 1 <= n <= MAX. */
template <int MAX, class F> UNROLL_INLINE void with_constant(int n, F f) {
  switch (n) {
#define UNROLL_CASE(N)                                \
  case N:                                             \
    if constexpr (N <= MAX) f(Constant<N>{});         \
    break;
    UNROLL_CASE(1) UNROLL_CASE(2) UNROLL_CASE(3) UNROLL_CASE(4)
    UNROLL_CASE(5) UNROLL_CASE(6) UNROLL_CASE(7) UNROLL_CASE(8)
#undef UNROLL_CASE
  }
}

/** Cuts `count` rows into parts of at most MAX, as equal as can be: f(first row, Constant<rows>). */
template <int MAX, class F> UNROLL_INLINE void each_tile(int count, F f) {
  if (count <= 0) return;
  const int parts = (count + MAX - 1) / MAX, base = count / parts, longer = count % parts;
  for (int i = 0, row = 0; i < parts; i++) {
    const int rows = base + (i < longer);
    with_constant<MAX>(rows, [&](auto constant) { f(row, constant); });
    row += rows;
  }
}

/**
 * acc[r][v] += sum over k of a(r, k) * b(k, v). BV is how many vectors of b stand at each k, of which NV are used, when
 * b is packed; b_stride is how far its rows are apart otherwise.
 * TRANSPOSED: a(r, k) stands at a[k * a_stride + r], otherwise at a[r * a_stride + k]. ACC, FIRST: acc has ACC vectors
 * in a row, of which those from FIRST on are meant.
 */
template <int R, int NV, int BV, bool TRANSPOSED, int FIRST = 0, int ACC>
UNROLL_INLINE void accumulate(Vec (&acc)[R][ACC], const float *a, Index a_stride, const float *b, Index K,
                              Index b_stride = BV * WIDTH) {
  for (Index k = 0; k < K; k++) {
    if constexpr (NV <= R) {
      Vec b_k[NV];
#pragma GCC unroll 16
      for (int v = 0; v < NV; v++) b_k[v] = load(b + v * WIDTH);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) {
        Vec a_rk = splat(TRANSPOSED ? a[r] : a[r * a_stride]);
#pragma GCC unroll 16
        for (int v = 0; v < NV; v++) acc[r][FIRST + v] = multiply_add(a_rk, b_k[v], acc[r][FIRST + v]);
      }
    } else {
      Vec a_k[R];
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) a_k[r] = splat(TRANSPOSED ? a[r] : a[r * a_stride]);
#pragma GCC unroll 16
      for (int v = 0; v < NV; v++) {
        Vec b_kv = load(b + v * WIDTH);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) acc[r][FIRST + v] = multiply_add(a_k[r], b_kv, acc[r][FIRST + v]);
      }
    }
    b += b_stride;
    a += TRANSPOSED ? a_stride : 1;
  }
}

/** All rows of a tile start as `start` (NV vectors), or zero. */
template <int R, int NV> UNROLL_INLINE void fill_tile(Vec (&acc)[R][NV], const float *start) {
#pragma GCC unroll 16
  for (int v = 0; v < NV; v++) {
    Vec value = start ? load(start + v * WIDTH) : Vec{};
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) acc[r][v] = value;
  }
}

template <int R, int NV> UNROLL_INLINE void load_tile(Vec (&acc)[R][NV], const float *from, Index stride) {
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) acc[r][v] = load(from + r * stride + v * WIDTH);
}

template <int R, int NV> UNROLL_INLINE void store_tile(float *to, Index stride, const Vec (&acc)[R][NV]) {
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) store(to + r * stride + v * WIDTH, acc[r][v]);
}

/** out (R, NV) = start + a (R, K) · b (K, NV). */
template <int R, int NV>
UNROLL_NOINLINE void product_tile(float *out, Index out_stride, const float *start, const float *a, Index a_stride,
                                  const float *b, Index K) {
  Vec acc[R][NV];
  fill_tile(acc, start);
  accumulate<R, NV, NV, false>(acc, a, a_stride, b, K);
  store_tile(out, out_stride, acc);
}

/**
 * c (R, NV) += a (R, K) · b (K, NV of BV), in a function of its own. With few registers this is twice as fast as the same
 * loop amid other work, for which compilers keep registers that the tile needs.
 */
template <int R, int NV, int BV>
UNROLL_NOINLINE void add_product(float *c, Index c_stride, const float *a, Index a_stride, const float *b, Index K) {
  Vec acc[R][NV];
  load_tile(acc, c, c_stride);
  accumulate<R, NV, BV, false>(acc, a, a_stride, b, K);
  store_tile(c, c_stride, acc);
}

/** All rows of c (R, NV) become `start`. */
template <int R, int NV> UNROLL_INLINE void fill_rows(float *c, const float *start) {
  Vec rows[R][NV];
  fill_tile(rows, start);
  store_tile(c, NV * WIDTH, rows);
}

/** c (R, NV) = aT · b, added to c unless `first`: a (K, R) is read in place. */
template <int R, int NV, int BV>
UNROLL_NOINLINE void transposed_tile(float *c, Index c_stride, const float *a, Index a_stride, const float *b, Index K,
                                     bool first) {
  Vec acc[R][NV];
  if (first)
    fill_tile(acc, nullptr);
  else
    load_tile(acc, c, c_stride);
  accumulate<R, NV, BV, true>(acc, a, a_stride, b, K);
  store_tile(c, c_stride, acc);
}

/** c (M, NV) = aT (M, K) · b (K, NV of BV), added to c unless `first`. */
template <int NV, int BV>
UNROLL_INLINE void transposed_product(float *c, Index c_stride, const float *a, Index a_stride, const float *b, int M,
                                      Index K, bool first) {
  if constexpr (SPLIT_FOUR && NV == 4) {
    for (int half = 0; half < 4; half += 2)
      each_tile<max_rows(2)>(M, [&](int row, auto rows) {
        transposed_tile<rows.value, 2, BV>(c + row * c_stride + half * WIDTH, c_stride, a + row, a_stride,
                                           b + half * WIDTH, K, first);
      });
  } else {
    each_tile<max_rows(NV)>(M, [&](int row, auto rows) {
      transposed_tile<rows.value, NV, BV>(c + row * c_stride, c_stride, a + row, a_stride, b, K, first);
    });
  }
}

/** How to cut a width of so many vectors into `blocks` of `vectors` each, at most MAX_VECTORS wide. */
struct Blocks {
  int vectors, blocks;
};
UNROLL_INLINE Blocks blocks_of(Index width) {
  const int all = (int)((width + WIDTH - 1) / WIDTH);
  const int blocks = larger((all + MAX_VECTORS - 1) / MAX_VECTORS, 1);
  return {larger((all + blocks - 1) / blocks, 1), blocks};
}

}  // namespace UNROLL_NAMESPACE
