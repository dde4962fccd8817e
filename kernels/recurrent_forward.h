// A whole sequence forward: each team runs its slab through time.
#pragma once
#include "gru_reset_after.h"
#include "gru_reset_before.h"
#include "lstm_variant.h"
#include "recurrent_pack.h"
#include "rnn.h"

namespace UNROLL_NAMESPACE {

/** f(cell) with the type that computes it. */
template <class F> UNROLL_INLINE void with_cell(int cell, F f) {
  switch (cell) {
    case UNROLL_RNN_TANH: return f(Rnn<UNROLL_RNN_TANH>{});
    case UNROLL_RNN_RELU: return f(Rnn<UNROLL_RNN_RELU>{});
    case UNROLL_RNN_SIGMOID: return f(Rnn<UNROLL_RNN_SIGMOID>{});
    case UNROLL_RNN_LEAKY_RELU: return f(Rnn<UNROLL_RNN_LEAKY_RELU>{});
    case UNROLL_RNN_LINEAR: return f(Rnn<UNROLL_RNN_LINEAR>{});
    case UNROLL_LSTM: return f(Lstm{});
    case UNROLL_GRU_RESET_AFTER: return f(GruResetAfter{});
    default: return f(GruResetBefore{});
  }
}

/** Zeros to start in, where rows stand in place. */
UNROLL_INLINE Size start_size(const Layout &l) { return l.in_place ? (Size)l.B * l.H : 0; }

struct ForwardPass {
  const UnrollRecurrentForward &call;
  const Layout l;
  const Packed packed;
  const WeightParts weights;
  int *order, *sorted_lengths;
  float *zeros, *cache;
  Sequences sequences;
  bool reverse;
  const CellFields *fields;

  ForwardPass(const UnrollRecurrentForward &c, const CellFields *f)
      : call(c), l(layout_of(c.cell, c.seq_len, c.batch, c.input_size, c.hidden_size, c.lengths)), packed(l, c.packed),
        weights{c.weight_ih, c.weight_hh, c.bias_ih, c.bias_hh}, order((int *)c.scratch),
        sorted_lengths(c.lengths ? order + l.B : nullptr), zeros(c.scratch + order_size(l)),
        cache(c.cache ? c.cache : zeros + start_size(l)), sequences{c.x, c.h0 ? c.h0 : zeros, c.y}, reverse(c.reverse),
        fields(f) {}

  /** Rows of a step: x where a sequence has the step, else zeros, which the weights' gradients run over. */
  void copy_input(const Slab &s, const Member &m, int step, int active) const {
    if (l.in_place) return;
    const Share rows = m.share(s.rows);
    for (int row = rows.from; row < rows.to; row++) {
      float *to = s.rows_at + ((Index)step * s.rows + row) * l.row_stride;
      if (row >= active) {
        fill(to + l.hidden_padded, l.I, 0.f);
        fill(s.reset + ((Index)step * s.rows + row) * l.reset_stride, l.reset_stride, 0.f);
        if (row >= active_rows(s, step - 1, s.rows)) fill(to, l.hidden_padded, 0.f);
        continue;
      }
      const Index t = time_of(l, s, reverse, row, step);
      copy(to + l.hidden_padded, call.x + (t * l.B + s.order[row]) * l.I, l.I);
    }
  }

  void start_state(const Slab &s, const Member &m) const {
    const Share rows = m.share(s.rows);
    for (int row = rows.from; row < rows.to; row++) {
      if (!l.in_place) {
        float *h = s.rows_at + row * l.row_stride;
        fill(h, l.hidden_padded, 0.f);
        if (call.h0) copy(h, call.h0 + (Index)s.order[row] * l.H, l.H);
      } else if (!call.h0)
        fill(zeros + (s.first + row) * (Index)l.H, l.H, 0.f);
      if (l.cell != UNROLL_LSTM) continue;
      for (int block = 0; block < l.unit_blocks; block++) {
        const Index lanes = clamp_lanes(l.H - block * WIDTH);
        const float *from = call.c0 ? call.c0 + (Index)s.order[row] * l.H + block * WIDTH : nullptr;
        store(s.c + ((Index)block * s.rows + row) * WIDTH, from && lanes > 0 ? load_part(from, lanes) : Vec{});
      }
    }
  }

  /** The input side of steps from ... to-1, into the gates: large weights are read once instead of once a step. */
  void project_input(const Slab &s, const Member &m, int from, int to) const {
    UNROLL_PHASE(INPUT)
    const Index slots = (Index)l.slots * WIDTH;
    const Share blocks = m.unit_blocks(l);
    for (int block = blocks.from; block < blocks.to; block++) {
      const float *panel = packed.forward + block * l.panel + (Index)l.H * l.columns * WIDTH;
      const float *bias = panel + (Index)l.I * l.columns * WIDTH;
      int active = s.rows;
      for (int step = from; step < to; step++) {
        active = active_rows(s, step, active);
        const StepRows at = rows_of(l, s, sequences, reverse, step);
        float *gates = s.gates + ((Index)step * l.unit_blocks + block) * s.rows * slots;
        with_constant<MAX_VECTORS>(l.columns, [&](auto vectors) {
          constexpr int NV = vectors.value;
          each_tile<max_rows(NV)>(active, [&](int row, auto rows) {
            product_tile<rows.value, NV>(gates + row * slots, slots, bias, at.x + row * at.x_stride, at.x_stride, panel,
                                         l.I);
          });
        });
      }
    }
  }

