// Dropout: each number is zero with probability `rate`, else divided by 1 - rate. Which ones is a function of a stream and
// the number's place alone: word i of Philox4x32-10 (J. Salmon et al., 2011, https://doi.org/10.1145/2063384.2063405) with
// the stream's key and counter, as src/trainer/random.ts draws it, so that the way back asks for the same mask again,
// threads share the numbers, and every engine drops the same ones.
#pragma once
#include "element_wise.h"

namespace UNROLL_NAMESPACE {

struct PhiloxStream {
  unsigned key0, key1, counter_low, counter_high;
};

#if UNROLL_WIDTH == 1
/** The words of blocks first ... first+WIDTH-1, one block after the other. */
UNROLL_INLINE void philox(unsigned (&words)[4 * WIDTH], unsigned first, PhiloxStream s) {
  words[0] = first, words[1] = 0, words[2] = s.counter_low, words[3] = s.counter_high;
  for (int round = 0; round < 10; round++) {
    const unsigned long long a = 0xd2511f53ull * words[0], b = 0xcd9e8d57ull * words[2];
    words[0] = (unsigned)(b >> 32) ^ words[1] ^ s.key0;
    words[1] = (unsigned)b;
    words[2] = (unsigned)(a >> 32) ^ words[3] ^ s.key1;
    words[3] = (unsigned)a;
    s.key0 += 0x9e3779b9u, s.key1 += 0xbb67ae85u;
  }
}
#else
/** Words of half as many blocks as a vector has lanes, each in the lower half of a lane of 64 bits. */
typedef unsigned long long Words __attribute__((vector_size(4 * WIDTH)));
constexpr int HALF = WIDTH / 2;
typedef CountTo<HALF>::type HalfLanes;

/** Products of the lower halves. */
UNROLL_INLINE Words products(Words a, Words b) {
#if UNROLL_WIDTH == 16 && defined(__AVX512F__)
  return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif UNROLL_WIDTH == 8 && defined(__AVX2__)
  return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif UNROLL_WIDTH == 4 && defined(__SSE2__)
  return (Words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffull) * (b & 0xffffffffull);
#endif
}

template <int UPPER, int... I> UNROLL_INLINE Words interleave_words(Words a, Words b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + (I % 2) * HALF + UPPER * (HALF / 2))...);
}

template <int... I> UNROLL_INLINE Words count_words(Indices<I...>) { return Words{I...}; }

/** The words of blocks first ... first+WIDTH-1, one block after the other. Upper halves of lanes hold what is left over. */
UNROLL_INLINE void philox(unsigned (&words)[4 * WIDTH], unsigned first, PhiloxStream s) {
  Words x[2][4];
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    x[half][0] = count_words(HalfLanes{}) + (unsigned long long)(first + (unsigned)(half * HALF));
    x[half][1] = Words{};
    x[half][2] = Words{} + s.counter_low;
    x[half][3] = Words{} + s.counter_high;
  }
  const Words first_factor = Words{} + 0xd2511f53ull, second_factor = Words{} + 0xcd9e8d57ull;
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
      const Words a = products(x[half][0], first_factor), b = products(x[half][2], second_factor);
      x[half][0] = (b >> 32) ^ x[half][1] ^ (unsigned long long)s.key0;
      x[half][1] = b;
      x[half][2] = (a >> 32) ^ x[half][3] ^ (unsigned long long)s.key1;
      x[half][3] = a;
    }
    s.key0 += 0x9e3779b9u, s.key1 += 0xbb67ae85u;
  }
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    const Words low = (x[half][0] & 0xffffffffull) | (x[half][1] << 32);
    const Words high = (x[half][2] & 0xffffffffull) | (x[half][3] << 32);
    const Words pair[2] = {interleave_words<0>(low, high, HalfLanes{}), interleave_words<1>(low, high, HalfLanes{})};
    __builtin_memcpy(words + half * 2 * WIDTH, pair, sizeof pair);
  }
}
#endif

/** 0 where a word is below `dropped`, else `kept`. */
UNROLL_INLINE Vec mask_of(const unsigned *words, unsigned dropped, float kept) {
  // whole numbers are compared with their sign
  constexpr unsigned SIGN = 0x80000000u;
  IntVec drawn;
  __builtin_memcpy(&drawn, words, sizeof drawn);
  return (drawn ^ (int)SIGN) < (int)(dropped ^ SIGN) ? Vec{} : splat(kept);
}

/** y = x ⊙ mask; y may be x. */
static double dropout(const UnrollDropout *call) {
  const double bound = call->rate * 4294967296.;
  unsigned dropped = (unsigned)bound;  // words below are: the least whole number that is not below the bound
  if (dropped < bound) dropped++;
  const float kept = (float)(1 / (1 - call->rate));
  const PhiloxStream stream{(unsigned)call->key0, (unsigned)call->key1, (unsigned)call->counter_low,
                            (unsigned)call->counter_high};
  const Index count = call->count, each = 4 * WIDTH, groups = (count + each - 1) / each;
  share_tasks(groups, 4. * count, [&](Index first, Index end, int) {
    for (Index group = first; group < end; group++) {
      unsigned words[4 * WIDTH];
      philox(words, (unsigned)(group * WIDTH), stream);
      for (Index i = 0; i < each; i += WIDTH) {
        const Index at = group * each + i, lanes = count - at;
        if (lanes <= 0) break;
        const Vec mask = mask_of(words + i, dropped, kept);
        store_part(call->y + at, load_part(call->x + at, lanes) * mask, lanes);
      }
    }
  });
  return 0;
}

}  // namespace UNROLL_NAMESPACE
