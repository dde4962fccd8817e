// What one step of a slab is to a cell, forward and backward, and the parts that cells share. A cell has no loop over
// time; the passes (recurrent_forward.h, recurrent_backward.h) know no gates.
#pragma once
#include "activations.h"
#include "recurrent_layout.h"

namespace UNROLL_NAMESPACE {

/** What fields of an LSTM change inside of its steps (lstm_variant.h), over a whole sequence; null: none. */
struct CellFields {
  float zoneout;
  bool zones;  // by masks, or in expectation
  const float *peephole;                           // (3·H): of i, f, o
  const float *update_mask, *zoneout_h, *zoneout_c;  // (T, B, H)
  float *slabs;  // on the way back, of each slab: gradients of h that pass a step by, and sums of the peepholes' gradients

  static Size carry_size(const Layout &l) { return (Size)l.unit_blocks * l.slab_rows * WIDTH; }
  static Size slab_size(const Layout &l) { return carry_size(l) + 3 * l.hidden_padded; }
  float *carry_h(const Layout &l, int slab) const { return slabs + slab * slab_size(l); }
  float *peephole_sums(const Layout &l, int slab) const { return carry_h(l, slab) + carry_size(l); }
};

/** The same of one step of a slab. */
struct StepFields {
  const CellFields *fields;
  const Slab *slab;
  Index H, B, hidden_padded;
  int seq_len, step;
  bool reverse;
  float *carry, *carry_h, *peephole_sums;

  StepFields() = default;
  StepFields(const CellFields *f, const Layout &l, const Slab &s, bool reverse, int step)
      : fields(f), slab(&s), H(l.H), B(l.B), hidden_padded(l.hidden_padded), seq_len(l.T), step(step), reverse(reverse),
        carry(nullptr), carry_h(nullptr), peephole_sums(nullptr) {}

