// Long short-term memory: S. Hochreiter, J. Schmidhuber, Neural Computation 9(8), 1997,
// https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of F. Gers, J. Schmidhuber, F. Cummins, 2000,
// https://doi.org/10.1162/089976600300015015. No peepholes. Gate order i f g o.
//
//   [i f g o] = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh      i, f, o through σ, g through tanh
//   c_t = f ⊙ c_{t-1} + i ⊙ g
//   h_t = o ⊙ tanh(c_t)
//
//   ∂L/∂c_t = (from t+1) + ∂L/∂h_t ⊙ o ⊙ (1 - tanh²(c_t))     ∂L/∂c_{t-1} = ∂L/∂c_t ⊙ f
#pragma once
#include "recurrent_step.h"

namespace UNROLL_NAMESPACE {

struct Lstm {
  /** Sums of all four gates of R rows, in acc or, with few registers, in `gates`; not FUSED: the input side is there. */
  template <int R, bool FUSED> UNROLL_INLINE void sums(Vec (&acc)[R][4], const BlockForward &b, int row) {
    const float *h = b.h_row + row * b.h_stride, *x = b.x_row + row * b.x_stride;
    float *gates = b.gates + row * 4 * WIDTH;
    const float *x_panel = b.panel + (Index)b.H * 4 * WIDTH;
    UNROLL_PHASE(RECURRENT)
    if constexpr (!SPLIT_FOUR) {
      if constexpr (FUSED)
        fill_tile(acc, b.bias);
      else
        load_tile(acc, gates, 4 * WIDTH);
      accumulate<R, 4, 4, false>(acc, h, b.h_stride, b.panel, b.H);
      UNROLL_PHASE(INPUT)
      if constexpr (FUSED) accumulate<R, 4, 4, false>(acc, x, b.x_stride, x_panel, b.I);
    } else {
      if constexpr (FUSED) fill_rows<R, 4>(gates, b.bias);
      for (Index at = 0; at < 4 * WIDTH; at += 2 * WIDTH) {
        add_product<R, 2, 4>(gates + at, 4 * WIDTH, h, b.h_stride, b.panel + at, b.H);
        if constexpr (FUSED)
          add_product<R, 2, 4>(gates + at, 4 * WIDTH, x, b.x_stride, x_panel + at, b.I);
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
      const Index at = (row + r) * WIDTH;
      if constexpr (SPLIT_FOUR)
        for (int v = 0; v < 4; v++) acc[r][v] = load(gates + v * WIDTH);
      Vec a[4] = {sigmoid_before(acc[r][0]), sigmoid_before(acc[r][1]), acc[r][2], sigmoid_before(acc[r][3])};
      tanh_all(a);
      Vec i = sigmoid_after(a[0]), f = sigmoid_after(a[1]), g = a[2], o = sigmoid_after(a[3]);
      Vec c = multiply_add(f, load(b.c_prev + at), i * g);
      store(gates, i);
      store(gates + WIDTH, f);
      store(gates + 2 * WIDTH, g);
      store(gates + 3 * WIDTH, o);
      store(b.c + at, c);
      Vec tanh_c[1] = {c};
      tanh_all(tanh_c);
      store(b.h + (row + r) * b.h_stride, o * tanh_c[0]);
    }
  }

  template <bool FUSED> static void forward(const StepForward &s) {
    for (int block = s.blocks.from; block < s.blocks.to; block++) {
      const BlockForward b = block_of(s, block);
      each_tile<SPLIT_FOUR ? max_rows(2) : max_rows(4)>(
          b.rows, [&](int row, auto rows) { forward_tile<rows.value, FUSED>(b, row); });
    }
  }

  template <int R, int NV, bool REPORT> UNROLL_NOINLINE void backward_tile(const BlockBackward &b, int row) {
    float buffer[R * NV * WIDTH];
    hidden_gradient_rows<R, NV, 4, 0, 4>(buffer, b, row);
    auto tally = Tally<4>::start();
    const Vec one = splat(1.f);
#pragma GCC unroll 1
    for (int r = 0; r < R; r++) {
      Vec dh[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) dh[v] = load(buffer + (r * NV + v) * WIDTH);
      const Index at = (row + r) * WIDTH;
      Vec tanh_c[NV], dc[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) tanh_c[v] = load(b.c + v * b.c_stride + at);
      tanh_all(tanh_c);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) {
        const float *gates = b.gates + v * b.gates_stride + 4 * at;
        float *dgates = b.dgates + v * b.block_stride + 4 * at, *carry = b.carry + v * b.c_stride + at;
        Vec i = load(gates), f = load(gates + WIDTH), g = load(gates + 2 * WIDTH), o = load(gates + 3 * WIDTH);
        Vec i_slope = i * (one - i), f_slope = f * (one - f), g_slope = one - g * g, o_slope = o * (one - o);
        dc[v] = multiply_add(dh[v] * o, one - tanh_c[v] * tanh_c[v], load(carry));
        store(carry, dc[v] * f);
        store(dgates, dc[v] * g * i_slope);
        store(dgates + WIDTH, dc[v] * load(b.c_prev + v * b.c_stride + at) * f_slope);
        store(dgates + 2 * WIDTH, dc[v] * i * g_slope);
        store(dgates + 3 * WIDTH, dh[v] * tanh_c[v] * o_slope);
        if constexpr (REPORT) {
          tally.sigmoid(0, i, i_slope);
          tally.sigmoid(1, f, f_slope);
          tally.tanh(2, g, g_slope);
          tally.sigmoid(3, o, o_slope);
        }
      }
      if constexpr (REPORT) {
        add_squares(b.h_squares + at, dh);
        add_squares(b.c_squares + at, dc);
      }
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
  static constexpr int SLOTS = 4, COLUMNS = 4, FIRST = 0, COUNT = 4;  // slots that go back through the recurrent weights

  /** panel (H + I, 4) += zᵀ dgates over K rows. */
  UNROLL_INLINE void weight_gradients(const Layout &l, float *panel, const float *z, const float *, const float *dgates,
                                      Index K, bool first) {
    transposed_product<4, 4>(panel, 4 * WIDTH, z, l.row_stride, dgates, l.H, K, first);
    transposed_product<4, 4>(panel + (Index)l.H * 4 * WIDTH, 4 * WIDTH, z + l.hidden_padded, l.row_stride, dgates, l.I,
                             K, first);
  }
};

}  // namespace UNROLL_NAMESPACE
