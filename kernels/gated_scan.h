// minGRU and minLSTM (L. Feng et al., 2024, https://arxiv.org/abs/2410.01201) from their projected inputs: gates and scan in
// one pass over memory. Nothing but h is kept: gates are computed again on the way back.
//
//   h_t = a h_{t-1} + (1 - a) ĉ      minGRU: a = 1 - σ(gate)      minLSTM: a = σ(forget) / (σ(forget) + σ(input))
//   ĉ = c, or c + 0.5 where c ≥ 0, else σ(c)
//
// With g the total derivative of h_t: ∂L/∂a = g (h_{t-1} - ĉ), ∂L/∂ĉ = g (1 - a), and a g goes to h_{t-1}.
#pragma once
#include "scan.h"

namespace UNROLL_NAMESPACE {

/** a, 1 - a, and the slopes of a by the forget gate's sum (minGRU: the gate's) and by the input gate's. */
struct ScanGates {
  Vec a, rest, by_forget, by_input;
};

/** σ(f) / (σ(f) + σ(i)) = (1 + e^-i) / (2 + e^-f + e^-i), terms that float32 has up to e^87 each. */
UNROLL_INLINE ScanGates min_lstm_gates(Vec forget, Vec input) {
  const Vec one = splat(1.f), limit = splat(87.f);
  const Vec of_forget = exponential(at_most(-forget, limit)), of_input = exponential(at_most(-input, limit));
  const Vec u = one + of_forget, v = one + of_input, share = one / (u + v), a = v * share, rest = u * share;
  // terms at their limit have no slope
  const Vec by_forget = -forget < limit ? of_forget : Vec{}, by_input = -input < limit ? of_input : Vec{};
  return {a, rest, a * (by_forget * share), -rest * (by_input * share)};
}

UNROLL_INLINE ScanGates min_gru_gates(Vec gate) {
  const Vec z = activated(UNROLL_SIGMOID, gate), a = splat(1.f) - z;
  return {a, z, -(z * a), Vec{}};
}

/** ĉ and its slope. */
template <bool POSITIVE> UNROLL_INLINE Vec candidate_of(Vec c, Vec &slope) {
  const Vec one = splat(1.f);
  slope = one;
  if (!POSITIVE) return c;
  const Vec s = activated(UNROLL_SIGMOID, c);
  slope = c < Vec{} ? s * (one - s) : one;
  return c < Vec{} ? s : c + splat(.5f);
}

template <bool LSTM> UNROLL_INLINE ScanGates gates_at(const float *forget, const float *input, Index at, Index lanes) {
  if (!LSTM) return min_gru_gates(load_part(forget + at, lanes));
  return min_lstm_gates(load_part(forget + at, lanes), load_part(input + at, lanes));
}

/** f(b, from, to) for the sequences of the vectors first … end-1, each sequence having `vectors` of them. */
template <class F> UNROLL_INLINE void each_part(Index first, Index end, Index vectors, Index D, F f) {
  for (Index b = first / vectors; b * vectors < end; b++)
    f(b, larger<Index>(first - b * vectors, 0) * WIDTH, smaller(smaller(end - b * vectors, vectors) * WIDTH, D));
}

template <bool LSTM, bool POSITIVE> static void gated_scan_part(const UnrollGatedScan &call, Index first, Index end) {
  const Index T = call.seq_len, B = call.batch, D = call.width, vectors = (D + WIDTH - 1) / WIDTH;
  const Reading reading{call.lengths, T, false};
  for (Index s = 0; s < T; s++)
    each_part(first, end, vectors, D, [&](Index b, Index from, Index to) {
      const Index row = (s * B + b) * D;
      if (s >= reading.length(b)) return fill(call.h + row + from, to - from, 0.f);
      const float *past = s > 0 ? call.h + row - B * D : call.h0 ? call.h0 + b * D : nullptr;
      for (Index d = from; d < to; d += WIDTH) {
        const Index lanes = to - d;
        const ScanGates g = gates_at<LSTM>(call.forget, call.input, row + d, lanes);
        Vec slope;
        const Vec made = g.rest * candidate_of<POSITIVE>(load_part(call.hidden + row + d, lanes), slope);
        store_part(call.h + row + d, past ? multiply_add(g.a, load_part(past + d, lanes), made) : made, lanes);
      }
    });
  each_part(first, end, vectors, D, [&](Index b, Index from, Index to) {
    const Index length = reading.length(b);
    const float *last = length > 0 ? call.h + ((length - 1) * B + b) * D : call.h0 ? call.h0 + b * D : nullptr;
    if (last)
      copy(call.h_n + b * D + from, last + from, to - from);
    else
      fill(call.h_n + b * D + from, to - from, 0.f);
  });
}

/** `squares` (T, B): of each step this part's sum of squares of g. */
template <bool LSTM, bool POSITIVE>
static void gated_scan_back_part(const UnrollGatedScanBackward &call, float *carry, float *squares, Index first, Index end) {
  const Index T = call.seq_len, B = call.batch, D = call.width, vectors = (D + WIDTH - 1) / WIDTH;
  const Reading reading{call.lengths, T, false};
  each_part(first, end, vectors, D, [&](Index b, Index from, Index to) {
    if (call.dh_n)
      copy(carry + b * D + from, call.dh_n + b * D + from, to - from);
    else
      fill(carry + b * D + from, to - from, 0.f);
  });
  for (Index s = T - 1; s >= 0; s--)
    each_part(first, end, vectors, D, [&](Index b, Index from, Index to) {
      const Index row = (s * B + b) * D;
      if (s >= reading.length(b)) {
        fill(call.dforget + row + from, to - from, 0.f);
        if (LSTM) fill(call.dinput + row + from, to - from, 0.f);
        return fill(call.dhidden + row + from, to - from, 0.f);
      }
      const float *past = s > 0 ? call.h + row - B * D : call.h0 ? call.h0 + b * D : nullptr;
      Vec sum{};
      for (Index d = from; d < to; d += WIDTH) {
        const Index lanes = to - d, at = row + d;
        const ScanGates gates = gates_at<LSTM>(call.forget, call.input, at, lanes);
        Vec slope;
        const Vec made = candidate_of<POSITIVE>(load_part(call.hidden + at, lanes), slope);
        const Vec g = load_part(call.dh + at, lanes) + load_part(carry + b * D + d, lanes);
        const Vec da = g * ((past ? load_part(past + d, lanes) : Vec{}) - made);
        store_part(call.dforget + at, da * gates.by_forget, lanes);
        if (LSTM) store_part(call.dinput + at, da * gates.by_input, lanes);
        store_part(call.dhidden + at, g * gates.rest * slope, lanes);
        store_part(carry + b * D + d, g * gates.a, lanes);
        sum = multiply_add(g, g, sum);
      }
      if (squares) squares[s * B + b] = sum_of_lanes(sum);
    });
  if (call.dh0)
    each_part(first, end, vectors, D, [&](Index b, Index from, Index to) {
      copy(call.dh0 + b * D + from, carry + b * D + from, to - from);
    });
}

/** f(Constant<lstm>, Constant<positive>) */
template <class F> UNROLL_INLINE void with_gates(bool lstm, bool positive, F f) {
  if (lstm) return positive ? f(Constant<1>{}, Constant<1>{}) : f(Constant<1>{}, Constant<0>{});
  return positive ? f(Constant<0>{}, Constant<1>{}) : f(Constant<0>{}, Constant<0>{});
}

/** h (T, B, D), h_n (B, D) */
static double gated_scan(const UnrollGatedScan *call) {
  const Index vectors = (call->width + WIDTH - 1) / WIDTH;
  with_gates(call->input, call->positive, [&](auto lstm, auto positive) {
    share_tasks(call->batch * vectors, (double)call->seq_len * call->batch * call->width, [&](Index first, Index end, int) {
      if (first < end) gated_scan_part<lstm.value, positive.value>(*call, first, end);
    });
  });
  return 0;
}

/** dforget, dinput, dhidden (T, B, D), and what else is not null: dh0, grad_norm (T) */
static double gated_scan_backward(const UnrollGatedScanBackward *call) {
  const Index T = call->seq_len, B = call->batch, D = call->width, vectors = (D + WIDTH - 1) / WIDTH;
  const int threads = unroll::thread_count();
  float *carry = call->scratch, *squares = carry + B * D;
  if (call->grad_norm) fill(squares, threads * T * B, 0.f);
  with_gates(call->input, call->positive, [&](auto lstm, auto positive) {
    share_tasks(B * vectors, (double)T * B * D, [&](Index first, Index end, int part) {
      if (first < end)
        gated_scan_back_part<lstm.value, positive.value>(*call, carry, call->grad_norm ? squares + part * T * B : nullptr,
                                                         first, end);
    });
  });
  if (!call->grad_norm) return 0;
  for (Index i = 0; i < T * B; i++) {
    float sum = 0;
    for (int part = 0; part < threads; part++) sum += squares[part * T * B + i];
    squares[i] = __builtin_sqrtf(sum);
  }
  mean_over_sequences(squares, Reading{call->lengths, T, false}, B, call->grad_norm);
  return 0;
}

static double gated_scan_memory(const UnrollGatedScanMemory *call) {
  const double rows = call->batch;
  return rows * call->width + unroll::thread_count() * rows * call->seq_len;
}

}  // namespace UNROLL_NAMESPACE
