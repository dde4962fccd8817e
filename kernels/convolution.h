// Convolutions over time, dilated, strided and in groups: causal ones, as in a TCN (S. Bai, J. Z. Kolter, V. Koltun,
// 2018, https://arxiv.org/abs/1803.01271), and those that look ahead.
//
//   y_t = φ(b + Σ_j W_j x_{t·stride + ahead - j·dilation})      j = 0 ... kernel_size-1, φ an activation or nothing
//
//   g_u = ∂L/∂y_t ⊙ φ' at u = t·stride, 0 between      ∂L/∂x_s = Σ_j W_jᵀ g_{s - ahead + j·dilation}
//   ∂L/∂W_j = Σ_u g_u x_{u + ahead - j·dilation}ᵀ      ∂L/∂b = Σ_u g_u
//
// Sequences are time-major, so that "n steps earlier" is one shift of the rows (T·B), and a sum over taps is one product
// whose left side is read in several places: a tile of the result stays in registers over all of its taps. Where taps
// look beyond the ends of time they are left out; rows of the same taps stand together. Threads share the rows.
//
// g is written as panels, which at once are the left side of ∂L/∂x and the right side of ∂L/∂W: each thread adds up the
// latter for its own rows, a few at a time while they are in the nearest cache, and the threads' parts are summed in
// their order. Groups of inputs and outputs go one after another.
// Legend: T B, I O of a group, K kernel_size; rows are T·B.
#pragma once
#include "gemm.h"

namespace UNROLL_NAMESPACE {

struct ConvolutionPlan {
  Index T, B, I, O, K;
  Size dilation, ahead;
  Index stride, groups, output_steps, gradient_steps;
  /** Of x, of y, and of g. */
  Index rows, output_rows, gradient_rows;
  /** How far rows of x and of y are apart. */
  Index x_stride, y_stride;
  int threads;
  Blocks outputs, inputs;

  /** Rows of g whose panel of four vectors fills most of the nearest cache. */
  static constexpr Index ROWS_OF_GRADIENT = 128;

  template <class Call>
  explicit ConvolutionPlan(const Call &call)
      : T(call.seq_len), B(call.batch), I(call.input_size / call.groups), O(call.output_size / call.groups),
        K(call.kernel_size), dilation(call.dilation), ahead(call.ahead), stride(call.stride), groups(call.groups),
        output_steps(call.output_len), gradient_steps(output_steps > 0 ? (output_steps - 1) * stride + 1 : 0),
        rows(T * B), output_rows(output_steps * B), gradient_rows(gradient_steps * B), x_stride(call.input_size),
        y_stride(call.output_size), outputs(blocks_of(O)), inputs(blocks_of(I)) {
    threads = (double)output_rows * groups * I * O * K < 2e5 ? 1 : unroll::thread_count();
  }

