// Matrix products: c (M, N) = op(a) (M, K) · op(b) (K, N) + bias. a is read in place; b is packed into panels, except
// where c has so few rows that packing would cost more than the product. Threads share the rows of c; where these are
// few and K is long, as in the gradient of a weight, they share K instead, and their parts are added in the order of
// the threads.
#pragma once
#include "element_wise.h"
#include "pack.h"

namespace UNROLL_NAMESPACE {

/** Of a block of columns: the last one may have fewer than the others. */
UNROLL_INLINE int vectors_of(Blocks columns, int block, Index width) {
  const Index left = width - (Index)block * columns.vectors * WIDTH;
  return (int)smaller<Index>(columns.vectors, (left + WIDTH - 1) / WIDTH);
}

/** What a product is, however many threads share it: its sizes, and how b is cut into blocks of columns. */
struct Product {
  int M, N, K;
  bool trans_a, trans_b;
  /** How far rows are apart, those of a as it is stored. */
  Index a_stride, c_stride;
  Blocks columns;
  bool packs;
  /** How many rows of b are packed at a time. */
  int panel_depth;

  static constexpr int K_BLOCK = 256;  // a panel of this depth stays in L1, and rows of a with it
  static constexpr int ROW_BLOCK = 192;
  static constexpr int FEW_ROWS = 32;

  Product(int m, int n, int k, bool ta, bool tb)
      : M(m), N(n), K(k), trans_a(ta), trans_b(tb), a_stride(ta ? m : k), c_stride(n), columns(blocks_of(n)),
        packs(tb || m > FEW_ROWS || columns.blocks * panel_width() != n), panel_depth(k) {}

  Index panel_width() const { return (Index)columns.vectors * WIDTH; }
  Size packed_size() const { return packs ? (Size)columns.blocks * panel_width() * panel_depth : 0; }
  /** How far apart rows of b are in a product. */
  Index b_stride() const { return packs ? panel_width() : N; }
};

struct GemmPlan : Product {
  int threads;
  bool share_k;

  static constexpr int K_SHARE_BLOCK = 128;
  static constexpr double LARGEST_PART = 1 << 17;

  GemmPlan(int m, int n, int k, bool ta, bool tb) : Product(m, n, k, ta, tb) {
    // waking the threads takes as long as about so many products
    threads = (double)m * n * k < 2e5 ? 1 : unroll::thread_count();
    share_k = K > 128 * threads && (M < 16 * threads || (trans_a && (double)m * n <= LARGEST_PART));
    if (share_k && packs) panel_depth = K_SHARE_BLOCK;
  }

  Size part_size() const { return share_k ? (Size)M * N : 0; }
  /** Panels of each thread, if threads share K. */
  Size scratch_size() const { return (share_k ? threads : 1) * packed_size() + (threads - 1) * part_size(); }
};

/** b, rows from ... to-1 of K, as panels (column block, depth, width), if it is packed. */
static void pack_right(const Product &p, const float *b, float *panels, int block, int from, int to) {
  if (!p.packs) return;
  const Index width = p.panel_width(), begin = block * width;
  float *panel = panels + block * width * p.panel_depth;
  for (int v = 0; v < p.columns.vectors; v++) {
    const Index column = begin + v * WIDTH, lanes = clamp_lanes(p.N - column);
    float *out = panel + v * WIDTH;
    if (p.trans_b) {
      pack_column(out, width, b + column * p.K + from, p.K, lanes, to - from);
      continue;
    }
    const float *in = b + (Index)from * p.N + column;
    for (int k = from; k < to; k++, in += p.N, out += width) store(out, lanes > 0 ? load_part(in, lanes) : Vec{});
  }
}

/** All rows of a tile start as `start` (a row of so many columns, or null for zeros), added to c if `add`. */
template <int R, int NV>
UNROLL_INLINE void start_tile(Vec (&acc)[R][NV], const float *c, Index c_stride, Index columns, bool add,
                              const float *start) {
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) {
    const Index lanes = clamp_lanes(columns - v * WIDTH);
    Vec value = start && lanes > 0 ? load_part(start + v * WIDTH, lanes) : Vec{};
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      acc[r][v] = value;
      if (add && lanes > 0) acc[r][v] += load_part(c + r * c_stride + v * WIDTH, lanes);
    }
  }
}

/** Of each row of a tile so many columns. */
template <int R, int NV>
UNROLL_INLINE void store_columns(float *c, Index c_stride, Index columns, const Vec (&acc)[R][NV]) {
  if (columns >= NV * WIDTH) return store_tile(c, c_stride, acc);
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const Index lanes = clamp_lanes(columns - v * WIDTH);
      if (lanes > 0) store_part(c + r * c_stride + v * WIDTH, acc[r][v], lanes);
    }
}

