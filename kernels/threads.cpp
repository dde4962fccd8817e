// The pool: the caller counts `generation` up, every thread runs the task, and the last ones to come count `finished`
// up. Waiting spins first, since a train step has a few calls in a millisecond; then it offers its processor to others
// but stays awake, since waking takes tens of microseconds, and hundreds in a virtual machine, whose threads then wait
// for each other asleep at every call; after a millisecond or two without work it sleeps.
#include "threads.h"

#include "abi.h"

namespace unroll {

namespace {

#ifdef __wasm__
constexpr int SPINS = 200000, OFFERS = 0;
#else
constexpr int SPINS = 2000, OFFERS = 6000;
#endif

// a test begins near the end of the numbers; after the last one comes 0
#ifndef UNROLL_FIRST_CALL
#define UNROLL_FIRST_CALL 0
#endif
constexpr unsigned FIRST_CALL = UNROLL_FIRST_CALL;

/** A number that threads wait for to change, on a cache line of its own. */
struct alignas(64) Signal {
  unsigned value;
  int sleepers;
};

Signal generation, finished, arrived, round;
Task current;
void *current_context;
int threads = 1;
bool stopping;

unsigned read(Signal &signal) { return __atomic_load_n(&signal.value, __ATOMIC_SEQ_CST); }

unsigned add_one(Signal &signal) { return __atomic_add_fetch(&signal.value, 1, __ATOMIC_SEQ_CST); }

void wait_for_change(Signal &signal, unsigned seen) {
  for (int i = 0; i < SPINS; i++) {
    if (read(signal) != seen) return;
    relax();
  }
  for (int i = 0; i < OFFERS; i++) {
    if (read(signal) != seen) return;
    offer_processor();
  }
  __atomic_add_fetch(&signal.sleepers, 1, __ATOMIC_SEQ_CST);
  while (read(signal) == seen) sleep_while(&signal.value, seen);
  __atomic_sub_fetch(&signal.sleepers, 1, __ATOMIC_SEQ_CST);
}

void announce(Signal &signal) {
  add_one(signal);
  if (__atomic_load_n(&signal.sleepers, __ATOMIC_SEQ_CST) > 0) wake_all(&signal.value);
}

}  // namespace

int thread_count() { return threads; }

void parallel(Task task, void *context) {
  if (threads == 1) return task(context, 0);
  current = task;
  current_context = context;
  __atomic_store_n(&finished.value, 0, __ATOMIC_SEQ_CST);
  announce(generation);
  task(context, 0);
  for (unsigned done = read(finished); done < (unsigned)threads - 1; done = read(finished)) wait_for_change(finished, done);
}

void barrier() {
  if (threads == 1) return;
  const unsigned seen = read(round);
  if (add_one(arrived) < (unsigned)threads) return wait_for_change(round, seen);
  __atomic_store_n(&arrived.value, 0, __ATOMIC_SEQ_CST);
  announce(round);
}

}  // namespace unroll

using namespace unroll;

extern "C" {

void unroll_threads_start(Int32 count) {
  generation = round = Signal{FIRST_CALL, 0};
  finished = arrived = Signal{};
  stopping = false;
  threads = create_workers(count);
}

void unroll_threads_stop(void) {
  if (threads == 1) return;
  stopping = true;
  announce(generation);
  threads = 1;
  join_workers();
}

void unroll_thread_run(Int32 index) {
  for (unsigned seen = FIRST_CALL;;) {
    wait_for_change(generation, seen);
    seen++;
    if (stopping) return;
    current(current_context, index);
    announce(finished);
  }
}
}
