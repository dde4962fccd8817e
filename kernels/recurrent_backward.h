// A whole sequence backward. Each team takes its slab in chunks of steps from the last to the first: the recurrent
// steps of a chunk, then the weights' gradients while the chunk's gate gradients are still in the cache, then dx.
#pragma once
#include "recurrent_forward.h"
#include "recurrent_report.h"

namespace UNROLL_NAMESPACE {

/** Rows that the weights' gradients take at a time, so that what tiles of one panel read again stays in L1. */
constexpr Index WEIGHT_ROWS = 128;

/** sum (slots) += columns of dgates over K rows. */
static void add_bias_gradients(float *sum, const float *dgates, int slots, Index K, bool first) {
  for (int slot = 0; slot < slots; slot++) {
    const float *p = dgates + slot * WIDTH;
    const Index stride = (Index)slots * WIDTH;
    Vec even = first ? Vec{} : load(sum + slot * WIDTH), odd{};
    Index k = 0;
    for (; k + 1 < K; k += 2, p += 2 * stride) even += load(p), odd += load(p + stride);
    if (k < K) even += load(p);
    store(sum + slot * WIDTH, even + odd);
  }
}

struct BackwardPass {
  const UnrollRecurrentBackward &call;
  const Layout l;
  const Packed packed;
  const WeightParts weights;
  int *order, *sorted_lengths;
  bool reverse;
  float *zeros;
  Sequences sequences;
  // scratch: order | zeros to start in | weight gradients of all slabs | report sums of all members | the rest, slab by slab
  float *panels, *sums, *rest;
  const CellFields *fields;

  BackwardPass(const UnrollRecurrentBackward &c, const CellFields *f)
      : call(c), l(layout_of(c.cell, c.seq_len, c.batch, c.input_size, c.hidden_size, c.lengths)), packed(l, c.packed),
        weights{c.weight_ih, c.weight_hh, c.bias_ih, c.bias_hh}, order((int *)c.scratch),
        sorted_lengths(c.lengths ? order + l.B : nullptr), reverse(c.reverse),
        zeros(c.scratch + order_size(l)), sequences{c.x, c.h0 ? c.h0 : zeros, const_cast<float *>(c.y)},
        panels(c.scratch + begin_size(l)), sums(panels + l.slabs * l.weights_size()),
        rest(sums + l.slabs * l.team * ReportSums::size(l)), fields(f) {}

  static Size begin_size(const Layout &l) { return (order_size(l) + start_size(l) + 15) / 16 * 16; }
  static Size ring_size(const Layout &l) { return (l.chunk + Size(1)) * l.slab_rows * l.unit_blocks * l.slots * WIDTH; }
  static Size rest_size(const Layout &l) {
    const Size carry = (Size)l.unit_blocks * l.slab_rows * WIDTH;
    const Size dx = (Size)l.chunk * l.slab_rows * l.input_padded();
    return ring_size(l) + carry + dx + l.team * own_size(l) + chunk_rows_size(l);
  }
  /** The chunk's rows of [h_{t-1} | x_t], where they stand in place. */
  static Size chunk_rows_size(const Layout &l) { return l.in_place ? (Size)l.chunk * l.slab_rows * l.row_stride : 0; }
  /** Of each member. */
  static Size own_size(const Layout &l) { return (Size)l.slab_rows * l.hidden_padded + 2 * squares_size(l); }
  /** Sums of squares of one step, of h and of c. */
  static Size squares_size(const Layout &l) { return Size(2) * l.slab_rows * WIDTH; }
  static Size scratch_size(const Layout &l) {
    return begin_size(l) + l.slabs * (l.weights_size() + l.team * ReportSums::size(l) + rest_size(l));
  }
};

/** One member's part of a slab on its way back. What it does in one part needs what all have done in those before. */
struct BackwardSlab {
  const BackwardPass &pass;
  const Layout &l;
  const Slab s;
  const Member member;
  const Share blocks;  // unit blocks of this member
  float *panels, *ring, *carry, *dx_rows, *own, *dy_rows, *chunk_rows;
  const ReportSums sums;
  const Index slots, block_stride;
  float *carry_h = nullptr, *peephole_sums = nullptr;  // where an LSTM has fields