  /** Where a row's numbers stand in (T, B, H). */
  Index place(int row) const {
    const int length = slab->lengths ? slab->lengths[row] : seq_len;
    return ((Index)(reverse ? length - 1 - step : step) * B + slab->order[row]) * H;
  }
};

struct StepForward {
  const Layout &layout;
  Share blocks;   // unit blocks of this member
  int rows;       // active ones
  int slab_rows;  // which stand between unit blocks
  const float *panels;
  StepRows at;
  float *gates, *c;
  const float *c_prev;
  float *reset;
  StepFields fields;
};

/** Of one unit block. */
struct BlockForward {
  int rows, H, I;
  Index h_stride, x_stride;
  const float *panel, *bias;
  const float *h_row, *x_row;  // all of h_{t-1} and x_t
  const float *h_prev, *c_prev, *reset;
  float *h, *gates, *c, *reset_out;
};

UNROLL_INLINE BlockForward block_of(const StepForward &s, int block) {
  const Layout &l = s.layout;
  const Index unit = (Index)block * l.unit_vectors * WIDTH, c_at = (Index)block * s.slab_rows * WIDTH;
  const float *panel = s.panels + block * l.panel;
  return {
      .rows = s.rows,
      .H = l.H,
      .I = l.I,
      .h_stride = s.at.h_stride,
      .x_stride = s.at.x_stride,
      .panel = panel,
      .bias = panel + (Index)(l.H + l.I) * l.columns * WIDTH,
      .h_row = s.at.h_prev,
      .x_row = s.at.x,
      .h_prev = s.at.h_prev + unit,
      .c_prev = s.c_prev + c_at,
      .reset = s.reset,
      .h = s.at.h + unit,
      .gates = s.gates + (Index)block * s.slab_rows * l.slots * WIDTH,
      .c = s.c + c_at,
      .reset_out = s.reset + unit,
  };
}

constexpr int STATISTICS = 8;  // mean sums of up to four gates, then their saturated counts

/** How far before those of this step the numbers of the next one back stand, in floats; 0 at the first step. */
struct StepsBack {
  Index dy, h_prev;
};

struct StepBackward {
  const Layout &layout;
  int rows, slab_rows;
  Index block_stride;           // between unit blocks of dgates
  const float *dgates_next;    // of step t+1; null at the last step
  float *dgates;
  const float *back, *back_n;  // packed Wᵀ
  const float *dy;             // rows of ∂L/∂h_t through y; null: zero
  Index dy_stride;
  StepRows at;
  const float *gates, *c_prev, *c, *reset;
  float *carry;                // (unit blocks, slab rows): ∂L/∂c, or what of ∂L/∂h bypasses the GRU's products
  float *h_squares, *c_squares;  // (slab rows): sums of squares of the total gradients, in vectors
  StepsBack steps_back;
  StepFields fields;
};

/** Of one block of up to four vectors of hidden units. */
struct BlockBackward {
  int rows, unit_blocks;
  Index block_stride;
  const float *dgates_next, *back, *back_n;
  const float *dy;
  Index dy_stride, h_stride, reset_stride, gates_stride, c_stride;
  const float *h_prev, *h, *gates, *c_prev, *c, *reset;
  float *dgates, *carry, *h_squares, *c_squares;
  float *statistics;  // STATISTICS vectors
  StepsBack steps_back;
};

UNROLL_INLINE BlockBackward block_of(const StepBackward &s, int block, float *statistics) {
  const Layout &l = s.layout;
  const Index unit = (Index)block * l.hidden_vectors * WIDTH;
  const int first = l.is_rnn() ? block : block * l.hidden_vectors;  // unit block
  const Index slots = (Index)l.slots * WIDTH, c_at = (Index)first * s.slab_rows * WIDTH;
  const Index width = (Index)l.hidden_vectors * WIDTH, panel = l.block_columns() * width;
  const bool reset_before = l.cell == UNROLL_GRU_RESET_BEFORE;
  return {
      .rows = s.rows,
      .unit_blocks = l.unit_blocks,
      .block_stride = s.block_stride,
      .dgates_next = s.dgates_next,
      .back = s.back + block * (reset_before ? panel / 3 * 2 : panel),
      .back_n = reset_before ? s.back_n + block * (panel / 3) : nullptr,
      .dy = s.dy ? s.dy + unit : nullptr,
      .dy_stride = s.dy_stride,
      .h_stride = s.at.h_stride,
      .reset_stride = l.reset_stride,
      .gates_stride = s.slab_rows * slots,
      .c_stride = (Index)s.slab_rows * WIDTH,
      .h_prev = s.at.h_prev + unit,
      .h = s.at.h + unit,
      .gates = s.gates + first * s.slab_rows * slots,
      .c_prev = s.c_prev + c_at,
      .c = s.c + c_at,
      .reset = s.reset + unit,
      .dgates = s.dgates + first * s.block_stride,
      .carry = s.carry + c_at,
      .h_squares = s.h_squares,
      .c_squares = s.c_squares,
      .statistics = statistics,
      .steps_back = s.steps_back,
  };
}

/** Slots FIRST ... FIRST+COUNT-1 of every unit block's gate gradients, through Wᵀ: acc (R, NV) += dgates · back. */
template <int R, int NV, int SLOTS, int FIRST, int COUNT>
UNROLL_INLINE void add_back_product(Vec (&acc)[R][NV], const float *dgates, Index block_stride, const float *back,
                                    int unit_blocks) {
  constexpr Index K = COUNT * WIDTH;
  const float *a = dgates + FIRST * WIDTH;
  for (int block = 0; block < unit_blocks; block++, a += block_stride, back += K * NV * WIDTH)
    accumulate<R, NV, NV, false>(acc, a, SLOTS * WIDTH, back, K);
}

/**
 * Calls rows into the L2 cache that this tile will read at the next step back. Where a sequence's numbers fill more than
 * the cache this makes a simple RNN's step 4 % shorter; gates come in long stretches, which processors see by themselves.
 */
template <int R, int NV> UNROLL_INLINE void look_ahead(const BlockBackward &b, int row) {
  for (int r = row; r < row + R; r++)
    for (int v = 0; v < NV; v++) {
      if (b.dy) __builtin_prefetch(b.dy - b.steps_back.dy + r * b.dy_stride + v * WIDTH, 0, 2);
      __builtin_prefetch(b.h_prev - b.steps_back.h_prev + r * b.h_stride + v * WIDTH, 0, 2);
    }
}

/** acc = rows of ∂L/∂h_t through y and through the products of step t+1. */
template <int R, int NV, int SLOTS, int FIRST, int COUNT>
UNROLL_INLINE void hidden_gradient(Vec (&acc)[R][NV], const BlockBackward &b, int row) {
  UNROLL_PHASE(RECURRENT_BACK)
#ifndef __wasm__ /* has no instruction for it */
  look_ahead<R, NV>(b, row);
#endif
  if (b.dy)
    load_tile(acc, b.dy + row * b.dy_stride, b.dy_stride);
  else
    fill_tile(acc, nullptr);
  if (b.dgates_next)
    add_back_product<R, NV, SLOTS, FIRST, COUNT>(acc, b.dgates_next + row * SLOTS * WIDTH, b.block_stride, b.back,
                                                 b.unit_blocks);
  UNROLL_PHASE(GATES_BACK)
}

/** The same into memory, so that what follows can take row after row with all registers free. */
template <int R, int NV, int SLOTS, int FIRST, int COUNT>
UNROLL_INLINE void hidden_gradient_rows(float (&rows)[R * NV * WIDTH], const BlockBackward &b, int row) {
  Vec acc[R][NV];
  hidden_gradient<R, NV, SLOTS, FIRST, COUNT>(acc, b, row);
  store_tile(rows, NV * WIDTH, acc);
}

/** Gathers in registers, for a tile, what the report needs. */
template <int GATES> struct Tally {
  Vec sums[GATES], saturated[GATES];

  UNROLL_INLINE Tally start() {
    Tally t;
    for (int g = 0; g < GATES; g++) t.sums[g] = t.saturated[g] = Vec{};
    return t;
  }
  /** Within 0.1 of 0 or 1: s (1 - s) < 0.09. */
  __attribute__((always_inline)) void sigmoid(int gate, Vec s, Vec slope) {
    sums[gate] += s;
    saturated[gate] = slope < splat(.09f) ? saturated[gate] + splat(1.f) : saturated[gate];
  }
  /** Within 0.1 of -1 or 1: 1 - t² < 0.19. */
  __attribute__((always_inline)) void tanh(int gate, Vec t, Vec slope) {
    sums[gate] += t;
    saturated[gate] = slope < splat(.19f) ? saturated[gate] + splat(1.f) : saturated[gate];
  }
  __attribute__((always_inline)) void add_to(float *statistics) const {
    for (int g = 0; g < GATES; g++) {
      float *mean = statistics + g * WIDTH, *share = statistics + (4 + g) * WIDTH;
      store(mean, load(mean) + sums[g]);
      store(share, load(share) + saturated[g]);
    }
  }
};

template <int NV> UNROLL_INLINE void add_squares(float *squares, const Vec (&v)[NV]) {
  Vec sum = load(squares);
#pragma GCC unroll 4
  for (int i = 0; i < NV; i++) sum = multiply_add(v[i], v[i], sum);
  store(squares, sum);
}

}  // namespace UNROLL_NAMESPACE
