// The causal dilated convolution of a TCN: S. Bai, J. Z. Kolter, V. Koltun, 2018, https://arxiv.org/abs/1803.01271.
//
//   y_t = φ(b + Σ_j W_j x_{t-j·dilation})      j = 0 ... kernel_size-1 steps back, φ an activation or nothing
//
//   g_t = ∂L/∂y_t ⊙ φ'      ∂L/∂x_t = Σ_j W_jᵀ g_{t+j·dilation}
//   ∂L/∂W_j = Σ_t g_t x_{t-j·dilation}ᵀ        ∂L/∂b = Σ_t g_t
//
// Sequences are time-major, so that "n steps earlier" is one shift of the rows (T·B), and a sum over taps is one product
// whose left side is read in several places: a tile of the result stays in registers over all of its taps. Where taps
// look beyond the ends of time they are left out; rows of as many taps stand together. Threads share the rows.
//
// g is written as panels, which at once are the left side of ∂L/∂x and the right side of ∂L/∂W: each thread adds up the
// latter for its own rows, a few at a time while they are in the nearest cache, and the threads' parts are summed in
// their order. Legend: T B I O, K kernel_size; rows are T·B.
#pragma once
#include "gemm.h"

namespace UNROLL_NAMESPACE {

struct ConvolutionPlan {
  Index T, B, I, O, K, dilation;
  Index rows, shift;
  int threads;
  Blocks outputs, inputs;

  /** Rows of g whose panel of four vectors fills most of the nearest cache. */
  static constexpr Index ROWS_OF_GRADIENT = 128;

  template <class Call>
  explicit ConvolutionPlan(const Call &call)
      : T(call.seq_len), B(call.batch), I(call.input_size), O(call.output_size), K(call.kernel_size),
        dilation(smaller<Index>(call.dilation, T)), rows(T * B), shift(dilation * B), outputs(blocks_of(O)), inputs(blocks_of(I)) {
    threads = (double)rows * I * O * K < 2e5 ? 1 : unroll::thread_count();
  }

