// The LSTM of lstm.h with what its fields change inside of a step (src/trainer/layers/lstm.ts and recurrent-masks.ts have
// papers): peepholes p, masks m of the update (recurrent dropout), zoneout of h and of c.
//
//   i, f also read p ⊙ c_{t-1}, o reads p ⊙ ĉ_t      ĉ_t = f ⊙ c_{t-1} + i ⊙ g ⊙ m      ĥ_t = o ⊙ tanh(ĉ_t)
//   c_t, h_t: of each unit the new number or the last one, or (1 - rate) new + rate last where there are no masks
//
// The cache holds c_t; where zoneout made it, ĉ_t is computed again on the way back.
#pragma once
#include "lstm.h"
#include "pack.h"

namespace UNROLL_NAMESPACE {

/** The new number, or what stays of the last one; `mask` null: the expectation. */
UNROLL_INLINE Vec zoned(const CellFields &f, const float *mask, Index lanes, Vec after, Vec before) {
  if (mask) return load_part(mask, lanes) == Vec{} ? before : after;
  return multiply_add(splat(f.zoneout), before - after, after);
}
/** What of a gradient goes to the new number. */
UNROLL_INLINE Vec moving(const CellFields &f, const float *mask, Index lanes, Vec gradient) {
  if (mask) return load_part(mask, lanes) == Vec{} ? Vec{} : gradient;
  return gradient - splat(f.zoneout) * gradient;
}

struct LstmVariant : Lstm {
  template <int R, bool FUSED> UNROLL_NOINLINE void forward_tile(const BlockForward &b, const StepFields &s, Index unit, int row) {
    Vec acc[R][4];
    sums<R, FUSED>(acc, b, row);
    UNROLL_PHASE(GATES)
    const CellFields &fields = *s.fields;
    const Index lanes = clamp_lanes(b.H - unit);
    const float *peephole = beyond(fields.peephole, unit);
    float *gates = b.gates + row * 4 * WIDTH;
#pragma GCC unroll 8
    for (int r = 0; r < R; r++, gates += 4 * WIDTH) {
      const Index at = (row + r) * WIDTH, place = s.place(row + r) + unit;
      if constexpr (SPLIT_FOUR)
        for (int v = 0; v < 4; v++) acc[r][v] = load(gates + v * WIDTH);
      const Vec before = load(b.c_prev + at);
      if (peephole) {
        acc[r][0] = multiply_add(load_part(peephole, lanes), before, acc[r][0]);
        acc[r][1] = multiply_add(load_part(peephole + b.H, lanes), before, acc[r][1]);
      }
      Vec a[3] = {sigmoid_before(acc[r][0]), sigmoid_before(acc[r][1]), acc[r][2]};
      tanh_all(a);
      const Vec i = sigmoid_after(a[0]), f = sigmoid_after(a[1]), g = a[2];
      const Vec update = fields.update_mask ? i * g * load_part(fields.update_mask + place, lanes) : i * g;
      const Vec cell = multiply_add(f, before, update);
      Vec o = acc[r][3];
      if (peephole) o = multiply_add(load_part(peephole + 2 * b.H, lanes), cell, o);
      Vec last[2] = {sigmoid_before(o), cell};
      tanh_all(last);
      o = sigmoid_after(last[0]);
      store(gates, i);
      store(gates + WIDTH, f);
      store(gates + 2 * WIDTH, g);
      store(gates + 3 * WIDTH, o);
      Vec h = o * last[1], c = cell;
      if (fields.zones) {
        h = zoned(fields, beyond(fields.zoneout_h, place), lanes, h, load(b.h_prev + (row + r) * b.h_stride));
        c = zoned(fields, beyond(fields.zoneout_c, place), lanes, c, before);
      }
      store(b.c + at, c);
      store(b.h + (row + r) * b.h_stride, h);
    }
  }

  template <bool FUSED> static void forward(const StepForward &s) {
    for (int block = s.blocks.from; block < s.blocks.to; block++) {
      const BlockForward b = block_of(s, block);
      each_tile<SPLIT_FOUR ? max_rows(2) : max_rows(4)>(b.rows, [&](int row, auto rows) {
        forward_tile<rows.value, FUSED>(b, s.fields, (Index)block * WIDTH, row);
      });
    }
  }

  /** ĉ_t of vector v of a block's row. */
  UNROLL_INLINE Vec cell_of(const BlockBackward &b, const CellFields &fields, int v, Index at, Index place, Index units) {
    if (!fields.zones) return load(b.c + v * b.c_stride + at);
    const float *gates = b.gates + v * b.gates_stride + 4 * at;
    Vec update = load(gates) * load(gates + 2 * WIDTH);
    if (fields.update_mask) update *= load_part(fields.update_mask + place + v * WIDTH, clamp_lanes(units - v * WIDTH));
    return multiply_add(load(gates + WIDTH), load(b.c_prev + v * b.c_stride + at), update);
  }

