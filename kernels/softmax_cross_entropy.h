// Softmax cross-entropy with masks, weights and label smoothing (C. Szegedy et al., 2016,
// https://arxiv.org/abs/1512.00567), as torch.nn.CrossEntropyLoss computes it, and its gradient in the same pass:
//
//   -log p_c = log Σ_k exp(l_k - max) - (l_c - max)
//   L = Σ_n w_n ((1-ε) (-log p_target) + ε/C Σ_c (-log p_c)) / Σ_n w_n
//   ∂L/∂l_c = w_n / Σ w · (p_c - (1-ε) [c = target] - ε/C)
//
// WIDTH rows at a time: their maxima and sums are reduced together by transposition, and one vector logarithm serves all.
#pragma once
#include "element_wise.h"

namespace UNROLL_NAMESPACE {

UNROLL_INLINE Vec load_logits(const float *row, Index column, Index classes, float beyond) {
  const Index left = classes - column;
  if (left >= WIDTH) return load(row + column);
  return lane_numbers() < (int)left ? load_part(row + column, left) : splat(beyond);
}

/** Rows of logits, and what is to be said of them. */
struct LogitRows {
  const float *logits;
  float *dlogits;
  /** From row to row of both. */
  Index stride;
  /** Floats of a row of dlogits that may be written: `classes`, or as many as fill its vectors. */
  Index room;
  const Int32 *targets;
  const float *weights;
  Index classes;
  double label_smoothing, weight_sum;
};

template <int V> static double narrow_entropy_rows(const LogitRows &call, Index first);

/** The rows first ... first+count-1 (count <= WIDTH); returns their part of the loss. */
static double cross_entropy_rows(const LogitRows &call, Index first, int count) {
  const Index classes = call.classes, room = call.room;
  const double smoothing = call.label_smoothing;
  if (count == WIDTH && classes <= 2 * WIDTH && smoothing == 0 && !call.weights && call.dlogits)
    return classes <= WIDTH ? narrow_entropy_rows<1>(call, first) : narrow_entropy_rows<2>(call, first);
  float target_logit[WIDTH] = {}, maximum[WIDTH], log_sum[WIDTH], logit_sum[WIDTH] = {}, factor[WIDTH];
  const double unit_share = 1 / call.weight_sum;
  bool skipped[WIDTH];
  Vec v[WIDTH];
  for (int i = 0; i < WIDTH; i++) {
    const Index row = first + i;
    skipped[i] = i >= count || (call.weights && call.weights[row] == 0);
    v[i] = Vec{};
    if (skipped[i]) continue;
    const float *l = call.logits + row * call.stride;
    target_logit[i] = l[call.targets[row]];
    Vec max = load_logits(l, 0, classes, -__builtin_inff()), sum{};
    for (Index c = WIDTH; c < classes; c += WIDTH) max = Max::join(max, load_logits(l, c, classes, -__builtin_inff()));
    v[i] = max;
    if (smoothing == 0) continue;
    for (Index c = 0; c < classes; c += WIDTH) sum += load_logits(l, c, classes, 0);
    logit_sum[i] = sum_of_lanes(sum);
  }
  store(maximum, reduce_rows<Max>(v));
  Vec one_vector[WIDTH];  // exponentials of rows that fill no more: storing them would only be waiting for them
  const bool narrow = classes <= WIDTH;
  for (int i = 0; i < WIDTH; i++) {
    v[i] = splat(1.f / WIDTH);
    if (skipped[i]) continue;
    const float *l = call.logits + (first + i) * call.stride;
    float *d = call.dlogits && !narrow ? call.dlogits + (first + i) * call.stride : nullptr;
    Vec max = splat(maximum[i]), sum{};
    for (Index c = 0; c < classes; c += WIDTH) {
      const Index left = classes - c;
      Vec e = exponential(load_logits(l, c, classes, 0) - max);
      if (left < WIDTH) e = lane_numbers() < (int)left ? e : Vec{};
      if (d) store_part(d + c, e, room - c);
      if (narrow) one_vector[i] = e;
      sum += e;
    }
    v[i] = sum;
  }
  Vec sums = reduce_rows<Sum>(v);
  store(log_sum, logarithm(sums));
  store(factor, splat(1.f) / sums);
  double loss = 0;
  for (int i = 0; i < count; i++) {
    const Index row = first + i;
    float *d = call.dlogits ? call.dlogits + row * call.stride : nullptr;
    if (skipped[i]) {
      if (d) fill(d, room, 0.f);
      continue;
    }
    const double share = call.weights ? call.weights[row] * unit_share : unit_share;
    const double log_total = (double)maximum[i] + log_sum[i];
    double row_loss = (1 - smoothing) * (log_total - target_logit[i]);
    if (smoothing > 0) row_loss += smoothing * (log_total - (double)logit_sum[i] / classes);
    loss += share * row_loss;
    if (!d) continue;
    const Vec scale = splat((float)share * factor[i]), spread = splat((float)(-share * smoothing / classes));
    const float hit = (float)(share * (1 - smoothing));
    if (narrow) {
      Vec at_target = lane_numbers() == call.targets[row] ? splat(hit) : Vec{};
      store_part(d, multiply_add(one_vector[i], scale, spread) - at_target, room);
      continue;
    }
    for (Index c = 0; c < classes; c += WIDTH)
      store_part(d + c, multiply_add(load_part(d + c, room - c), scale, spread), room - c);
    d[call.targets[row]] -= hit;
  }
  return loss;
}

/**
 * WIDTH rows of V vectors each, without weights or smoothing, with their gradients: the bits of cross_entropy_rows in two
 * thirds of the time, since nothing is asked on the way. Where classes are few the loss takes as long as a product beside it.
 */
template <int V> UNROLL_NOINLINE double narrow_entropy_rows(const LogitRows &call, Index first) {
  const Index classes = call.classes, room = call.room, stride = call.stride;
  const float *logits = call.logits + first * stride;
  float *dlogits = call.dlogits + first * stride;
  const Int32 *targets = call.targets + first;
  const double share = 1 / call.weight_sum;
  // zero, but no constant: the compiler would make another rounding of what it is added to
  const Vec spread = splat((float)(-share * call.label_smoothing));
  const int last = (V - 1) * WIDTH;
  const auto valid = lane_numbers() < (int)classes - last;
  auto logits_of = [&](int i, int c, float beyond) __attribute__((always_inline)) {
    if (c < last) return load(logits + i * stride + c);
    return valid ? load_part(logits + i * stride + c, classes - c) : splat(beyond);
  };
  float maximum[WIDTH], log_sum[WIDTH], scale[WIDTH], target_logit[WIDTH];
  Vec v[WIDTH], e[WIDTH][V];
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) {
    target_logit[i] = logits[i * stride + targets[i]];
    v[i] = logits_of(i, 0, -__builtin_inff());
    if constexpr (V == 2) v[i] = Max::join(v[i], logits_of(i, WIDTH, -__builtin_inff()));
  }
  store(maximum, reduce_rows<Max>(v));
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) {
    const Vec max = splat(maximum[i]);
#pragma GCC unroll 2
    for (int k = 0; k < V; k++) {
      const Vec power = exponential(logits_of(i, k * WIDTH, 0) - max);
      e[i][k] = k < V - 1 ? power : valid ? power : Vec{};
    }
    v[i] = e[i][0];
    if constexpr (V == 2) v[i] += e[i][1];
  }
  const Vec sums = reduce_rows<Sum>(v);
  store(log_sum, logarithm(sums));
  store(scale, splat((float)share) * (splat(1.f) / sums));
  const Vec hit = splat((float)share);
  double loss = 0;
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) {
    loss += share * (((double)maximum[i] + log_sum[i]) - target_logit[i]);
#pragma GCC unroll 2
    for (int k = 0; k < V; k++) {
      const Vec at_target = lane_numbers() == targets[i] - k * WIDTH ? hit : Vec{};
      const Vec gradient = multiply_add(e[i][k], splat(scale[i]), spread) - at_target;
      store_part(dlogits + i * stride + k * WIDTH, gradient, room - k * WIDTH);
    }
  }
  return loss;
}

