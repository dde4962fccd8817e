// Gated recurrent unit, reset before the product: K. Cho et al., 2014, https://arxiv.org/abs/1406.1078, as in tfjs and
// Keras with reset_after=False. Slots n r z. A step has two products, forward and backward, since n needs r of all units.
//
//   [r z] = σ(W_i x_t + b_i + W_h h_{t-1} + b_h)
//   n = tanh(W_in x_t + b_in + W_hn (r ⊙ h_{t-1}) + b_hn)
//   h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
#pragma once
#include "recurrent_step.h"

namespace UNROLL_NAMESPACE {

struct GruResetBefore {
  /** r and z, and r ⊙ h_{t-1}; the input side of all three gates stands in `gates` (this cell is never fused). */
  template <int R> UNROLL_NOINLINE void gates_tile(const BlockForward &b, Index reset_stride, int row) {
    float *gates = b.gates + row * 3 * WIDTH;
    Vec acc[R][2];
    load_tile(acc, gates + WIDTH, 3 * WIDTH);
    accumulate<R, 2, 3, false>(acc, b.h_row + row * b.h_stride, b.h_stride, b.panel + WIDTH, b.H);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++, gates += 3 * WIDTH) {
      Vec reset = sigmoid_after(precise_tanh(sigmoid_before(acc[r][0])));
      store(gates + WIDTH, reset);
      store(gates + 2 * WIDTH, sigmoid_after(precise_tanh(sigmoid_before(acc[r][1]))));
      store(b.reset_out + (row + r) * reset_stride, reset * load(b.h_prev + (row + r) * b.h_stride));
    }
  }

  template <int R> UNROLL_NOINLINE void state_tile(const BlockForward &b, Index reset_stride, int row) {
    float *gates = b.gates + row * 3 * WIDTH;
    Vec n[R][1];
    load_tile(n, gates, 3 * WIDTH);
    accumulate<R, 1, 3, false>(n, b.reset + row * reset_stride, reset_stride, b.panel, b.H);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++, gates += 3 * WIDTH) {
      n[r][0] = precise_tanh(n[r][0]);
      store(gates, n[r][0]);
      Vec z = load(gates + 2 * WIDTH), h_prev = load(b.h_prev + (row + r) * b.h_stride);
      store(b.h + (row + r) * b.h_stride, multiply_add(z, h_prev - n[r][0], n[r][0]));
    }
  }

  template <bool FUSED> static void forward(const StepForward &s) {
    const Index stride = s.layout.reset_stride;
    for (int block = s.blocks.from; block < s.blocks.to; block++) {
      const BlockForward b = block_of(s, block);
      each_tile<max_rows(2)>(b.rows, [&](int row, auto rows) { gates_tile<rows.value>(b, stride, row); });
    }
  }
  /** All units' r ⊙ h_{t-1} are there. */
  static void forward_second(const StepForward &s) {
    const Index stride = s.layout.reset_stride;
    for (int block = s.blocks.from; block < s.blocks.to; block++) {
      const BlockForward b = block_of(s, block);
      each_tile<max_rows(1)>(b.rows, [&](int row, auto rows) { state_tile<rows.value>(b, stride, row); });
    }
  }

  /** Gradients of n's and z's sums. The carry becomes what goes straight to h_{t-1}. */
  template <int R, int NV, bool REPORT> UNROLL_NOINLINE void backward_tile(const BlockBackward &b, int row) {
    float buffer[R * NV * WIDTH];
    hidden_gradient_rows<R, NV, 3, 1, 2>(buffer, b, row);
    auto tally = Tally<3>::start();
    const Vec one = splat(1.f);
#pragma GCC unroll 1
    for (int r = 0; r < R; r++) {
      const Index at = (row + r) * WIDTH;
      Vec dh[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) {
        const float *gates = b.gates + v * b.gates_stride + 3 * at;
        float *dgates = b.dgates + v * b.block_stride + 3 * at, *carry = b.carry + v * b.c_stride + at;
        Vec n = load(gates), reset = load(gates + WIDTH), z = load(gates + 2 * WIDTH);
        Vec n_slope = one - n * n, z_slope = z * (one - z);
        dh[v] = load(buffer + (r * NV + v) * WIDTH) + load(carry);
        store(carry, dh[v] * z);
        store(dgates, dh[v] * (one - z) * n_slope);
        store(dgates + 2 * WIDTH, dh[v] * (load(b.h_prev + (row + r) * b.h_stride + v * WIDTH) - n) * z_slope);
        if constexpr (REPORT) {
          tally.sigmoid(0, reset, reset * (one - reset));
          tally.sigmoid(1, z, z_slope);
          tally.tanh(2, n, n_slope);
        }
      }
      if constexpr (REPORT) add_squares(b.h_squares + at, dh);
    }
    if constexpr (REPORT) tally.add_to(b.statistics);
  }

  /** ∂L/∂(r ⊙ h_{t-1}) from the gradients of n's sums of all units, shared out between r and h_{t-1}. */
  template <int R, int NV> UNROLL_NOINLINE void reset_tile(const BlockBackward &b, const float *all_dgates, int row) {
    Vec acc[R][NV];
    fill_tile(acc, nullptr);
    add_back_product<R, NV, 3, 0, 1>(acc, all_dgates + row * 3 * WIDTH, b.block_stride, b.back_n, b.unit_blocks);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const Index at = (row + r) * WIDTH;
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) {
        Vec reset = load(b.gates + v * b.gates_stride + 3 * at + WIDTH);
        Vec h_prev = load(b.h_prev + (row + r) * b.h_stride + v * WIDTH);
        float *carry = b.carry + v * b.c_stride + at;
        store(b.dgates + v * b.block_stride + 3 * at + WIDTH, acc[r][v] * h_prev * reset * (splat(1.f) - reset));
        store(carry, multiply_add(acc[r][v], reset, load(carry)));
      }
    }
  }

  template <bool REPORT> static void backward(const StepBackward &s, const BlockBackward &b) {
    with_constant<MAX_VECTORS>(s.layout.hidden_vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      each_tile<max_rows(NV)>(b.rows, [&](int row, auto rows) { backward_tile<rows.value, NV, REPORT>(b, row); });
    });
  }
  static void backward_second(const StepBackward &s, const BlockBackward &b) {
    with_constant<MAX_VECTORS>(s.layout.hidden_vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      each_tile<max_rows(NV)>(b.rows, [&](int row, auto rows) { reset_tile<rows.value, NV>(b, s.dgates, row); });
    });
  }

  static constexpr bool TWO_PASSES = true;
  static constexpr int SECOND_SLOT = 1;  // r, which the second pass writes; the others' n is read meanwhile
  static constexpr int SLOTS = 3, COLUMNS = 3, FIRST = 1, COUNT = 2;

  /** panel (H, n) from r ⊙ h_{t-1}, (H, r z) and (I, n r z) += zᵀ dgates over K rows. */
  UNROLL_INLINE void weight_gradients(const Layout &l, float *panel, const float *z, const float *reset,
                                      const float *dgates, Index K, bool first) {
    constexpr Index stride = 3 * WIDTH;
    transposed_product<1, 3>(panel, stride, reset, l.reset_stride, dgates, l.H, K, first);
    transposed_product<2, 3>(panel + WIDTH, stride, z, l.row_stride, dgates + WIDTH, l.H, K, first);
    transposed_product<3, 3>(panel + l.H * stride, stride, z + l.hidden_padded, l.row_stride, dgates, l.I, K, first);
  }
};

}  // namespace UNROLL_NAMESPACE
