// Recurrent cells with what their fields change (src/trainer/layers/lstm.ts, gru.ts, rnn.ts and masks.ts have equations and
// papers): peepholes, layer norm, dropout of the state that is read and of the update, zoneout. Inputs come projected,
// with their biases, so that the products over all steps at once are those of gemm; a step is the recurrent product of a
// slab's rows and then one pass over each row. With layer norm the inputs come bare, and a step normalises them too, while
// their row is in the cache.
//
//   projected, dprojected, dhidden   (T, B, G·H)     a = projected_t + W_hh read_t + b_hh,  read_t = h_{t-1} ⊙ masks
//                                                    a = gain_ih N(projected_t) + gain_hh N(W_hh read_t) + b
//   gains                            (3, G·H)        gain_hh, gain_ih, b; dgains alike
//   gates                            (T, B, slots·H) i f g o; r z n hn; φ(a) of a cell without gates; of sLSTM
//                                    exp(i - m) kept z o σ(-f)
//   cells, read                      (T, B, H); cells of sLSTM (T, B, 3·H): c n m
//   normed                           (T, B, G·H) the normalised product, then (3, T, B) its 1/deviation, and mean and
//                                    1/deviation of the inputs
//
// A slab's rows stand by falling length, so that at each step the first ones are active.
#pragma once
#include "formula.h"
#include "layer_norm.h"
#include "recurrent_report.h"
#include "rnn.h"
#include "pack.h"

namespace UNROLL_NAMESPACE {

struct VariantLayout {
  int cell, T, B, H, threads, slabs, rows;
  bool rnn, lstm, slstm;
  int blocks, slots, gates;
  int states;  // of a row: h, and c, or c n m
  Index padded, row;  // H in whole vectors; a row of the product
  Index read_stride;

  VariantLayout(int cell, int T, int B, int H) : cell(cell), T(T), B(B), H(H) {
    lstm = cell == UNROLL_LSTM;
    slstm = cell == UNROLL_SLSTM;
    rnn = !lstm && !slstm && cell != UNROLL_GRU_RESET_AFTER;
    blocks = lstm || slstm ? 4 : rnn ? 1 : 3;
    slots = rnn ? 1 : slstm ? 5 : 4;
    gates = rnn || slstm ? 0 : blocks;
    states = slstm ? 4 : 2;
    threads = unroll::thread_count();
    slabs = larger(smaller(threads, B), 1);
    rows = (B + slabs - 1) / slabs;
    padded = (H + WIDTH - 1) / WIDTH * WIDTH;
    row = blocks * padded;
    read_stride = odd_lines(larger<Index>(padded, row));
  }

