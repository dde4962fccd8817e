// Rows of a table by their numbers, and the gradient's way back into the table.
#pragma once
#include "abi.h"
#include "threads.h"
#include "vector.h"

namespace UNROLL_NAMESPACE {

/** Fewer numbers than these are not worth waking the threads. */
constexpr long WORTH_THREADS = 32768;

/** f(from, to) over count numbers, shared out in multiples of a cache line. */
template <class F> UNROLL_INLINE void share_out(long count, long worth, F f) {
  const int threads = worth < WORTH_THREADS ? 1 : unroll::thread_count();
  if (threads == 1) return f(0L, count);
  auto task = [&](int thread) {
    auto cut = [&](int index) { return index == threads ? count : count * index / threads / 16 * 16; };
    f(cut(thread), cut(thread + 1));
  };
  unroll::parallel([](void *context, int thread) { (*(decltype(task) *)context)(thread); }, &task);
}

/** out (N, D) = table[ids] */
static double embedding(const UnrollEmbedding *call) {
  const long width = call->width;
  share_out(call->rows, call->rows * width, [&](long from, long to) {
    for (long row = from; row < to; row++) copy(call->out + row * width, call->table + call->ids[row] * width, width);
  });
  return 0;
}

/** dtable[ids] += dout, row after row; threads share the columns, so that repeated ids add up in one order. */
static double embedding_backward(const UnrollEmbeddingBackward *call) {
  const long width = call->width;
  share_out(width, call->rows * width, [&](long from, long to) {
    for (long row = 0; row < call->rows; row++) {
      float *sum = call->dtable + call->ids[row] * width;
      const float *d = call->dout + row * width;
      for (long i = from; i < to; i += WIDTH)
        store_part(sum + i, load_part(sum + i, to - i) + load_part(d + i, to - i), to - i);
    }
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
