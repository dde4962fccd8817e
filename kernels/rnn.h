// Simple recurrent network: J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990,
// https://doi.org/10.1207/s15516709cog1402_1, with tanh, relu, sigmoid, leaky relu (slope 0.01 below 0) or none.
//
//   h_t = φ(a_t)             a_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
//
//   ∂L/∂a_t = ∂L/∂h_t ⊙ φ'(a_t)      tanh' = 1 - h²      relu' = [h > 0]      σ' = h - h²
#pragma once
#include "recurrent_step.h"

namespace UNROLL_NAMESPACE {

template <int CELL> struct Rnn {
  UNROLL_INLINE Vec phi(Vec a) {
    if constexpr (CELL == UNROLL_RNN_RELU) return at_least(a, Vec{});
    if constexpr (CELL == UNROLL_RNN_SIGMOID) return sigmoid_after(precise_tanh(sigmoid_before(a)));
    if constexpr (CELL == UNROLL_RNN_LEAKY_RELU) return a > Vec{} ? a : a * splat(.01f);
    if constexpr (CELL == UNROLL_RNN_LINEAR) return a;
    return precise_tanh(a);
  }

  /** φ'(a) from h = φ(a) */
  UNROLL_INLINE Vec slope(Vec h) {
    const Vec one = splat(1.f);
    if constexpr (CELL == UNROLL_RNN_RELU) return h > Vec{} ? one : h;  // h is 0 or NaN otherwise
    if constexpr (CELL == UNROLL_RNN_SIGMOID) return h - h * h;
    if constexpr (CELL == UNROLL_RNN_LEAKY_RELU) return h > Vec{} ? one : h <= Vec{} ? splat(.01f) : h;
    if constexpr (CELL == UNROLL_RNN_LINEAR) return one;
    return one - h * h;
  }

  template <int R, int NV, bool FUSED> UNROLL_NOINLINE void forward_tile(const BlockForward &b, int row) {
    Vec acc[R][NV];
    UNROLL_PHASE(RECURRENT)
    if constexpr (FUSED)
      fill_tile(acc, b.bias);
    else
      load_tile(acc, b.gates + row * NV * WIDTH, NV * WIDTH);
    accumulate<R, NV, NV, false>(acc, b.h_row + row * b.h_stride, b.h_stride, b.panel, b.H);
    UNROLL_PHASE(INPUT)
    if constexpr (FUSED)
      accumulate<R, NV, NV, false>(acc, b.x_row + row * b.x_stride, b.x_stride, b.panel + (Index)b.H * NV * WIDTH, b.I);
    UNROLL_PHASE(GATES)
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++)
        store(b.h + (row + r) * b.h_stride + v * WIDTH, phi(acc[r][v]));
    }
  }

  template <bool FUSED> static void forward(const StepForward &s) {
    for (int block = s.blocks.from; block < s.blocks.to; block++) {
      const BlockForward b = block_of(s, block);
      with_constant<MAX_VECTORS>(s.layout.columns, [&](auto vectors) {
        constexpr int NV = vectors.value;
        each_tile<max_rows(NV)>(b.rows, [&](int row, auto rows) { forward_tile<rows.value, NV, FUSED>(b, row); });
      });
    }
  }

  template <int R, int NV, bool REPORT> UNROLL_NOINLINE void backward_tile(const BlockBackward &b, int row) {
    Vec dh[R][NV];
    hidden_gradient<R, NV, NV, 0, NV>(dh, b, row);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      if constexpr (REPORT) add_squares(b.h_squares + (row + r) * WIDTH, dh[r]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) {
        Vec h = load(b.h + (row + r) * b.h_stride + v * WIDTH);
        store(b.dgates + ((row + r) * NV + v) * WIDTH, dh[r][v] * slope(h));
      }
    }
  }

  template <bool REPORT> static void backward(const StepBackward &s, const BlockBackward &b) {
    with_constant<MAX_VECTORS>(s.layout.hidden_vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      each_tile<max_rows(NV)>(b.rows, [&](int row, auto rows) { backward_tile<rows.value, NV, REPORT>(b, row); });
    });
  }

  static constexpr bool TWO_PASSES = false;
  static constexpr int SLOTS = 0, COLUMNS = 0, FIRST = 0, COUNT = 0;  // all, as many as a block has vectors

  /** panel (H + I, NV) += zᵀ dgates over K rows. */
  UNROLL_INLINE void weight_gradients(const Layout &l, float *panel, const float *z, const float *, const float *dgates,
                                      Index K, bool first) {
    with_constant<MAX_VECTORS>(l.columns, [&](auto vectors) {
      constexpr int NV = vectors.value;
      transposed_product<NV, NV>(panel, NV * WIDTH, z, l.row_stride, dgates, l.H, K, first);
      transposed_product<NV, NV>(panel + (Index)l.H * NV * WIDTH, NV * WIDTH, z + l.hidden_padded, l.row_stride, dgates,
                                 l.I, K, first);
    });
  }
};

}  // namespace UNROLL_NAMESPACE
