// The last dense layer and the softmax cross-entropy of its logits in one pass, with all gradients:
//
//   logits (N, O) = x (N, H) · weightᵀ (H, O) + bias      L and ∂L/∂logits as in softmax_cross_entropy.h
//   ∂L/∂x = ∂L/∂logits · weight      ∂L/∂weight = ∂L/∂logitsᵀ · x      ∂L/∂bias = Σ_n ∂L/∂logits
//
// Rows go through in blocks, as in P.-L. Hsu et al., 2024, "Liger Kernel", https://arxiv.org/abs/2410.10989, and
// E. Wijmans et al., 2024, "Cut Your Losses in Large-Vocabulary Language Models", https://arxiv.org/abs/2411.09009: the
// logits of a block never leave the caches, and x is read from memory once. Threads share the rows, and each adds up
// weight gradients of its own, which are summed in the order of the threads. A large weight is worth more rows at a
// time: there, gradients of logits are kept for a slab of rows, after which threads share the rows of ∂L/∂weight.
#pragma once
#include "gemm.h"
#include "softmax_cross_entropy.h"

namespace UNROLL_NAMESPACE {

struct DenseCrossEntropyPlan {
  int rows, inputs, outputs;
  /** Floats of a row of logits: whole vectors, so that none is stored in part. */
  Index width;
  int threads;
  bool has_slabs;
  /** Rows that a thread has logits of at a time, and rows whose gradients of logits are kept together. */
  int block, slab;
  Product logits, dx, dweight;

  static constexpr double LARGEST_PART = 1 << 16;
  static constexpr int BLOCK_FLOATS = 1 << 15;  // a block with its gradients stays near
  static constexpr int SLAB_FLOATS = 1 << 21;
  static constexpr int FEWEST_ROWS = 48, MOST_ROWS = Product::ROW_BLOCK;

  DenseCrossEntropyPlan(int n, int h, int o, bool weighted, bool gradients)
      : rows(n), inputs(h), outputs(o), width((o + Index(WIDTH) - 1) / WIDTH * WIDTH),
        threads((double)n * h * o < 7e4 || unroll::thread_count() > MAX_LOSSES ? 1 : unroll::thread_count()),
        has_slabs(gradients && (double)h * o > LARGEST_PART), block(block_rows()), slab(slab_rows()),
        logits(block, o, h, false, true), dx(block, h, o, false, false),
        dweight(o, h, has_slabs ? slab : block, true, false) {
    dx.a_stride = dweight.a_stride = width;
    // rows of weight 0 are not looked at: the packed x has zeros instead
    if (weighted) dweight.packs = true;
  }

  int block_rows() const {
    if ((double)inputs * outputs > LARGEST_PART) return MOST_ROWS;
    const int fit = (int)(BLOCK_FLOATS / (2 * inputs + width));
    return smaller(larger(fit, FEWEST_ROWS), MOST_ROWS);
  }
  int slab_rows() const {
    if (!has_slabs) return rows;
    const int most = (int)larger(SLAB_FLOATS / (inputs + width), (Index)MOST_ROWS);
    const int slabs = (rows + most - 1) / most;
    return slabs > 1 ? (rows + slabs - 1) / slabs : rows;
  }
  Size part_size() const { return (Size)outputs * inputs; }
};

/** Where the parts of a call's scratch are, in floats; what is there for gradients comes last. */
struct DenseCrossEntropyScratch {
  Size bias, logits, weight, x, dbias, dweight, end;
  DenseCrossEntropyScratch(const DenseCrossEntropyPlan &p, bool gradients) {
    bias = p.logits.packed_size();
    logits = bias + p.width;
    weight = logits + (p.has_slabs ? p.slab : (Size)p.threads * p.block) * p.width;
    x = weight + (gradients ? p.dx.packed_size() : 0);
    dbias = x + (gradients ? (p.has_slabs ? 1 : p.threads) * p.dweight.packed_size() : 0);
    dweight = dbias + (gradients ? p.threads * p.width : 0);
    end = dweight + (gradients && !p.has_slabs ? (p.threads - 1) * p.part_size() : 0);
  }
};

static double dense_cross_entropy_memory(const UnrollDenseCrossEntropyMemory *call) {
  const DenseCrossEntropyPlan plan(call->rows, call->inputs, call->outputs, call->weighted, call->gradients);
  return (double)DenseCrossEntropyScratch(plan, call->gradients).end;
}

/** One thread's part of a call. */
struct DenseCrossEntropy {
  const DenseCrossEntropyPlan &p;
  const UnrollDenseCrossEntropy &call;
  const bool gradients;
  const DenseCrossEntropyScratch at;
  const double weight_sum;
  const int thread;

