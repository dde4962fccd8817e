// Rows divided by their root mean square (B. Zhang, R. Sennrich, 2019, https://arxiv.org/abs/1910.07467), with s = 1/D, or by
// their length, with s = 1:
//
//   r = 1/√(s Σ x² + ε)      y = weight ⊙ x r
//
//   ∂L/∂x = r (g - x r² s Σ (g ⊙ x))      g = weight ⊙ ∂L/∂y      ∂L/∂weight = Σ_n ∂L/∂y ⊙ x r
#pragma once
#include "layer_norm.h"

namespace UNROLL_NAMESPACE {

/** 1 where there is no weight. */
UNROLL_INLINE Vec weight_at(const float *weight, Index j, Index D) {
  return weight ? load_part(weight + j, D - j) : splat(1.f);
}

/** y (N, D), inverse (N) */
static double row_norm(const UnrollRowNorm *call) {
  const Index D = call->width;
  const float share = (float)call->share;
  share_tasks(call->rows, (double)call->rows * D, [&](Index first, Index end, int) {
    for (Index row = first; row < end; row++) {
      const float *x = call->x + row * D;
      Vec squares{};
      for (Index j = 0; j < D; j += WIDTH) {
        const Vec v = load_part(x + j, D - j);
        squares = multiply_add(v, v, squares);
      }
      const float inverse = 1.f / __builtin_sqrtf(share * sum_of_lanes(squares) + (float)call->epsilon);
      call->inverse[row] = inverse;
      for (Index j = 0; j < D; j += WIDTH)
        store_part(call->y + row * D + j, load_part(x + j, D - j) * splat(inverse) * weight_at(call->weight, j, D), D - j);
    }
  });
  return 0;
}

/** ∂L/∂weight for VECTORS vectors of columns, over all rows; sums of 256 rows are added up. */
template <int VECTORS> UNROLL_NOINLINE void row_norm_columns(const UnrollRowNormBackward *call, Index column) {
  const Index D = call->width;
  Vec weights[VECTORS] = {};
  for (Index row = 0; row < call->rows;) {
    Vec part[VECTORS] = {};
    for (const Index end = smaller<Index>(row + 256, call->rows); row < end; row++) {
      const float *x = call->x + row * D + column, *dy = call->dy + row * D + column;
      const Vec inverse = splat(call->inverse[row]);
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) {
        const Index lanes = D - column - v * WIDTH;
        part[v] = multiply_add(load_part(dy + v * WIDTH, lanes), load_part(x + v * WIDTH, lanes) * inverse, part[v]);
      }
    }
    for (int v = 0; v < VECTORS; v++) weights[v] += part[v];
  }
  for (int v = 0; v < VECTORS; v++) store_part(call->dweight + column + v * WIDTH, weights[v], D - column - v * WIDTH);
}

/** dx (N, D), and dweight (D) unless null */
static double row_norm_backward(const UnrollRowNormBackward *call) {
  const Index D = call->width;
  const float share = (float)call->share;
  share_tasks(call->rows, (double)call->rows * D, [&](Index first, Index end, int) {
    for (Index row = first; row < end; row++) {
      const float *x = call->x + row * D, *dy = call->dy + row * D;
      const float inverse = call->inverse[row];
      Vec products{};
      for (Index j = 0; j < D; j += WIDTH)
        products = multiply_add(load_part(dy + j, D - j) * weight_at(call->weight, j, D), load_part(x + j, D - j), products);
      const Vec back = splat(share * sum_of_lanes(products) * inverse * inverse * inverse), by = splat(inverse);
      for (Index j = 0; j < D; j += WIDTH) {
        const Vec g = load_part(dy + j, D - j) * weight_at(call->weight, j, D);
        store_part(call->dx + row * D + j, g * by - load_part(x + j, D - j) * back, D - j);
      }
    }
  });
  if (call->dweight)
    each_column_group(D, call->rows, [&](auto vectors, Index column) { row_norm_columns<vectors.value>(call, column); });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
