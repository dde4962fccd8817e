// Layer normalisation: J. L. Ba, J. R. Kiros, G. E. Hinton, 2016, https://arxiv.org/abs/1607.06450.
//
//   x̂ = (x - mean) r      r = 1/√(variance + ε)      y = weight ⊙ x̂ + bias
//
//   ∂L/∂x̂ = weight ⊙ ∂L/∂y = g
//   ∂L/∂x = r (g - mean(g) - x̂ mean(g ⊙ x̂))      ∂L/∂weight = Σ_n ∂L/∂y ⊙ x̂      ∂L/∂bias = Σ_n ∂L/∂y
//
// The variance is summed around the mean, so that numbers far from zero lose nothing.
#pragma once
#include "element_wise.h"

namespace UNROLL_NAMESPACE {

/** 1 in the lanes that count. */
UNROLL_INLINE Vec only(Vec v, Index lanes) { return lanes >= WIDTH ? v : lane_numbers() < (int)lanes ? v : Vec{}; }

/** y (N, D), mean (N) and inverse_deviation (N) from x (N, D), weight and bias (D). */
static double layer_norm(const UnrollLayerNorm *call) {
  const Index D = call->width;
  share_tasks(call->rows, (double)call->rows * D, [&](Index first, Index end, int) {
    for (Index row = first; row < end; row++) {
      const float *x = call->x + row * D;
      Vec sum{}, squares{};
      for (Index j = 0; j < D; j += WIDTH) sum += load_part(x + j, D - j);
      const float mean = sum_of_lanes(sum) / (float)D;
      for (Index j = 0; j < D; j += WIDTH) {
        Vec apart = only(load_part(x + j, D - j) - splat(mean), D - j);
        squares = multiply_add(apart, apart, squares);
      }
      const float inverse = 1.f / __builtin_sqrtf(sum_of_lanes(squares) / (float)D + (float)call->epsilon);
      for (Index j = 0; j < D; j += WIDTH) {
        Vec normal = (load_part(x + j, D - j) - splat(mean)) * splat(inverse);
        Vec y = multiply_add(normal, load_part(call->weight + j, D - j), load_part(call->bias + j, D - j));
        store_part(call->y + row * D + j, y, D - j);
      }
      if (call->mean) call->mean[row] = mean;
      if (call->inverse_deviation) call->inverse_deviation[row] = inverse;
    }
  });
  return 0;
}

/** dx (N, D) from dy (N, D) and what the forward pass read and left. */
static void layer_norm_inputs(const UnrollLayerNormBackward *call) {
  const Index D = call->width;
  share_tasks(call->rows, (double)call->rows * D, [&](Index first, Index end, int) {
    for (Index row = first; row < end; row++) {
      const float *x = call->x + row * D, *dy = call->dy + row * D;
      const Vec mean = splat(call->mean[row]), inverse = splat(call->inverse_deviation[row]);
      Vec slopes{}, products{};
      for (Index j = 0; j < D; j += WIDTH) {
        Vec g = load_part(dy + j, D - j) * load_part(call->weight + j, D - j);
        slopes += g;
        products = multiply_add(g, only(load_part(x + j, D - j) - mean, D - j) * inverse, products);
      }
      const Vec slope_mean = splat(sum_of_lanes(slopes) / (float)D);
      const Vec product_mean = splat(sum_of_lanes(products) / (float)D);
      for (Index j = 0; j < D; j += WIDTH) {
        Vec g = load_part(dy + j, D - j) * load_part(call->weight + j, D - j);
        Vec normal = (load_part(x + j, D - j) - mean) * inverse;
        store_part(call->dx + row * D + j, inverse * (g - slope_mean - normal * product_mean), D - j);
      }
    }
  });
}

/** dweight and dbias for VECTORS vectors of columns, over all rows; sums of 256 rows are added up. */
template <int VECTORS> UNROLL_NOINLINE void layer_norm_columns(const UnrollLayerNormBackward *call, Index column) {
  const Index D = call->width;
  Vec weights[VECTORS] = {}, biases[VECTORS] = {};
  for (Index row = 0; row < call->rows;) {
    Vec weight_part[VECTORS] = {}, bias_part[VECTORS] = {};
    for (const Index end = smaller<Index>(row + 256, call->rows); row < end; row++) {
      const float *x = call->x + row * D + column, *dy = call->dy + row * D + column;
      const Vec mean = splat(call->mean[row]), inverse = splat(call->inverse_deviation[row]);
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) {
        const Index lanes = D - column - v * WIDTH;
        Vec d = load_part(dy + v * WIDTH, lanes), normal = (load_part(x + v * WIDTH, lanes) - mean) * inverse;
        weight_part[v] = multiply_add(d, normal, weight_part[v]);
        bias_part[v] += d;
      }
    }
    for (int v = 0; v < VECTORS; v++) weights[v] += weight_part[v], biases[v] += bias_part[v];
  }
  for (int v = 0; v < VECTORS; v++) {
    const Index at = column + v * WIDTH;
    store_part(call->dweight + at, weights[v], D - at);
    store_part(call->dbias + at, biases[v], D - at);
  }
}

/** dx unless null, dweight (D), dbias (D). Threads share rows for dx, columns for the others. */
static double layer_norm_backward(const UnrollLayerNormBackward *call) {
  if (call->dx) layer_norm_inputs(call);
  each_column_group(call->width, call->rows, [&](auto vectors, Index column) {
    layer_norm_columns<vectors.value>(call, column);
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
