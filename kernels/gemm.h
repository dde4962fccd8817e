// Matrix products: c (M, N) = op(a) (M, K) · op(b) (K, N) + bias. a is read in place; b is packed into panels, except
// where c has so few rows that packing would cost more than the product. Threads share the rows of c; where these are
// few and K is long, as in the gradient of a weight, they share K instead, and their parts are added in the order of
// the threads.
#pragma once
#include "element_wise.h"
#include "recurrent_pack.h"

namespace UNROLL_NAMESPACE {

struct GemmPlan {
  int M, N, K;
  bool trans_a, trans_b;
  int threads;
  bool share_k, packs;
  Blocks columns;

  static constexpr int K_BLOCK = 256;  // a panel of this depth stays in L1, and rows of a with it
  static constexpr int ROW_BLOCK = 192;
  static constexpr int FEW_ROWS = 32;

  GemmPlan(int m, int n, int k, bool ta, bool tb) : M(m), N(n), K(k), trans_a(ta), trans_b(tb), columns(blocks_of(n)) {
    // waking the threads takes as long as about so many products
    threads = (double)m * n * k < 2e5 ? 1 : unroll::thread_count();
    share_k = threads > 1 && M < 16 * threads && K > 128 * threads;
    packs = trans_b || M > FEW_ROWS || columns.blocks * panel_width() != N;
  }

