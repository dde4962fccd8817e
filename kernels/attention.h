// Attention: A. Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, a few rows of scores at a time, as M. N. Rabe and
// C. Staats, 2021, https://arxiv.org/abs/2112.05682, and T. Dao et al., 2022, https://arxiv.org/abs/2205.14135: memory is
// linear in T, and the backward pass computes the scores again from log Σ exp.
//
//   s_ti = q_t · k_i / √d      p_ti = exp(s_ti - L_t), L_t = log Σ_i exp s_ti      o_t = Σ_i p_ti v_i
//
//   ∂L/∂v_i = Σ_t p_ti ∂L/∂o_t      ∂L/∂s_ti = p_ti (∂L/∂o_t · v_i - ∂L/∂o_t · o_t) = δ_ti
//   ∂L/∂q_t = Σ_i δ_ti k_i / √d     ∂L/∂k_i = Σ_t δ_ti q_t / √d
//
// Which keys a query at place t sees (place: its step, behind `offset` keys that came before):
//   causal      none behind it: s <= t
//   window      those at most `window` - 1 apart, of which with `dilation` d every d-th
//   stride      every stride-th, counted from itself (R. Child et al., 2019, https://arxiv.org/abs/1904.10509)
//   globals     the first ones are seen by all, and see all (I. Beltagy et al., 2020, https://arxiv.org/abs/2004.05150)
// A key is seen for any of window, stride and globals; with none of these, all are.
//
// What may be added to s_ti, for place p of the query:
//   slopes      -m |p - i|, m by head (O. Press et al., 2021, https://arxiv.org/abs/2108.12409)
//   relative    u_t · r_(p-i) / √d, u a second query (Z. Dai et al., 2019, https://arxiv.org/abs/1901.02860)
// Heads in groups share their keys and values (J. Ainslie et al., 2023, https://arxiv.org/abs/2305.13245).
//
// A task is one head of one sequence; threads share the tasks. All products run on register tiles (tiles.h): keys and
// values are packed once for a head, queries are taken QUERIES at a time against the keys that one of them sees: one
// range of steps, or with stride or globals several ranges of whole panels, so that cost follows the mask. Dilation alone
// makes d sequences of every d-th step, each with a plain window. A causal stride beside a window goes in two parts whose
// softmaxes are joined: the window, and the keys before it in sequences of every stride-th step.
// Legend: T steps, d numbers of a head, D all heads.
#pragma once
#include "gemm.h"
#include "layer_norm.h"

namespace UNROLL_NAMESPACE {

constexpr int QUERIES = 32;

struct AttentionPlan {
  Index T, d;
  /** panels whose columns are steps, and panels whose columns are the numbers of a head */
  Blocks steps, numbers;

  AttentionPlan(Index seq_len, Index head_size)
      : T(seq_len), d(head_size), steps(blocks_of(seq_len)), numbers(blocks_of(head_size)) {}

  Index step_panel() const { return (Index)steps.vectors * WIDTH; }
  Index number_panel() const { return (Index)numbers.vectors * WIDTH; }
  Index padded_steps() const { return steps.blocks * step_panel(); }
  Index padded_numbers() const { return numbers.blocks * number_panel(); }