/**
 * A left side that may be read in several places (convolution.h): each of its taps `tap_step` from the one before, and
 * each in blocks of `width` columns, the last one narrower. A plain product has one tap and one block.
 */
struct TapRows {
  const float *a;
  Index stride, tap_step, block_step, width, columns;
};

/** c (R, up to NV vectors) = start + Σ over taps of a · b; `start` (a row, or null) is not used when c is added to. */
template <int R, int NV>
UNROLL_NOINLINE void taps_tile(float *c, Index c_stride, Index columns, bool add, const float *start, const TapRows &rows,
                               Index row, Index taps, const float *b, Index b_stride) {
  Vec acc[R][NV];
  start_tile(acc, c, c_stride, columns, add, start);
  for (Index tap = 0; tap < taps; tap++) {
    const float *a = rows.a + row * rows.stride + tap * rows.tap_step;
    for (Index column = 0; column < rows.columns; column += rows.width, a += rows.block_step) {
      const Index depth = smaller(rows.width, rows.columns - column);
      accumulate<R, NV, NV, false>(acc, a, rows.stride, b, depth, b_stride);
      b += depth * b_stride;
    }
  }
  store_columns(c, c_stride, columns, acc);
}

/** c (R, up to NV vectors) = start + aᵀ · b, in the same manner. */
template <int R, int NV>
UNROLL_NOINLINE void transposed_gemm_tile(float *c, Index c_stride, Index columns, bool add, const float *start,
                                          const float *a, Index a_stride, const float *b, Index b_stride, Index K) {
  Vec acc[R][NV];
  start_tile(acc, c, c_stride, columns, add, start);
  accumulate<R, NV, NV, true>(acc, a, a_stride, b, K, b_stride);
  store_columns(c, c_stride, columns, acc);
}

/**
 * Calls in what comes after a tile: the rows of a and c of the next one or, where a is transposed, a part of the rows of a
 * that the next stretch of K begins with. Processors foresee neither, since each tile reads a little of many rows.
 */
template <bool TRANSPOSED>
UNROLL_INLINE void call_next_tile_in(const Product &p, const float *a, Index row, Index rows, Index all_rows,
                                     Index rest, Index depth) {
  if constexpr (TRANSPOSED) {
    const Index first = row * depth / all_rows, end = (row + rows) * depth / all_rows;
    for (Index k = first; k < end && k < rest; k++) call_in(a + (depth + k) * p.a_stride, all_rows);
  } else {
    for (Index r = row + rows; r < row + 2 * rows && r < all_rows; r++) {
      call_in(a + r * p.a_stride, depth);
    }
  }
}

/** Some rows, and part of K, from whose first row on b stands. */
template <bool TRANSPOSED>
static void gemm_part(const Product &p, const float *a, const float *b, const float *bias, float *c, bool add,
                      int from_row, int to_row, int from_k, int to_k) {
  const Index width = p.panel_width();
  for (int k = from_k; k == from_k || k < to_k; k += Product::K_BLOCK) {
    const int depth = larger(smaller(Product::K_BLOCK, to_k - k), 0);
    const bool more = add || k > from_k;
    const float *start = k > from_k ? nullptr : bias;
    for (int row = from_row; row < to_row; row += Product::ROW_BLOCK) {
      const int rows_here = smaller(Product::ROW_BLOCK, to_row - row);
      const float *a_here = TRANSPOSED ? a + k * p.a_stride + row : a + row * p.a_stride + k;
      for (int block = 0; block < p.columns.blocks; block++) {
        const float *b_here = b + block * width * (p.packs ? p.panel_depth : 1) + (k - from_k) * p.b_stride();
        float *c_here = c + row * p.c_stride + block * width;
        const float *start_here = start ? start + block * width : nullptr;
        with_constant<MAX_VECTORS>(vectors_of(p.columns, block, p.N), [&](auto vectors) {
          constexpr int NV = vectors.value;
          each_tile<max_rows(NV)>(rows_here, [&](int r, auto rows) {
            float *c_row = c_here + r * p.c_stride;
            const Index columns = p.N - block * width;
            if (block == 0) call_next_tile_in<TRANSPOSED>(p, a_here, r, rows.value, rows_here, to_k - k > depth ? 0 : p.K - to_k, depth);
            if constexpr (TRANSPOSED)
              transposed_gemm_tile<rows.value, NV>(c_row, p.c_stride, columns, more, start_here, a_here + r,
                                                   p.a_stride, b_here, p.b_stride(), depth);
            else
              taps_tile<rows.value, NV>(c_row, p.c_stride, columns, more, start_here,
                                        {a_here, p.a_stride, 0, 0, depth, depth}, r, 1, b_here, p.b_stride());
          });
        });
      }
    }
  }
}

