// Dropout: each number is zero with probability `rate`, else divided by 1 - rate. Which ones is a function of a stream and
// the number's place alone: word i of Philox4x32-10 (J. Salmon et al., 2011, https://doi.org/10.1145/2063384.2063405) with
// the stream's key and counter, as src/trainer/random.ts draws it, so that the way back asks for the same mask again,
// threads share the numbers, and every engine drops the same ones.
#pragma once
#include "element_wise.h"

namespace UNROLL_NAMESPACE {

/** WIDTH blocks of four words at a time: word w of block i is words[w][i]. */
UNROLL_INLINE void philox(unsigned (&words)[4][WIDTH], unsigned key0, unsigned key1) {
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < WIDTH; i++) {
      const unsigned long long first = 0xd2511f53ull * words[0][i], second = 0xcd9e8d57ull * words[2][i];
      words[0][i] = (unsigned)(second >> 32) ^ words[1][i] ^ key0;
      words[1][i] = (unsigned)second;
      words[2][i] = (unsigned)(first >> 32) ^ words[3][i] ^ key1;
      words[3][i] = (unsigned)first;
    }
    key0 += 0x9e3779b9u, key1 += 0xbb67ae85u;
  }
}

/** y = x ⊙ mask; y may be x. */
static double dropout(const UnrollDropout *call) {
  const double bound = call->rate * 4294967296.;
  unsigned dropped = (unsigned)bound;  // words below are: the least whole number that is not below the bound
  if (dropped < bound) dropped++;
  const float kept = (float)(1 / (1 - call->rate));
  const Index count = call->count, each = 4 * WIDTH, groups = (count + each - 1) / each;
  share_tasks(groups, 4. * count, [&](Index first, Index end, int) {
    for (Index group = first; group < end; group++) {
      unsigned words[4][WIDTH];
      for (int i = 0; i < WIDTH; i++) {
        words[0][i] = (unsigned)(group * WIDTH + i), words[1][i] = 0;
        words[2][i] = (unsigned)call->counter_low, words[3][i] = (unsigned)call->counter_high;
      }
      philox(words, (unsigned)call->key0, (unsigned)call->key1);
      float mask[4 * WIDTH];
      for (int i = 0; i < WIDTH; i++)
        for (int w = 0; w < 4; w++) mask[4 * i + w] = words[w][i] < dropped ? 0.f : kept;
      for (Index i = 0; i < each; i += WIDTH) {
        const Index at = group * each + i, lanes = count - at;
        if (lanes > 0) store_part(call->y + at, load_part(call->x + at, lanes) * load(mask + i), lanes);
      }
    }
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
