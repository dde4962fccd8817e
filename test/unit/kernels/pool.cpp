// The pool of threads: beyond its 2^31st call, with threads that come late, and with threads that lose their processor
// within a share. Built by pool.test.ts with traps for signed overflow, and by scripts/sanitize.mjs for data races; the first
// argument names the case.
#define UNROLL_FIRST_CALL 0x7ffffffe
#define UNROLL_COMES_LATE come_late();
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

/** Microseconds that a thread waits before it takes a share, and within one: random up to these. */
int lateness, absence;

int drawn(int most) {
  static thread_local unsigned state = (unsigned)(unsigned long long)&state;
  state = state * 1664525u + 1013904223u;
  return most == 0 ? 0 : (int)(state >> 8) % most;
}

/** In place of the system's: a processor is taken again and again. */
int count_interruptions(int, rusage *usage) {
  static long count;
  usage->ru_nivcsw = ++count;
  return 0;
}
#define getrusage count_interruptions

void come_late() {
  const int lateness_now = __atomic_load_n(&lateness, __ATOMIC_RELAXED);
  if (lateness_now > 0) usleep(drawn(lateness_now));
}

}  // namespace

#include "native/platform.cpp"
#include "recurrent_backward.h"
#include "threads.cpp"

namespace {

using namespace unroll_kernels;

void set(int &number, int value) { __atomic_store_n(&number, value, __ATOMIC_RELAXED); }

/** Every share of every call is done once, and before the call returns. */
void count_calls() {
  constexpr int THREADS = 3, CALLS = 6;
  int done[THREADS] = {};
  unroll_threads_start(THREADS);
  for (int call = 1; call <= CALLS; call++) {
    unroll::parallel([](void *counts, int share) { ((int *)counts)[share]++; }, done);
    for (int count : done)
      if (count != call) __builtin_trap();
  }
  unroll_threads_stop();
  std::printf("%d\n", done[0] + done[1] + done[2]);
}

/** Threads that are never there in time cost nothing: the caller does their shares. */
void never_come() {
  set(lateness, 1 << 30);
  unroll_threads_start(3);
  int done = 0;
  for (int call = 0; call < 4; call++)
    unroll::parallel([](void *count, int) { ++*(int *)count; }, &done);
  std::printf("%d\n", done);
  std::fflush(stdout);
  _exit(0);
}

/** The second thread begins its share and loses its processor: after some calls the caller takes all shares itself. */
void lose_processor() {
  unroll_threads_start(2);
  static int other;
  auto call = [] {
    unroll::parallel(
        [](void *, int share) {
          if (share == 0) {
            usleep(300);
            return;
          }
          __atomic_add_fetch(&other, 1, __ATOMIC_SEQ_CST);
          usleep(pthread_self() == *(pthread_t *)workers ? 20000 : 300);
        },
        nullptr);
  };
  for (int i = 0; i < 20; i++) call();
  std::printf("%d %s\n", other, unroll_threads_alone() > 0 ? "alone" : "never alone");
  unroll_threads_stop();
}

std::vector<float> random_floats(Size count, unsigned seed) {
  std::vector<float> numbers(count);
  for (float &number : numbers) {
    seed = seed * 1664525u + 1013904223u;
    number = (float)(int)(seed >> 8) / (1 << 23) - 1.f;
  }
  return numbers;
}

/** All that a recurrent layer gives, forward and backward. */
std::vector<float> recurrent_results(int cell, int T, int B, int I, int H) {
  const int gates = cell == UNROLL_LSTM ? 4 : 3;
  auto memory = [&](int kind) {
    const UnrollRecurrentMemory call{.cell = cell, .seq_len = T, .batch = B, .input_size = I, .hidden_size = H, .kind = kind};
    return std::vector<float>((Size)recurrent_memory(&call) + 16);
  };
  auto packed = memory(UNROLL_MEMORY_PACKED), cache = memory(UNROLL_MEMORY_CACHE);
  auto forward = memory(UNROLL_MEMORY_FORWARD_SCRATCH), backward = memory(UNROLL_MEMORY_BACKWARD_SCRATCH);
  auto x = random_floats((Size)T * B * I, 1), dy = random_floats((Size)T * B * H, 2);
  auto weight_ih = random_floats((Size)gates * H * I, 3), weight_hh = random_floats((Size)gates * H * H, 4);
  std::vector<float> y((Size)T * B * H), h_n((Size)B * H), c_n(h_n), dx(x.size()), dweight_ih(weight_ih.size());
  std::vector<float> dweight_hh(weight_hh.size()), norms(T), means((Size)gates * T);
  UnrollRecurrentForward f{};
  f.x = x.data(), f.weight_ih = weight_ih.data(), f.weight_hh = weight_hh.data();
  f.packed = packed.data(), f.cache = cache.data(), f.scratch = forward.data();
  f.y = y.data(), f.h_n = h_n.data(), f.c_n = cell == UNROLL_LSTM ? c_n.data() : nullptr;
  f.cell = cell, f.seq_len = T, f.batch = B, f.input_size = I, f.hidden_size = H, f.version = 1;
  recurrent_forward(&f);
  UnrollRecurrentBackward b{};
  b.x = x.data(), b.y = y.data(), b.dy = dy.data(), b.weight_ih = weight_ih.data(), b.weight_hh = weight_hh.data();
  b.packed = packed.data(), b.cache = cache.data(), b.scratch = backward.data(), b.dx = dx.data();
  b.dweight_ih = dweight_ih.data(), b.dweight_hh = dweight_hh.data();
  b.hidden_grad_norm = norms.data(), b.gate_mean = means.data();
  b.cell = cell, b.seq_len = T, b.batch = B, b.input_size = I, b.hidden_size = H, b.version = 1;
  recurrent_backward(&b);
  std::vector<float> all;
  for (const auto &part : {y, h_n, dx, dweight_ih, dweight_hh, norms, means}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/** Slabs, a team that shares units, and a cell whose steps have two parts: the bits do not depend on who came when. */
void keep_bits() {
  struct Case {
    int cell, T, B, I, H;
  };
  int differing = 0;
  for (const Case &c : {Case{UNROLL_LSTM, 12, 6, 5, 40}, Case{UNROLL_LSTM, 30, 1, 8, 128},
                        Case{UNROLL_GRU_RESET_BEFORE, 20, 1, 8, 160}}) {
    set(lateness, 0);
    unroll_threads_start(2);
    const auto expected = recurrent_results(c.cell, c.T, c.B, c.I, c.H);
    for (int most : {30, 300, 3000}) {
      set(lateness, most);
      const auto found = recurrent_results(c.cell, c.T, c.B, c.I, c.H);
      differing += std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) != 0;
    }
    unroll_threads_stop();
  }
  std::printf("%d\n", differing);
}

}  // namespace

int main(int, char **arguments) {
  const char *name = arguments[1];
  if (std::strcmp(name, "calls") == 0) count_calls();
  if (std::strcmp(name, "never") == 0) never_come();
  if (std::strcmp(name, "processor") == 0) lose_processor();
  if (std::strcmp(name, "bits") == 0) keep_bits();
}