  bool skips(int row) const { return call.weights && call.weights[row] == 0; }

  /** This thread's share of the columns' blocks. */
  void pack(const Product &product, const float *b, float *panels, int depth) const {
    for (int block = thread; block < product.columns.blocks; block += p.threads)
      pack_right(product, b, panels, block, 0, depth);
  }

  void pack_x(float *panels, int first, int count, int from_block, int step) const {
    const Product &product = p.dweight;
    const Index width = product.panel_width();
    for (int block = from_block; block < product.columns.blocks; block += step) {
      pack_right(product, call.x + (Index)first * p.inputs, panels, block, 0, count);
      for (int row = 0; call.weights && row < count; row++)
        if (skips(first + row)) fill(panels + (block * (Index)product.panel_depth + row) * width, width, 0.f);
    }
  }

  /** Loss and ∂L/∂x of some rows; `logits` holds ∂L/∂logits then. */
  double run_rows(float *logits, int first, int count) const {
    Product whole = p.logits;
    whole.N = (int)(whole.c_stride = p.width);
    gemm_part<false>(whole, call.x + (Index)first * p.inputs, call.scratch, call.scratch + at.bias, logits, false, 0,
                     count, 0, p.inputs);
    const LogitRows rows = {
        .logits = logits,
        .dlogits = gradients ? logits : nullptr,
        .stride = p.width,
        .room = p.width,
        .targets = call.targets + first,
        .weights = call.weights ? call.weights + first : nullptr,
        .classes = p.outputs,
        .label_smoothing = call.label_smoothing,
        .weight_sum = weight_sum,
    };
    double loss = 0;
    for (int row = 0; row < count; row += WIDTH) loss += cross_entropy_rows(rows, row, smaller(WIDTH, count - row));
    if (!call.dx) return loss;
    float *dx = call.dx + (Index)first * p.inputs;
    gemm_part<false>(p.dx, logits, p.dx.packs ? call.scratch + at.weight : call.weight, nullptr, dx, false, 0, count,
                     0, p.outputs);
    for (int row = 0; call.weights && row < count; row++)
      if (skips(first + row)) fill(dx + (Index)row * p.inputs, p.inputs, 0.f);
    return loss;
  }

  void add_columns(float *sums, const float *dlogits, int count) const {
    for (Index column = 0; column < p.width; column += 4 * WIDTH)
      with_constant<4>((int)smaller<Index>(4, (p.width - column) / WIDTH), [&](auto vectors) {
        sum_columns<vectors.value>(dlogits + column, p.width, count, p.width - column, sums + column, true);
      });
  }

  /** Rows from ... to-1 of ∂L/∂weight, added to `out`. */
  void add_weights(float *out, const float *dlogits, const float *panels, int first, int count, int from, int to) const {
    gemm_part<true>(p.dweight, dlogits, p.dweight.packs ? panels : call.x + (Index)first * p.inputs, nullptr, out, true,
                    from, to, 0, count);
  }

  float *dbias_part() const { return call.scratch + at.dbias + thread * p.width; }

  void start() const {
    pack(p.logits, call.weight, call.scratch, p.inputs);
    if (call.dx) pack(p.dx, call.weight, call.scratch + at.weight, p.outputs);
    float *bias = call.scratch + at.bias;
    if (thread == 0) {
      fill(bias, p.width, 0.f);
      if (call.bias) copy(bias, call.bias, p.outputs);
    }
    if (gradients) fill(dbias_part(), p.width, 0.f);
  }

  void sum_bias() const {
    if (!call.dbias || thread != 0) return;
    for (Index column = 0; column < p.width; column += WIDTH) {
      Vec sum{};
      for (int i = 0; i < p.threads; i++) sum += load(call.scratch + at.dbias + i * p.width + column);
      store_part(call.dbias + column, sum, p.outputs - column);
    }
  }