  BackwardSlab(const BackwardPass &p, int index, const Member &m)
      : pass(p), l(p.l), s(slab_of(p.l, index, p.call.cache, p.order, p.sorted_lengths)), member(m),
        blocks(m.unit_blocks(p.l)), panels(p.panels + index * p.l.weights_size()),
        ring(p.rest + index * BackwardPass::rest_size(p.l)), carry(ring + BackwardPass::ring_size(p.l)),
        dx_rows(carry + (Index)p.l.unit_blocks * p.l.slab_rows * WIDTH),
        own(dx_rows + (Index)p.l.chunk * p.l.slab_rows * p.l.input_padded()),
        dy_rows(own + m.index * BackwardPass::own_size(p.l)), chunk_rows(own + p.l.team * BackwardPass::own_size(p.l)),
        sums(p.l, p.sums + (index * p.l.team + m.index) * ReportSums::size(p.l)), slots((Index)p.l.slots * WIDTH),
        block_stride((p.l.chunk + Index(1)) * s.rows * slots) {
    if (!p.fields) return;
    carry_h = p.fields->carry_h(l, index);
    peephole_sums = p.fields->peephole_sums(l, index);
  }

  /** Where a member's sums of squares of a step stand; two steps have places of their own. */
  float *squares_of(int member_index, int step) const {
    float *of_member = own + member_index * BackwardPass::own_size(l) + l.slab_rows * l.hidden_padded;
    return of_member + (step & 1) * BackwardPass::squares_size(l);
  }

  void clear_start() const {
    const Share rows = member.share(s.rows);
    if (l.in_place && !pass.call.h0)
      fill(pass.zeros + (Index)(s.first + rows.from) * l.H, (Index)(rows.to - rows.from) * l.H, 0.f);
  }

  void start_carry() const {
    const Index block_size = (Index)s.rows * WIDTH;
    fill(carry + blocks.from * block_size, (blocks.to - blocks.from) * block_size, 0.f);
    if (pass.fields) {
      fill(carry_h + blocks.from * block_size, (blocks.to - blocks.from) * block_size, 0.f);
      for (int part = 0; part < 3; part++)
        fill(peephole_sums + part * l.hidden_padded + blocks.from * WIDTH, (Index)(blocks.to - blocks.from) * WIDTH, 0.f);
    }
    if (!pass.call.dc_n) return;
    for (int row = 0; row < s.rows; row++)
      for (int block = blocks.from; block < blocks.to; block++) {
        const Index lanes = clamp_lanes(l.H - block * WIDTH);
        if (lanes > 0)
          store(carry + ((Index)block * s.rows + row) * WIDTH,
                load_part(pass.call.dc_n + (Index)s.order[row] * l.H + block * WIDTH, lanes));
      }
  }

  /** Rows of ∂L/∂h_t through y, and through hN where a sequence ends: in place if they stand there as they are. */
  void output_gradient(int step, int active, StepBackward &out) const {
    const float *dy = pass.call.dy, *dh_n = pass.call.dh_n;
    const bool last = step == s.steps - 1;
    if (!s.lengths && l.H == l.hidden_padded && !(dh_n && last)) {
      const Index t = time_of(l, s, pass.reverse, 0, step);
      out.dy = dy ? dy + (t * l.B + s.first) * l.H : nullptr;
      out.dy_stride = l.H;
      if (step > 0) out.steps_back.dy = pass.reverse ? -(Index)l.B * l.H : (Index)l.B * l.H;
      return;
    }
    out.dy = dy_rows;
    out.dy_stride = l.hidden_padded;
    for (int row = 0; row < active; row++) {
      float *to = dy_rows + row * l.hidden_padded;
      fill(to + l.H, l.hidden_padded - l.H, 0.f);
      const Index t = time_of(l, s, pass.reverse, row, step);
      if (dy)
        copy(to, dy + (t * l.B + s.order[row]) * l.H, l.H);
      else
        fill(to, l.H, 0.f);
      if (!dh_n || step != s.length(l, row) - 1) continue;
      for (int i = 0; i < l.H; i++) to[i] += dh_n[(Index)s.order[row] * l.H + i];
    }
  }

