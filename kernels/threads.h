// A pool of threads that wait in a spin and then asleep. Compiled once for all instruction sets: nothing here is inline.
#pragma once

namespace unroll {

typedef void (*Task)(void *context, int thread);

/** Threads of a parallel call, the caller's included. */
int thread_count();

/** task(context, thread) on every thread, 0 being the caller's; returns when all are done. */
void parallel(Task task, void *context);

/** Inside a parallel call: returns when every thread has come here. */
void barrier();

// What a platform gives (native/platform.cpp, wasm/): a pause in a spin; letting another thread have this processor if one
// wants it; sleeping while *place is `value`; waking all that sleep there; and threads 1 to count-1 that call
// unroll_thread_run (where the host starts them, count alone); it returns how many threads there are then.
void relax();
void offer_processor();
void sleep_while(unsigned *place, unsigned value);
void wake_all(unsigned *place);
int create_workers(int count);
void join_workers();

}  // namespace unroll