  Index output_panel() const { return (Index)outputs.vectors * WIDTH; }
  Index input_panel() const { return (Index)inputs.vectors * WIDTH; }
  Index padded_outputs() const { return outputs.blocks * output_panel(); }
  /** Of each group. */
  Size weight_floats() const { return (Size)K * I * padded_outputs(); }
  Size back_weight_floats() const { return (Size)K * O * inputs.blocks * input_panel(); }
  Size gradient_floats() const { return (Size)gradient_rows * padded_outputs(); }
  Size forward_floats() const { return groups * weight_floats(); }
  Size backward_floats() const {
    return groups * (gradient_floats() + back_weight_floats() + threads * (weight_floats() + padded_outputs()));
  }
};

/** Taps first ... first+count-1, the same for all steps before `until`. */
struct Taps {
  Index first, count;
  Size until;
};

UNROLL_INLINE Size divide_up(Size a, Size b) { return (a + b - 1) / b; }

/** Taps that read a step of x, of y's step `at` (times its stride): at + ahead - j·dilation in 0 ... T-1. */
static Taps taps_back(const ConvolutionPlan &p, Size at) {
  const Size most = at + p.ahead, beyond = most - (p.T - 1);
  const Size first = beyond > 0 ? divide_up(beyond, p.dilation) : 0;
  const Size last = most < 0 ? -1 : smaller<Size>(p.K - 1, most / p.dilation);
  Size until = first * p.dilation - p.ahead + p.T;
  if (last < p.K - 1) until = smaller(until, (last + 1) * p.dilation - p.ahead);
  return {(Index)smaller<Size>(first, p.K), (Index)larger<Size>(last - first + 1, 0), larger(until, at + 1)};
}

/** Taps that step `at` of x is read by: at - ahead + j·dilation in 0 ... steps of g - 1. */
static Taps taps_ahead(const ConvolutionPlan &p, Size at) {
  const Size before = p.ahead - at, most = p.gradient_steps - 1 + before;
  const Size first = before > 0 ? divide_up(before, p.dilation) : 0;
  const Size last = most < 0 ? -1 : smaller<Size>(p.K - 1, most / p.dilation);
  Size until = last < 0 ? (Size)p.T : p.gradient_steps + p.ahead - last * p.dilation;
  if (first > 0) until = smaller(until, p.ahead - (first - 1) * p.dilation);
  return {(Index)smaller<Size>(first, p.K), (Index)larger<Size>(last - first + 1, 0), larger(until, at + 1)};
}

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

/** From so many columns on a block of rows goes through one tap after the other, whose panel stays in the first cache. */
constexpr Index COLUMNS_OF_TAP = 64;

/** c (rows from ... to-1 of N columns, `c_stride` apart) = φ(start + Σ over taps of a · panels). */
static void add_taps(const TapRows &a, const float *panels, Blocks blocks, Index panel, const float *start,
                     int activation, float *c, Index c_stride, Index N, Index from, Index to, Index taps) {
  for (Index row = from; row < to; row += GemmPlan::ROW_BLOCK) {
    const int rows_here = (int)smaller<Index>(GemmPlan::ROW_BLOCK, to - row);
    for (int block = 0; block < blocks.blocks; block++) {
      const Index column = (Index)block * blocks.vectors * WIDTH, width = (Index)blocks.vectors * WIDTH;
      const Index at_once = a.columns < COLUMNS_OF_TAP ? larger<Index>(taps, 1) : 1;
      for (Index tap = 0; tap == 0 || tap < taps; tap += at_once) {
        TapRows rows = a;
        rows.a += tap * a.tap_step;
        with_constant<MAX_VECTORS>(vectors_of(blocks, block, N), [&](auto vectors) {
          each_tile<max_rows(vectors.value)>(rows_here, [&](int r, auto tile) {
            if (block == 0)
              for (Index next = r + tile.value; next < r + 2 * tile.value && next < rows_here; next++)
                call_in(rows.a + (row + next) * rows.stride, smaller(rows.width, rows.columns));
            taps_tile<tile.value, vectors.value>(c + (row + r) * c_stride + column, c_stride, N - column, tap > 0,
                                                 start && tap == 0 ? start + column : nullptr, rows, row + r,
                                                 smaller(at_once, taps - tap),
                                                 panels + block * panel + tap * a.columns * width, width);
          });
        });
      }
    }
    if (activation != UNROLL_LINEAR) activate(activation, c + row * N, c + row * N, rows_here * N);
  }
}

/** Rows from ... end-1 of one group's outputs; `activation` only where a group is all. */
static void convolve_rows(const ConvolutionPlan &p, const UnrollConvolution &call, Index group, int activation,
                          Index from, Index end) {
  const float *x = beyond(call.x, group * p.I), *panels = call.scratch + group * p.weight_floats();
  // rows of x that follow each other in y: all of a step, or with one sequence one in every `stride`
  const bool one_step = p.stride > 1 && p.B > 1;
  const Index apart = p.B == 1 ? p.stride : 1;
  for (Index row = from; row < end;) {
    const Index t = row / p.B;
    const Taps taps = taps_back(p, (Size)t * p.stride);
    const Size next = one_step ? t + 1 : divide_up(taps.until, p.stride);
    const Index to = (Index)smaller<Size>(end, next * p.B);
    const Size shift = (p.ahead - taps.first * p.dilation + (one_step ? (Size)t * (p.stride - 1) : 0)) * p.B;
    // where no tap meets a step, x may have none
    const bool reads = taps.count > 0;
    const TapRows rows{
        .a = reads ? x + shift * p.x_stride : nullptr,
        .stride = reads ? apart * p.x_stride : 0,
        .tap_step = (Index)(-p.dilation * p.B * p.x_stride),
        .block_step = 0,
        .width = p.I,
        .columns = p.I,
    };
    add_taps(rows, panels + taps.first * p.I * p.output_panel(), p.outputs, p.K * p.I * p.output_panel(),
             beyond(call.bias, group * p.O), activation, beyond(call.y, group * p.O), p.y_stride, p.O, row, to, taps.count);
    row = to;
  }
}

static void convolution_pack(const ConvolutionPlan &p, const UnrollConvolution &call, int thread) {
  for (Index group = 0; group < p.groups; group++)
    for (int block = thread; block < p.outputs.blocks; block += p.threads)
      pack_taps(p, call.weight + group * p.O * p.I * p.K, true, call.scratch + group * p.weight_floats(), block);
}

static void convolution_thread(const ConvolutionPlan &p, const UnrollConvolution &call, int thread) {
  const Index from = begin_of(p.output_rows, thread, p.threads), end = begin_of(p.output_rows, thread + 1, p.threads);
  const bool grouped = p.groups > 1;
  for (Index group = 0; group < p.groups; group++)
    convolve_rows(p, call, group, grouped ? UNROLL_LINEAR : call.activation, from, end);
  float *y = beyond(call.y, from * p.y_stride);
  if (grouped && call.activation != UNROLL_LINEAR) activate(call.activation, y, y, (end - from) * p.y_stride);
}

/** Where the parts of a backward call's scratch are: g and weights of each group, then each thread's gradients. */
struct ConvolutionScratch {
  float *g, *weights, *dweights, *dbiases;
  ConvolutionScratch(const ConvolutionPlan &p, float *scratch)
      : g(scratch), weights(g + p.groups * p.gradient_floats()), dweights(weights + p.groups * p.back_weight_floats()),
        dbiases(dweights + p.threads * p.groups * p.weight_floats()) {}
};

/** Panels of g and their sums for rows from ... to-1 of one group; rows between strides are zero. */
static void output_gradients(const ConvolutionPlan &p, const UnrollConvolutionBackward &call, Index group,
                             float *panels, float *sums, Index from, Index to) {
  const Index width = p.output_panel();
  const float *dy = beyond(call.dy, group * p.O), *of_y = beyond(call.y, group * p.O);
  for (Index column = 0; column < p.padded_outputs(); column += WIDTH) {
    const Index lanes = clamp_lanes(p.O - column);
    float *out = panels + column / width * width * p.gradient_rows + column % width;
    Vec sum{};
    for (Index row = from; row < to; row++) {
      Index source = row;
      bool has = lanes > 0;
      if (p.stride > 1) {
        const Index step = row / p.B;
        has = has && step % p.stride == 0;
        source = step / p.stride * p.B + row % p.B;
      }
      Vec g{};
      if (has) g = load_part(dy + source * p.y_stride + column, lanes);
      if (call.activation != UNROLL_LINEAR && has) {
        Vec y = load_part(of_y + source * p.y_stride + column, lanes);
        g *= slope(call.activation, y, y);
      }
      store(out + row * width, g);
      sum += g;
    }
    store(sums + column, load(sums + column) + sum);
  }
}

/** dweights (block, tap, I, lane) += xᵀ g over rows from ... to-1 of g. */
static void add_weight_gradients(const ConvolutionPlan &p, const float *x, const float *panels, float *dweights,
                                 Index from, Index to) {
  const Index width = p.output_panel();
  for (int block = 0; block < p.outputs.blocks; block++)
    for (Index tap = 0; tap < p.K; tap++, dweights += p.I * width) {
      const Size shift = (tap * p.dilation - p.ahead) * p.B;  // how far rows of x stand before those of g
      const Size first = larger<Size>(from, shift), last = smaller<Size>(to, p.rows + shift);
      if (first >= last) continue;
      with_constant<MAX_VECTORS>(p.outputs.vectors, [&](auto vectors) {
        transposed_product<vectors.value, vectors.value>(dweights, width, x + (first - shift) * p.x_stride, p.x_stride,
                                                         panels + (block * p.gradient_rows + first) * width, (int)p.I,
                                                         (Index)(last - first), false);
      });
    }
}

/** Rows from ... end-1 of ∂L/∂x of one group. */
static void input_gradients(const ConvolutionPlan &p, const UnrollConvolutionBackward &call,
                            const ConvolutionScratch &scratch, Index group, Index from, Index end) {
  const Index width = p.output_panel();
  const float *g = scratch.g + group * p.gradient_floats(), *panels = scratch.weights + group * p.back_weight_floats();
  for (Index row = from; row < end;) {
    const Taps taps = taps_ahead(p, row / p.B);
    const Index to = (Index)smaller<Size>(end, taps.until * p.B);
    const bool reads = taps.count > 0;
    const TapRows rows{
        .a = reads ? g + (taps.first * p.dilation - p.ahead) * p.B * width : nullptr,
        .stride = reads ? width : 0,
        .tap_step = (Index)(p.dilation * p.B * width),
        .block_step = p.gradient_rows * width,
        .width = width,
        .columns = p.O,
    };
    add_taps(rows, panels + taps.first * p.O * p.input_panel(), p.inputs, p.K * p.O * p.input_panel(), nullptr,
             UNROLL_LINEAR, beyond(call.dx, group * p.I), p.x_stride, p.I, row, to, taps.count);
    row = to;
  }
}

/** One thread's outputs of ∂L/∂W and ∂L/∂b: the sums of all threads' parts, in their order. */
static void sum_parts(const ConvolutionPlan &p, const UnrollConvolutionBackward &call,
                      const ConvolutionScratch &scratch, int thread) {
  const Index width = p.output_panel();
  const Size weights = p.groups * p.weight_floats(), biases = p.groups * p.padded_outputs();
  const Index end = begin_of(p.y_stride, thread + 1, p.threads);
  for (Index output = begin_of(p.y_stride, thread, p.threads); output < end; output++) {
    const Index group = output / p.O, o = output % p.O;
    const float *from = scratch.dweights + group * p.weight_floats() + o / width * width * p.K * p.I + o % width;
    for (Index tap = 0; tap < p.K; tap++)
      for (Index i = 0; i < p.I; i++) {
        float sum = 0;
        for (int part = 0; part < p.threads; part++) sum += from[part * weights + (tap * p.I + i) * width];
        call.dweight[(output * p.I + i) * p.K + p.K - 1 - tap] = sum;
      }
    float sum = 0;
    for (int part = 0; part < p.threads; part++)
      sum += scratch.dbiases[part * biases + group * p.padded_outputs() + o];
    call.dbias[output] = sum;
  }
}

static void convolution_backward_thread(const ConvolutionPlan &p, const UnrollConvolutionBackward &call, int thread) {
  const ConvolutionScratch scratch(p, call.scratch);
  const Index begin = begin_of(p.gradient_rows, thread, p.threads);
  const Index end = begin_of(p.gradient_rows, thread + 1, p.threads);
  float *dweights = scratch.dweights + thread * p.groups * p.weight_floats();
  float *dbiases = scratch.dbiases + thread * p.groups * p.padded_outputs();
  fill(dweights, p.groups * p.weight_floats(), 0.f);
  fill(dbiases, p.groups * p.padded_outputs(), 0.f);
  for (Index row = begin; row < end; row += ConvolutionPlan::ROWS_OF_GRADIENT) {
    const Index to = smaller(end, row + ConvolutionPlan::ROWS_OF_GRADIENT);
    for (Index group = 0; group < p.groups; group++) {
      float *g = scratch.g + group * p.gradient_floats();
      output_gradients(p, call, group, g, dbiases + group * p.padded_outputs(), row, to);
      add_weight_gradients(p, beyond(call.x, group * p.I), g, dweights + group * p.weight_floats(), row, to);
    }
  }
  for (Index group = 0; call.dx && group < p.groups; group++)
    for (int block = thread; block < p.inputs.blocks; block += p.threads)
      pack_taps(p, call.weight + group * p.O * p.I * p.K, false, scratch.weights + group * p.back_weight_floats(),
                block);
}

static void convolution_backward_end(const ConvolutionPlan &p, const UnrollConvolutionBackward &call, int thread) {
  const ConvolutionScratch scratch(p, call.scratch);
  sum_parts(p, call, scratch, thread);
  const Index first_input = begin_of(p.rows, thread, p.threads), end_input = begin_of(p.rows, thread + 1, p.threads);
  for (Index group = 0; call.dx && group < p.groups; group++)
    input_gradients(p, call, scratch, group, first_input, end_input);
}

static double convolution_memory(const UnrollConvolutionMemory *call) {
  const ConvolutionPlan plan(*call);
  return (double)(call->backward ? plan.backward_floats() : plan.forward_floats());
}

static double convolution(const UnrollConvolution *call) {
  const ConvolutionPlan plan(*call);
  on_threads(plan.threads, [&](int thread) { convolution_pack(plan, *call, thread); });
  on_threads(plan.threads, [&](int thread) { convolution_thread(plan, *call, thread); });
  return 0;
}

/** dx unless null, dweight, dbias. */
static double convolution_backward(const UnrollConvolutionBackward *call) {
  const ConvolutionPlan plan(*call);
  on_threads(plan.threads, [&](int thread) { convolution_backward_thread(plan, *call, thread); });
  on_threads(plan.threads, [&](int thread) { convolution_backward_end(plan, *call, thread); });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
