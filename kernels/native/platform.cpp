// Threads and sleeping for the native build. Linux sleeps on a futex; other systems, untested, give up their slice.
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "../abi.h"
#include "../threads.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
// these moved from libpthread to libc in glibc 2.34; their first versions are there in every glibc
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.17");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.17");
#endif
#endif

namespace unroll {

namespace {

constexpr int MAX_WORKERS = 256;
pthread_t workers[MAX_WORKERS];
int worker_count;

void *run_worker(void *index) {
  unroll_thread_run((Int32)(__INTPTR_TYPE__)index);
  return nullptr;
}

}  // namespace

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

long long now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

long long interruptions() {
  rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : now();
}

void offer_processor() { sched_yield(); }

void sleep_while(unsigned *place, unsigned value) {
#if defined(__linux__)
  syscall(SYS_futex, place, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
#else
  (void)place, (void)value;
  sched_yield();
#endif
}

void wake_all(unsigned *place) {
#if defined(__linux__)
  syscall(SYS_futex, place, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
#else
  (void)place;
#endif
}

int create_workers(int count) {
  worker_count = 0;
  while (worker_count < count - 1 && worker_count < MAX_WORKERS) {
    void *index = (void *)(__INTPTR_TYPE__)(worker_count + 1);
    if (pthread_create(&workers[worker_count], nullptr, run_worker, index) != 0) break;
    worker_count++;
  }
  return worker_count + 1;
}

void join_workers() {
  for (int i = 0; i < worker_count; i++) pthread_join(workers[i], nullptr);
  worker_count = 0;
}

}  // namespace unroll