  StepBackward step_of(int step, int place, int active) const {
    const Index states = (Index)l.unit_blocks * s.rows * WIDTH;
    float *dgates = ring + (Index)place * s.rows * slots;
    const StepRows at = rows_of(l, s, pass.sequences, pass.reverse, step);
    const Index rows_back = !l.in_place ? s.rows * l.row_stride : pass.reverse ? -(Index)l.B * l.H : (Index)l.B * l.H;
    const StepsBack back{0, step > 1 ? rows_back : 0};
    StepFields fields(pass.fields, l, s, pass.reverse, step);
    fields.carry = carry, fields.carry_h = carry_h, fields.peephole_sums = peephole_sums;
    return {
        .layout = l,
        .rows = active,
        .slab_rows = s.rows,
        .block_stride = block_stride,
        .dgates_next = step == s.steps - 1 ? nullptr : dgates + s.rows * slots,
        .dgates = dgates,
        .back = pass.packed.hidden_back,
        .back_n = pass.packed.hidden_back_n(l),
        .dy = nullptr,
        .dy_stride = 0,
        .at = at,
        .gates = s.gates + step * states * l.slots,
        .c_prev = s.c + step * states,
        .c = s.c + (step + 1) * states,
        .reset = s.reset + (Index)step * s.rows * l.reset_stride,
        .carry = carry,
        .h_squares = squares_of(member.index, step),
        .c_squares = squares_of(member.index, step) + l.slab_rows * WIDTH,
        .steps_back = back,
        .fields = fields,
    };
  }

  /**
   * Rows without the step, and lanes without a unit, must add nothing to anyone, whatever stands in them. With
   * `only_slot` that slot's lanes alone: the others are being read by the rest of the team.
   */
  void clear_unused(float *dgates, int active, int only_slot = -1) const {
    for (int block = blocks.from; block < blocks.to; block++) {
      float *rows = dgates + block * block_stride;
      if (only_slot < 0) fill(rows + active * slots, (s.rows - active) * slots, 0.f);
      const Index unit = (Index)block * l.unit_vectors * WIDTH;
      if (l.H >= unit + l.unit_vectors * WIDTH) continue;
      for (Index i = 0; i < active * l.slots; i++) {
        if (only_slot >= 0 && i % l.slots != only_slot) continue;
        const Index first = l.is_rnn() ? unit + i % l.slots * WIDTH : unit;
        const Index lanes = clamp_lanes(l.H - first);
        if (lanes < WIDTH) fill(rows + i * WIDTH + lanes, WIDTH - lanes, 0.f);
      }
    }
  }

  template <class Cell, bool REPORT> void step_back(int step, int place, int active) const {
    if (REPORT && step + 1 < s.steps) report_norms(step + 1, active_rows(s, step + 1, active));
    StepBackward b = step_of(step, place, active);
    output_gradient(step, active, b);
    float statistics[STATISTICS * WIDTH] = {}, unused[STATISTICS * WIDTH] = {};
    const bool one_time = !s.lengths;
    const Share hidden = member.hidden_blocks(l);
    if constexpr (REPORT) fill(b.h_squares, BackwardPass::squares_size(l), 0.f);
    for (int block = hidden.from; block < hidden.to; block++) {
      const bool whole = one_time && (block + Index(1)) * l.hidden_vectors * WIDTH <= l.H;
      Cell::template backward<REPORT>(b, block_of(b, block, whole ? statistics : unused));
      if (!REPORT || whole || l.is_rnn()) continue;
      for (int v = block * l.hidden_vectors; v < (block + 1) * l.hidden_vectors; v++)
        add_gates(l, s, pass.reverse, step, active, v, b.gates + v * s.rows * slots, sums);
    }
    if (s.rows > active || l.H < l.hidden_padded) clear_unused(b.dgates, active);
    if constexpr (REPORT)
      if (one_time) add_statistics(l, statistics, time_of(l, s, pass.reverse, 0, step), sums);
  }