  /** Ranges of keys, of which there are at most as many as panels. */
  Size range_floats() const { return 2 * ((Size)steps.blocks + 1); }
  /** Remainders of the steps, which a mask with stride or globals looks at, and ranges. */
  Size mask_floats() const { return 2 * (Size)padded_steps() + range_floats(); }
  Size forward_floats(bool relative) const {
    const Size plain = mask_floats() + (Size)d * padded_steps() + (Size)T * padded_numbers() + rows_floats(1, 1);
    return relative ? plain + (Size)d * padded_steps() + (Size)QUERIES * relative_stride() : plain;
  }
  Size backward_floats(bool relative) const {
    const Size plain =
        mask_floats() + (Size)2 * d * padded_steps() + (Size)3 * T * padded_numbers() + rows_floats(2, 3);
    const Size of_relative = (Size)d * padded_steps() + (Size)2 * T * padded_numbers() + rows_floats(0, 2);
    return relative ? plain + of_relative + (Size)QUERIES * relative_stride() : plain;
  }
  /** Of rows by distance, which are read up to a block of queries beyond the last. */
  Index relative_stride() const { return padded_steps() + QUERIES + 2 * WIDTH; }
  Size rows_floats(Index of_steps, Index of_numbers) const {
    return (Size)QUERIES * (of_steps * padded_steps() + of_numbers * padded_numbers());
  }
};

/** Cuts a thread's scratch into arrays. */
struct Scratch {
  float *next;
  float *take(Index floats) {
    float *taken = next;
    next += floats;
    return taken;
  }
};

/** One head of one sequence in (T, B, ...): row t of it stands `stride` numbers after row t - 1. */
struct HeadRows {
  const float *rows;
  Index stride;
  const float *row(Index t) const { return rows + t * stride; }
};

/** Panels (d, steps) of rows (count, d): the right side of products with the rows' transposes. */
static void pack_steps(const AttentionPlan &p, HeadRows in, Index count, float *panels) {
  const Index width = p.step_panel();
  for (Index column = 0; column < p.padded_steps(); column += WIDTH) {
    float *panel = panels + column / width * width * p.d + column % width;
    const Index lanes = clamp_lanes(count - column);
    pack_column(panel, width, in.row(lanes > 0 ? column : 0), in.stride, lanes, p.d);
  }
}

/** Panels (count, d) of rows (count, d), `depth` rows apart from the next panel: the right side of products with them. */
static void pack_numbers(const AttentionPlan &p, HeadRows in, Index count, float *panels, Index depth) {
  const Index width = p.number_panel();
  for (int block = 0; block < p.numbers.blocks; block++)
    for (int v = 0; v < p.numbers.vectors; v++) {
      const Index column = block * width + v * WIDTH, lanes = clamp_lanes(p.d - column);
      float *out = panels + block * width * depth + v * WIDTH;
      for (Index t = 0; t < count; t++)
        store(out + t * width, lanes > 0 ? load_part(in.row(t) + column, lanes) : Vec{});
    }
}

/**
 * out (rows, blocks' width) = a (rows, K) · panels (blocks, depth, width), of which K rows from the first are read, or
 * with `add` is added to.
 */
static void times_panels(float *out, Index out_stride, const float *a, Index a_stride, const float *panels, int vectors,
                         int first_block, int end_block, Index depth, int rows, Index K, bool add = false) {
  const Index width = (Index)vectors * WIDTH;
  for (int block = first_block; block < end_block; block++)
    with_constant<MAX_VECTORS>(vectors, [&](auto count) {
      constexpr int NV = count.value;
      each_tile<max_rows(NV)>(rows, [&](int row, auto tile) {
        float *to = out + row * out_stride + block * width;
        const float *from = a + row * a_stride, *panel = panels + block * width * depth;
        if (add)
          add_product<tile.value, NV, NV>(to, out_stride, from, a_stride, panel, K);
        else
          product_tile<tile.value, NV>(to, out_stride, nullptr, from, a_stride, panel, K);
      });
    });
}

/** Steps from ... to-1. */
struct Range {
  Int32 from, to;
};

/** The keys that one of some queries sees. */
struct Ranges {
  const Range *first;
  Index count;
  const Range *begin() const { return first; }
  const Range *end() const { return first + count; }
};

/** The keys that queries see where they are one range. */
struct RangeMask {
  bool causal;
  Index window, offset, start, keys;
  Index gap = 0;  // of a causal mask: the newest keys that are left out

  struct Row {
    Index from, to;
    Index begin(const Range &) const { return from / WIDTH * WIDTH; }
    Index end(const Range &) const { return to; }
    /** v in the lanes of steps s ... s+WIDTH-1 that are seen, else `otherwise`. */
    __attribute__((always_inline)) Vec only(Vec v, Index s, Vec otherwise) const {
      const IntVec step = lane_numbers() + (int)s;
      return step < (int)from ? otherwise : step < (int)to ? v : otherwise;
    }
  };

  Row row(Index t) const {
    const Index place = offset + t;
    Index from = window > 0 ? larger<Index>(start, place - window + 1) : start, to = keys;
    if (causal)
      to = smaller(keys, place + 1 - gap);
    else if (window > 0)
      to = smaller(keys, place + window);
    to = larger<Index>(to, 0);
    return {smaller(from, to), to};
  }

  bool sees_none(Index t) const {
    const Row seen = row(t);
    return seen.from >= seen.to;
  }

  Ranges ranges(Index first, int rows, Range *room) const {
    room[0] = {(Int32)row(first).from, (Int32)row(first + rows - 1).to};
    return {room, room[0].from < room[0].to};
  }
};

/** The keys that queries see where stride or globals take part: whole panels, and in these lane by lane. */
struct PatternMask {
  const UnrollAttention &call;
  Index offset, start, keys, panel;
  const Int32 *by_dilation, *by_stride;  // (keys) each step's remainder; null where it is not asked for

  struct Row {
    const PatternMask &mask;
    Index place;
    Index begin(const Range &range) const { return range.from; }
    Index end(const Range &range) const { return range.to; }
    __attribute__((always_inline)) Vec only(Vec v, Index s, Vec otherwise) const {
      const UnrollAttention &c = mask.call;
      const IntVec step = lane_numbers() + (int)s;
      IntVec seen = step < c.globals;
      if (place < c.globals) seen = ~IntVec{};
      if (c.window > 0) {
        const int reach = c.window * c.dilation;
        IntVec near = (step > (int)place - reach) & (step < (int)place + reach);
        if (c.dilation > 1) near &= load_integers(mask.by_dilation + s) == (int)(place % c.dilation);
        seen |= near;
      }
      if (c.stride > 0) seen |= load_integers(mask.by_stride + s) == (int)(place % c.stride);
      seen &= (step < (int)mask.keys) & (step >= (int)mask.start);
      if (c.causal) seen &= step <= (int)place;
      return seen ? v : otherwise;
    }
  };

