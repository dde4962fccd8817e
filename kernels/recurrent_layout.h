// Where everything of a recurrent call stands in the memory that its caller lends.
//
// The batch is cut into slabs, each worked on by a team of threads. With small weights there are as many slabs as threads,
// and they need not wait for each other between steps. Where the weights are too large for a core's cache, or there are
// fewer sequences than threads, one team of all threads has one slab: each of them has its own hidden units and reads the
// weights of these alone, and a step begins when all have done the one before. Sequences stand in a slab by falling
// length, in the order in which they are read: at step s the first so many rows are active.
//
//   rows    (T+1, slab rows, row_stride)           [h_{t-1} (padded) | x_t], an odd number of cache lines apart, so that
//                                                  dW can read them transposed; only where sequences have lengths of
//                                                  their own or H is no multiple of a vector
//   gates   (T, unit blocks, slab rows, slots)     activations of the gates, in vectors
//   c       (T+1, unit blocks, slab rows)          LSTM only
//   reset   (T, slab rows, reset_stride)           r ⊙ h_{t-1}, reset-before GRU only
//
// Elsewhere rows are read and written in place, where the caller has x and y: a copy of both would go through memory twice
// more (a simple RNN of 64 units then takes a seventh longer). dW copies them one chunk at a time, into the cache.
//
// Weights are packed by blocks of hidden units, one vector of units for gated cells, up to four for the simple RNN:
//   panel   (k = H rows of h, I rows of x; columns), then the biases (slots)
// A column is a vector of one gate's sums; a slot is a vector of what is kept of a row's block:
//   cell               columns of x    columns of h    slots
//   rnn                units           units           units
//   lstm               i f g o         i f g o         i f g o
//   gru-reset-after    n r z           r z hn          n r z hn
//   gru-reset-before   n r z           n r z           n r z
#pragma once
#include "abi.h"
#include "parallel.h"

namespace UNROLL_NAMESPACE {

struct Layout {
  int cell, T, B, I, H;
  int slots, columns;
  int hidden_vectors, hidden_blocks, unit_vectors, unit_blocks, input_vectors, input_blocks;
  int slabs, slab_rows;  // the largest slab's
  int team;              // threads of a slab
  int chunk;             // steps that the backward pass takes at a time
  Index hidden_padded, row_stride, reset_stride;
  Size panel, cache_row;
  bool in_place;  // rows stand in x and y
  bool fused;  // input side in the same tile as the recurrent side

  bool is_rnn() const { return cell <= UNROLL_RNN_RELU || cell >= UNROLL_RNN_SIGMOID; }
  int gate_blocks() const { return is_rnn() ? 1 : cell == UNROLL_LSTM ? 4 : 3; }
  int gates() const { return is_rnn() ? 0 : gate_blocks(); }
  Size block_columns() const { return (Size)unit_blocks * columns * WIDTH; }
  Size weights_size() const { return (Size)unit_blocks * panel; }
  Size hidden_back_size() const { return hidden_padded * block_columns(); }
  Index input_padded() const { return (Index)input_blocks * input_vectors * WIDTH; }
  Size packed_size() const {
    return HEADER + weights_size() + hidden_back_size() + input_padded() * block_columns();
  }
  Size cache_size() const { return B * cache_row; }

