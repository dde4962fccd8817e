// Sharing work out among the threads of the pool. Shares depend on the counts and on the number of threads alone.
#pragma once
#include "threads.h"
#include "tiles.h"

namespace UNROLL_NAMESPACE {

/** Fewer numbers than these are not worth waking the threads. */
constexpr Index WORTH_THREADS = 32768;

/** Where share `index` of `count` things begins when they are cut into `parts`; it ends where the next one begins. */
template <class Count> UNROLL_INLINE Count begin_of(Count count, int index, int parts) {
  return (Count)((Size)count * index / parts);
}

/** f(share) for the first `threads` shares of a call; returns when all are done. What follows another waits for it so. */
template <class F> UNROLL_INLINE void on_threads(int threads, F f) {
  if (threads == 1) return f(0);
  if (threads == unroll::thread_count()) {
    unroll::parallel([](void *context, int share) { (*(F *)context)(share); }, &f);
    return;
  }
  auto first_ones = [&](int share) {
    if (share < threads) f(share);
  };
  unroll::parallel([](void *context, int share) { (*(decltype(first_ones) *)context)(share); }, &first_ones);
}

/**
 * f(first, end, part) over `count` tasks of `worth` numbers in all, in parts as equal as can be. Where tasks are few the
 * last parts are larger: the caller begins with the last one, so that it need not wait.
 */
template <class F> UNROLL_INLINE void share_tasks(Index count, double worth, F f) {
  const int threads = worth < WORTH_THREADS || count == 1 ? 1 : unroll::thread_count();
  const bool from_last = count < Index(16) * threads;
  on_threads(threads, [&](int share) {
    const int part = from_last ? threads - 1 - share : share;
    f(begin_of(count, part, threads), begin_of(count, part + 1, threads), part);
  });
}

/** f(from, to) over `count` numbers, shared out in multiples of a cache line. */
template <class F> UNROLL_INLINE void share_lines(Index count, double worth, F f) {
  const int threads = worth < WORTH_THREADS ? 1 : unroll::thread_count();
  auto cut = [&](int index) { return index == threads ? count : begin_of(count, index, threads) / 16 * 16; };
  on_threads(threads, [&](int thread) { f(cut(thread), cut(thread + 1)); });
}

/** f(i, lanes) for vectors of `count` numbers. */
template <class F> UNROLL_INLINE void each_vector(Index count, F f) {
  share_lines(count, (double)count, [&](Index from, Index to) {
    Index i = from;
    for (; i + WIDTH <= to; i += WIDTH) f(i, (Index)WIDTH);
    if (i < to) f(i, to - i);
  });
}

/** f(Constant<vectors>, first column) for up to four vectors of `width` columns at a time; threads share them. */
template <class F> UNROLL_INLINE void each_column_group(Index width, Index rows, F f) {
  share_tasks((width + WIDTH - 1) / WIDTH, (double)rows * width, [&](Index first, Index end, int) {
    for (Index v = first; v < end;) {
      const int here = (int)smaller<Index>(4, end - v);
      with_constant<4>(here, [&](auto vectors) { f(vectors, v * WIDTH); });
      v += here;
    }
  });
}

}  // namespace UNROLL_NAMESPACE