  StepForward step_of(const Slab &s, const Member &m, int step, int active) const {
    const Index states = (Index)l.unit_blocks * s.rows * WIDTH;
    return {
        .layout = l,
        .blocks = m.unit_blocks(l),
        .rows = active,
        .slab_rows = s.rows,
        .panels = packed.forward,
        .at = rows_of(l, s, sequences, reverse, step),
        .gates = s.gates + step * states * l.slots,
        .c = s.c + (step + 1) * states,
        .c_prev = s.c + step * states,
        .reset = s.reset + (Index)step * s.rows * l.reset_stride,
        .fields = StepFields(fields, l, s, reverse, step),
    };
  }

  void write_output(const Slab &s, const Member &m, int step, int active) const {
    if (l.in_place) return;
    const Share rows = m.share(active);
    for (int row = rows.from; row < rows.to; row++) {
      const Index t = time_of(l, s, reverse, row, step);
      copy(call.y + (t * l.B + s.order[row]) * l.H, s.rows_at + ((step + Index(1)) * s.rows + row) * l.row_stride, l.H);
    }
  }

  void end_state(const Slab &s, const Member &m) const {
    const Share rows = m.share(s.rows);
    for (int row = rows.from; row < rows.to; row++) {
      const Index length = s.length(l, row), b = s.order[row];
      if (l.in_place)
        copy(call.h_n + b * l.H, call.y + (time_of(l, s, reverse, row, l.T - 1) * (Index)l.B + b) * l.H, l.H);
      else
        copy(call.h_n + b * l.H, s.rows_at + (length * s.rows + row) * l.row_stride, l.H);
      for (int block = 0; call.c_n && block < l.unit_blocks; block++) {
        const Index lanes = clamp_lanes(l.H - block * WIDTH);
        const float *c = s.c + ((length * l.unit_blocks + block) * s.rows + row) * WIDTH;
        if (lanes > 0) store_part(call.c_n + b * l.H + block * WIDTH, load(c), lanes);
      }
      for (Index t = length; t < l.T; t++) fill(call.y + (t * l.B + b) * l.H, l.H, 0.f);
    }
  }

  void copy_inputs(const Slab &s, const Member &m, int from, int to, int rows) const {
    for (int step = from; step < to; step++) {
      rows = active_rows(s, step, rows);
      copy_input(s, m, step, rows);
    }
  }

  /** A slab through time. What members do in one part needs what all have done in those before. */
  template <class Cell> void run(const Slab &s) const {
    int active = s.rows;
    for (int from = 0; from < s.steps; from += l.chunk) {
      const int to = smaller(from + l.chunk, s.steps);
      each_member(l.team, [&](const Member &m) {
        if (from == 0) start_state(s, m);
        copy_inputs(s, m, from, to, active);
      });
      if (!l.fused) each_member(l.team, [&](const Member &m) { project_input(s, m, from, to); });
      for (int step = from; step < to; step++) {
        const int before = active;
        active = active_rows(s, step, active);
        each_member(l.team, [&](const Member &m) {
          if (step > from) write_output(s, m, step - 1, before);
          if (l.fused)
            Cell::template forward<true>(step_of(s, m, step, active));
          else
            Cell::template forward<false>(step_of(s, m, step, active));
        });
        if constexpr (Cell::TWO_PASSES)
          each_member(l.team, [&](const Member &m) { Cell::forward_second(step_of(s, m, step, active)); });
      }
      if (!l.in_place) each_member(l.team, [&](const Member &m) { write_output(s, m, to - 1, active); });
    }
    each_member(l.team, [&](const Member &m) {
      if (s.steps == 0) start_state(s, m);
      end_state(s, m);
    });
  }
};

static double recurrent_forward(const UnrollRecurrentForward *call, const CellFields *fields) {
  const ForwardPass pass(*call, fields);
  const Layout &l = pass.l;
  order_sequences(l, call->lengths, pass.order, pass.sorted_lengths, pass.order + 2 * l.B);
  const bool stale = pass.packed.versions[PACKED_FORWARD] != (unsigned)call->version;
  pass.packed.versions[PACKED_FORWARD] = (unsigned)call->version;
  const int threads = unroll::thread_count();
  if (stale)
    on_threads(threads, [&](int thread) {
      pack_share(l, pass.weights, pass.packed, PACKED_FORWARD, thread, threads);
    });
  on_threads(l.slabs, [&](int index) {
    const Slab slab = slab_of(l, index, pass.cache, pass.order, pass.sorted_lengths);
    if (fields) return pass.run<LstmVariant>(slab);
    with_cell(l.cell, [&](auto cell) { pass.run<decltype(cell)>(slab); });
  });
  return 0;
}

static double recurrent_forward(const UnrollRecurrentForward *call) { return recurrent_forward(call, nullptr); }

static double lstm_variant_forward(const UnrollLstmVariantForward *c) {
  const UnrollRecurrentForward plain{c->weight_ih, c->weight_hh, c->bias_ih, c->bias_hh, c->packed, c->x, c->lengths,
                                     c->h0, c->c0, c->y, c->h_n, c->c_n, c->cache, c->scratch, UNROLL_LSTM, c->seq_len,
                                     c->batch, c->input_size, c->hidden_size, c->reverse, c->version};
  const CellFields fields{(float)c->zoneout, c->zoneout > 0, c->peephole, c->update_mask, c->zoneout_h, c->zoneout_c,
                          nullptr};
  return recurrent_forward(&plain, &fields);
}

}  // namespace UNROLL_NAMESPACE
