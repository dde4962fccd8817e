// The scan of a diagonal recurrence, h_t = a_t ⊙ h_{t-1} + b_t, real or complex. Backward, with g_t the total derivative of
// h_t and ¯ the conjugate:
//
//   g_t = ∂L/∂h_t + ā_{t+1} g_{t+1}      ∂L/∂b_t = g_t      ∂L/∂a_t = g_t h̄_{t-1}      ∂L/∂h_0 = ā_1 g_1
//
// Steps follow each other in the outer loop, and all columns of a step in the inner one, so that memory is read in order and
// the state is still in the first cache. Threads share the columns. Products are few: the time is that of reading memory.
//
// A row holds D numbers; a complex one D real parts, then D imaginary ones.
#pragma once
#include "parallel.h"

namespace UNROLL_NAMESPACE {

/** Which steps a sequence has, and where the step stands that is read after `s` others. */
struct Reading {
  const Int32 *lengths;
  Index seq_len;
  bool reverse;
  Index length(Index b) const { return lengths ? lengths[b] : seq_len; }
  Index place(Index length, Index s) const { return reverse ? length - 1 - s : s; }
  /** The step of a sequence that a report's column shows; not below 0 and below `length` where it has none. Sequences
   * share the column of the step read last: the last one, or the first one where the reading is reversed. */
  Index step_at(Index length, Index column) const { return reverse ? column : column - (seq_len - length); }
};

/** A vector of numbers, real or complex. */
template <bool COMPLEX> struct Numbers {
  Vec re, im;

  UNROLL_INLINE Numbers read(const float *row, Index D, Index d) {
    if (!row) return {Vec{}, Vec{}};
    return {load_part(row + d, D - d), COMPLEX ? load_part(row + D + d, D - d) : Vec{}};
  }
  UNROLL_INLINE void write(float *row, Index D, Index d, Numbers value) {
    store_part(row + d, value.re, D - d);
    if (COMPLEX) store_part(row + D + d, value.im, D - d);
  }
  /** a b + c */
  UNROLL_INLINE Numbers multiply_add(Numbers a, Numbers b, Numbers c) {
    Vec re = UNROLL_NAMESPACE::multiply_add(a.re, b.re, c.re);
    if (!COMPLEX) return {re, Vec{}};
    return {re - a.im * b.im,
            UNROLL_NAMESPACE::multiply_add(a.re, b.im, UNROLL_NAMESPACE::multiply_add(a.im, b.re, c.im))};
  }
  UNROLL_INLINE Numbers conjugate(Numbers a) { return {a.re, -a.im}; }
};

/** Columns of a call that are one thread's: sequences first_b ... end_b-1, of each the numbers from ... to-1. */
struct Columns {
  Index first_b, end_b, from, to;
};

/**
 * f(columns) for each thread. Where a sum over sequences is wanted all sequences of a column are one thread's, so that
 * the order of the sum does not depend on the number of threads.
 */
template <class F> UNROLL_INLINE void share_columns(Index T, Index B, Index D, bool together, F f) {
  const Index vectors = (D + WIDTH - 1) / WIDTH;
  const bool by_columns = together || vectors >= 2 * B;
  share_tasks(by_columns ? vectors : B, (double)T * B * D, [&](Index first, Index end, int) {
    if (first == end) return;
    if (by_columns)
      f(Columns{0, B, first * WIDTH, smaller(end * WIDTH, D)});
    else
      f(Columns{first, end, 0, D});
  });
}

template <bool COMPLEX, bool CONSTANT>
static void scan_columns(const UnrollScan &call, Index B, Index D, Columns columns) {
  typedef Numbers<COMPLEX> N;
  const Index T = call.seq_len, row = COMPLEX ? 2 * D : D;
  const Reading reading{call.lengths, T, call.reverse != 0};
  for (Index s = 0; s < T; s++)
    for (Index b = columns.first_b; b < columns.end_b; b++) {
      const Index length = reading.length(b);
      if (s >= length) {
        float *h = call.h + (s * B + b) * row;
        fill(h + columns.from, columns.to - columns.from, 0.f);
        if (COMPLEX) fill(h + D + columns.from, columns.to - columns.from, 0.f);
        continue;
      }
      const Index at = (reading.place(length, s) * B + b) * row;
      const float *past = s > 0 ? call.h + (reading.place(length, s - 1) * B + b) * row
                          : call.h0 ? call.h0 + b * row
                                    : nullptr;
      const float *a = CONSTANT ? call.a : call.a + at;
      for (Index d = columns.from; d < columns.to; d += WIDTH)
        N::write(call.h + at, D, d, N::multiply_add(N::read(a, D, d), N::read(past, D, d), N::read(call.b + at, D, d)));
    }
  for (Index b = columns.first_b; b < columns.end_b; b++) {
    const Index length = reading.length(b);
    const float *last = length > 0 ? call.h + (reading.place(length, length - 1) * B + b) * row
                        : call.h0  ? call.h0 + b * row
                                   : nullptr;
    for (Index d = columns.from; d < columns.to; d += WIDTH) N::write(call.h_n + b * row, D, d, N::read(last, D, d));
  }
}

/** Steps whose products are added up before they are added to da, so that rounding grows with the root of T. */
constexpr Index SCAN_SUM = 32;

template <bool COMPLEX, bool CONSTANT>
static void scan_back_columns(const UnrollScanBackward &call, Index B, Index D, Columns columns) {
  typedef Numbers<COMPLEX> N;
  const Index T = call.seq_len, row = COMPLEX ? 2 * D : D;
  const Reading reading{call.lengths, T, call.reverse != 0};
  const bool sums = CONSTANT && call.da;
  const auto each_column = [&](auto f) {
    for (Index d = columns.from; d < columns.to; d += WIDTH) f(d);
  };
  if (sums)
    each_column([&](Index d) {
      N::write(call.da, D, d, N{});
      N::write(call.scratch, D, d, N{});
    });
  for (Index s = T - 1; s >= 0; s--) {
    for (Index b = columns.first_b; b < columns.end_b; b++) {
      const Index length = reading.length(b);
      if (s >= length) {
        const Index at = (s * B + b) * row;
        each_column([&](Index d) {
          N::write(call.db + at, D, d, N{});
          if (!CONSTANT && call.da) N::write(call.da + at, D, d, N{});
        });
        continue;
      }
      const Index at = (reading.place(length, s) * B + b) * row;
      const bool last = s + 1 == length;
      const Index next = last ? 0 : (reading.place(length, s + 1) * B + b) * row;
      const float *after = last ? (call.dh_n ? call.dh_n + b * row : nullptr) : call.db + next;
      const float *a_after = last ? nullptr : CONSTANT ? call.a : call.a + next;
      const float *past = s > 0 ? call.h + (reading.place(length, s - 1) * B + b) * row
                          : call.h0 ? call.h0 + b * row
                                    : nullptr;
      each_column([&](Index d) {
        N g = N::read(call.dh + at, D, d), carried = N::read(after, D, d);
        if (last) {
          g.re += carried.re;
          g.im += carried.im;
        } else {
          g = N::multiply_add(N::conjugate(N::read(a_after, D, d)), carried, g);
        }
        N::write(call.db + at, D, d, g);
        if (!call.da) return;
        const N h = N::conjugate(N::read(past, D, d));
        if (CONSTANT)
          N::write(call.scratch, D, d, N::multiply_add(g, h, N::read(call.scratch, D, d)));
        else
          N::write(call.da + at, D, d, N::multiply_add(g, h, N{}));
      });
    }
    if (sums && s % SCAN_SUM == 0)
      each_column([&](Index d) {
        const N sum = N::read(call.da, D, d), part = N::read(call.scratch, D, d);
        N::write(call.da, D, d, N{sum.re + part.re, sum.im + part.im});
        N::write(call.scratch, D, d, N{});
      });
  }
  if (!call.dh0) return;
  for (Index b = columns.first_b; b < columns.end_b; b++) {
    const Index length = reading.length(b), first = (reading.place(length, 0) * B + b) * row;
    const float *a = CONSTANT ? call.a : call.a + first;
    each_column([&](Index d) {
      const N g = length > 0
                      ? N::multiply_add(N::conjugate(N::read(a, D, d)), N::read(call.db + first, D, d), N{})
                      : N::read(call.dh_n ? call.dh_n + b * row : nullptr, D, d);
      N::write(call.dh0 + b * row, D, d, g);
    });
  }
}

/** out (T) = mean of norms (T, B) over the sequences that have the column; 0 where none has */
static void mean_over_sequences(const float *norms, const Reading &reading, Index B, float *out) {
  for (Index column = 0; column < reading.seq_len; column++) {
    float sum = 0, count = 0;
    for (Index b = 0; b < B; b++) {
      const Index length = reading.length(b), t = reading.step_at(length, column);
      if (t < 0 || t >= length) continue;
      sum += norms[t * B + b];
      count++;
    }
    out[column] = count > 0 ? sum / count : 0.f;
  }
}

/** out (T) = mean over the sequences that have the column of ‖rows_t‖, rows (T, B, row). */
static void mean_norms(const float *rows, const Reading &reading, Index B, Index row, float *out) {
  const Index T = reading.seq_len;
  share_tasks(T, (double)T * B * row, [&](Index first, Index end, int) {
    for (Index column = first; column < end; column++) {
      float sum = 0, count = 0;
      for (Index b = 0; b < B; b++) {
        const Index length = reading.length(b), t = reading.step_at(length, column);
        if (t < 0 || t >= length) continue;
        const float *one = rows + (t * B + b) * row;
        Vec squares{};
        for (Index d = 0; d < row; d += WIDTH) {
          Vec g = load_part(one + d, row - d);
          squares = multiply_add(g, g, squares);
        }
        sum += __builtin_sqrtf(sum_of_lanes(squares));
        count++;
      }
      out[column] = count > 0 ? sum / count : 0.f;
    }
  });
}

/** f(Constant<complex>, Constant<constant>) */
template <class F> UNROLL_INLINE void with_scan_kind(bool complex, bool constant, F f) {
  if (complex) return constant ? f(Constant<1>{}, Constant<1>{}) : f(Constant<1>{}, Constant<0>{});
  return constant ? f(Constant<0>{}, Constant<1>{}) : f(Constant<0>{}, Constant<0>{});
}

/** Whether the sequences of a step are one row of numbers, none of which is treated in its own way. */
template <class Call> UNROLL_INLINE bool one_row(const Call *call) {
  return !call->lengths && !call->constant && !call->complex;
}

/** h (T, B, row), h_n (B, row) */
static double scan(const UnrollScan *call) {
  const Index B = one_row(call) ? 1 : call->batch, D = one_row(call) ? (Index)call->batch * call->width : call->width;
  with_scan_kind(call->complex, call->constant, [&](auto complex, auto constant) {
    share_columns(call->seq_len, B, D, false, [&](Columns columns) {
      scan_columns<complex.value, constant.value>(*call, B, D, columns);
    });
  });
  return 0;
}

/** db (T, B, row), and what else is not null: da, dh0, grad_norm (T) */
static double scan_backward(const UnrollScanBackward *call) {
  const Index B = one_row(call) ? 1 : call->batch, D = one_row(call) ? (Index)call->batch * call->width : call->width;
  with_scan_kind(call->complex, call->constant, [&](auto complex, auto constant) {
    share_columns(call->seq_len, B, D, call->constant && call->da, [&](Columns columns) {
      scan_back_columns<complex.value, constant.value>(*call, B, D, columns);
    });
  });
  if (call->grad_norm)
    mean_norms(call->db, Reading{call->lengths, call->seq_len, call->reverse != 0}, call->batch,
               (call->complex ? 2 : 1) * call->width, call->grad_norm);
  return 0;
}

}  // namespace UNROLL_NAMESPACE