  template <class Cell> void step_back_second(int step, int place, int active) const {
    float unused[STATISTICS * WIDTH] = {};
    const StepBackward b = step_of(step, place, active);
    const Share hidden = member.hidden_blocks(l);
    for (int block = hidden.from; block < hidden.to; block++) Cell::backward_second(b, block_of(b, block, unused));
    if (l.H < l.hidden_padded) clear_unused(b.dgates, active, Cell::SECOND_SLOT);
  }

  /** Norms over all units, of a step that all have done: each member has sums of its own. Two steps have places for them. */
  void report_norms(int step, int active) const {
    const float *squares = squares_of(0, step);
    const Share rows = member.share((active + WIDTH - 1) / WIDTH);
    const Squares h{squares, (Index)BackwardPass::own_size(l), l.team}, c{squares + l.slab_rows * WIDTH, h.stride, l.team};
    const Share own_rows{rows.from * WIDTH, smaller(rows.to * WIDTH, active)};
    add_norms(l, s, pass.reverse, step, own_rows, h, sums.hidden);
    if (l.cell == UNROLL_LSTM) add_norms(l, s, pass.reverse, step, own_rows, c, sums.cell);
  }

  /** Rows of steps from ... to-1, where they stand in place: side by side and an odd number of cache lines apart. */
  void gather_rows(int from, int to) const {
    UNROLL_PHASE(WEIGHTS)
    const Share steps = member.share(to - from);
    for (int step = from + steps.from; step < from + steps.to; step++) {
      const StepRows at = rows_of(l, s, pass.sequences, pass.reverse, step);
      float *row = chunk_rows + (Index)(step - from) * s.rows * l.row_stride;
      for (int r = 0; r < s.rows; r++, row += l.row_stride) {
        copy(row, at.h_prev + r * at.h_stride, l.H);
        copy(row + l.H, at.x + r * at.x_stride, l.I);
      }
    }
  }

  /** panels += [h | x]ᵀ dgates of steps from ... to-1. */
  template <class Cell> void weight_gradients(int from, int to, bool first_chunk) const {
    UNROLL_PHASE(WEIGHTS)
    const Index K = (Index)(to - from) * s.rows, parts = (K + WEIGHT_ROWS - 1) / WEIGHT_ROWS;
    const Index part = (K + parts - 1) / parts;
    const float *z = l.in_place ? chunk_rows : s.rows_at + (Index)from * s.rows * l.row_stride;
    const float *reset = s.reset + (Index)from * s.rows * l.reset_stride;
    for (int block = blocks.from; block < blocks.to; block++) {
      float *panel = panels + block * l.panel, *bias = panel + (Index)(l.H + l.I) * l.columns * WIDTH;
      const float *dgates = ring + block * block_stride;
      for (Index k = 0; k < K; k += part) {
        const Index rows = smaller(part, K - k);
        const bool first = first_chunk && k == 0;
        Cell::weight_gradients(l, panel, z + k * l.row_stride, reset + k * l.reset_stride, dgates + k * slots, rows,
                               first);
        add_bias_gradients(bias, dgates + k * slots, l.slots, rows, first);
      }
    }
  }

  /** rows (count, width) = dgates · back, through the slots of the input side or of the recurrent side. */
  template <class Cell, bool INPUT>
  void back_product(float *out, Index out_stride, const float *dgates, int count, const float *back, int blocks,
                    int block_vectors) const {
    for (int block = 0; block < blocks; block++)
      with_constant<MAX_VECTORS>(block_vectors, [&](auto vectors) {
        constexpr int NV = vectors.value;
        each_tile<max_rows(NV)>(count, [&](int row, auto rows) {
          back_tile<Cell, INPUT, rows.value, NV>(out + row * out_stride + block * NV * WIDTH, out_stride,
                                                 dgates + row * slots, back, block);
        });
      });
  }