  Size order_floats() const { return (Size(2) * B + T + 2 + 15) / 16 * 16; }
  Size packed_floats() const { return row * padded; }
  /** Of a slab: states or their gradients, what is read, the product, and rows for a moment. */
  Size slab_floats() const { return (Size)rows * (states * padded + 2 * read_stride + row) + 4 * padded; }
  /** Numbers of a row of the cell state as it is handed over. */
  Index cell_width() const { return (states - 1) * (Index)H; }
  /** Of a slab on the way back: sums of the vectors' gradients, and of the report. */
  Size sums_floats() const { return 3 * padded + 3 * row + 2 * padded + (Size(2) + 2 * gates) * T; }
  Size scratch_floats() const { return order_floats() + packed_floats() + slabs * (slab_floats() + sums_floats()); }
};

/** Of a loop's body: whole vectors and the last one are compiled apart, so that whole ones ask nothing. */
#define UNROLL_ALWAYS __attribute__((always_inline))

/** Calls f(unit, lanes) for the vectors of a row. */
template <class F> UNROLL_INLINE void each_unit(Index H, F f) {
  Index i = 0;
  for (; i + WIDTH <= H; i += WIDTH) f(i, (Index)WIDTH);
  if (i < H) f(i, H - i);
}

/** Column vector `column` of W_hhᵀ, gate by gate, in panels of up to four. */
static void pack_variant_forward(const VariantLayout &l, const float *weight, float *packed, int panel) {
  const int vectors = (int)(l.row / WIDTH), first = panel * MAX_VECTORS, here = smaller(MAX_VECTORS, vectors - first);
  float *to = packed + (Index)first * WIDTH * l.H;
  for (int v = 0; v < here; v++) {
    const Index column = (Index)(first + v) * WIDTH, gate = column / l.padded, unit = column % l.padded;
    pack_column(to + v * WIDTH, (Index)here * WIDTH, weight + (gate * l.H + unit) * l.H, l.H, clamp_lanes(l.H - unit), l.H);
  }
}

/** Columns of W_hh in panels of up to four, over the rows of all gates. */
static void pack_variant_backward(const VariantLayout &l, const float *weight, float *packed, int panel) {
  const int vectors = (int)(l.padded / WIDTH), first = panel * MAX_VECTORS, here = smaller(MAX_VECTORS, vectors - first);
  float *to = packed + (Index)first * WIDTH * l.row;
  for (Index k = 0; k < l.row; k++, to += here * WIDTH) {
    const Index gate = k / l.padded, unit = k % l.padded;
    for (int v = 0; v < here; v++) {
      const Index column = (Index)(first + v) * WIDTH, lanes = unit < l.H ? clamp_lanes(l.H - column) : 0;
      store(to + v * WIDTH, lanes > 0 ? load_part(weight + (gate * l.H + unit) * l.H + column, lanes) : Vec{});
    }
  }
}

/** out (rows, columns in whole vectors) = a (rows, K) · packed. */
static void variant_product(float *out, Index out_stride, const float *a, Index a_stride, const float *packed, Index K,
                            int vectors, int rows) {
  for (int first = 0; first < vectors; first += MAX_VECTORS) {
    const int here = smaller(MAX_VECTORS, vectors - first);
    const float *panel = packed + (Index)first * WIDTH * K;
    with_constant<MAX_VECTORS>(here, [&](auto constant) {
      constexpr int NV = constant.value;
      each_tile<max_rows(NV)>(rows, [&](int row, auto count) {
        product_tile<count.value, NV>(out + row * out_stride + first * WIDTH, out_stride, nullptr, a + row * a_stride,
                                      a_stride, panel, K);
      });
    });
  }
}

UNROLL_INLINE int panels_of(Index floats) { return (int)((floats / WIDTH + MAX_VECTORS - 1) / MAX_VECTORS); }

UNROLL_INLINE Vec phi_of(int cell, Vec a) {
  switch (cell) {
    case UNROLL_RNN_RELU: return Rnn<UNROLL_RNN_RELU>::phi(a);
    case UNROLL_RNN_SIGMOID: return Rnn<UNROLL_RNN_SIGMOID>::phi(a);
    case UNROLL_RNN_LEAKY_RELU: return Rnn<UNROLL_RNN_LEAKY_RELU>::phi(a);
    case UNROLL_RNN_LINEAR: return Rnn<UNROLL_RNN_LINEAR>::phi(a);
    default: return Rnn<UNROLL_RNN_TANH>::phi(a);
  }
}
UNROLL_INLINE Vec slope_of(int cell, Vec h) {
  switch (cell) {
    case UNROLL_RNN_RELU: return Rnn<UNROLL_RNN_RELU>::slope(h);
    case UNROLL_RNN_SIGMOID: return Rnn<UNROLL_RNN_SIGMOID>::slope(h);
    case UNROLL_RNN_LEAKY_RELU: return Rnn<UNROLL_RNN_LEAKY_RELU>::slope(h);
    case UNROLL_RNN_LINEAR: return Rnn<UNROLL_RNN_LINEAR>::slope(h);
    default: return Rnn<UNROLL_RNN_TANH>::slope(h);
  }
}

constexpr float NORM_EPSILON = 1e-5f;

/** What a norm subtracts, and what it multiplies by. */
struct Norm {
  float mean, inverse;
  __attribute__((always_inline)) Vec of(Vec v) const { return (v - splat(mean)) * splat(inverse); }
};

/** Of PARTS stretches of H numbers, `apart` from each other: each has sums of its own, so that none waits for another. */
template <int PARTS> UNROLL_INLINE Norm statistics_of(const float *x, Index H, Index apart) {
  Vec sums[PARTS] = {}, squares[PARTS] = {};
  auto total = [](Vec (&parts)[PARTS]) UNROLL_ALWAYS {
    for (int part = 1; part < PARTS; part++) parts[0] += parts[part];
    return sum_of_lanes(parts[0]);
  };
  each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
#pragma GCC unroll 4
    for (int part = 0; part < PARTS; part++) sums[part] += only(load_part(x + part * apart + i, lanes), lanes);
  });
  const float count = (float)(PARTS * H), mean = total(sums) / count;
  each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
#pragma GCC unroll 4
    for (int part = 0; part < PARTS; part++) {
      const Vec d = only(load_part(x + part * apart + i, lanes) - splat(mean), lanes);
      squares[part] = multiply_add(d, d, squares[part]);
    }
  });
  return {mean, 1 / __builtin_sqrtf(total(squares) / count + NORM_EPSILON)};
}

/** to (parts, padded) = the cell state of a sequence; null: zeros. */
static void cell_in(const VariantLayout &l, float *to, const float *from) {
  for (int part = 0; from && part < l.states - 1; part++) copy(to + part * l.padded, from + part * l.H, l.H);
}

static void cell_out(const VariantLayout &l, float *to, const float *from) {
  for (int part = 0; part < l.states - 1; part++) copy(to + part * l.H, from + part * l.padded, l.H);
}

/** Masks of one row of one step; null: none. */
struct RowMasks {
  const float *state, *update, *zone_h, *zone_c;
};

