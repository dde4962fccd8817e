// Gated recurrent unit, reset after the product: the variant of cuDNN, PyTorch and Keras's default, after
// K. Cho et al., 2014, https://arxiv.org/abs/1406.1078v1. Slots n r z hn, where hn = W_hn h_{t-1} + b_hn; on the way
// back the fourth slot holds ∂L/∂hn = ∂L/∂(sum of n) ⊙ r. So the input side reads slots 0 to 2 and the recurrent side
// slots 1 to 3, both neighbours.
//
//   [r z] = σ(W_i x_t + b_i + W_h h_{t-1} + b_h)
//   n = tanh(W_in x_t + b_in + r ⊙ hn)
//   h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
#pragma once
#include "recurrent_step.h"

namespace UNROLL_NAMESPACE {

struct GruResetAfter {
  /** Sums of n (input side alone), r, z, and hn, in acc or, with few registers, in `gates`. */
  template <int R, bool FUSED> UNROLL_INLINE void sums(Vec (&acc)[R][4], const BlockForward &b, int row) {
    const float *h = b.h_row + row * b.h_stride, *x = b.x_row + row * b.x_stride;
    const float *x_panel = b.panel + (Index)b.H * 3 * WIDTH;
    float *gates = b.gates + row * 4 * WIDTH;
    UNROLL_PHASE(RECURRENT)
    if constexpr (SPLIT_FOUR) {
      if constexpr (FUSED)
        fill_rows<R, 4>(gates, b.bias);
      else
        for (int r = 0; r < R; r++) store(gates + (r * 4 + 3) * WIDTH, load(b.bias + 3 * WIDTH));
      add_product<R, 3, 3>(gates + WIDTH, 4 * WIDTH, h, b.h_stride, b.panel, b.H);
      if constexpr (FUSED)
        add_product<R, 3, 3>(gates, 4 * WIDTH, x, b.x_stride, x_panel, b.I);
    } else if constexpr (FUSED) {
      fill_tile(acc, b.bias);
      accumulate<R, 3, 3, false, 1>(acc, h, b.h_stride, b.panel, b.H);
      UNROLL_PHASE(INPUT)
      accumulate<R, 3, 3, false, 0>(acc, x, b.x_stride, x_panel, b.I);
    } else {
      Vec three[R][3];
      Vec hn_bias = load(b.bias + 3 * WIDTH);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        three[r][0] = load(gates + (r * 4 + 1) * WIDTH);
        three[r][1] = load(gates + (r * 4 + 2) * WIDTH);
        three[r][2] = hn_bias;
      }
      accumulate<R, 3, 3, false>(three, h, b.h_stride, b.panel, b.H);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        acc[r][0] = load(gates + r * 4 * WIDTH);
        acc[r][1] = three[r][0], acc[r][2] = three[r][1], acc[r][3] = three[r][2];
      }
    }
  }

  template <int R, bool FUSED> UNROLL_NOINLINE void forward_tile(const BlockForward &b, int row) {
    Vec acc[R][4];
    sums<R, FUSED>(acc, b, row);
    UNROLL_PHASE(GATES)
    float *gates = b.gates + row * 4 * WIDTH;
#pragma GCC unroll 8
    for (int r = 0; r < R; r++, gates += 4 * WIDTH) {
      if constexpr (SPLIT_FOUR)
        for (int v = 0; v < 4; v++) acc[r][v] = load(gates + v * WIDTH);
      Vec a[2] = {sigmoid_before(acc[r][1]), sigmoid_before(acc[r][2])};
      tanh_all(a);
      Vec reset = sigmoid_after(a[0]), z = sigmoid_after(a[1]), hn = acc[r][3];
      Vec n = precise_tanh(multiply_add(reset, hn, acc[r][0]));
      store(gates, n);
      store(gates + WIDTH, reset);
      store(gates + 2 * WIDTH, z);
      store(gates + 3 * WIDTH, hn);
      Vec h_prev = load(b.h_prev + (row + r) * b.h_stride);
      store(b.h + (row + r) * b.h_stride, multiply_add(z, h_prev - n, n));
    }
  }

  template <bool FUSED> static void forward(const StepForward &s) {
    // fused, a row takes four sums
    constexpr int FUSED_MAX = UNROLL_REGISTERS >= 32 ? 5 : larger(max_rows(4), 2);
    constexpr int MAX = FUSED && !SPLIT_FOUR ? FUSED_MAX : max_rows(3);
    for (int block = s.blocks.from; block < s.blocks.to; block++) {
      const BlockForward b = block_of(s, block);
      each_tile<MAX>(b.rows, [&](int row, auto rows) { forward_tile<rows.value, FUSED>(b, row); });
    }
  }

  template <int R, int NV, bool REPORT> UNROLL_NOINLINE void backward_tile(const BlockBackward &b, int row) {
    float buffer[R * NV * WIDTH];
    hidden_gradient_rows<R, NV, 4, 1, 3>(buffer, b, row);
    auto tally = Tally<3>::start();
    const Vec one = splat(1.f);
#pragma GCC unroll 1
    for (int r = 0; r < R; r++) {
      const Index at = (row + r) * WIDTH;
      Vec dh[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) {
        const float *gates = b.gates + v * b.gates_stride + 4 * at;
        float *dgates = b.dgates + v * b.block_stride + 4 * at, *carry = b.carry + v * b.c_stride + at;
        Vec n = load(gates), reset = load(gates + WIDTH), z = load(gates + 2 * WIDTH), hn = load(gates + 3 * WIDTH);
        Vec n_slope = one - n * n, reset_slope = reset * (one - reset), z_slope = z * (one - z);
        dh[v] = load(buffer + (r * NV + v) * WIDTH) + load(carry);
        store(carry, dh[v] * z);
        Vec dn = dh[v] * (one - z) * n_slope;
        store(dgates, dn);
        store(dgates + WIDTH, dn * hn * reset_slope);
        store(dgates + 2 * WIDTH, dh[v] * (load(b.h_prev + (row + r) * b.h_stride + v * WIDTH) - n) * z_slope);
        store(dgates + 3 * WIDTH, dn * reset);
        if constexpr (REPORT) {
          tally.sigmoid(0, reset, reset_slope);
          tally.sigmoid(1, z, z_slope);
          tally.tanh(2, n, n_slope);
        }
      }
      if constexpr (REPORT) add_squares(b.h_squares + at, dh);
    }
    if constexpr (REPORT) tally.add_to(b.statistics);
  }

  template <bool REPORT> static void backward(const StepBackward &s, const BlockBackward &b) {
    with_constant<MAX_VECTORS>(s.layout.hidden_vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      each_tile<max_rows(NV)>(b.rows, [&](int row, auto rows) { backward_tile<rows.value, NV, REPORT>(b, row); });
    });
  }

  static constexpr bool TWO_PASSES = false;
  static constexpr int SLOTS = 4, COLUMNS = 3, FIRST = 1, COUNT = 3;

  /** panel (H, r z hn) and (I, n r z) += zᵀ dgates over K rows. */
  UNROLL_INLINE void weight_gradients(const Layout &l, float *panel, const float *z, const float *, const float *dgates,
                                      Index K, bool first) {
    transposed_product<3, 4>(panel, 3 * WIDTH, z, l.row_stride, dgates + WIDTH, l.H, K, first);
    transposed_product<3, 4>(panel + (Index)l.H * 3 * WIDTH, 3 * WIDTH, z + l.hidden_padded, l.row_stride, dgates, l.I,
                             K, first);
  }
};

}  // namespace UNROLL_NAMESPACE