  /** Versions of the packed parts: forward, hidden back, input back. */
  static constexpr int HEADER = 16;
};

UNROLL_INLINE Index odd_lines(Index floats) { return (((floats + 15) / 16) | 1) * 16; }

/**
 * Whether threads share out the hidden units of all sequences. Measured on 2 threads: it pays from half a mebibyte of
 * recurrent weights, half of a core's L2, while sequences are few (T 35, B 20, 512 units: LSTM 10 %, GRU and RNN 5 %), and
 * with one sequence (128 units: LSTM 1.6, RNN 1.4 times as fast).
 */
static bool shares_units(const Layout &l) {
  const int threads = unroll::thread_count();
  if (threads == 1 || l.hidden_blocks < threads) return false;
  const Size recurrent_bytes = (Size)l.H * l.block_columns() * 4;
  return l.B < threads ? recurrent_bytes >= 64 << 10 : recurrent_bytes >= 512 << 10 && l.B <= 32 * threads;
}

static Layout layout_of(int cell, int T, int B, int I, int H, bool ragged) {
  Layout l{};
  l.cell = cell, l.T = T, l.B = B, l.I = I, l.H = H;
  const Blocks hidden = blocks_of(H), input = blocks_of(I);
  l.hidden_vectors = hidden.vectors, l.hidden_blocks = hidden.blocks;
  l.input_vectors = input.vectors, l.input_blocks = input.blocks;
  l.hidden_padded = (Index)hidden.blocks * hidden.vectors * WIDTH;
  l.unit_vectors = l.is_rnn() ? hidden.vectors : 1;
  l.unit_blocks = hidden.blocks * hidden.vectors / l.unit_vectors;
  l.columns = l.is_rnn() ? hidden.vectors : l.gate_blocks();
  l.slots = cell == UNROLL_GRU_RESET_AFTER ? 4 : l.columns;
  l.row_stride = odd_lines(l.hidden_padded + I);
  l.reset_stride = cell == UNROLL_GRU_RESET_BEFORE ? odd_lines(l.hidden_padded) : 0;
  l.panel = (Size)(H + I) * l.columns * WIDTH + l.slots * WIDTH;
  l.in_place = !ragged && H == l.hidden_padded;
  const Size steps_and_start = (Size)T + 1, units = (Size)l.unit_blocks * WIDTH;
  l.cache_row = (l.in_place ? 0 : steps_and_start * l.row_stride) + T * units * l.slots + (Size)T * l.reset_stride +
                (cell == UNROLL_LSTM ? steps_and_start * units : 0);
  l.team = shares_units(l) ? unroll::thread_count() : 1;
  l.slabs = l.team > 1 ? 1 : larger(smaller(unroll::thread_count(), B), 1);
  l.slab_rows = (B + l.slabs - 1) / l.slabs;
  // the weights should stay in the L2 cache from step to step; where they cannot, the input side goes on its own
  l.fused = cell != UNROLL_GRU_RESET_BEFORE && (l.weights_size() * 4 / l.team <= 1000 * 1024 || I <= 16);
  // a chunk's gate gradients should still be in the L2 cache when dW reads them; large weights want to be read rarely
  const int rows = l.weights_size() * 4 > 3 << 20 ? 1024 : 256;
  const int steps = larger(smaller((rows + l.slab_rows - 1) / larger(l.slab_rows, 1), T), 1);
  const int chunks = larger((T + steps - 1) / steps, 1);
  l.chunk = larger((T + chunks - 1) / chunks, 1);
  return l;
}

/** from ... to-1 */
struct Share {
  int from, to;
};

/** One of the threads that have a slab together. */
struct Member {
  int index, team;

  Share share(int count) const {
    return {begin_of(count, index, team), begin_of(count, index + 1, team)};
  }
  Share hidden_blocks(const Layout &l) const { return share(l.hidden_blocks); }
  /** Those of its hidden blocks, so that a member finds on the way back what it has made. */
  Share unit_blocks(const Layout &l) const {
    const Share hidden = hidden_blocks(l);
    const int each = l.unit_blocks / l.hidden_blocks;
    return {hidden.from * each, hidden.to * each};
  }
};

/** f(member) for all of a team, each in a share of its own; returns when all are done. */
template <class F> UNROLL_INLINE void each_member(int team, F f) {
  if (team == 1) return f(Member{0, 1});
  on_threads(team, [&](int share) { f(Member{share, team}); });
}

/** The sequences of one team. */
struct Slab {
  int first, rows;      // places first ... first+rows-1 of the order
  int steps;            // of its longest sequence
  const int *order;     // (rows) numbers of the sequences in the batch
  const int *lengths;   // (rows) falling; null: all T
  float *rows_at, *gates, *c, *reset;