  long panel_width() const { return (long)columns.vectors * WIDTH; }
  long packed_size() const { return packs ? columns.blocks * panel_width() * K : 0; }
  /** How far apart rows of b are in a product. */
  long b_stride() const { return packs ? panel_width() : N; }
  long part_size() const { return share_k ? (long)M * N : 0; }
  long scratch_size() const { return packed_size() + (threads - 1) * part_size(); }
};

/** b, rows from ... to-1 of K, as panels (column block, K, width), if it is packed. */
static void pack_right(const GemmPlan &p, const float *b, float *panels, int block, int from, int to) {
  if (!p.packs) return;
  const long width = p.panel_width(), begin = block * width;
  float *panel = panels + block * width * p.K;
  for (int v = 0; v < p.columns.vectors; v++) {
    const long column = begin + v * WIDTH, lanes = clamp_lanes(p.N - column);
    float *out = panel + v * WIDTH + from * width;
    if (p.trans_b) {
      pack_column(out, width, b + column * p.K + from, p.K, lanes, to - from);
      continue;
    }
    const float *in = b + (long)from * p.N + column;
    for (int k = from; k < to; k++, in += p.N, out += width) store(out, lanes > 0 ? load_part(in, lanes) : Vec{});
  }
}

/** All rows of a tile start as `start` (a row of so many columns, or null for zeros), added to c if `add`. */
template <int R, int NV>
UNROLL_INLINE void start_tile(Vec (&acc)[R][NV], const float *c, long c_stride, long columns, bool add,
                              const float *start) {
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) {
    const long lanes = clamp_lanes(columns - v * WIDTH);
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
UNROLL_INLINE void store_columns(float *c, long c_stride, long columns, const Vec (&acc)[R][NV]) {
  if (columns >= NV * WIDTH) return store_tile(c, c_stride, acc);
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      const long lanes = clamp_lanes(columns - v * WIDTH);
      if (lanes > 0) store_part(c + r * c_stride + v * WIDTH, acc[r][v], lanes);
    }
}

/** c (R, up to NV vectors) = start + a · b; `start` (a row, or null) is not used when c is added to. */
template <int R, int NV, bool TRANSPOSED>
UNROLL_NOINLINE void gemm_tile(float *c, long c_stride, long columns, bool add, const float *start, const float *a,
                               long a_stride, const float *b, long b_stride, long K) {
  Vec acc[R][NV];
  start_tile(acc, c, c_stride, columns, add, start);
  accumulate<R, NV, NV, TRANSPOSED>(acc, a, a_stride, b, K, b_stride);
  store_columns(c, c_stride, columns, acc);
}

/** Rows and part of K of one thread. */
template <bool TRANSPOSED>
static void gemm_part(const GemmPlan &p, const float *a, const float *b, const float *bias, float *c, bool add,
                      int from_row, int to_row, int from_k, int to_k) {
  const long width = p.panel_width(), a_stride = TRANSPOSED ? p.M : p.K;
  for (int k = from_k; k == from_k || k < to_k; k += GemmPlan::K_BLOCK) {
    const int depth = larger(smaller(GemmPlan::K_BLOCK, to_k - k), 0);
    const bool more = add || k > from_k;
    const float *start = k > from_k ? nullptr : bias;
    for (int row = from_row; row < to_row; row += GemmPlan::ROW_BLOCK) {
      const int rows_here = smaller(GemmPlan::ROW_BLOCK, to_row - row);
      const float *a_here = TRANSPOSED ? a + (long)k * p.M + row : a + (long)row * p.K + k;
      for (int block = 0; block < p.columns.blocks; block++) {
        const float *b_here = b + (p.packs ? block * width * p.K : block * width) + k * p.b_stride();
        float *c_here = c + (long)row * p.N + block * width;
        const float *start_here = start ? start + block * width : nullptr;
        with_constant<MAX_VECTORS>(p.columns.vectors, [&](auto vectors) {
          constexpr int NV = vectors.value;
          each_tile<max_rows(NV)>(rows_here, [&](int r, auto rows) {
            gemm_tile<rows.value, NV, TRANSPOSED>(c_here + (long)r * p.N, p.N, p.N - block * width, more, start_here,
                                                  TRANSPOSED ? a_here + r : a_here + r * a_stride, a_stride, b_here,
                                                  p.b_stride(), depth);
          });
        });
      }
    }
  }
}

UNROLL_INLINE int share(int count, int index, int parts) { return (int)((long)count * index / parts); }

static void gemm_thread(const GemmPlan &p, const UnrollGemm &call, int thread, int threads) {
  float *panels = call.scratch;
  const float *b = p.packs ? panels : call.b;
  auto run = [&](const float *bias, float *c, bool add, int from_row, int to_row, int from_k, int to_k) {
    if (p.trans_a)
      gemm_part<true>(p, call.a, b, bias, c, add, from_row, to_row, from_k, to_k);
    else
      gemm_part<false>(p, call.a, b, bias, c, add, from_row, to_row, from_k, to_k);
  };
  if (!p.share_k) {
    for (int block = thread; block < p.columns.blocks; block += threads)
      pack_right(p, call.b, panels, block, 0, p.K);
    if (threads > 1) unroll::barrier();
    run(call.bias, call.c, call.accumulate, share(p.M, thread, threads), share(p.M, thread + 1, threads), 0, p.K);
    return;
  }
  const int from = share(p.K, thread, threads), to = share(p.K, thread + 1, threads);
  for (int block = 0; block < p.columns.blocks; block++) pack_right(p, call.b, panels, block, from, to);
  float *parts = panels + p.packed_size();
  if (thread == 0)
    run(call.bias, call.c, call.accumulate, 0, p.M, from, to);
  else
    run(nullptr, parts + (thread - 1) * p.part_size(), false, 0, p.M, from, to);
  unroll::barrier();
  const long size = (long)p.M * p.N, end = size * (thread + 1) / threads;
  for (long i = size * thread / threads; i < end; i++)
    for (int part = 0; part < threads - 1; part++) call.c[i] += parts[part * size + i];
}

static double gemm_memory(const UnrollGemmMemory *call) {
  return (double)GemmPlan(call->m, call->n, call->k, call->trans_a, call->trans_b).scratch_size();
}

static double gemm(const UnrollGemm *call) {
  const GemmPlan plan(call->m, call->n, call->k, call->trans_a, call->trans_b);
  on_threads(plan.threads, [&](int thread) { gemm_thread(plan, *call, thread, plan.threads); });
  return 0;
}

/** out (D) = Σ over rows of a (N, D). Sums of 256 rows are added up, so that rounding grows with the root of N / 256. */
static double column_sums(const UnrollColumnSums *call) {
  for (long column = 0; column < call->width; column += WIDTH) {
    const long lanes = smaller<long>(call->width - column, WIDTH);
    const float *a = call->a + column;
    Vec total{};
    for (long row = 0; row < call->rows;) {
      const long end = smaller<long>(row + 256, call->rows);
      Vec even{}, odd{};
      for (; row + 1 < end; row += 2, a += 2L * call->width)
        even += load_part(a, lanes), odd += load_part(a + call->width, lanes);
      if (row < end) even += load_part(a, lanes), a += call->width, row++;
      total += even + odd;
    }
    store_part(call->out + column, total, lanes);
  }
  return 0;
}

}  // namespace UNROLL_NAMESPACE
