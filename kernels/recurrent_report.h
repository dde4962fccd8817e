// By-products of the backward pass: norms of the total gradients at each time, and the state of the gates. Each thread
// sums for itself; the sums are joined at the end, in the order of the threads. With lengths, sequences share the column
// of the step that they read last.
#pragma once
#include "recurrent_step.h"

namespace UNROLL_NAMESPACE {

/** Sums of one thread: (T) each, gates in PyTorch's order. */
struct ReportSums {
  float *hidden, *cell, *mean, *saturated;

  ReportSums(const Layout &l, float *at)
      : hidden(at), cell(at + l.T), mean(at + Index(2) * l.T), saturated(mean + (Index)l.gates() * l.T) {}

  static Size size(const Layout &l) { return (Size(2) + 2 * l.gates()) * l.T; }
};

/** Sums of squares of the rows of a step, in vectors: one array from each member of a team, so far apart. */
struct Squares {
  const float *first;
  Index stride;
  int team;

  Vec of(int row) const {
    Vec sum = load(first + row * WIDTH);
    for (int member = 1; member < team; member++) sum += load(first + member * stride + row * WIDTH);
    return sum;
  }
};

/** The column of a row's step: the last one at the step read last, the first one where the reading is reversed. */
UNROLL_INLINE int column_of(const Layout &l, const Slab &s, bool reverse, int row, int step) {
  return reverse ? time_of(l, s, reverse, row, step) : l.T - s.length(l, row) + step;
}

/** sums[column of row] += root of the row's sum of squares. */
static void add_norms(const Layout &l, const Slab &s, bool reverse, int step, const Share &rows, const Squares &squares,
                      float *sums) {
  for (int row = rows.from; row < rows.to; row += WIDTH) {
    Vec v[WIDTH];
    for (int i = 0; i < WIDTH; i++) v[i] = row + i < rows.to ? squares.of(row + i) : Vec{};
    Vec norms = square_root(reduce_rows<Sum>(v));
    if (!s.lengths) {
      sums[time_of(l, s, reverse, 0, step)] += sum_of_lanes(norms);
      continue;
    }
    for (int i = 0; i < WIDTH && row + i < rows.to; i++) sums[column_of(l, s, reverse, row + i, step)] += norms[i];
  }
}

/** What tiles have gathered, when all rows of the step have one time. */
static void add_statistics(const Layout &l, const float *statistics, int t, const ReportSums &sums) {
  float totals[larger(STATISTICS, WIDTH)];
  for (int first = 0; first < STATISTICS; first += WIDTH) {
    Vec v[WIDTH];
    for (int i = 0; i < WIDTH; i++) v[i] = first + i < STATISTICS ? load(statistics + (first + i) * WIDTH) : Vec{};
    store(totals + first, reduce_rows<Sum>(v));
  }
  for (int gate = 0; gate < l.gates(); gate++) {
    sums.mean[(Index)gate * l.T + t] += totals[gate];
    sums.saturated[(Index)gate * l.T + t] += totals[4 + gate];
  }
}

/** Slot of a gate, and whether its range is (-1, 1). */
UNROLL_INLINE int slot_of_gate(const Layout &l, int gate) { return l.cell == UNROLL_LSTM ? gate : gate == 2 ? 0 : gate + 1; }
UNROLL_INLINE bool is_signed(int gate) { return gate == 2; }

/** The plain way, unit by unit: for blocks with padding, and where the rows of a step have columns of their own. */
static void add_gates(const Layout &l, const Slab &s, bool reverse, int step, int active, int block,
                      const float *gates, const ReportSums &sums) {
  const Index lanes = clamp_lanes(l.H - block * WIDTH);
  for (int row = 0; row < active; row++) {
    const int t = column_of(l, s, reverse, row, step);
    for (int gate = 0; gate < l.gates(); gate++) {
      const float *a = gates + ((Index)row * l.slots + slot_of_gate(l, gate)) * WIDTH;
      const float centre = is_signed(gate) ? 0.f : .5f, reach = is_signed(gate) ? .9f : .4f;
      float sum = 0, beyond = 0;
      for (Index i = 0; i < lanes; i++) {
        sum += a[i];
        beyond += __builtin_fabsf(a[i] - centre) > reach;
      }
      sums.mean[(Index)gate * l.T + t] += sum;
      sums.saturated[(Index)gate * l.T + t] += beyond;
    }
  }
}

/** Means over the sequences that have each column. */
static void finish_report(const Layout &l, const UnrollRecurrentBackward &call, const float *all_sums, Index stride) {
  for (int t = 0; t < l.T; t++) {
    int count = call.lengths ? 0 : l.B;
    for (int b = 0; call.lengths && b < l.B; b++) count += call.lengths[b] > (call.reverse ? t : l.T - 1 - t);
    const double share = count == 0 ? 0 : 1.0 / count;
    auto total = [&](Index at) {
      double sum = 0;
      for (int thread = 0; thread < l.slabs * l.team; thread++) sum += all_sums[thread * stride + at];
      return sum * share;
    };
    call.hidden_grad_norm[t] = (float)total(t);
    if (call.cell_grad_norm) call.cell_grad_norm[t] = (float)total(l.T + t);
    for (int gate = 0; gate < l.gates(); gate++) {
      const Index at = (Index)gate * l.T + t, saturated = (Index(2) + l.gates()) * l.T;
      if (call.gate_mean) call.gate_mean[at] = (float)(total(Index(2) * l.T + at) / l.H);
      if (call.gate_saturation) call.gate_saturation[at] = (float)(total(saturated + at) / l.H);
    }
  }
}

}  // namespace UNROLL_NAMESPACE