  Index output_panel() const { return (Index)outputs.vectors * WIDTH; }
  Index input_panel() const { return (Index)inputs.vectors * WIDTH; }
  Index padded_outputs() const { return outputs.blocks * output_panel(); }
  Size weight_floats() const { return (Size)K * I * padded_outputs(); }
  Size forward_floats() const { return weight_floats(); }
  Size backward_floats() const {
    return (Size)rows * padded_outputs() + (Size)K * O * inputs.blocks * input_panel() + threads * (weight_floats() + padded_outputs());
  }
};

/** Panels (block, tap, row, lane) of weight (O, I, K), tap 0 being the present: rows and lanes are its O and I or its I and O. */
static void pack_taps(const ConvolutionPlan &p, const float *weight, bool rows_are_inputs, float *panels, int block) {
  const Index rows = rows_are_inputs ? p.I : p.O, columns = rows_are_inputs ? p.O : p.I;
  const Index row_stride = rows_are_inputs ? p.K : p.I * p.K, lane_stride = rows_are_inputs ? p.I * p.K : p.K;
  const Index width = rows_are_inputs ? p.output_panel() : p.input_panel();
  float *out = panels + block * p.K * rows * width;
  for (Index tap = p.K - 1; tap >= 0; tap--)
    for (Index row = 0; row < rows; row++)
      for (Index lane = 0; lane < width; lane++) {
        const Index column = block * width + lane;
        *out++ = column < columns ? weight[row * row_stride + column * lane_stride + tap] : 0.f;
      }
}

/** c (rows from ... to-1 of N columns) = φ(start + Σ over taps of a · panels). */
static void add_taps(const TapRows &a, const float *panels, Blocks blocks, Index panel, const float *start,
                     int activation, float *c, Index N, Index from, Index to, Index taps) {
  for (Index row = from; row < to; row += GemmPlan::ROW_BLOCK) {
    const int rows_here = (int)smaller<Index>(GemmPlan::ROW_BLOCK, to - row);
    for (int block = 0; block < blocks.blocks; block++) {
      const Index column = (Index)block * blocks.vectors * WIDTH;
      with_constant<MAX_VECTORS>(vectors_of(blocks, block, N), [&](auto vectors) {
        each_tile<max_rows(vectors.value)>(rows_here, [&](int r, auto tile) {
          taps_tile<tile.value, vectors.value>(c + (row + r) * N + column, N, N - column, false,
                                               start ? start + column : nullptr, a, row + r, taps,
                                               panels + block * panel, blocks.vectors * WIDTH);
        });
      });
    }
    if (activation != UNROLL_LINEAR) activate(activation, c + row * N, c + row * N, rows_here * N);
  }
}

static void convolution_thread(const ConvolutionPlan &p, const UnrollCausalConvolution &call, int thread) {
  for (int block = thread; block < p.outputs.blocks; block += p.threads)
    pack_taps(p, call.weight, true, call.scratch, block);
  if (p.threads > 1) unroll::barrier();
  const TapRows x{
      .a = call.x,
      .stride = p.I,
      .tap_step = -p.shift * p.I,
      .block_step = 0,
      .width = p.I,
      .columns = p.I,
  };
  const Index end = begin_of(p.rows, thread + 1, p.threads);
  for (Index row = begin_of(p.rows, thread, p.threads); row < end;) {
    const Index taps = smaller(p.K, row / p.shift + 1);
    const Index to = taps == p.K ? end : smaller(end, taps * p.shift);
    add_taps(x, call.scratch, p.outputs, p.K * p.I * p.output_panel(), call.bias, call.activation, call.y, p.O, row,
             to, taps);
    row = to;
  }
}

/** Where the parts of a backward call's scratch are. */
struct ConvolutionScratch {
  float *g, *weights, *dweights, *dbiases;
  ConvolutionScratch(const ConvolutionPlan &p, float *scratch)
      : g(scratch), weights(g + p.rows * p.padded_outputs()),
        dweights(weights + p.K * p.O * p.inputs.blocks * p.input_panel()),
        dbiases(dweights + p.threads * p.weight_floats()) {}
};

/** Panels of g and their sums for rows from ... to-1. */
static void output_gradients(const ConvolutionPlan &p, const UnrollCausalConvolutionBackward &call, float *panels,
                             float *sums, Index from, Index to) {
  const Index width = p.output_panel();
  for (Index column = 0; column < p.padded_outputs(); column += WIDTH) {
    const Index lanes = clamp_lanes(p.O - column);
    float *out = panels + column / width * width * p.rows + column % width;
    Vec sum{};
    for (Index row = from; row < to; row++) {
      Vec g{};
      if (lanes > 0) g = load_part(call.dy + row * p.O + column, lanes);
      if (call.activation != UNROLL_LINEAR && lanes > 0) {
        Vec y = load_part(call.y + row * p.O + column, lanes);
        g *= slope(call.activation, y, y);
      }
      store(out + row * width, g);
      sum += g;
    }
    store(sums + column, load(sums + column) + sum);
  }
}

/** dweights (block, tap, I, lane) += xᵀ g over rows from ... to-1. */
static void add_weight_gradients(const ConvolutionPlan &p, const float *x, const float *panels, float *dweights,
                                 Index from, Index to) {
  const Index width = p.output_panel();
  for (int block = 0; block < p.outputs.blocks; block++)
    for (Index tap = 0; tap < p.K; tap++, dweights += p.I * width) {
      const Index first = larger(from, tap * p.shift);
      if (first >= to) continue;
      with_constant<MAX_VECTORS>(p.outputs.vectors, [&](auto vectors) {
        transposed_product<vectors.value, vectors.value>(dweights, width, x + (first - tap * p.shift) * p.I, p.I,
                                                         panels + (block * p.rows + first) * width, (int)p.I,
                                                         to - first, false);
      });
    }
}

static void convolution_backward_thread(const ConvolutionPlan &p, const UnrollCausalConvolutionBackward &call,
                                        int thread) {
  const ConvolutionScratch scratch(p, call.scratch);
  const Index begin = begin_of(p.rows, thread, p.threads), end = begin_of(p.rows, thread + 1, p.threads);
  float *dweights = scratch.dweights + thread * p.weight_floats();
  float *dbias = scratch.dbiases + thread * p.padded_outputs();
  fill(dweights, p.weight_floats(), 0.f);
  fill(dbias, p.padded_outputs(), 0.f);
  for (Index row = begin; row < end; row += ConvolutionPlan::ROWS_OF_GRADIENT) {
    const Index to = smaller(end, row + ConvolutionPlan::ROWS_OF_GRADIENT);
    output_gradients(p, call, scratch.g, dbias, row, to);
    add_weight_gradients(p, call.x, scratch.g, dweights, row, to);
  }
  if (call.dx)
    for (int block = thread; block < p.inputs.blocks; block += p.threads)
      pack_taps(p, call.weight, false, scratch.weights, block);
  if (p.threads > 1) unroll::barrier();

  const Index width = p.output_panel();
  for (Index o = begin_of(p.O, thread, p.threads); o < begin_of(p.O, thread + 1, p.threads); o++) {
    const float *from = scratch.dweights + o / width * width * p.K * p.I + o % width;
    for (Index tap = 0; tap < p.K; tap++)
      for (Index i = 0; i < p.I; i++) {
        float sum = 0;
        for (int part = 0; part < p.threads; part++)
          sum += from[part * p.weight_floats() + (tap * p.I + i) * width];
        call.dweight[(o * p.I + i) * p.K + p.K - 1 - tap] = sum;
      }
    float sum = 0;
    for (int part = 0; part < p.threads; part++) sum += scratch.dbiases[part * p.padded_outputs() + o];
    call.dbias[o] = sum;
  }
  if (!call.dx) return;
  const TapRows g{
      .a = scratch.g,
      .stride = width,
      .tap_step = p.shift * width,
      .block_step = p.rows * width,
      .width = width,
      .columns = p.O,
  };
  for (Index row = begin; row < end;) {
    const Index after = p.T - 1 - row / p.B, taps = smaller(p.K, after / p.dilation + 1);
    const Index to = smaller(end, (p.T - (taps - 1) * p.dilation) * p.B);
    add_taps(g, scratch.weights, p.inputs, p.K * p.O * p.input_panel(), nullptr, UNROLL_LINEAR, call.dx, p.I, row,
             to, taps);
    row = to;
  }
}

static double causal_convolution_memory(const UnrollCausalConvolutionMemory *call) {
  const ConvolutionPlan plan(*call);
  return (double)(call->backward ? plan.backward_floats() : plan.forward_floats());
}

static double causal_convolution(const UnrollCausalConvolution *call) {
  const ConvolutionPlan plan(*call);
  on_threads(plan.threads, [&](int thread) { convolution_thread(plan, *call, thread); });
  return 0;
}

/** dx unless null, dweight, dbias. */
static double causal_convolution_backward(const UnrollCausalConvolutionBackward *call) {
  const ConvolutionPlan plan(*call);
  on_threads(plan.threads, [&](int thread) { convolution_backward_thread(plan, *call, thread); });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
