// Weights from PyTorch's layout, rows of (G·H, I or H), into panels and back; recurrent_layout.h has the panels.
#pragma once
#include "pack.h"
#include "recurrent_layout.h"

namespace UNROLL_NAMESPACE {

/** Which gate of PyTorch's order (i f g o, r z n) a column holds. */
UNROLL_INLINE int gate_of_column(const Layout &l, bool input_side, int column) {
  if (l.is_rnn()) return 0;
  if (l.cell == UNROLL_LSTM || (l.cell == UNROLL_GRU_RESET_AFTER && !input_side)) return column;
  return column == 0 ? 2 : column - 1;  // n r z
}

/** The first hidden unit of a column of a unit block. */
UNROLL_INLINE Index unit_of_column(const Layout &l, int block, int column) {
  return l.is_rnn() ? ((Index)block * l.unit_vectors + column) * WIDTH : (Index)block * WIDTH;
}

struct WeightParts {
  const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
};

/** One unit block of the forward panels. */
static void pack_panel(const Layout &l, const WeightParts &w, float *panel, int block) {
  const Index stride = (Index)l.columns * WIDTH;
  float *x_rows = panel + l.H * stride, *bias = x_rows + l.I * stride;
  fill(bias, l.slots * WIDTH, 0.f);
  for (int column = 0; column < l.columns; column++) {
    const Index unit = unit_of_column(l, block, column), lanes = clamp_lanes(l.H - unit);
    const Index h_row = gate_of_column(l, false, column) * (Index)l.H + unit;
    const Index x_row = gate_of_column(l, true, column) * (Index)l.H + unit;
    pack_column(panel + column * WIDTH, stride, w.weight_hh + h_row * l.H, l.H, lanes, l.H);
    pack_column(x_rows + column * WIDTH, stride, w.weight_ih + x_row * l.I, l.I, lanes, l.I);
    // the recurrent side's columns begin at slot 1 of the reset-after GRU, elsewhere at slot 0
    float *h_bias = bias + (column + (l.slots > l.columns)) * WIDTH, *x_bias = bias + column * WIDTH;
    if (w.bias_ih) store(x_bias, load(x_bias) + load_part(w.bias_ih + x_row, lanes));
    if (w.bias_hh) store(h_bias, load(h_bias) + load_part(w.bias_hh + h_row, lanes));
  }
}

/**
 * Panels for products with Wᵀ from the gates' side: for a block of `vectors` columns of the weight (I or H wide), the
 * rows of (unit block, `columns` gate columns from `first` on, lane). A panel's rows are those of the weight.
 */
static void pack_back_panel(const Layout &l, const float *weight, bool input_side, int first, int columns, int vectors,
                            float *panel, int block) {
  const Index width = input_side ? l.I : l.H, begin = (Index)block * vectors * WIDTH, stride = (Index)vectors * WIDTH;
  for (int unit_block = 0; unit_block < l.unit_blocks; unit_block++)
    for (int column = first; column < first + columns; column++) {
      const Index unit = unit_of_column(l, unit_block, column), lanes = clamp_lanes(l.H - unit);
      const float *from = weight + (gate_of_column(l, input_side, column) * (Index)l.H + unit) * width + begin;
      for (Index lane = 0; lane < WIDTH; lane++, from += width, panel += stride)
        for (int v = 0; v < vectors; v++) {
          const Index part = lane < lanes ? clamp_lanes(width - begin - v * WIDTH) : 0;
          store(panel + v * WIDTH, part > 0 ? load_part(from + v * WIDTH, part) : Vec{});
        }
    }
}

/** What of `packed` is where; parts are written again when their version differs. */
struct Packed {
  unsigned *versions;
  float *forward, *hidden_back, *input_back;

  Packed(const Layout &l, float *packed)
      : versions((unsigned *)packed), forward(packed + Layout::HEADER), hidden_back(forward + l.weights_size()),
        input_back(hidden_back + l.hidden_back_size()) {}

  /** The reset-before GRU has two products on the way back: with the columns r z, and with n. */
  float *hidden_back_n(const Layout &l) const { return hidden_back + l.hidden_back_size() / 3 * 2; }
};

enum PackedPart { PACKED_FORWARD = 0, PACKED_HIDDEN_BACK = 1, PACKED_INPUT_BACK = 2 };

/** One thread's share of a packed part. */
static void pack_share(const Layout &l, const WeightParts &w, const Packed &p, PackedPart part, int thread,
                       int threads) {
  if (part == PACKED_FORWARD) {
    for (int block = thread; block < l.unit_blocks; block += threads)
      pack_panel(l, w, p.forward + block * l.panel, block);
  } else if (part == PACKED_HIDDEN_BACK) {
    const bool reset_before = l.cell == UNROLL_GRU_RESET_BEFORE;
    const Index width = (Index)l.hidden_vectors * WIDTH, rows = l.block_columns();
    for (int block = thread; block < l.hidden_blocks; block += threads) {
      if (!reset_before) {
        pack_back_panel(l, w.weight_hh, false, 0, l.columns, l.hidden_vectors, p.hidden_back + block * rows * width,
                        block);
        continue;
      }
      const Index third = rows / 3 * width;
      pack_back_panel(l, w.weight_hh, false, 1, 2, l.hidden_vectors, p.hidden_back + 2 * block * third, block);
      pack_back_panel(l, w.weight_hh, false, 0, 1, l.hidden_vectors, p.hidden_back_n(l) + block * third, block);
    }
  } else {
    const Index size = l.block_columns() * l.input_vectors * WIDTH;
    for (int block = thread; block < l.input_blocks; block += threads)
      pack_back_panel(l, w.weight_ih, true, 0, l.columns, l.input_vectors, p.input_back + block * size, block);
  }
}

struct WeightGradients {
  float *dweight_ih, *dweight_hh, *dbias_ih, *dbias_hh;
};

/** One unit block of the gradients, added over the slabs in their order, to PyTorch's layout. */
static void unpack_panel(const Layout &l, const WeightGradients &g, const float *panels, int block) {
  const Index stride = (Index)l.columns * WIDTH, slab_stride = l.weights_size();
  const float *h_rows = panels + block * l.panel, *x_rows = h_rows + l.H * stride, *bias = x_rows + l.I * stride;
  for (int column = 0; column < l.columns; column++) {
    const Index unit = unit_of_column(l, block, column), lanes = clamp_lanes(l.H - unit);
    const Index h_row = gate_of_column(l, false, column) * (Index)l.H + unit;
    const Index x_row = gate_of_column(l, true, column) * (Index)l.H + unit;
    if (lanes == 0) continue;
    unpack_column(g.dweight_hh + h_row * l.H, l.H, h_rows + column * WIDTH, stride, slab_stride, l.slabs, lanes, l.H);
    unpack_column(g.dweight_ih + x_row * l.I, l.I, x_rows + column * WIDTH, stride, slab_stride, l.slabs, lanes, l.I);
    Vec x_sum{}, h_sum{};
    for (int slab = 0; slab < l.slabs; slab++) {
      x_sum += load(bias + slab * slab_stride + column * WIDTH);
      h_sum += load(bias + slab * slab_stride + (column + (l.slots > l.columns)) * WIDTH);
    }
    if (g.dbias_ih) store_part(g.dbias_ih + x_row, x_sum, lanes);
    if (g.dbias_hh) store_part(g.dbias_hh + h_row, h_sum, lanes);
  }
}

}  // namespace UNROLL_NAMESPACE
