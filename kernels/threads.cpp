// The pool: the caller counts `generation` up, every thread takes the share of its own number, and then those that nobody
// has taken yet. Waiting spins first, since a train step has a few calls in a millisecond; then it offers its processor to
// others but stays awake, since waking takes tens of microseconds, and hundreds in a virtual machine, whose threads then
// wait for each other asleep at every call; after two milliseconds without work it sleeps.
//
// Beside other work a thread that has begun its share may lose its processor for several milliseconds, and the caller waits
// for it. Where waiting costs more than the threads save, the caller takes all shares for a while and the others sleep;
// then it tries again, less often the more often that fails, so that tries cost little. The shares are the same, and so are the bits.
#include "threads.h"

#include "abi.h"

namespace unroll {

namespace {

#ifdef __wasm__
constexpr int SPINS = 200000;
constexpr bool OFFERS = false;
#else
constexpr int SPINS = 2000;
constexpr bool OFFERS = true;
#endif

constexpr long long MILLISECOND = 1000000;
/** How long a thread without work stays awake. */
constexpr long long AWAKE = 2 * MILLISECOND;
/** Over how long waiting is weighed against work, and the least that counts. */
constexpr long long WINDOW = 20 * MILLISECOND, LEAST_WAIT = MILLISECOND;
/** How many times as long as it has waited the caller stays alone, at first and after many tries. */
constexpr int FIRST_PATIENCE = 4, LAST_PATIENCE = 64;

// a test begins near the end of the numbers; after the last one comes 0
#ifndef UNROLL_FIRST_CALL
#define UNROLL_FIRST_CALL 0
#endif
constexpr unsigned FIRST_CALL = UNROLL_FIRST_CALL;
// nor do its threads come at once, but when these statements have been run
#ifndef UNROLL_COMES_LATE
#define UNROLL_COMES_LATE
#endif

/** A number that threads wait for to change, on a cache line of its own. */
struct alignas(64) Signal {
  unsigned value;
  int sleepers;
};

/** The last calls for which a share was taken and done. All shares belong to every call, so that a late thread takes none. */
struct alignas(64) Share {
  unsigned taken;
  Signal done;
};

constexpr int MAX_SHARES = 257;

Signal generation;
Share shares[MAX_SHARES];
Task current;
void *current_context;
int threads = 1;
bool stopping;
/** The caller takes all shares: nobody needs to stay awake. */
bool alone;

/** What the caller knows of its calls, in nanoseconds. */
struct Account {
  long long window_began, worked, waited, interruptions;
  long long alone_until;
  int patience;
  /** since the start */
  double all, by_caller;
};
Account account;

unsigned read(const unsigned &number) { return __atomic_load_n(&number, __ATOMIC_SEQ_CST); }

void wait_for_change(Signal &signal, unsigned seen) {
  for (int i = 0; i < SPINS; i++) {
    if (read(signal.value) != seen) return;
    relax();
  }
  if (OFFERS)
    for (const long long began = now(); now() - began < AWAKE && !__atomic_load_n(&alone, __ATOMIC_RELAXED);) {
      if (read(signal.value) != seen) return;
      offer_processor();
    }
  __atomic_add_fetch(&signal.sleepers, 1, __ATOMIC_SEQ_CST);
  while (read(signal.value) == seen) sleep_while(&signal.value, seen);
  __atomic_sub_fetch(&signal.sleepers, 1, __ATOMIC_SEQ_CST);
}

void announce(Signal &signal, unsigned value) {
  __atomic_store_n(&signal.value, value, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&signal.sleepers, __ATOMIC_SEQ_CST) > 0) wake_all(&signal.value);
}

/** True for the one thread that is to do a share of this call. While it is not done, the call goes on. */
bool take(int share, unsigned call) {
  unsigned before = call - 1;
  return __atomic_compare_exchange_n(&shares[share].taken, &before, call, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void run_share(int share, unsigned call) {
  current(current_context, share);
  announce(shares[share].done, call);
}

/** The share of this number, then all that nobody has taken. */
void run_shares(int first, unsigned call) {
  const int count = __atomic_load_n(&threads, __ATOMIC_RELAXED);
  for (int i = 0; i < count; i++) {
    const int share = first + i < count ? first + i : first + i - count;
    if (take(share, call)) run_share(share, call);
  }
}

void set_alone(bool value) {
  if (alone != value) __atomic_store_n(&alone, value, __ATOMIC_RELAXED);
}

/** After a call that began, had its own work done and ended then: whether the next ones are the caller's alone. */
void weigh(long long began, long long worked, long long ended) {
  Account &a = account;
  a.all += (double)(ended - began);
  a.worked += worked - began;
  a.waited += ended - worked;
  // alone it would take as many times the work as there are threads, with a larger part of the processors
  const bool costs = a.waited > LEAST_WAIT && a.waited > a.worked * (threads - 1) / 2;
  if (!costs && ended - a.window_began < WINDOW) return;
  // without interruptions it is the shares that are unequal
  const long long before = a.interruptions;
  a.interruptions = interruptions();
  a.window_began = ended;
  if (costs && a.interruptions != before) {
    a.window_began = a.alone_until = ended + a.waited * a.patience;
    if (a.patience < LAST_PATIENCE) a.patience *= 2;
  } else if (a.patience > FIRST_PATIENCE)
    a.patience /= 2;
  a.worked = a.waited = 0;
}

}  // namespace

int thread_count() { return threads; }

void parallel(Task task, void *context) {
  if (threads == 1) return task(context, 0);
  const long long began = now();
  if (began < account.alone_until) {
    set_alone(true);
    for (int share = 0; share < threads; share++) task(context, share);
    const double took = (double)(now() - began);
    account.all += took, account.by_caller += took;
    return;
  }
  set_alone(false);
  current = task;
  current_context = context;
  const unsigned call = generation.value + 1;
  announce(generation, call);
  run_shares(0, call);
  const long long worked = now();
  long long ended = worked;
  for (int share = 0; share < threads; share++) {
    for (unsigned done = read(shares[share].done.value); done != call; done = read(shares[share].done.value)) {
      wait_for_change(shares[share].done, done);
      ended = 0;
    }
  }
  weigh(began, worked, ended ? ended : now());
}

}  // namespace unroll

using namespace unroll;

extern "C" {

void unroll_threads_start(Int32 count) {
  generation = Signal{FIRST_CALL, 0};
  for (Share &share : shares) share = {FIRST_CALL, {FIRST_CALL, 0}};
  account = {};
  account.patience = FIRST_PATIENCE;
  stopping = alone = false;
  const int created = create_workers(count < MAX_SHARES ? count : MAX_SHARES);
  __atomic_store_n(&threads, created, __ATOMIC_RELAXED);
}

void unroll_threads_stop(void) {
  if (threads == 1) return;
  __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
  announce(generation, generation.value + 1);
  __atomic_store_n(&threads, 1, __ATOMIC_RELAXED);
  join_workers();
}

void unroll_thread_run(Int32 index) {
  for (unsigned seen = FIRST_CALL;;) {
    wait_for_change(generation, seen);
    seen = read(generation.value);
    if (__atomic_load_n(&stopping, __ATOMIC_RELAXED)) return;
    UNROLL_COMES_LATE
    run_shares(index, seen);
  }
}

double unroll_threads_alone(void) { return account.all > 0 ? account.by_caller / account.all : 0; }
}