  template <class Cell, bool INPUT, int R, int NV>
  __attribute__((noinline)) void back_tile(float *out, Index out_stride, const float *dgates, const float *back,
                                           int block) const {
    Vec acc[R][NV];
    fill_tile(acc, nullptr);
    if constexpr (Cell::SLOTS == 0) {
      back += (Index)block * l.block_columns() * NV * WIDTH;
      with_constant<MAX_VECTORS>(l.slots, [&](auto units) {
        constexpr int UNITS = units.value;
        add_back_product<R, NV, UNITS, 0, UNITS>(acc, dgates, block_stride, back, l.unit_blocks);
      });
    } else {
      constexpr int FIRST = INPUT ? 0 : Cell::FIRST, COUNT = INPUT ? Cell::COLUMNS : Cell::COUNT;
      back += (Index)block * l.unit_blocks * COUNT * WIDTH * NV * WIDTH;
      add_back_product<R, NV, Cell::SLOTS, FIRST, COUNT>(acc, dgates, block_stride, back, l.unit_blocks);
    }
    store_tile(out, out_stride, acc);
  }

  template <class Cell> void input_gradient(int from, int to) const {
    UNROLL_PHASE(INPUT_BACK)
    float *dx = pass.call.dx;
    const Index stride = l.input_padded();
    const Share steps = member.share(to - from);
    const Index first = (Index)steps.from * s.rows;
    back_product<Cell, true>(dx_rows + first * stride, stride, ring + first * slots, (steps.to - steps.from) * s.rows,
                             pass.packed.input_back, l.input_blocks, l.input_vectors);
    int active = s.rows;
    for (int step = from + steps.from; step < from + steps.to; step++) {
      active = active_rows(s, step, active);
      for (int row = 0; row < active; row++) {
        const Index t = time_of(l, s, pass.reverse, row, step);
        copy(dx + (t * l.B + s.order[row]) * l.I, dx_rows + ((Index)(step - from) * s.rows + row) * stride, l.I);
      }
    }
  }

  /** dh0 and dc0; a sequence without steps hands on what came to its last state. */
  template <class Cell> void start_gradients() const {
    const UnrollRecurrentBackward &c = pass.call;
    const int active = s.steps > 0 ? active_rows(s, 0, s.rows) : 0;
    const Share rows = member.share(s.rows);
    const int own_active = smaller(rows.to, active) - rows.from;
    if (c.dh0 && own_active > 0)
      back_product<Cell, false>(dy_rows + rows.from * l.hidden_padded, l.hidden_padded, ring + rows.from * slots,
                                own_active, pass.packed.hidden_back, l.hidden_blocks, l.hidden_vectors);
    for (int row = rows.from; row < rows.to; row++) {
      const Index at = (Index)s.order[row] * l.H;
      for (int block = 0; block * WIDTH < l.H; block++) {
        const Index lanes = clamp_lanes(l.H - block * WIDTH), to = at + block * WIDTH;
        const bool has_carry = l.cell == UNROLL_GRU_RESET_AFTER || l.cell == UNROLL_GRU_RESET_BEFORE;
        Vec carried = l.is_rnn() ? Vec{} : load(carry + ((Index)block * s.rows + row) * WIDTH);
        if (c.dc0) store_part(c.dc0 + to, carried, lanes);
        if (!c.dh0) continue;
        Vec dh = row < active ? load(dy_rows + row * l.hidden_padded + block * WIDTH)
                 : c.dh_n     ? load_part(c.dh_n + to, lanes)
                              : Vec{};
        if (carry_h) dh += load(carry_h + ((Index)block * s.rows + row) * WIDTH);
        store_part(c.dh0 + to, has_carry ? dh + carried : dh, lanes);
      }
    }
  }