  Row row(Index t) const { return {*this, offset + t}; }
  /** asked only where parts are joined, of which this is none */
  bool sees_none(Index) const { return false; }

  /** Whether a query at places first ... last may see a key of steps from ... to-1. */
  bool meets(Index first, Index last, Index from, Index to) const {
    if (call.causal && from > last) return false;
    if (from < call.globals || first < call.globals) return true;
    const Index reach = (Index)call.window * call.dilation;
    if (call.window > 0 && to - 1 > first - reach && from < last + reach) return true;
    if (call.stride <= 0) return false;
    const Index least = first - (to - 1), most = last - from;  // how far apart: is a multiple of the stride between?
    const Index stride = call.stride;
    const Index multiple = most >= 0 ? most / stride * stride : -((stride - 1 - most) / stride) * stride;
    return multiple >= least;
  }

  Ranges ranges(Index first, int rows, Range *room) const {
    Index count = 0;
    for (Index from = start / panel * panel; from < keys; from += panel) {
      const Index to = smaller(keys, from + panel);
      if (!meets(offset + first, offset + first + rows - 1, from, to)) continue;
      if (count > 0 && room[count - 1].to == from)
        room[count - 1].to = (Int32)to;
      else
        room[count++] = {(Int32)from, (Int32)to};
    }
    return {room, count};
  }
};

/** scores (rows, steps of a range) of a block of queries, for whole panels of steps. */
static void score_block(const AttentionPlan &p, const float *q, Index q_stride, const float *key_panels, int rows,
                        const Range &range, float *scores) {
  const Index width = p.step_panel();
  times_panels(scores, p.padded_steps(), q, q_stride, key_panels, p.steps.vectors, (int)(range.from / width),
               (int)((range.to + width - 1) / width), p.d, rows, p.d);
}

/** Rows that are written: row t stands `stride` numbers after row t - 1. */
struct OutRows {
  float *rows;
  Index stride;
  float *row(Index t) const { return rows + t * stride; }
};

/** One head of one sequence, or every dilation-th step of it: what is valid of it, and where it stands. */
struct HeadCall {
  Index queries, keys, offset, start;
  float slope;
  HeadRows q, k, v;
  HeadRows q_relative, by_distance;  // rows of null: not wanted; by distance from the longest on
  float *joined = nullptr;           // log Σ exp of the parts so far, -∞ for none; null: there is one part
  bool second = false;               // joins what it finds to the part before
  OutRows out;
  float *log_sums;  // null: not wanted
  Index log_step;
  float *weights;   // of the first query and key; null: not wanted
  Index weight_row, weight_step;
};

/** How many columns further than its key a distance stands in the rows of query t. */
static Index shift_of(const AttentionPlan &p, const HeadCall &h, Index t) { return p.T - 1 - h.offset - t; }

/** The distances from the keys of a range to `rows` queries from t on, as columns. */
static Range distances_of(const AttentionPlan &p, const HeadCall &h, Index t, int rows, const Range &range) {
  return {(Int32)(range.from + shift_of(p, h, t + rows - 1)), (Int32)smaller(p.T, range.to + shift_of(p, h, t))};
}

/** distances (rows, columns of a range): u · r. */
static void relative_block(const AttentionPlan &p, const HeadCall &h, Index t, int rows, const Range &range,
                           const float *panels, float *distances) {
  const Index width = p.step_panel();
  const Range columns = distances_of(p, h, t, rows, range);
  times_panels(distances, p.relative_stride(), h.q_relative.row(t), h.q_relative.stride, panels, p.steps.vectors,
               (int)(columns.from / width), (int)((columns.to + width - 1) / width), p.d, rows, p.d);
}

/** Adds to the products of query t what is told by how far its keys are: `distances` are its own, or null. */
static void add_distances(const HeadCall &h, Index t, const Range &range, float *scores, const float *distances,
                          float scale) {
  const Vec slope = splat(-h.slope / scale);
  for (Index s = range.from / WIDTH * WIDTH; s < range.to; s += WIDTH) {
    Vec score = load(scores + s);
    if (distances) score += load(distances + s);
    if (h.slope != 0) {
      const Vec apart = __builtin_convertvector(lane_numbers() + (int)(s - h.offset - t), Vec);
      score = multiply_add(slope, apart < Vec{} ? -apart : apart, score);
    }
    store(scores + s, score);
  }
}

/** The products of a block of queries with what is added to them. */
static void biased_scores(const AttentionPlan &p, const HeadCall &h, Index t, int rows, const Range &range,
                          const float *keys, const float *relative_panels, float *scores, float *distances,
                          float scale) {
  score_block(p, h.q.row(t), h.q.stride, keys, rows, range, scores);
  if (h.slope == 0 && !relative_panels) return;
  if (relative_panels) relative_block(p, h, t, rows, range, relative_panels, distances);
  for (int r = 0; r < rows; r++) {
    const float *own = relative_panels ? distances + r * p.relative_stride() + shift_of(p, h, t + r) : nullptr;
    add_distances(h, t + r, range, scores + r * p.padded_steps(), own, scale);
  }
}

/** Scores become exp(s · scale - max), zero where a row does not look; returns log Σ exp, 0 where it sees no key. */
template <class Mask>
static float softmax_row(const Mask &mask, Index t, const Ranges &ranges, float *scores, float scale, float &sum) {
  const Vec lowest = splat(-__builtin_inff());
  const auto row = mask.row(t);
  Vec max = lowest;
  for (const Range &range : ranges) {
    for (Index s = row.begin(range); s < row.end(range); s += WIDTH)
      max = Max::join(max, row.only(load(scores + s), s, lowest));
  }
  float maxima[WIDTH], top = -__builtin_inff();
  store(maxima, max);
  for (int i = 0; i < WIDTH; i++) top = maxima[i] > top ? maxima[i] : top;
  top *= scale;
  Vec total{};
  for (const Range &range : ranges) {
    for (Index s = range.from / WIDTH * WIDTH; s < range.to; s += WIDTH) {
      Vec e = row.only(exponential(multiply_add(load(scores + s), splat(scale), splat(-top))), s, Vec{});
      store(scores + s, e);
      total += e;
    }
  }
  sum = sum_of_lanes(total);
  const float log_sum = top + logarithm(splat(sum))[0];
  const bool sees_none = sum == 0;
  sum = sees_none ? 1.f : sum;
  return sees_none ? 0.f : log_sum;
}

/** The shares of a row, as far as it looks; the caller has filled zeros. */
static void write_weights(const HeadCall &h, Index t, const Ranges &ranges, const float *scores, float sum) {
  float *to = h.weights + t * h.weight_row;
  for (const Range &range : ranges)
    for (Index s = range.from; s < range.to; s++) to[s * h.weight_step] = scores[s] / sum;
}

/** Shares of the answers of two parts, from log Σ exp of each; `sum` becomes that of both. */
struct Joined {
  float first, second, sum;
};
static Joined join_sums(float a, float b) {
  const float lowest = -__builtin_inff();
  if (a == lowest) return {0, b == lowest ? 0.f : 1.f, b};
  if (b == lowest) return {1, 0, a};
  const float top = a > b ? a : b;
  const Vec parts = exponential(Vec{} + (a - top)), others = exponential(Vec{} + (b - top));
  const float total = parts[0] + others[0];
  return {parts[0] / total, others[0] / total, top + logarithm(splat(total))[0]};
}

/** An answer of d numbers, or with `second` the two parts' joined. */
static void write_answer(const HeadCall &h, Index t, Index d, const float *mixed, float sum, float log_sum, bool none) {
  float *out = h.out.row(t);
  Joined shares{0, 1, 0};
  if (h.joined) {
    float &before = h.joined[t * h.log_step];
    shares = join_sums(h.second ? before : -__builtin_inff(), none ? -__builtin_inff() : log_sum);
    before = shares.sum;
  }
  for (Index j = 0; j < d; j += WIDTH) {
    Vec answer = load(mixed + j) / splat(sum);
    if (h.second) answer = answer * splat(shares.second) + load_part(out + j, d - j) * splat(shares.first);
    store_part(out + j, answer, d - j);
  }
}

template <class Mask>
static void attention_head(const AttentionPlan &p, const HeadCall &h, const Mask &mask, Scratch scratch) {
  Range *room = (Range *)scratch.take(p.range_floats());
  float *keys = scratch.take(p.d * p.padded_steps()), *values = scratch.take(p.T * p.padded_numbers());
  float *scores = scratch.take(QUERIES * p.padded_steps()), *mixed = scratch.take(QUERIES * p.padded_numbers());
  pack_steps(p, h.k, h.keys, keys);
  pack_numbers(p, h.v, h.keys, values, p.T);
  float *relative = nullptr, *distances = nullptr;
  if (h.by_distance.rows) {
    relative = scratch.take(p.d * p.padded_steps()), distances = scratch.take(QUERIES * p.relative_stride());
    pack_steps(p, h.by_distance, p.T, relative);
  }
  const float scale = 1.f / __builtin_sqrtf((float)p.d);
  for (Index t = 0; t < h.queries; t += QUERIES) {
    const int rows = (int)smaller<Index>(QUERIES, h.queries - t);
    const Ranges ranges = mask.ranges(t, rows, room);
    for (const Range &range : ranges) biased_scores(p, h, t, rows, range, keys, relative, scores, distances, scale);
    float sums[QUERIES], log_sums[QUERIES];
    for (int r = 0; r < rows; r++) {
      float *row = scores + r * p.padded_steps();
      const float log_sum = log_sums[r] = softmax_row(mask, t + r, ranges, row, scale, sums[r]);
      if (h.log_sums) h.log_sums[(t + r) * h.log_step] = log_sum;
      if (h.weights) write_weights(h, t + r, ranges, row, sums[r]);
    }
    bool more = false;
    for (const Range &range : ranges) {
      times_panels(mixed, p.padded_numbers(), scores + range.from, p.padded_steps(),
                   values + range.from * p.number_panel(), p.numbers.vectors, 0, p.numbers.blocks, p.T, rows,
                   range.to - range.from, more);
      more = true;
    }
    if (!more) fill(mixed, rows * p.padded_numbers(), 0.f);
    for (int r = 0; r < rows; r++)
      write_answer(h, t + r, p.d, mixed + r * p.padded_numbers(), sums[r], log_sums[r], mask.sees_none(t + r));
  }
}

/** f(sequence, head, its scratch) for each of `heads` heads of every sequence. */
template <class F>
UNROLL_INLINE void each_head(const UnrollAttention &call, Index heads, float *scratch, Size floats, F f) {
  const Index tasks = (Index)call.batch * heads;
  const double worth = (double)call.batch * call.heads * larger(call.queries, call.keys) * call.head_size * 8;
  share_tasks(tasks, worth, [&](Index first, Index end, int thread) {
    for (Index task = first; task < end; task++) f(task / heads, task % heads, scratch + thread * floats);
  });
}

/** Whether dilation is all that keeps the keys that a query sees from being one range. */
UNROLL_INLINE bool splits_by_dilation(const UnrollAttention &c) {
  return c.dilation > 1 && c.window > 0 && c.globals == 0 && c.stride == 0;
}

/** Whether a window and the keys before it go as two parts: shares of single keys are not told then. */
UNROLL_INLINE bool splits_by_stride(const UnrollAttention &c) {
  const bool of_range = c.dilation <= 1 || c.window == 0;
  return c.stride > 1 && c.causal && c.globals == 0 && of_range && !c.weights && c.queries <= c.keys;
}

/** Every step-th query and key of a head, from these on. */
static HeadCall part_of(const HeadCall &h, Index query, Index key, Index step) {
  HeadCall part = h;
  part.queries = h.queries > query ? (h.queries - query + step - 1) / step : 0;
  part.keys = h.keys > key ? (h.keys - key + step - 1) / step : 0;
  part.offset = (h.offset + query - key) / step;
  part.start = h.start > key ? (h.start - key + step - 1) / step : 0;
  part.slope = h.slope * (float)step;
  part.q = {h.q.row(query), h.q.stride * step};
  part.k = {h.k.row(key), h.k.stride * step}, part.v = {h.v.row(key), h.v.stride * step};
  part.out = {h.out.row(query), h.out.stride * step};
  if (h.log_sums) part.log_sums = h.log_sums + query * h.log_step;
  if (h.joined) part.joined = h.joined + query * h.log_step;
  part.log_step = h.log_step * step;
  if (h.weights) part.weights = h.weights + query * h.weight_row + key * h.weight_step;
  part.weight_row = h.weight_row * step, part.weight_step = h.weight_step * step;
  return part;
}

static void fill_remainders(Int32 *out, Index count, int divisor) {
  for (Index s = 0; s < count; s++) out[s] = (Int32)(s % divisor);
}

/**
 * f(part, mask, query, key, step, scratch) for the parts of a head: every `step`-th query from `query` on, with every
 * `step`-th key from `key` on.
 */
template <class F>
static void each_part(const AttentionPlan &p, const UnrollAttention &c, const HeadCall &h, bool back, Scratch scratch,
                      F f) {
  const bool causal = c.causal;
  if (splits_by_dilation(c)) {
    const Index step = c.dilation;
    for (Index key = 0; key < step; key++) {
      const Index query = ((key - h.offset) % step + step) % step;
      const HeadCall part = part_of(h, query, key, step);
      f(part, RangeMask{causal, c.window, part.offset, part.start, part.keys}, query, key, step, scratch);
    }
    return;
  }
  if (c.globals == 0 && c.stride == 0) {
    f(h, RangeMask{causal, c.window, h.offset, h.start, h.keys}, (Index)0, (Index)0, (Index)1, scratch);
    return;
  }
  if (splits_by_stride(c)) {
    HeadCall whole = h;
    whole.joined = scratch.take(p.T);
    whole.log_sums = back ? h.log_sums : nullptr;
    const Index step = c.stride, gap = (c.window + step - 1) / step;
    if (c.window > 0)
      f(whole, RangeMask{true, c.window, h.offset, h.start, h.keys}, (Index)0, (Index)0, (Index)1, scratch);
    whole.second = c.window > 0;
    for (Index key = 0; key < step && key < larger(h.keys, h.offset + h.queries); key++) {
      const Index query = ((key - h.offset) % step + step) % step;
      if (query >= h.queries && whole.second) continue;
      const HeadCall part = part_of(whole, query, key, step);
      f(part, RangeMask{true, 0, part.offset, part.start, part.keys, gap}, query, key, step, scratch);
    }
    if (!back && h.log_sums)
      for (Index t = 0; t < h.queries; t++) {
        const float sum = whole.joined[t];
        h.log_sums[t] = sum == -__builtin_inff() ? 0.f : sum;
      }
    return;
  }
  Int32 *by_dilation = nullptr, *by_stride = nullptr;
  const Index steps = p.padded_steps();
  if (c.dilation > 1) fill_remainders(by_dilation = (Int32 *)scratch.take(steps), steps, c.dilation);
  if (c.stride > 0) fill_remainders(by_stride = (Int32 *)scratch.take(steps), steps, c.stride);
  const PatternMask mask{c, h.offset, h.start, h.keys, p.step_panel(), by_dilation, by_stride};
  f(h, mask, (Index)0, (Index)0, (Index)1, scratch);
}

/** Of one head, from the arrays of a call. */
static HeadCall head_call(const UnrollAttention &c, Index b, Index head) {
  const Index D = (Index)c.heads * c.head_size, at = head * c.head_size;
  const Index q_step = (Index)c.batch * c.q_stride, kv_step = (Index)c.batch * c.kv_stride;
  const float *keys = c.kv + b * c.kv_stride + head / (c.heads / c.kv_heads) * c.head_size;
  const Index weights = (b * c.heads + head) * c.queries * c.keys;
  return {
      .queries = c.query_lengths ? c.query_lengths[b] : c.queries,
      .keys = c.lengths ? c.lengths[b] : c.keys,
      .offset = c.offset,
      .start = c.starts ? c.starts[b] : 0,
      .slope = c.slopes ? c.slopes[head] : 0.f,
      .q = {c.q + b * c.q_stride + at, q_step},
      .k = {keys, kv_step},
      .v = {keys + (Index)c.kv_heads * c.head_size, kv_step},
      .q_relative = {c.q_relative ? c.q_relative + b * D + at : nullptr, (Index)c.batch * D},
      .by_distance = {c.relative ? c.relative + (c.keys - 1) * D + at : nullptr, -D},
      .out = {c.out ? c.out + b * D + at : nullptr, (Index)c.batch * D},
      .log_sums = c.log_sum_exp ? c.log_sum_exp + (b * c.heads + head) * c.queries : nullptr,
      .log_step = 1,
      .weights = c.weights ? c.weights + weights : nullptr,
      .weight_row = c.keys,
      .weight_step = 1,
  };
}

static double attention_memory(const UnrollAttentionMemory *call) {
  const AttentionPlan plan(call->keys, call->head_size);
  return (double)unroll::thread_count() * (double)(call->backward ? plan.backward_floats(call->relative) : plan.forward_floats(call->relative));
}

static double attention(const UnrollAttention *call) {
  const AttentionPlan plan(call->keys, call->head_size);
  const Size floats = plan.forward_floats(call->relative);
  each_head(*call, call->heads, call->scratch, floats, [&](Index b, Index head, float *scratch) {
    const HeadCall h = head_call(*call, b, head);
    if (h.weights) fill(h.weights, (Index)call->queries * call->keys, 0.f);
    each_part(plan, *call, h, false, Scratch{scratch},
              [&](const HeadCall &part, const auto &mask, Index, Index, Index, Scratch rest) {
                attention_head(plan, part, mask, rest);
              });
    for (Index t = h.queries; t < call->queries; t++) fill(h.out.row(t), plan.d, 0.f);
    if (h.log_sums) fill(h.log_sums + h.queries, call->queries - h.queries, 0.f);
  });
  return 0;
}

/** weights: exp(s · scale - L); deltas in: ∂L/∂o_t · v_i; both zero where a row does not look. */
template <class Mask>
static void delta_row(const Mask &mask, Index t, const Ranges &ranges, float *weights, float *deltas, float scale,
                      float log_sum, float through_sum) {
  const auto row = mask.row(t);
  for (const Range &range : ranges) {
    for (Index s = range.from / WIDTH * WIDTH; s < range.to; s += WIDTH) {
      Vec e = exponential(multiply_add(load(weights + s), splat(scale), splat(-log_sum)));
      Vec p = row.only(e, s, Vec{});
      store(weights + s, p);
      Vec delta = p * (load(deltas + s) - splat(through_sum)) * splat(scale);
      store(deltas + s, row.only(delta, s, Vec{}));
    }
  }
}

/** sums (steps of a range, d) += wᵀ (steps, rows) · panels (rows, d): what a block of queries gives to the steps. */
static void add_transposed(const AttentionPlan &p, float *sums, const float *w, Index w_stride, const float *panels,
                           int rows, const Range &range) {
  for (int block = 0; block < p.numbers.blocks; block++)
    with_constant<MAX_VECTORS>(p.numbers.vectors, [&](auto vectors) {
      constexpr int NV = vectors.value;
      transposed_product<NV, NV>(sums + range.from * p.padded_numbers() + block * p.number_panel(), p.padded_numbers(),
                                 w + range.from, w_stride, panels + block * p.number_panel() * QUERIES,
                                 (int)(range.to - range.from), rows, false);
    });
}

/** Where a part's gradients go: rows of queries, keys and values; `add`: to those of the group's heads before it. */
struct HeadGradients {
  HeadRows dout;
  OutRows dq, dk, dv;
  OutRows dq_relative, dby_distance;
  bool add, add_queries;
};

/** to (count) = or += from */
static void give(float *to, const float *from, Index count, bool add) {
  if (!add) return copy(to, from, count);
  for (Index j = 0; j < count; j += WIDTH)
    store_part(to + j, load_part(to + j, count - j) + load_part(from + j, count - j), count - j);
}

/** What a head computes the gradients of its distances with. */
struct RelativeBackward {
  float *panels, *rows, *distances, *sums, *q_panel, *dq_rows;
};

static RelativeBackward relative_backward(const AttentionPlan &p, const HeadCall &h, Scratch &scratch) {
  if (!h.by_distance.rows) return {};
  const Index numbers = p.padded_numbers();
  const RelativeBackward made{scratch.take(p.d * p.padded_steps()),       scratch.take(p.T * numbers),
                              scratch.take(QUERIES * p.relative_stride()), scratch.take(p.T * numbers),
                              scratch.take(QUERIES * numbers),             scratch.take(QUERIES * numbers)};
  pack_steps(p, h.by_distance, p.T, made.panels);
  pack_numbers(p, h.by_distance, p.T, made.rows, p.T);
  fill(made.sums, p.T * numbers, 0.f);
  return made;
}

/** From ∂L/∂s of a block of queries to the second queries, and to the sums of the distances. */
static void add_relative_gradients(const AttentionPlan &p, const HeadCall &h, const HeadGradients &g, Index t, int rows,
                                   const Ranges &ranges, const float *deltas, const RelativeBackward &own) {
  const Index numbers = p.padded_numbers(), stride = p.relative_stride();
  fill(own.dq_rows, rows * numbers, 0.f);
  pack_numbers(p, {h.q_relative.row(t), h.q_relative.stride}, rows, own.q_panel, QUERIES);
  for (const Range &range : ranges) {
    const Range columns = distances_of(p, h, t, rows, range);
    for (int r = 0; r < rows; r++) {
      const Index from = range.from + shift_of(p, h, t + r);
      float *row = own.distances + r * stride;
      fill(row + columns.from, columns.to - columns.from, 0.f);
      copy(row + from, deltas + r * p.padded_steps() + range.from, smaller<Index>(range.to - range.from, p.T - from));
    }
    times_panels(own.dq_rows, numbers, own.distances + columns.from, stride, own.rows + columns.from * p.number_panel(),
                 p.numbers.vectors, 0, p.numbers.blocks, p.T, rows, columns.to - columns.from, true);
    add_transposed(p, own.sums, own.distances, stride, own.q_panel, rows, columns);
  }
  for (int r = 0; r < rows; r++) copy(g.dq_relative.row(t + r), own.dq_rows + r * numbers, p.d);
}

template <class Mask>
static void attention_head_backward(const AttentionPlan &p, const HeadCall &h, const HeadGradients &g, const Mask &mask,
                                    Scratch scratch) {
  const Index steps = p.padded_steps(), numbers = p.padded_numbers();
  Range *room = (Range *)scratch.take(p.range_floats());
  float *keys = scratch.take(p.d * steps), *values = scratch.take(p.d * steps), *key_rows = scratch.take(p.T * numbers);
  float *dk = scratch.take(p.T * numbers), *dv = scratch.take(p.T * numbers);
  float *weights = scratch.take(QUERIES * steps), *deltas = scratch.take(QUERIES * steps);
  float *q_panel = scratch.take(QUERIES * numbers), *dout_panel = scratch.take(QUERIES * numbers);
  float *dq_rows = scratch.take(QUERIES * numbers);
  const RelativeBackward relative = relative_backward(p, h, scratch);
  pack_steps(p, h.k, h.keys, keys);
  pack_steps(p, h.v, h.keys, values);
  pack_numbers(p, h.k, h.keys, key_rows, p.T);
  fill(dk, h.keys * numbers, 0.f);
  fill(dv, h.keys * numbers, 0.f);
  const float scale = 1.f / __builtin_sqrtf((float)p.d);
  for (Index t = 0; t < h.queries; t += QUERIES) {
    const int rows = (int)smaller<Index>(QUERIES, h.queries - t);
    const Ranges ranges = mask.ranges(t, rows, room);
    for (const Range &range : ranges) {
      biased_scores(p, h, t, rows, range, keys, relative.panels, weights, relative.distances, scale);
      score_block(p, g.dout.row(t), g.dout.stride, values, rows, range, deltas);
    }
    for (int r = 0; r < rows; r++) {
      Vec through{};
      for (Index j = 0; j < p.d; j += WIDTH)
        through = multiply_add(load_part(g.dout.row(t + r) + j, p.d - j), load_part(h.out.row(t + r) + j, p.d - j),
                               through);
      delta_row(mask, t + r, ranges, weights + r * steps, deltas + r * steps, scale,
                h.log_sums[(t + r) * h.log_step], sum_of_lanes(through));
    }
    bool more = false;
    for (const Range &range : ranges) {
      times_panels(dq_rows, numbers, deltas + range.from, steps, key_rows + range.from * p.number_panel(),
                   p.numbers.vectors, 0, p.numbers.blocks, p.T, rows, range.to - range.from, more);
      more = true;
    }
    if (!more) fill(dq_rows, rows * numbers, 0.f);
    for (int r = 0; r < rows; r++) give(g.dq.row(t + r), dq_rows + r * numbers, p.d, g.add_queries);
    if (relative.panels) add_relative_gradients(p, h, g, t, rows, ranges, deltas, relative);
    if (!more) continue;
    pack_numbers(p, {h.q.row(t), h.q.stride}, rows, q_panel, QUERIES);
    pack_numbers(p, {g.dout.row(t), g.dout.stride}, rows, dout_panel, QUERIES);
    for (const Range &range : ranges) {
      add_transposed(p, dk, deltas, steps, q_panel, rows, range);
      add_transposed(p, dv, weights, steps, dout_panel, rows, range);
    }
  }
  for (Index s = 0; s < h.keys; s++) {
    give(g.dk.row(s), dk + s * numbers, p.d, g.add);
    give(g.dv.row(s), dv + s * numbers, p.d, g.add);
  }
  if (!relative.panels) return;
  for (Index s = 0; s < p.T; s++) copy(g.dby_distance.row(s), relative.sums + s * numbers, p.d);
}

static double attention_backward(const UnrollAttentionBackward *back) {
  const UnrollAttention call{
      .q = back->q,
      .kv = back->kv,
      .lengths = back->lengths,
      .query_lengths = back->query_lengths,
      .starts = back->starts,
      .slopes = back->slopes,
      .q_relative = back->q_relative,
      .relative = back->relative,
      .out = const_cast<float *>(back->out),
      .log_sum_exp = const_cast<float *>(back->log_sum_exp),
      .weights = nullptr,
      .scratch = back->scratch,
      .queries = back->queries,
      .keys = back->keys,
      .batch = back->batch,
      .heads = back->heads,
      .kv_heads = back->kv_heads,
      .head_size = back->head_size,
      .q_stride = back->q_stride,
      .kv_stride = back->kv_stride,
      .offset = back->offset,
      .causal = back->causal,
      .window = back->window,
      .dilation = back->dilation,
      .globals = back->globals,
      .stride = back->stride,
  };
  const AttentionPlan plan(call.keys, call.head_size);
  const Index D = (Index)call.heads * plan.d;
  const Index group = call.heads / call.kv_heads, keys_width = call.kv_heads * plan.d;
  const Size floats = plan.backward_floats(call.relative);
  each_head(call, call.kv_heads, back->scratch, floats, [&](Index b, Index kv_head, float *scratch) {
    float *dkeys = back->dkv + b * call.kv_stride + kv_head * plan.d;
    const OutRows dk{dkeys, (Index)call.batch * call.kv_stride}, dv{dkeys + keys_width, dk.stride};
    for (Index head = kv_head * group; head < (kv_head + 1) * group; head++) {
      const HeadCall h = head_call(call, b, head);
      const Index at = b * D + head * plan.d;
      const HeadGradients g{
          .dout = {back->dout + at, h.out.stride},
          .dq = {back->dq + b * call.q_stride + head * plan.d, h.q.stride},
          .dk = dk,
          .dv = dv,
          .dq_relative = {back->dq_relative ? back->dq_relative + at : nullptr, h.out.stride},
          .dby_distance = {back->drelative ? back->drelative + (b * call.keys + call.keys - 1) * D + head * plan.d
                                           : nullptr, -D},
          .add = head > kv_head * group,
          .add_queries = false,
      };
      each_part(plan, call, h, true, Scratch{scratch},
                [&](const HeadCall &part, const auto &mask, Index query, Index key, Index step, Scratch rest) {
                  HeadGradients of_part = g;
                  of_part.dout = {g.dout.row(query), g.dout.stride * step};
                  of_part.dq = {g.dq.row(query), g.dq.stride * step};
                  of_part.dk = {g.dk.row(key), g.dk.stride * step};
                  of_part.dv = {g.dv.row(key), g.dv.stride * step};
                  of_part.add |= part.second, of_part.add_queries = part.second;
                  attention_head_backward(plan, part, of_part, mask, rest);
                });
      for (Index t = h.queries; t < call.queries; t++) {
        fill(g.dq.row(t), plan.d, 0.f);
        if (back->dq_relative) fill(g.dq_relative.row(t), plan.d, 0.f);
      }
    }
    const Index keys = call.lengths ? call.lengths[b] : call.keys;
    for (Index s = keys; s < call.keys; s++) fill(dk.row(s), plan.d, 0.f), fill(dv.row(s), plan.d, 0.f);
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
