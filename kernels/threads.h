// A pool of threads that wait in a spin and then asleep. Compiled once for all instruction sets: nothing here is inline.
#pragma once

namespace unroll {

typedef void (*Task)(void *context, int share);

/** Into how many shares a call is cut: the threads, the caller's included. */
int thread_count();

/**
 * task(context, share) for every share, 0 being the caller's; returns when all are done. A share is taken by whoever is
 * free: where a thread has not come, another does its part. What a share computes must not depend on who takes it, and no
 * share may wait for another.
 */
void parallel(Task task, void *context);

// What a platform gives (native/platform.cpp, wasm/): a pause in a spin; nanoseconds of a clock that only goes on; how often
// a processor was taken from a thread of this process (where that is not known, another number each time); letting another
// thread have this processor if one wants it; sleeping while *place is `value`; waking all that sleep there; and
// threads 1 to count-1 that call unroll_thread_run (where the host starts them, count alone); it returns how many threads
// there are then.
void relax();
long long now();
long long interruptions();
void offer_processor();
void sleep_while(unsigned *place, unsigned value);
void wake_all(unsigned *place);
int create_workers(int count);
void join_workers();

}  // namespace unroll
