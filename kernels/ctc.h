// Connectionist temporal classification: A. Graves et al., 2006, https://doi.org/10.1145/1143844.1143891. The loss of a
// sequence is -log p(labels | logits), summed over all alignments: paths of one class a step that give the labels when
// repeats are joined and blanks (class 0) are left out. With l' the labels with a blank before, between and behind them:
//
//   α_t(s) = log y_t(l'_s) + log(e^α_{t-1}(s) + e^α_{t-1}(s-1) + [l'_s is no blank and not l'_{s-2}] e^α_{t-1}(s-2))
//   β_t(s) = the same from the end, without the y of step t
//   ∂L/∂logit_t(k) = y_t(k) - Σ_{s: l'_s = k} e^(α_t(s) + β_t(s)) / p
//
// Everything is a logarithm. Each step is held near 0 by the largest α (β) of the step before it, so that float32 does for
// any length; the shares of a step are normalised by their own sum. A vector holds states s side by side. A task is a
// sequence; threads share the tasks.
#pragma once
#include "softmax_cross_entropy.h"

namespace UNROLL_NAMESPACE {

/** The logarithm of 0: finite, so that no difference of two is NaN. */
constexpr float CTC_IMPOSSIBLE = -1e30f;
/** Whatever is below has an impossible part. */
constexpr float CTC_POSSIBLE = -1e29f;

/** Impossible states before and behind a row, so that all of its states have two neighbours on either side. */
constexpr Index CTC_PAD = WIDTH < 2 ? 2 : WIDTH;

struct CtcPlan {
  Index T, states, row;

  CtcPlan(Index seq_len, Index max_labels)
      : T(seq_len), states((2 * max_labels + WIDTH) / WIDTH * WIDTH), row(states + 2 * CTC_PAD) {}

  /** alphas, emissions, log sums, two betas, skips, shares */
  Index floats() const { return T * (row + states + 1) + 3 * row + states; }
};

static double ctc_memory(const UnrollCtcMemory *call) {
  return (double)unroll::thread_count() * CtcPlan(call->seq_len, call->max_labels).floats();
}

UNROLL_INLINE float max_of_lanes(Vec v) {
#pragma GCC unroll 4
  for (int n = WIDTH; n > 1; n /= 2) v = Max::join(even_lanes(v, v, Lanes{}), odd_lanes(v, v, Lanes{}));
  return v[0];
}

/** log(e^a + e^b + e^c) */
UNROLL_INLINE Vec log_sum_of(Vec a, Vec b, Vec c) {
  Vec most = Max::join(Max::join(a, b), c);
  return most + logarithm(exponential(a - most) + exponential(b - most) + exponential(c - most));
}

struct CtcSequence {
  const UnrollCtc *call;
  Index b, T, labels, S;
  const Int32 *label;
  float *alpha, *emission, *log_sum, *beta, *next, *skip, *share;
  CtcPlan plan;

  Index class_of(Index s) const { return s % 2 == 0 ? 0 : label[s / 2]; }
  const float *logits(Index t) const { return call->logits + (t * call->batch + b) * call->classes; }
  float *dlogits(Index t) const { return call->dlogits + (t * call->batch + b) * call->classes; }

  CtcSequence(const UnrollCtc *call, Index b, float *scratch)
      : call(call), b(b), T(call->lengths ? call->lengths[b] : call->seq_len), labels(call->label_lengths[b]),
        S(2 * labels + 1), label(call->labels + b * call->max_labels), plan(call->seq_len, call->max_labels) {
    alpha = scratch;
    emission = alpha + plan.T * plan.row;
    log_sum = emission + plan.T * plan.states;
    beta = log_sum + plan.T;
    next = beta + plan.row;
    skip = next + plan.row;
    share = skip + plan.row;
  }

  /** The softmax of WIDTH steps at a time: its log sums, and scaled in dlogits. */
  void normalise(float scale) {
    const Index C = call->classes;
    for (Index first = 0; first < T; first += WIDTH) {
      const int count = (int)smaller<Index>(WIDTH, T - first);
      float maximum[WIDTH], sums[WIDTH], factor[WIDTH];
      Vec v[WIDTH];
      for (int i = 0; i < WIDTH; i++) {
        v[i] = Vec{};
        if (i >= count) continue;
        const float *l = logits(first + i);
        v[i] = load_logits(l, 0, C, -__builtin_inff());
        for (Index c = WIDTH; c < C; c += WIDTH) v[i] = Max::join(v[i], load_logits(l, c, C, -__builtin_inff()));
      }
      store(maximum, reduce_rows<Max>(v));
      for (int i = 0; i < WIDTH; i++) {
        v[i] = splat(1.f / WIDTH);
        if (i >= count) continue;
        const float *l = logits(first + i);
        const Vec max = splat(maximum[i]);
        Vec sum{};
        for (Index c = 0; c < C; c += WIDTH) {
          Vec e = exponential(load_logits(l, c, C, 0) - max);
          if (C - c < WIDTH) e = lane_numbers() < (int)(C - c) ? e : Vec{};
          if (call->dlogits) store_part(dlogits(first + i) + c, e, C - c);
          sum += e;
        }
        v[i] = sum;
      }
      const Vec all = reduce_rows<Sum>(v);
      store(sums, logarithm(all));
      store(factor, splat(scale) / all);
      for (int i = 0; i < count; i++) {
        log_sum[first + i] = maximum[i] + sums[i];
        if (!call->dlogits) continue;
        float *d = dlogits(first + i);
        const Vec by = splat(factor[i]);
        for (Index c = 0; c < C; c += WIDTH) store_part(d + c, load_part(d + c, C - c) * by, C - c);
      }
    }
  }