/** Of all rows that have any. */
static double sum_of_weights(const float *weights, Index rows) {
  if (!weights) return rows;
  double sum = 0;
  for (Index row = 0; row < rows; row++) sum += weights[row];
  return sum;
}

constexpr int MAX_LOSSES = 256;

static double softmax_cross_entropy(const UnrollSoftmaxCrossEntropy *call) {
  const Index classes = call->classes;
  const LogitRows rows = {
      .logits = call->logits,
      .dlogits = call->dlogits,
      .stride = classes,
      .room = classes,
      .targets = call->targets,
      .weights = call->weights,
      .classes = classes,
      .label_smoothing = call->label_smoothing,
      .weight_sum = sum_of_weights(call->weights, call->rows),
  };
  double losses[MAX_LOSSES] = {};
  const int threads = (double)call->rows * classes < 8192 ? 1 : smaller(unroll::thread_count(), MAX_LOSSES);
  const Index groups = (call->rows + WIDTH - 1) / WIDTH;
  on_threads(threads, [&](int thread) {
    const Index end = begin_of(groups, thread + 1, threads);
    for (Index group = begin_of(groups, thread, threads); group < end; group++)
      losses[thread] += cross_entropy_rows(rows, group * WIDTH, (int)smaller<Index>(WIDTH, call->rows - group * WIDTH));
  });
  double loss = 0;
  for (int thread = 0; thread < threads; thread++) loss += losses[thread];
  return loss;
}

}  // namespace UNROLL_NAMESPACE
