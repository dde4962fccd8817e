// Threads and sleeping for the WASM build. The host starts the threads: each is a worker with an instance of this module
// over the same memory, a stack of its own in `__stack_pointer`, and one call of unroll_thread_run.
#include "abi.h"
#include "threads.h"

namespace unroll {

/** WASM has no instruction for it: the atomic load of the spin is the pause. */
void relax() {}

/** Milliseconds of the host's clock. */
__attribute__((import_module("env"), import_name("now"))) double milliseconds();

long long now() { return (long long)(milliseconds() * 1e6); }

/** The host does not tell. */
long long interruptions() { return now(); }

/** Nor a way to do that: it only sleeps. */
void offer_processor() {}

void sleep_while(unsigned *place, unsigned value) { __builtin_wasm_memory_atomic_wait32((int *)place, (int)value, -1); }

void wake_all(unsigned *place) { __builtin_wasm_memory_atomic_notify((int *)place, 1u << 30); }

/** They are the host's: as many as it says. */
int create_workers(int count) { return count; }

/** Workers end when unroll_thread_run returns; nothing here waits for it. */
void join_workers() {}

}  // namespace unroll