  int length(const Layout &l, int row) const { return lengths ? lengths[row] : l.T; }
};

/** Cuts the batch into slabs; `order` and `lengths` (B each) are filled by order_sequences. */
static Slab slab_of(const Layout &l, int index, float *cache, const int *order, const int *lengths) {
  Slab s{};
  s.rows = l.B / l.slabs + (index < l.B % l.slabs);
  s.first = index * (l.B / l.slabs) + smaller(index, l.B % l.slabs);
  s.order = order + s.first;
  s.lengths = lengths ? lengths + s.first : nullptr;
  s.steps = s.rows == 0 ? 0 : s.length(l, 0);
  s.rows_at = cache + s.first * l.cache_row;
  s.gates = s.rows_at + (l.in_place ? 0 : (l.T + 1) * s.rows * l.row_stride);
  s.c = s.gates + (Index)l.T * s.rows * l.unit_blocks * l.slots * WIDTH;
  s.reset = s.c + (l.cell == UNROLL_LSTM ? (l.T + Index(1)) * s.rows * l.unit_blocks * WIDTH : 0);
  return s;
}

/**
 * The order of the sequences: as they are, or by falling length and dealt out to the slabs in turn, so that all slabs
 * have alike much to do. Sorts by counting; `count` has room for T+2 numbers.
 */
static void order_sequences(const Layout &l, const int *lengths, int *order, int *sorted_lengths, int *count) {
  if (!lengths) {
    for (int b = 0; b < l.B; b++) order[b] = b;
    return;
  }
  for (int t = 0; t <= l.T + 1; t++) count[t] = 0;
  for (int b = 0; b < l.B; b++) count[l.T - lengths[b] + 1]++;
  for (int t = 0; t < l.T; t++) count[t + 1] += count[t];
  for (int b = 0; b < l.B; b++) {
    const int rank = count[l.T - lengths[b]]++;
    const int index = rank % l.slabs;
    const int first = index * (l.B / l.slabs) + smaller(index, l.B % l.slabs);
    order[first + rank / l.slabs] = b;
    sorted_lengths[first + rank / l.slabs] = lengths[b];
  }
}

UNROLL_INLINE Size order_size(const Layout &l) { return Size(2) * l.B + l.T + 2; }

/** Rows that have step s; `from` is a count known to be enough, such as that of the step before. */
UNROLL_INLINE int active_rows(const Slab &s, int step, int from) {
  if (!s.lengths) return s.rows;
  while (from > 0 && s.lengths[from - 1] <= step) from--;
  return from;
}
UNROLL_INLINE int more_active_rows(const Slab &s, int step, int from) {
  if (!s.lengths) return s.rows;
  while (from < s.rows && s.lengths[from] > step) from++;
  return from;
}

/** The place in time of a row's step. */
UNROLL_INLINE int time_of(const Layout &l, const Slab &s, bool reverse, int row, int step) {
  return reverse ? s.length(l, row) - 1 - step : step;
}

/** The rows of one step of a slab, each so far from the next. */
struct StepRows {
  const float *h_prev, *x;
  float *h;
  Index h_stride, x_stride;
};

/** x (T, B, I), y (T, B, H) and the state to start in (B, H), where rows stand in place. */
struct Sequences {
  const float *x, *start;
  float *y;
};

static StepRows rows_of(const Layout &l, const Slab &s, const Sequences &q, bool reverse, int step) {
  if (!l.in_place) {
    float *h_prev = s.rows_at + (Index)step * s.rows * l.row_stride;
    return {h_prev, h_prev + l.hidden_padded, h_prev + s.rows * l.row_stride, l.row_stride, l.row_stride};
  }
  auto place = [&](int at) { return (Index)time_of(l, s, reverse, 0, at) * l.B + s.first; };
  const float *h_prev = step > 0 ? q.y + place(step - 1) * l.H : q.start + (Index)s.first * l.H;
  return {h_prev, q.x + place(step) * l.I, q.y + place(step) * l.H, l.H, l.I};
}

}  // namespace UNROLL_NAMESPACE