template <class Call> struct VariantPass {
  const Call &call;
  const VariantLayout l;
  int *order, *sorted_lengths;
  float *packed, *slabs_at;
  bool expected;
  Vec rate;

  VariantPass(const Call &c)
      : call(c), l(c.cell, c.seq_len, c.batch, c.hidden_size), order((int *)c.scratch),
        sorted_lengths(c.lengths ? order + l.B : nullptr), packed(c.scratch + l.order_floats()),
        slabs_at(packed + l.packed_floats()), expected(c.zoneout > 0 && !c.zoneout_h), rate(splat((float)c.zoneout)) {
    Layout plain{};
    plain.T = l.T, plain.B = l.B, plain.slabs = l.slabs;
    order_sequences(plain, c.lengths, order, sorted_lengths, order + 2 * l.B);
  }

  int rows_of(int slab) const { return l.B / l.slabs + (slab < l.B % l.slabs); }
  int first_of(int slab) const { return slab * (l.B / l.slabs) + smaller(slab, l.B % l.slabs); }
  int length(int place) const { return sorted_lengths ? sorted_lengths[place] : l.T; }
  int time(int place, int step) const { return call.reverse ? length(place) - 1 - step : step; }
  /** The row of (T, B, …) of a place's step. */
  Index at(int place, int step) const { return (Index)time(place, step) * l.B + order[place]; }
  RowMasks masks(int place, int step) const {
    const Index row = at(place, step) * l.H, b = (Index)order[place] * l.H;
    return {call.state_mask ? call.state_mask + b : nullptr, call.update_mask ? call.update_mask + row : nullptr,
            call.zoneout_h ? call.zoneout_h + row : nullptr, call.zoneout_c ? call.zoneout_c + row : nullptr};
  }
  int active(int slab, int step) const {
    const int first = first_of(slab), rows = rows_of(slab);
    int count = 0;
    while (count < rows && length(first + count) > step) count++;
    return count;
  }
  bool zones() const { return expected || call.zoneout_h; }
  /** Number `part` of the three that stand behind the normalised products, of one row. */
  float &norm_at(float *normed, int part, Index row) const {
    const Index rows = (Index)l.T * l.B;
    return normed[rows * 4 * l.H + part * rows + row];
  }
  /** The new state, or what stays of the old one. */
  UNROLL_INLINE Vec zoned(Vec after, Vec before, const float *mask, Index i, Index lanes, const VariantPass &p) {
    if (mask) return load_part(mask + i, lanes) == Vec{} ? before : after;
    return p.expected ? multiply_add(p.rate, before - after, after) : after;
  }
  /** What of a gradient goes to the new state. */
  UNROLL_INLINE Vec moving(Vec gradient, const float *mask, Index i, Index lanes, const VariantPass &p) {
    if (mask) return load_part(mask + i, lanes) == Vec{} ? Vec{} : gradient;
    return p.expected ? gradient - p.rate * gradient : gradient;
  }
  void pack(int thread, bool forward) const {
    const int panels = panels_of(forward ? l.row : l.padded);
    for (int panel = thread; panel < panels; panel += l.threads) {
      if (forward)
        pack_variant_forward(l, call.weight_hh, packed, panel);
      else
        pack_variant_backward(l, call.weight_hh, packed, panel);
    }
  }
};

struct VariantForwardPass : VariantPass<UnrollVariantForward> {
  using VariantPass::VariantPass;

