// The pool of threads beyond its 2^31st call, and a team that is not all threads. Built by pool.test.ts with traps for
// signed overflow; the first argument names the case.
#define UNROLL_FIRST_CALL 0x7ffffffe
#include <cstdio>
#include <cstring>

#include "native/platform.cpp"
#include "recurrent_layout.h"
#include "threads.cpp"

namespace {

int done;

void count_calls() {
  constexpr int THREADS = 3, CALLS = 6;
  unroll_threads_start(THREADS);
  for (int call = 0; call < CALLS; call++)
    unroll::parallel(
        [](void *, int) {
          unroll::barrier();
          __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
          unroll::barrier();
          if (__atomic_load_n(&done, __ATOMIC_SEQ_CST) % THREADS != 0) __builtin_trap();
          unroll::barrier();
        },
        nullptr);
  unroll_threads_stop();
  std::printf("%d\n", done);
}

void meet_in_part_of_the_pool() {
  unroll_threads_start(3);
  unroll_kernels::Member{0, 2}.meet();
  unroll_threads_stop();
}

}  // namespace

int main(int, char **arguments) {
  if (std::strcmp(arguments[1], "calls") == 0)
    count_calls();
  else
    meet_in_part_of_the_pool();
}
