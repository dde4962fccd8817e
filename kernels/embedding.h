// Rows of a table by their numbers, and the gradient's way back into the table.
#pragma once
#include "abi.h"
#include "parallel.h"

namespace UNROLL_NAMESPACE {

/** out (N, D) = table[ids] */
static double embedding(const UnrollEmbedding *call) {
  const Index width = call->width;
  share_lines(call->rows, (double)call->rows * width, [&](Index from, Index to) {
    for (Index row = from; row < to; row++) copy(call->out + row * width, call->table + call->ids[row] * width, width);
  });
  return 0;
}

/** dtable[ids] += dout, row after row; threads share the columns, so that repeated ids add up in one order. */
static double embedding_backward(const UnrollEmbeddingBackward *call) {
  const Index width = call->width;
  share_lines(width, (double)call->rows * width, [&](Index from, Index to) {
    for (Index row = 0; row < call->rows; row++) {
      float *sum = call->dtable + call->ids[row] * width;
      const float *d = call->dout + row * width;
      for (Index i = from; i < to; i += WIDTH)
        store_part(sum + i, load_part(sum + i, to - i) + load_part(d + i, to - i), to - i);
    }
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