  template <bool NORMS>
  void lstm_row(const RowMasks &m, Index row, const float *product, float *h, float *c, float *moment) const {
    const Index H = l.H, P = l.padded;
    const float *x = call.projected + row * 4 * H, *gains = call.gains;
    float *gates = call.gates ? call.gates + row * 4 * H : nullptr;
    float *normed = NORMS && call.normed ? call.normed + row * 4 * H : nullptr;
    Norm hidden{}, input{};
    if constexpr (NORMS) {
      hidden = statistics_of<4>(product, H, P);
      input = statistics_of<4>(x, H, H);
      if (normed) {
        norm_at(call.normed, 0, row) = hidden.inverse;
        norm_at(call.normed, 1, row) = input.mean;
        norm_at(call.normed, 2, row) = input.inverse;
      }
    }
    float *fresh = moment, *out_gate = moment + P;
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      Vec sum[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) {
        if constexpr (NORMS) {
          const float *of_gate = gains + k * H + i;
          const Vec v = hidden.of(load(product + k * P + i));
          if (normed) store_part(normed + k * H + i, v, lanes);
          const Vec a = input.of(load_part(x + k * H + i, lanes));
          sum[k] = multiply_add(a, load_part(of_gate + 4 * H, lanes), load_part(of_gate + 8 * H, lanes));
          sum[k] = multiply_add(v, load_part(of_gate, lanes), sum[k]);
        } else
          sum[k] = load(product + k * P + i) + load_part(x + k * H + i, lanes);
      }
      const Vec before = load(c + i);
      if (call.peephole) {
        sum[0] = multiply_add(load_part(call.peephole + i, lanes), before, sum[0]);
        sum[1] = multiply_add(load_part(call.peephole + H + i, lanes), before, sum[1]);
      }
      Vec a[3] = {sigmoid_before(sum[0]), sigmoid_before(sum[1]), sum[2]};
      tanh_all(a);
      const Vec in = sigmoid_after(a[0]), forget = sigmoid_after(a[1]), g = a[2];
      const Vec update = m.update ? g * load_part(m.update + i, lanes) : g;
      const Vec cell = multiply_add(forget, before, in * update);
      Vec o = sum[3];
      if (call.peephole) o = multiply_add(load_part(call.peephole + 2 * H + i, lanes), cell, o);
      Vec b[NORMS ? 1 : 2];
      b[0] = sigmoid_before(o);
      if constexpr (!NORMS) b[1] = cell;
      tanh_all(b);
      o = sigmoid_after(b[0]);
      if (gates) {
        store_part(gates + i, in, lanes);
        store_part(gates + H + i, forget, lanes);
        store_part(gates + 2 * H + i, g, lanes);
        store_part(gates + 3 * H + i, o, lanes);
      }
      const Vec kept = zoned(cell, before, m.zone_c, i, lanes, *this);
      store(c + i, kept);
      if (call.cells) store_part(call.cells + row * H + i, kept, lanes);
      if constexpr (NORMS) {
        store(fresh + i, cell);
        store(out_gate + i, o);
      } else
        store(h + i, zoned(o * b[1], load(h + i), m.zone_h, i, lanes, *this));
    });
    if constexpr (!NORMS) return;
    const Norm own = statistics_of<1>(fresh, H, P);
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      const Vec v = own.of(load(fresh + i));
      Vec seen[1] = {multiply_add(v, load_part(call.gain_cell + i, lanes), load_part(call.bias_cell + i, lanes))};
      tanh_all(seen);
      store(h + i, zoned(load(out_gate + i) * seen[0], load(h + i), m.zone_h, i, lanes, *this));
    });
  }

  void gru_row(const RowMasks &m, Index row, const float *product, float *h) const {
    const Index H = l.H, P = l.padded;
    const float *x = call.projected + row * 3 * H, *bias = call.bias_hh;
    float *gates = call.gates ? call.gates + row * 4 * H : nullptr;
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      Vec hidden[3];
#pragma GCC unroll 3
      for (int k = 0; k < 3; k++) {
        hidden[k] = load(product + k * P + i);
        if (bias) hidden[k] += load_part(bias + k * H + i, lanes);
      }
      Vec a[2] = {sigmoid_before(load_part(x + i, lanes) + hidden[0]), sigmoid_before(load_part(x + H + i, lanes) + hidden[1])};
      tanh_all(a);
      const Vec r = sigmoid_after(a[0]), z = sigmoid_after(a[1]), before = load(h + i);
      const Vec n = precise_tanh(multiply_add(r, hidden[2], load_part(x + 2 * H + i, lanes)));
      const Vec update = m.update ? n * load_part(m.update + i, lanes) : n;
      if (gates) {
        store_part(gates + i, r, lanes);
        store_part(gates + H + i, z, lanes);
        store_part(gates + 2 * H + i, n, lanes);
        store_part(gates + 3 * H + i, hidden[2], lanes);
      }
      store(h + i, zoned(multiply_add(z, before - update, update), before, m.zone_h, i, lanes, *this));
    });
  }

  void rnn_row(const RowMasks &m, Index row, const float *product, float *h) const {
    each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      const Vec made = phi_of(l.cell, load(product + i) + load_part(call.projected + row * l.H + i, lanes));
      if (call.gates) store_part(call.gates + row * l.H + i, made, lanes);
      store(h + i, zoned(made, load(h + i), m.zone_h, i, lanes, *this));
    });
  }

  /** c: the states c, n and m, each `padded`. With m the largest exponent so far no exponential overflows. */
  void slstm_row(Index row, const float *product, float *h, float *c) const {
    const Index H = l.H, P = l.padded;
    const float *x = call.projected + row * 4 * H;
    float *gates = call.gates ? call.gates + row * 5 * H : nullptr, *cells = call.cells ? call.cells + row * 3 * H : nullptr;
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      Vec sum[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) sum[k] = load(product + k * P + i) + load_part(x + k * H + i, lanes);
      const Vec before = load(c + 2 * P + i) - softplus(-sum[1]), limit = sum[0] > before ? sum[0] : before;
      const Vec in = exponential(sum[0] - limit), kept = exponential(before - limit), one = splat(1.f);
      const Vec z = precise_tanh(sum[2]);
      const Vec o = sigmoid_after(precise_tanh(sigmoid_before(sum[3])));
      const Vec cell = multiply_add(kept, load(c + i), in * z), norm = multiply_add(kept, load(c + P + i), in);
      store(h + i, o * cell / norm);
      store(c + i, cell);
      store(c + P + i, norm);
      store(c + 2 * P + i, limit);
      if (cells) {
        store_part(cells + i, cell, lanes);
        store_part(cells + H + i, norm, lanes);
        store_part(cells + 2 * H + i, limit, lanes);
      }
      if (!gates) return;
      const Vec closed = one - sigmoid_after(precise_tanh(sigmoid_before(sum[1])));
      const Vec left[5] = {in, kept, z, o, closed};
#pragma GCC unroll 5
      for (int k = 0; k < 5; k++) store_part(gates + k * H + i, left[k], lanes);
    });
  }

  void read_row(const RowMasks &m, Index row, const float *h, float *read) const {
    each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      Vec v = load(h + i);
      if (m.state) v *= load_part(m.state + i, lanes);
      if (l.rnn && m.update) v *= load_part(m.update + i, lanes);
      store(read + i, v);
      if (call.read) store_part(call.read + row * l.H + i, v, lanes);
    });
  }

  void run(int slab) const {
    const int first = first_of(slab), rows = rows_of(slab);
    float *h = slabs_at + slab * (l.slab_floats() + l.sums_floats()), *c = h + rows * l.padded;
    const Index cell_row = (l.states - 1) * l.padded;
    float *read = c + rows * cell_row, *product = read + 2 * rows * l.read_stride, *moment = product + rows * l.row;
    fill(h, l.states * rows * l.padded, 0.f);
    for (int row = 0; row < rows; row++) {
      const Index b = order[first + row];
      if (call.h0) copy(h + row * l.padded, call.h0 + b * l.H, l.H);
      cell_in(l, c + row * cell_row, call.c0 ? call.c0 + b * l.cell_width() : nullptr);
    }
    for (int step = 0, count; (count = active(slab, step)) > 0 && step < l.T; step++) {
      for (int row = 0; row < count; row++)
        read_row(masks(first + row, step), at(first + row, step), h + row * l.padded, read + row * l.read_stride);
      variant_product(product, l.row, read, l.read_stride, packed, l.H, (int)(l.row / WIDTH), count);
      for (int row = 0; row < count; row++) {
        const RowMasks m = masks(first + row, step);
        const Index to = at(first + row, step);
        float *state = h + row * l.padded;
        if (l.lstm && call.gains)
          lstm_row<true>(m, to, product + row * l.row, state, c + row * l.padded, moment);
        else if (l.lstm)
          lstm_row<false>(m, to, product + row * l.row, state, c + row * l.padded, moment);
        else if (l.slstm)
          slstm_row(to, product + row * l.row, state, c + row * cell_row);
        else if (l.rnn)
          rnn_row(m, to, product + row * l.row, state);
        else
          gru_row(m, to, product + row * l.row, state);
        copy(call.y + to * l.H, state, l.H);
      }
    }
    for (int row = 0; row < rows; row++) {
      const Index b = order[first + row];
      copy(call.h_n + b * l.H, h + row * l.padded, l.H);
      if (call.c_n) cell_out(l, call.c_n + b * l.cell_width(), c + row * cell_row);
      for (Index t = length(first + row); t < l.T; t++) {
        fill(call.y + (t * l.B + b) * l.H, l.H, 0.f);
        if (call.read) fill(call.read + (t * l.B + b) * l.H, l.H, 0.f);
      }
    }
  }
};