  template <int R, int NV, bool REPORT>
  UNROLL_NOINLINE void backward_tile(const BlockBackward &b, const StepFields &s, Index first_unit, int row) {
    float buffer[R * NV * WIDTH];
    hidden_gradient_rows<R, NV, 4, 0, 4>(buffer, b, row);
    auto tally = Tally<4>::start();
    const CellFields &fields = *s.fields;
    const Index H = s.H;
    const Vec one = splat(1.f);
    Vec sums[3][NV];
    for (int p = 0; p < 3; p++)
      for (int v = 0; v < NV; v++) sums[p][v] = Vec{};
#pragma GCC unroll 1
    for (int r = 0; r < R; r++) {
      const Index at = (row + r) * WIDTH, row_place = s.place(row + r);
      Vec h_squares = REPORT ? load(b.h_squares + at) : Vec{}, c_squares = REPORT ? load(b.c_squares + at) : Vec{};
      Vec tanh_c[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) tanh_c[v] = cell_of(b, fields, v, at, row_place + first_unit, H - first_unit);
      tanh_all(tanh_c);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) {
        const Index unit = first_unit + v * WIDTH, lanes = clamp_lanes(H - unit), place = row_place + unit;
        const float *gates = b.gates + v * b.gates_stride + 4 * at;
        float *dgates = b.dgates + v * b.block_stride + 4 * at, *carry = b.carry + v * b.c_stride + at;
        const Vec i = load(gates), f = load(gates + WIDTH), g = load(gates + 2 * WIDTH), o = load(gates + 3 * WIDTH);
        const Vec i_slope = i * (one - i), f_slope = f * (one - f), g_slope = one - g * g, o_slope = o * (one - o);
        const Vec before = load(b.c_prev + v * b.c_stride + at);
        const Vec mask = fields.update_mask ? load_part(fields.update_mask + place, lanes) : one;
        Vec total = load(buffer + (r * NV + v) * WIDTH), dmade = total;
        const Vec total_c = load(carry);
        Vec dcell = total_c, stays{};
        if (fields.zones) {
          float *carry_h = s.carry_h + (b.carry - s.carry) + v * b.c_stride + at;
          total += load(carry_h);
          dmade = moving(fields, beyond(fields.zoneout_h, place), lanes, total);
          store(carry_h, total - dmade);
          dcell = moving(fields, beyond(fields.zoneout_c, place), lanes, total_c);
          stays = total_c - dcell;
        }
        const Vec dout = dmade * tanh_c[v] * o_slope;
        dcell = multiply_add(dmade * o, one - tanh_c[v] * tanh_c[v], dcell);
        if (fields.peephole) dcell = multiply_add(load_part(fields.peephole + 2 * H + unit, lanes), dout, dcell);
        const Vec masked = dcell * mask;
        const Vec din = masked * g * i_slope, dforget = dcell * before * f_slope;
        Vec back = multiply_add(dcell, f, stays);
        if (fields.peephole) {
          back = multiply_add(load_part(fields.peephole + unit, lanes), din, back);
          back = multiply_add(load_part(fields.peephole + H + unit, lanes), dforget, back);
          sums[0][v] = multiply_add(din, before, sums[0][v]);
          sums[1][v] = multiply_add(dforget, before, sums[1][v]);
          sums[2][v] = multiply_add(dout, cell_of(b, fields, v, at, row_place + first_unit, H - first_unit), sums[2][v]);
        }
        store(carry, back);
        store(dgates, din);
        store(dgates + WIDTH, dforget);
        store(dgates + 2 * WIDTH, masked * i * g_slope);
        store(dgates + 3 * WIDTH, dout);
        if constexpr (REPORT) {
          tally.sigmoid(0, i, i_slope);
          tally.sigmoid(1, f, f_slope);
          tally.tanh(2, g, g_slope);
          tally.sigmoid(3, o, o_slope);
          // the total derivative by c_t, of which h_t reads the part that is not zoned
          const Vec dc = fields.zones ? total_c : dcell;
          h_squares = multiply_add(total, total, h_squares);
          c_squares = multiply_add(dc, dc, c_squares);
        }
      }
      if constexpr (REPORT) {
        store(b.h_squares + at, h_squares);
        store(b.c_squares + at, c_squares);
      }
    }
    if (fields.peephole)
      for (int p = 0; p < 3; p++)
        for (int v = 0; v < NV; v++) {
          float *to = s.peephole_sums + p * s.hidden_padded + first_unit + v * WIDTH;
          store(to, load(to) + sums[p][v]);
        }
    if constexpr (REPORT) tally.add_to(b.statistics);
  }

  template <bool REPORT> static void backward(const StepBackward &s, const BlockBackward &b) {
    const Index unit = (b.carry - s.carry) / s.slab_rows;
    with_constant<MAX_VECTORS>(s.layout.hidden_vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      each_tile<max_rows(NV)>(b.rows, [&](int row, auto rows) {
        backward_tile<rows.value, NV, REPORT>(b, s.fields, unit, row);
      });
    });
  }
};

}  // namespace UNROLL_NAMESPACE