  void clear_beyond() const {
    const Share rows = member.share(s.rows);
    for (int row = rows.from; row < rows.to; row++)
      for (Index t = s.length(l, row); t < l.T; t++) fill(pass.call.dx + (t * l.B + s.order[row]) * l.I, l.I, 0.f);
  }

  /** Gate gradients of the first step of the chunk done before are those after the last step of the next one. */
  void carry_ring(int place) const {
    if (place == 0) return;
    for (int block = blocks.from; block < blocks.to; block++)
      copy(ring + block * block_stride + place * s.rows * slots, ring + block * block_stride, s.rows * slots);
  }

  void start() const {
    clear_start();
    start_carry();
    if (reports()) fill(sums.hidden, ReportSums::size(l), 0.f);
    if (s.steps == 0)
      for (int block = blocks.from; block < blocks.to; block++) fill(panels + block * l.panel, l.panel, 0.f);
  }

  template <class Cell> void end() const {
    if (reports() && s.steps > 0) report_norms(0, active_rows(s, 0, s.rows));
    if (pass.call.dh0 || pass.call.dc0) start_gradients<Cell>();
    if (pass.call.dx && s.lengths) clear_beyond();
  }

  bool reports() const { return pass.call.hidden_grad_norm != nullptr; }
};

/** A slab of one thread: each(f) calls f with its one member. */
struct OwnSlab {
  const BackwardSlab slab;
  template <class F> UNROLL_INLINE void each(const OwnSlab &own, F f) { f(own.slab); }
};

/** The one slab of a team. */
struct SharedSlab {
  const BackwardPass &pass;
  template <class F> UNROLL_INLINE void each(const SharedSlab &shared, F f) {
    each_member(shared.pass.l.team, [&](const Member &m) { f(BackwardSlab(shared.pass, 0, m)); });
  }
};

template <class Cell, class Slabs> static void run_back(const BackwardPass &pass, const Slab &s, const Slabs &slabs) {
  const Layout &l = pass.l;
  const bool report = pass.call.hidden_grad_norm != nullptr;
  auto each = [&](auto f) { Slabs::each(slabs, f); };
  each([](const BackwardSlab &b) { b.start(); });
  int active = 0;
  const int chunks = (s.steps + l.chunk - 1) / l.chunk;
  for (int chunk = chunks - 1; chunk >= 0; chunk--) {
    const int from = chunk * l.chunk, to = smaller(from + l.chunk, s.steps);
    if (chunk < chunks - 1) each([&](const BackwardSlab &b) { b.carry_ring(to - from); });
    for (int step = to - 1; step >= from; step--) {
      active = more_active_rows(s, step, active);
      each([&](const BackwardSlab &b) {
        if (report)
          b.template step_back<Cell, true>(step, step - from, active);
        else
          b.template step_back<Cell, false>(step, step - from, active);
      });
      if constexpr (Cell::TWO_PASSES)
        each([&](const BackwardSlab &b) { b.template step_back_second<Cell>(step, step - from, active); });
    }
    if (l.in_place) each([&](const BackwardSlab &b) { b.gather_rows(from, to); });
    each([&](const BackwardSlab &b) {
      b.template weight_gradients<Cell>(from, to, chunk == chunks - 1);
      if (pass.call.dx) b.template input_gradient<Cell>(from, to);
    });
  }
  each([](const BackwardSlab &b) { b.template end<Cell>(); });
}

static double recurrent_backward(const UnrollRecurrentBackward *call, const CellFields *fields) {
  const BackwardPass pass(*call, fields);
  const Layout &l = pass.l;
  order_sequences(l, call->lengths, pass.order, pass.sorted_lengths, pass.order + 2 * l.B);
  bool stale[3] = {};
  for (int part = PACKED_HIDDEN_BACK; part <= PACKED_INPUT_BACK; part++) {
    if (part == PACKED_INPUT_BACK && !call->dx) continue;
    stale[part] = pass.packed.versions[part] != (unsigned)call->version;
    pass.packed.versions[part] = (unsigned)call->version;
  }
  const int threads = unroll::thread_count();
  if (stale[PACKED_HIDDEN_BACK] || stale[PACKED_INPUT_BACK])
    on_threads(threads, [&](int thread) {
      for (int part = PACKED_HIDDEN_BACK; part <= PACKED_INPUT_BACK; part++)
        if (stale[part]) pack_share(l, pass.weights, pass.packed, (PackedPart)part, thread, threads);
    });
  on_threads(l.slabs, [&](int index) {
    const Slab s = slab_of(l, index, pass.call.cache, pass.order, pass.sorted_lengths);
    auto run = [&](auto cell) {
      if (l.team == 1)
        run_back<decltype(cell)>(pass, s, OwnSlab{BackwardSlab(pass, index, {0, 1})});
      else
        run_back<decltype(cell)>(pass, s, SharedSlab{pass});
    };
    if (fields) return run(LstmVariant{});
    with_cell(l.cell, run);
  });
  on_threads(threads, [&](int thread) {
    const WeightGradients gradients{call->dweight_ih, call->dweight_hh, call->dbias_ih, call->dbias_hh};
    for (int block = thread; block < l.unit_blocks; block += threads) unpack_panel(l, gradients, pass.panels, block);
  });
  if (call->hidden_grad_norm) finish_report(l, *call, pass.sums, ReportSums::size(l));
  return 0;
}

static double recurrent_backward(const UnrollRecurrentBackward *call) { return recurrent_backward(call, nullptr); }

/** dpeephole (3·H) = the sums of all slabs, in their order. */
static void add_peepholes(const Layout &l, const CellFields &fields, float *out) {
  for (int part = 0; part < 3; part++)
    for (Index i = 0; i < l.H; i += WIDTH) {
      Vec sum{};
      for (int slab = 0; slab < l.slabs; slab++) sum += load(fields.peephole_sums(l, slab) + part * l.hidden_padded + i);
      store_part(out + part * l.H + i, sum, l.H - i);
    }
}

static double lstm_variant_backward(const UnrollLstmVariantBackward *c) {
  const UnrollRecurrentBackward plain{
      c->weight_ih, c->weight_hh, c->bias_ih, c->bias_hh, c->packed, c->x, c->lengths, c->h0, c->c0, c->y, c->cache,
      c->scratch, c->dy, c->dh_n, c->dc_n, c->dx, c->dweight_ih, c->dweight_hh, c->dbias_ih, c->dbias_hh, c->dh0, c->dc0,
      c->hidden_grad_norm, c->cell_grad_norm, c->gate_mean, c->gate_saturation, UNROLL_LSTM, c->seq_len, c->batch,
      c->input_size, c->hidden_size, c->reverse, c->version};
  const CellFields fields{(float)c->zoneout, c->zoneout > 0, c->peephole, c->update_mask, c->zoneout_h, c->zoneout_c,
                          c->fields_scratch};
  recurrent_backward(&plain, &fields);
  if (c->dpeephole)
    add_peepholes(layout_of(UNROLL_LSTM, c->seq_len, c->batch, c->input_size, c->hidden_size, c->lengths), fields,
                  c->dpeephole);
  return 0;
}

static double lstm_variant_memory(const UnrollLstmVariantMemory *call) {
  const Layout l = layout_of(UNROLL_LSTM, call->seq_len, call->batch, call->input_size, call->hidden_size, call->ragged);
  return (double)(l.slabs * CellFields::slab_size(l));
}

static double recurrent_memory(const UnrollRecurrentMemory *call) {
  const Layout l = layout_of(call->cell, call->seq_len, call->batch, call->input_size, call->hidden_size,
                             call->ragged);
  switch (call->kind) {
    case UNROLL_MEMORY_PACKED: return (double)l.packed_size();
    case UNROLL_MEMORY_CACHE: return (double)l.cache_size();
    case UNROLL_MEMORY_FORWARD_SCRATCH: return (double)(order_size(l) + start_size(l) + l.cache_size());
    default: return (double)BackwardPass::scratch_size(l);
  }
}

}  // namespace UNROLL_NAMESPACE