static double variant_forward(const UnrollVariantForward *call) {
  const VariantForwardPass pass(*call);
  on_threads(pass.l.threads, [&](int thread) {
    pass.pack(thread, true);
  });
  on_threads(pass.l.slabs, [&](int slab) { pass.run(slab); });
  return 0;
}

/** Sums of one slab on the way back, in whole vectors. */
struct VariantSums {
  float *peephole, *gains, *gain_cell, *bias_cell, *hidden, *cell, *mean, *saturated;

  VariantSums(const VariantLayout &l, float *at)
      : peephole(at), gains(at + 3 * l.padded), gain_cell(gains + 3 * l.row), bias_cell(gain_cell + l.padded),
        hidden(bias_cell + l.padded), cell(hidden + l.T), mean(cell + l.T), saturated(mean + (Index)l.gates * l.T) {}
};

UNROLL_INLINE void add_at(float *to, Vec v) { store(to, load(to) + v); }

struct VariantBackwardPass : VariantPass<UnrollVariantBackward> {
  using VariantPass::VariantPass;

  /** dh and dc: of the state behind the step; left in them is what goes to the one before, but for the product's part. */
  template <bool NORMS>
  void lstm_row(const RowMasks &m, Index row, const float *before_cell, float *dh, float *dc, float *dproduct,
                float *moment, const VariantSums &s) const {
    const Index H = l.H, P = l.padded;
    const float *gates = call.gates + row * 4 * H;
    float *dx = call.dprojected + row * 4 * H;
    const Vec one = splat(1.f);
    const float *zone_c = m.zone_c, *zone_h = m.zone_h;
    auto cell_of = [&](Index i, Index lanes, Vec &before) {
      before = before_cell ? load_part(before_cell + i, lanes) : Vec{};
      Vec update = load_part(gates + 2 * H + i, lanes);
      if (m.update) update *= load_part(m.update + i, lanes);
      return multiply_add(load_part(gates + H + i, lanes), before, load_part(gates + i, lanes) * update);
    };
    float *hat = moment, *dhat = moment + P;
    float mean_of_d = 0, mean_of_both = 0;
    Norm own{};
    if constexpr (NORMS) {
      float *fresh = moment + 2 * P;
      each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
        Vec before;
        store(fresh + i, cell_of(i, lanes, before));
      });
      own = statistics_of<1>(fresh, H, P);
      Vec sum{}, both{};
      each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
        const Vec v = only(own.of(load(fresh + i)), lanes);
        const Vec gain = load_part(call.gain_cell + i, lanes);
        Vec seen[1] = {multiply_add(v, gain, load_part(call.bias_cell + i, lanes))};
        tanh_all(seen);
        const Vec dmade = moving(load(dh + i), zone_h, i, lanes, *this);
        const Vec dz = dmade * load_part(gates + 3 * H + i, lanes) * (one - seen[0] * seen[0]);
        add_at(s.gain_cell + i, dz * v);
        add_at(s.bias_cell + i, dz);
        const Vec d = dz * gain;
        store(hat + i, v);
        store(dhat + i, d);
        // tanh of what the output sees, in the place of the cell, which the next loop makes anew
        store(fresh + i, seen[0]);
        sum += d;
        both = multiply_add(d, v, both);
      });
      mean_of_d = sum_of_lanes(sum) / (float)H, mean_of_both = sum_of_lanes(both) / (float)H;
    }
    const float *x = NORMS ? call.projected + row * 4 * H : nullptr, *normed = NORMS ? call.normed + row * 4 * H : nullptr;
    Norm hidden{}, input{};
    if constexpr (NORMS) {
      float *all = const_cast<float *>(call.normed);
      hidden.inverse = norm_at(all, 0, row), input = {norm_at(all, 1, row), norm_at(all, 2, row)};
    }
    // of the gradients by both norms, and of their products with what was normalised
    Vec of_hidden{}, of_input{}, by_hidden{}, by_input{};
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      Vec before;
      const Vec cell = cell_of(i, lanes, before);
      const Vec in = load_part(gates + i, lanes), forget = load_part(gates + H + i, lanes);
      const Vec g = load_part(gates + 2 * H + i, lanes), o = load_part(gates + 3 * H + i, lanes);
      const Vec mask = m.update ? load_part(m.update + i, lanes) : one;
      const Vec total = load(dh + i), dmade = moving(total, zone_h, i, lanes, *this);
      const Vec total_c = load(dc + i);
      Vec dcell = moving(total_c, zone_c, i, lanes, *this);
      Vec tanh_c[1];
      if constexpr (NORMS)
        tanh_c[0] = load(moment + 2 * P + i);
      else {
        tanh_c[0] = cell;
        tanh_all(tanh_c);
      }
      const Vec dout = dmade * tanh_c[0] * o * (one - o);
      if constexpr (NORMS)
        dcell += splat(own.inverse) * (load(dhat + i) - splat(mean_of_d) - load(hat + i) * splat(mean_of_both));
      else
        dcell = multiply_add(dmade * o, one - tanh_c[0] * tanh_c[0], dcell);
      if (call.peephole) dcell = multiply_add(load_part(call.peephole + 2 * H + i, lanes), dout, dcell);
      const Vec din = dcell * g * mask * in * (one - in), dforget = dcell * before * forget * (one - forget);
      const Vec dg = dcell * in * mask * (one - g * g);
      Vec back = multiply_add(dcell, forget, total_c - moving(total_c, zone_c, i, lanes, *this));
      if (call.peephole) {
        back = multiply_add(load_part(call.peephole + i, lanes), din, back);
        back = multiply_add(load_part(call.peephole + H + i, lanes), dforget, back);
        add_at(s.peephole + i, din * before);
        add_at(s.peephole + P + i, dforget * before);
        add_at(s.peephole + 2 * P + i, dout * cell);
      }
      // the report takes the total derivative by c_t, of which h_t reads the part that is not zoned
      store(moment + 3 * P + i, zones() ? total_c : dcell);
      store(dc + i, back);
      store(dh + i, total - dmade);
      const Vec d[4] = {din, dforget, dg, dout};
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) {
        const Vec own_d = only(d[k], lanes);
        if constexpr (NORMS) {
          const Vec v = load_part(normed + k * H + i, lanes), a = only(input.of(load_part(x + k * H + i, lanes)), lanes);
          float *of_gate = s.gains + k * P + i;
          add_at(of_gate, own_d * v);
          add_at(of_gate + 4 * P, own_d * a);
          add_at(of_gate + 8 * P, own_d);
          const Vec to_hidden = own_d * load_part(call.gains + k * H + i, lanes);
          const Vec to_input = own_d * load_part(call.gains + (4 + k) * H + i, lanes);
          store(dproduct + k * P + i, to_hidden);
          store_part(dx + k * H + i, to_input, lanes);
          of_hidden += to_hidden, of_input += to_input;
          by_hidden = multiply_add(to_hidden, v, by_hidden), by_input = multiply_add(to_input, a, by_input);
        } else {
          store_part(dx + k * H + i, d[k], lanes);
          store(dproduct + k * P + i, own_d);
        }
      }
    });
    if constexpr (!NORMS) return;
    // gradients of the normalised sums become those of the sums
    auto mean_over = [&](Vec sum) { return splat(sum_of_lanes(sum) / (float)(4 * H)); };
    const Vec hidden_d = mean_over(of_hidden), hidden_both = mean_over(by_hidden);
    const Vec input_d = mean_over(of_input), input_both = mean_over(by_input);
    float *dhidden = call.dhidden + row * 4 * H;
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) {
        const Vec v = load_part(normed + k * H + i, lanes), a = input.of(load_part(x + k * H + i, lanes));
        const Vec d = (load(dproduct + k * P + i) - hidden_d - v * hidden_both) * splat(hidden.inverse);
        store(dproduct + k * P + i, only(d, lanes));
        store_part(dhidden + k * H + i, d, lanes);
        store_part(dx + k * H + i, (load_part(dx + k * H + i, lanes) - input_d - a * input_both) * splat(input.inverse), lanes);
      }
    });
  }

  /** dc: of c and n; m has no gradient, since it changes no h. */
  void slstm_row(Index row, const float *before_cells, float *dh, float *dc, float *dproduct) const {
    const Index H = l.H, P = l.padded;
    const float *gates = call.gates + row * 5 * H, *cells = call.cells + row * 3 * H;
    float *dx = call.dprojected + row * 4 * H;
    const Vec one = splat(1.f);
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      const Vec in = load_part(gates + i, lanes), kept = load_part(gates + H + i, lanes), z = load_part(gates + 2 * H + i, lanes);
      const Vec o = load_part(gates + 3 * H + i, lanes), closed = load_part(gates + 4 * H + i, lanes);
      const Vec before_c = before_cells ? load_part(before_cells + i, lanes) : Vec{};
      const Vec before_n = before_cells ? load_part(before_cells + H + i, lanes) : Vec{};
      // n is positive; lanes beyond the units have none
      Vec norm = load_part(cells + H + i, lanes);
      if (lanes < WIDTH) norm = lane_numbers() < (int)lanes ? norm : one;
      const Vec inverse = one / norm, mean = load_part(cells + i, lanes) * inverse;
      const Vec total = load(dh + i), of_mean = total * o * inverse;
      const Vec dcell = load(dc + i) + of_mean, dnorm = load(dc + P + i) - of_mean * mean;
      const Vec d[4] = {multiply_add(dcell, z, dnorm) * in, multiply_add(dcell, before_c, dnorm * before_n) * kept * closed,
                        dcell * in * (one - z * z), total * mean * o * (one - o)};
      store(dc + i, dcell * kept);
      store(dc + P + i, dnorm * kept);
      store(dh + i, Vec{});
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) {
        store_part(dx + k * H + i, d[k], lanes);
        store(dproduct + k * P + i, lanes < WIDTH ? (lane_numbers() < (int)lanes ? d[k] : Vec{}) : d[k]);
      }
    });
  }

  void gru_row(const RowMasks &m, Index row, const float *before_h, float *dh, float *dproduct) const {
    const Index H = l.H, P = l.padded;
    const float *gates = call.gates + row * 4 * H;
    float *dx = call.dprojected + row * 3 * H, *dhidden = call.dhidden + row * 3 * H;
    const Vec one = splat(1.f);
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      const Vec r = load_part(gates + i, lanes), z = load_part(gates + H + i, lanes);
      const Vec n = load_part(gates + 2 * H + i, lanes), hn = load_part(gates + 3 * H + i, lanes);
      const Vec mask = m.update ? load_part(m.update + i, lanes) : one;
      const Vec before = before_h ? load_part(before_h + i, lanes) : Vec{};
      const Vec total = load(dh + i), dmade = moving(total, m.zone_h, i, lanes, *this);
      const Vec dn = dmade * (one - z) * mask * (one - n * n), dr = dn * hn * r * (one - r);
      const Vec dz = dmade * (before - n * mask) * z * (one - z);
      store(dh + i, multiply_add(dmade, z, total - dmade));
      const Vec d[4] = {dr, dz, dn, dn * r};
#pragma GCC unroll 3
      for (int k = 0; k < 3; k++) {
        store_part(dx + k * H + i, d[k], lanes);
        const Vec own = k == 2 ? d[3] : d[k];
        store_part(dhidden + k * H + i, own, lanes);
        store(dproduct + k * P + i, lanes < WIDTH ? (lane_numbers() < (int)lanes ? own : Vec{}) : own);
      }
    });
  }

  void rnn_row(const RowMasks &m, Index row, float *dh, float *dproduct) const {
    each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      const Vec total = load(dh + i), dmade = moving(total, m.zone_h, i, lanes, *this);
      const Vec d = dmade * slope_of(l.cell, load_part(call.gates + row * l.H + i, lanes));
      store(dh + i, total - dmade);
      store_part(call.dprojected + row * l.H + i, d, lanes);
      store(dproduct + i, lanes < WIDTH ? (lane_numbers() < (int)lanes ? d : Vec{}) : d);
    });
  }

  static float norm_of(const float *v, Index H) {
    Vec squares{};
    each_unit(H, [&](Index i, Index lanes) UNROLL_ALWAYS {
      const Vec x = load_part(v + i, lanes);
      squares = multiply_add(x, x, squares);
    });
    return __builtin_sqrtf(sum_of_lanes(squares));
  }

  void add_gates(Index row, int column, const VariantSums &s) const {
    const float *gates = call.gates + row * l.slots * l.H;
    for (int gate = 0; gate < l.gates; gate++) {
      const bool is_tanh = gate == 2;
      Vec sum{}, beyond{};
      each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS {
        const Vec v = load_part(gates + gate * l.H + i, lanes);
        const Vec slope = is_tanh ? splat(1.f) - v * v : v * (splat(1.f) - v);
        Vec hit = slope < splat(is_tanh ? .19f : .09f) ? splat(1.f) : Vec{};
        if (lanes < WIDTH) hit = lane_numbers() < (int)lanes ? hit : Vec{};
        sum += v, beyond += hit;
      });
      s.mean[(Index)gate * l.T + column] += sum_of_lanes(sum);
      s.saturated[(Index)gate * l.T + column] += sum_of_lanes(beyond);
    }
  }

  float *sums_of(int slab) const {
    return slabs_at + slab * (l.slab_floats() + l.sums_floats()) + l.slab_floats();
  }

  void run(int slab) const {
    const int first = first_of(slab), rows = rows_of(slab);
    const bool report = call.hidden_grad_norm != nullptr, shared = call.dhidden == call.dprojected;
    float *dh = slabs_at + slab * (l.slab_floats() + l.sums_floats()), *dc = dh + rows * l.padded;
    const Index cell_row = (l.states - 1) * l.padded;
    float *dread = dc + rows * cell_row, *dproduct = dread + rows * l.read_stride;
    float *moment = dread + 2 * rows * l.read_stride + rows * l.row;
    const VariantSums s(l, sums_of(slab));
    fill(sums_of(slab), l.sums_floats(), 0.f);
    fill(dh, l.states * rows * l.padded, 0.f);
    for (int row = 0; row < rows; row++) {
      const Index b = order[first + row];
      if (call.dh_n) copy(dh + row * l.padded, call.dh_n + b * l.H, l.H);
      cell_in(l, dc + row * cell_row, call.dc_n ? call.dc_n + b * l.cell_width() : nullptr);
      if (l.slstm) fill(dc + row * cell_row + 2 * l.padded, l.padded, 0.f);
    }
    const int steps = rows > 0 ? length(first) : 0;
    for (int step = steps - 1; step >= 0; step--) {
      const int count = active(slab, step);
      for (int row = 0; row < count; row++) {
        const int place = first + row;
        const RowMasks m = masks(place, step);
        const Index to = at(place, step), b = order[place];
        float *own = dh + row * l.padded, *own_c = dc + row * cell_row, *out = dproduct + row * l.read_stride;
        if (call.dy)
          each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS { add_at(own + i, load_part(call.dy + to * l.H + i, lanes)); });
        const int column = !sorted_lengths ? (int)(to / l.B)
                           : call.reverse  ? time(place, step)
                                           : l.T - length(place) + step;
        if (report) {
          s.hidden[column] += norm_of(own, l.H);
          if (l.gates) add_gates(to, column, s);
        }
        const Index before = step > 0 ? at(place, step - 1) : 0;
        const float *h_before = step > 0 ? call.y + before * l.H : call.h0 ? call.h0 + b * l.H : nullptr;
        const float *c_before = !l.lstm && !l.slstm ? nullptr
                                : step > 0          ? call.cells + before * l.cell_width()
                                : call.c0           ? call.c0 + b * l.cell_width()
                                                    : nullptr;
        if (l.lstm) {
          if (call.gains)
            lstm_row<true>(m, to, c_before, own, own_c, out, moment, s);
          else
            lstm_row<false>(m, to, c_before, own, own_c, out, moment, s);
          if (report) s.cell[column] += norm_of(moment + 3 * l.padded, l.H);
        } else if (l.slstm)
          slstm_row(to, c_before, own, own_c, out);
        else if (l.rnn)
          rnn_row(m, to, own, out);
        else
          gru_row(m, to, h_before, own, out);
      }
      variant_product(dread, l.read_stride, dproduct, l.read_stride, packed, l.row, (int)(l.padded / WIDTH), count);
      for (int row = 0; row < count; row++) {
        const RowMasks m = masks(first + row, step);
        float *own = dh + row * l.padded;
        each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS {
          Vec v = load(dread + row * l.read_stride + i);
          if (m.state) v *= load_part(m.state + i, lanes);
          if (l.rnn && m.update) v *= load_part(m.update + i, lanes);
          add_at(own + i, v);
        });
      }
    }
    const Index width = (Index)l.blocks * l.H;
    for (int row = 0; row < rows; row++) {
      const Index b = order[first + row];
      if (call.dh0) copy(call.dh0 + b * l.H, dh + row * l.padded, l.H);
      if (call.dc0) cell_out(l, call.dc0 + b * l.cell_width(), dc + row * cell_row);
      for (Index t = length(first + row); t < l.T; t++) {
        fill(call.dprojected + (t * l.B + b) * width, width, 0.f);
        if (!shared) fill(call.dhidden + (t * l.B + b) * width, width, 0.f);
      }
    }
  }

  /** out (parts, H) = the sum of all slabs' rows, `offset` floats into their sums. */
  void add_up(float *out, int parts, Index offset) const {
    if (!out) return;
    for (int part = 0; part < parts; part++)
      each_unit(l.H, [&](Index i, Index lanes) UNROLL_ALWAYS {
        Vec sum{};
        for (int slab = 0; slab < l.slabs; slab++) sum += load(sums_of(slab) + offset + part * l.padded + i);
        store_part(out + part * l.H + i, sum, lanes);
      });
  }

  void finish() const {
    const VariantSums s(l, sums_of(0));
    add_up(call.dpeephole, 3, 0);
    add_up(call.dgains, 3 * l.blocks, s.gains - s.peephole);
    add_up(call.dgain_cell, 1, s.gain_cell - s.peephole);
    add_up(call.dbias_cell, 1, s.bias_cell - s.peephole);
    if (!call.hidden_grad_norm) return;
    for (int t = 0; t < l.T; t++) {
      int count = call.lengths ? 0 : l.B;
      for (int b = 0; call.lengths && b < l.B; b++) count += call.lengths[b] > (call.reverse ? t : l.T - 1 - t);
      const double share = count == 0 ? 0 : 1.0 / count;
      auto total = [&](const float *first, Index place) {
        const Index offset = first - s.peephole + place;
        double sum = 0;
        for (int slab = 0; slab < l.slabs; slab++) sum += sums_of(slab)[offset];
        return sum * share;
      };
      call.hidden_grad_norm[t] = (float)total(s.hidden, t);
      if (call.cell_grad_norm) call.cell_grad_norm[t] = (float)total(s.cell, t);
      for (int gate = 0; gate < l.gates; gate++) {
        const Index place = (Index)gate * l.T + t;
        if (call.gate_mean) call.gate_mean[place] = (float)(total(s.mean, place) / l.H);
        if (call.gate_saturation) call.gate_saturation[place] = (float)(total(s.saturated, place) / l.H);
      }
    }
  }
};

static double variant_backward(const UnrollVariantBackward *call) {
  const VariantBackwardPass pass(*call);
  on_threads(pass.l.threads, [&](int thread) {
    pass.pack(thread, false);
  });
  on_threads(pass.l.slabs, [&](int slab) { pass.run(slab); });
  pass.finish();
  return 0;
}

static double variant_memory(const UnrollVariantMemory *call) {
  return (double)VariantLayout(call->cell, call->seq_len, call->batch, call->hidden_size).scratch_floats();
}

}  // namespace UNROLL_NAMESPACE