  void gather() {
    fill(skip, plan.row, CTC_IMPOSSIBLE);
    for (Index s = 3; s < S; s += 2)
      if (class_of(s) != class_of(s - 2)) skip[s] = 0;
    for (Index t = 0; t < T; t++) {
      float *e = emission + t * plan.states;
      const float *l = logits(t);
      const float blank = l[0] - log_sum[t];
      for (Index s = 0; s + 1 < S; s += 2) {
        e[s] = blank;
        e[s + 1] = l[label[s / 2]] - log_sum[t];
      }
      e[S - 1] = blank;
      for (Index s = S; s < plan.states; s++) e[s] = CTC_IMPOSSIBLE;
    }
  }

  float *alphas(Index t) const { return alpha + t * plan.row + CTC_PAD; }

  /** @returns log p(labels), below CTC_POSSIBLE where no path gives them */
  double forward() {
    float most = 0;
    double held = 0;
    for (Index t = 0; t < T; t++) {
      float *now = alphas(t);
      const float *before = alphas(t - 1), *e = emission + t * plan.states;
      fill(now - CTC_PAD, t == 0 ? plan.row : CTC_PAD, CTC_IMPOSSIBLE);
      fill(now + plan.states, CTC_PAD, CTC_IMPOSSIBLE);
      const Vec held_here = splat(most);
      Vec highest = splat(CTC_IMPOSSIBLE);
      // a path begins in the first blank or label: two states, which are two vectors of one float
      for (Index s = 0; s < (t == 0 ? smaller<Index>(CTC_PAD, S) : S); s += WIDTH) {
        Vec reached;
        if (t == 0)
          reached = lane_numbers() + (int)s < (labels > 0 ? 2 : 1) ? Vec{} : splat(CTC_IMPOSSIBLE);
        else
          reached = log_sum_of(load(before + s), load(before + s - 1), load(before + s - 2) + load(skip + s)) - held_here;
        const Vec value = at_least(reached + load(e + s), splat(CTC_IMPOSSIBLE));
        store(now + s, value);
        highest = Max::join(highest, value);
      }
      held += most;
      most = max_of_lanes(highest);
    }
    const float *last = alphas(T - 1);
    const float a = last[S - 1], c = labels > 0 ? last[S - 2] : CTC_IMPOSSIBLE;
    if ((a < c ? c : a) < CTC_POSSIBLE) return CTC_IMPOSSIBLE;
    return held + log_sum_of(splat(a), splat(c), splat(CTC_IMPOSSIBLE))[0];
  }

  void backward(float scale) {
    float most = 0;
    float *now = beta + CTC_PAD, *after = next + CTC_PAD;
    fill(now - CTC_PAD, plan.row, CTC_IMPOSSIBLE);
    fill(after - CTC_PAD, plan.row, CTC_IMPOSSIBLE);
    for (Index t = T - 1; t >= 0; t--) {
      // `after` has β and y of the next step
      const Vec held_here = splat(most);
      const float *a = alphas(t);
      Vec highest = splat(CTC_IMPOSSIBLE), likeliest = splat(2 * CTC_IMPOSSIBLE);
      for (Index s = 0; s < S; s += WIDTH) {
        Vec value;
        if (t == T - 1) {
          const IntVec place = lane_numbers() + (int)s;
          value = place == (int)(S - 1) || place == (int)(S - 2) ? Vec{} : splat(CTC_IMPOSSIBLE);
        } else {
          value = log_sum_of(load(after + s), load(after + s + 1), load(after + s + 2) + load(skip + s + 2)) - held_here;
          value = at_least(value, splat(CTC_IMPOSSIBLE));
        }
        store(now + s, value);
        highest = Max::join(highest, value);
        const Vec both = load(a + s) + value;
        store(share + s, both);
        likeliest = Max::join(likeliest, both);
      }
      most = max_of_lanes(highest);
      const Vec peak = splat(max_of_lanes(likeliest));
      Vec sum{};
      for (Index s = 0; s < S; s += WIDTH) {
        const Vec part = exponential(load(share + s) - peak);
        store(share + s, part);
        sum += (lane_numbers() + (int)s) < (int)S ? part : Vec{};
      }
      const float factor = scale / sum_of_lanes(sum);
      float *d = dlogits(t);
      float blank = share[S - 1];
      for (Index s = 0; s + 1 < S; s += 2) {
        blank += share[s];
        d[label[s / 2]] -= factor * share[s + 1];
      }
      d[0] -= factor * blank;
      const float *e = emission + t * plan.states;
      for (Index s = 0; s < S; s += WIDTH) store(now + s, load(now + s) + load(e + s));
      float *turned = now;
      now = after;
      after = turned;
    }
  }

  void clear(Index from) {
    if (call->dlogits)
      for (Index t = from; t < call->seq_len; t++) fill(dlogits(t), call->classes, 0.f);
  }

  float loss() {
    const float scale = (float)call->scale;
    if (T == 0) {
      clear(0);
      return labels == 0 ? 0 : __builtin_inff();
    }
    normalise(scale);
    gather();
    const double likelihood = forward();
    if (likelihood <= CTC_IMPOSSIBLE) {
      clear(0);
      return __builtin_inff();
    }
    if (call->dlogits) backward(scale);
    clear(T);
    return (float)-likelihood;
  }
};

static double ctc(const UnrollCtc *call) {
  const CtcPlan plan(call->seq_len, call->max_labels);
  const double worth = (double)call->seq_len * call->batch * (call->classes + 4 * plan.states);
  share_tasks(call->batch, worth, [&](Index first, Index end, int thread) {
    for (Index b = first; b < end; b++)
      call->losses[b] = CtcSequence(call, b, call->scratch + thread * plan.floats()).loss();
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
