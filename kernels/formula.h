// Element-wise formulas of several operands in one pass over memory: a program of vector verbs, each of which runs over a
// block of numbers that stays in the first cache. src/trainer/engine/formula.ts writes the programs, gradients included.
//
// A value stands in an operand read (0 … INPUTS-1), in one written (INPUTS … INPUTS+OUTPUTS-1), or in a register.
#pragma once
#include "element_wise.h"

namespace UNROLL_NAMESPACE {

constexpr int FORMULA_INPUTS = 12, FORMULA_OUTPUTS = 8, FORMULA_REGISTERS = 20;
/** Numbers of a block: registers of so many fill half of a first cache of 48 KiB. */
constexpr Index FORMULA_BLOCK = 256;

/** log(1 + e) for e ≥ 0, with what the sum rounds off. */
UNROLL_INLINE Vec logarithm_above_one(Vec e) {
  const Vec one = splat(1.f), u = one + e;
  return logarithm(u) + (e - (u - one)) / u;
}

UNROLL_INLINE Vec softplus(Vec x) {
  const Vec size = x < Vec{} ? x : -x;
  return at_least(x, Vec{}) + logarithm_above_one(exponential(size));
}

/** out = f(a, b), number by number; out may be a or b */
template <class F> UNROLL_INLINE void each_of(float *out, const float *a, const float *b, Index count, F f) {
  Index i = 0;
  for (; i + WIDTH <= count; i += WIDTH) store(out + i, f(load(a + i), load(b + i)));
  if (i < count) store_part(out + i, f(load_part(a + i, count - i), load_part(b + i, count - i)), count - i);
}

/** One verb over a block; p and q are its constants. */
static void formula_step(int verb, float *out, const float *a, const float *b, float p, float q, Index count) {
  const Vec P = splat(p), Q = splat(q), zero{}, one = splat(1.f);
  switch (verb) {
    case UNROLL_VERB_AFFINE: return each_of(out, a, a, count, [&](Vec x, Vec) { return multiply_add(x, P, Q); });
    case UNROLL_VERB_ADD: return each_of(out, a, b, count, [](Vec x, Vec y) { return x + y; });
    case UNROLL_VERB_SUB: return each_of(out, a, b, count, [](Vec x, Vec y) { return x - y; });
    case UNROLL_VERB_MUL: return each_of(out, a, b, count, [](Vec x, Vec y) { return x * y; });
    case UNROLL_VERB_DIV: return each_of(out, a, b, count, [](Vec x, Vec y) { return x / y; });
    case UNROLL_VERB_EXP: return each_of(out, a, a, count, [](Vec x, Vec) { return exponential(x); });
    case UNROLL_VERB_SIGMOID:
      return each_of(out, a, a, count, [](Vec x, Vec) { return activated(UNROLL_SIGMOID, x); });
    case UNROLL_VERB_TANH: return each_of(out, a, a, count, [](Vec x, Vec) { return precise_tanh(x); });
    case UNROLL_VERB_SOFTPLUS: return each_of(out, a, a, count, [](Vec x, Vec) { return softplus(x); });
    case UNROLL_VERB_SQRT: return each_of(out, a, a, count, [](Vec x, Vec) { return square_root(x); });
    case UNROLL_VERB_RELU: return each_of(out, a, a, count, [&](Vec x, Vec) { return x < zero ? zero : x; });
    case UNROLL_VERB_AT_MOST: return each_of(out, a, a, count, [&](Vec x, Vec) { return at_most(x, P); });
    default: return each_of(out, a, a, count, [&](Vec x, Vec) { return x < zero ? zero : one; });
  }
}

/** out (count) = numbers from, from+1, … of `row` (width), which begins again at its end */
static void repeat_row(float *out, const float *row, Index width, Index from, Index count) {
  for (Index i = 0, at = from % width; i < count; at = 0) {
    const Index part = smaller(width - at, count - i);
    if (width < 8)
      for (Index j = 0; j < part; j++) out[i + j] = row[at + j];
    else
      copy(out + i, row + at, part);
    i += part;
  }
}

/** A program with its operands. */
struct Formula {
  const Int32 *program;
  const float *constants;
  const float *const *inputs;
  float *const *outputs;
  Int32 steps, width, rows_of_width;

  /** Numbers from … from+count-1 (at most FORMULA_BLOCK); what is written stands `out_from` behind the outputs. */
  void run(Index from, Index out_from, Index count) const {
    float registers[FORMULA_REGISTERS][FORMULA_BLOCK], rows[FORMULA_INPUTS][FORMULA_BLOCK];
    const float *read[FORMULA_INPUTS];
    for (int i = 0; i < FORMULA_INPUTS; i++) {
      read[i] = inputs[i] ? inputs[i] + from : nullptr;
      if (!inputs[i] || !(rows_of_width >> i & 1)) continue;
      repeat_row(rows[i], inputs[i], width, from, count);
      read[i] = rows[i];
    }
    const auto written = [&](Int32 at) {
      at -= FORMULA_INPUTS;
      return at < FORMULA_OUTPUTS ? outputs[at] + out_from : registers[at - FORMULA_OUTPUTS];
    };
    const auto place = [&](Int32 at) { return at < FORMULA_INPUTS ? read[at] : (const float *)written(at); };
    for (Int32 step = 0; step < steps; step++) {
      const Int32 *s = program + 4 * step;
      const float *c = constants + 2 * step;
      formula_step(s[0], written(s[1]), place(s[2]), place(s[3]), c[0], c[1], count);
    }
  }
};

/** What the program writes, each (count); inputs of the bits of rows_of_width are rows (width), the others (count). */
static double formula(const UnrollFormula *call) {
  const Formula formula{call->program, call->constants, &call->in0, &call->out0,
                        call->steps,   call->width,     call->rows_of_width};
  share_lines(call->count, (double)call->count * call->steps, [&](Index from, Index to) {
    for (Index i = from; i < to; i += FORMULA_BLOCK) formula.run(i, i, smaller(FORMULA_BLOCK, to - i));
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