  double run_blocks() const {
    float *logits = call.scratch + at.logits + thread * p.block * p.width;
    float *panels = call.scratch + at.x + thread * p.dweight.packed_size();
    float *dweight = thread == 0 ? call.dweight : weight_parts() + (thread - 1) * p.part_size();
    if (call.dweight) fill(dweight, p.part_size(), 0.f);
    const int from = begin_of(p.rows, thread, p.threads), count = begin_of(p.rows, thread + 1, p.threads) - from;
    const int blocks = (count + p.block - 1) / p.block;
    double loss = 0;
    for (int i = 0; i < blocks; i++) {
      const int first = from + begin_of(count, i, blocks), rows = from + begin_of(count, i + 1, blocks) - first;
      loss += run_rows(logits, first, rows);
      if (call.dbias) add_columns(dbias_part(), logits, rows);
      if (!call.dweight) continue;
      pack_x(panels, first, rows, 0, 1);
      add_weights(dweight, logits, panels, first, rows, 0, p.outputs);
    }
    return loss;
  }

  float *weight_parts() const { return call.scratch + at.dweight; }

  /** Of all threads' parts, which run_blocks has left. */
  void sum_weights() const {
    if (p.threads == 1 || !call.dweight || p.has_slabs) return;
    const Size size = p.part_size(), end = begin_of(size, thread + 1, p.threads);
    for (Size i = begin_of(size, thread, p.threads); i < end; i++)
      for (int part = 0; part < p.threads - 1; part++) call.dweight[i] += weight_parts()[part * size + i];
  }

  /** Logits, their gradients and ∂L/∂x of this thread's rows of a slab; what they add to the loss. */
  void run_slab(int begin, int count, double &loss) const {
    if (call.dweight) pack_x(call.scratch + at.x, begin, count, thread, p.threads);
    const int to = begin_of(count, thread + 1, p.threads);
    for (int row = begin_of(count, thread, p.threads); row < to; row += p.block) {
      const int rows = smaller(p.block, to - row);
      float *logits = call.scratch + at.logits + row * p.width;
      loss += run_rows(logits, begin + row, rows);
      if (call.dbias) add_columns(dbias_part(), logits, rows);
    }
  }

  /** This thread's rows of ∂L/∂weight, from what all threads have left of the slab. */
  void add_slab(int begin, int count) const {
    const int from = begin_of(p.outputs, thread, p.threads), to = begin_of(p.outputs, thread + 1, p.threads);
    if (begin == 0) fill(call.dweight + (Index)from * p.inputs, (to - from) * (Index)p.inputs, 0.f);
    add_weights(call.dweight, call.scratch + at.logits, call.scratch + at.x, begin, count, from, to);
  }
};

static double dense_cross_entropy(const UnrollDenseCrossEntropy *call) {
  const bool gradients = call->dx || call->dweight || call->dbias;
  const DenseCrossEntropyPlan plan(call->rows, call->inputs, call->outputs, call->weights, gradients);
  const DenseCrossEntropyScratch at(plan, gradients);
  const double weight_sum = sum_of_weights(call->weights, call->rows);
  double losses[MAX_LOSSES] = {};
  auto each = [&](auto f) {
    on_threads(plan.threads, [&](int thread) { f(DenseCrossEntropy{plan, *call, gradients, at, weight_sum, thread}); });
  };
  each([](const DenseCrossEntropy &part) { part.start(); });
  if (!plan.has_slabs)
    each([&](const DenseCrossEntropy &part) { losses[part.thread] = part.run_blocks(); });
  for (int begin = 0; plan.has_slabs && (begin == 0 || begin < plan.rows); begin += larger(plan.slab, 1)) {
    const int count = smaller(plan.slab, plan.rows - begin);
    each([&](const DenseCrossEntropy &part) { part.run_slab(begin, count, losses[part.thread]); });
    if (call->dweight) each([&](const DenseCrossEntropy &part) { part.add_slab(begin, count); });
  }
  if (gradients)
    each([](const DenseCrossEntropy &part) {
      part.sum_weights();
      part.sum_bias();
    });
  double loss = 0;
  for (int thread = 0; thread < plan.threads; thread++) loss += losses[thread];
  return loss;
}

}  // namespace UNROLL_NAMESPACE