static void gemm_rows(const GemmPlan &p, const UnrollGemm &call, const float *b, const float *bias, float *c, bool add,
                      int from_row, int to_row, int from_k, int to_k) {
  if (p.trans_a)
    gemm_part<true>(p, call.a, b, bias, c, add, from_row, to_row, from_k, to_k);
  else
    gemm_part<false>(p, call.a, b, bias, c, add, from_row, to_row, from_k, to_k);
}

/** Threads share the rows of c. */
static void gemm_by_rows(const GemmPlan &p, const UnrollGemm &call) {
  const int threads = p.threads;
  if (p.packs)
    on_threads(threads, [&](int thread) {
      for (int block = thread; block < p.columns.blocks; block += threads)
        pack_right(p, call.b, call.scratch, block, 0, p.K);
    });
  on_threads(threads, [&](int thread) {
    gemm_rows(p, call, p.packs ? call.scratch : call.b, call.bias, call.c, call.accumulate,
              begin_of(p.M, thread, threads), begin_of(p.M, thread + 1, threads), 0, p.K);
  });
}

/** One thread's part of K, into c or a part of its own. */
static void gemm_part_of_k(const GemmPlan &p, const UnrollGemm &call, int thread, int threads) {
  const int from = begin_of(p.K, thread, threads), to = begin_of(p.K, thread + 1, threads);
  float *panels = call.scratch + thread * p.packed_size(), *parts = call.scratch + threads * p.packed_size();
  float *c = thread == 0 ? call.c : parts + (thread - 1) * p.part_size();
  const float *bias = thread == 0 ? call.bias : nullptr;
  bool add = thread == 0 && call.accumulate;
  for (int k = from; k < to; k += p.panel_depth, bias = nullptr, add = true) {
    const int end = smaller(to, k + p.panel_depth);
    for (int block = 0; block < p.columns.blocks; block++) pack_right(p, call.b, panels, block, k, end);
    gemm_rows(p, call, p.packs ? panels : call.b + (Index)k * p.N, bias, c, add, 0, p.M, k, end);
  }
}

static void gemm_by_k(const GemmPlan &p, const UnrollGemm &call) {
  const int threads = p.threads;
  on_threads(threads, [&](int thread) { gemm_part_of_k(p, call, thread, threads); });
  if (threads == 1) return;
  const float *parts = call.scratch + threads * p.packed_size();
  const Index size = (Index)p.M * p.N;
  on_threads(threads, [&](int thread) {
    const Index end = begin_of(size, thread + 1, threads);
    for (Index i = begin_of(size, thread, threads); i < end; i++)
      for (int part = 0; part < threads - 1; part++) call.c[i] += parts[part * size + i];
  });
}

static double gemm_memory(const UnrollGemmMemory *call) {
  return (double)GemmPlan(call->m, call->n, call->k, call->trans_a, call->trans_b).scratch_size();
}

static double gemm(const UnrollGemm *call) {
  const GemmPlan plan(call->m, call->n, call->k, call->trans_a, call->trans_b);
  if (plan.share_k)
    gemm_by_k(plan, *call);
  else
    gemm_by_rows(plan, *call);
  return 0;
}

/**
 * Sums of VECTORS vectors of columns, added to out if `add`; of 256 rows each first, so that rounding grows with the root
 * of N / 256.
 */
template <int VECTORS>
UNROLL_NOINLINE void sum_columns(const float *a, Index stride, Index rows, Index columns, float *out, bool add) {
  Vec total[VECTORS] = {};
  for (int v = 0; add && v < VECTORS; v++) total[v] = load_part(out + v * WIDTH, columns - v * WIDTH);
  for (Index row = 0; row < rows;) {
    Vec part[VECTORS] = {};
    for (const Index end = smaller<Index>(row + 256, rows); row < end; row++)
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) part[v] += load_part(a + row * stride + v * WIDTH, columns - v * WIDTH);
    for (int v = 0; v < VECTORS; v++) total[v] += part[v];
  }
  for (int v = 0; v < VECTORS; v++) store_part(out + v * WIDTH, total[v], columns - v * WIDTH);
}

/** out (D) = Σ over rows of a (N, D). Threads share the columns. */
static double column_sums(const UnrollColumnSums *call) {
  each_column_group(call->width, call->rows, [&](auto vectors, Index column) {
    sum_columns<vectors.value>(call->a + column, call->width, call->rows, call->width - column, call->out + column,
                               false);
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
