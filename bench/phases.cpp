// What the parts of a train step take: the kernels of kernels/ on one thread, in the order of the trainer's step, each part
// told apart by a time stamp where it begins. A stamp takes some 20 cycles, a tile a thousand. Prints one JSON line.
//
//   g++ -O3 -std=c++20 -march=native -I kernels bench/phases.cpp -o phases && ./phases lstm 64 128 64 32 65 SECONDS
#include <x86intrin.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define PHASES(F) F(INPUT) F(RECURRENT) F(GATES) F(RECURRENT_BACK) F(GATES_BACK) F(WEIGHTS) F(INPUT_BACK) F(HEAD) F(OPTIMIZER) F(REST)
#define NAME(part) part,
enum Phase { PHASES(NAME) COUNT };
#define TEXT(part) #part,
static const char *const names[] = {PHASES(TEXT)};
static unsigned long long cycles[COUNT], since;
static Phase current = REST;

static inline __attribute__((always_inline)) void enter(Phase part) {
  const unsigned long long now = __rdtsc();
  cycles[current] += now - since;
  since = now;
  current = part;
}
#define UNROLL_PHASE(part) enter(part);

#include "dense_cross_entropy.h"
#include "native/platform.cpp"
#include "optimizers.h"
#include "recurrent_backward.h"
#include "threads.cpp"

using namespace unroll_kernels;

typedef std::vector<float> Floats;

static Floats drawn(size_t count, float reach) {
  static unsigned state = 1;
  Floats numbers(count + 16);
  for (float &number : numbers) {
    state = state * 1664525u + 1013904223u;
    number = reach * ((float)(state >> 8) / (1 << 23) - 1.f);
  }
  return numbers;
}

/** At the beginning of a cache line. */
static float *at(Floats &floats) { return (float *)(((size_t)floats.data() + 63) / 64 * 64); }

struct Weight {
  Floats value, gradient, first, second;
  size_t count;
  Weight(size_t count, float reach)
      : value(drawn(count, reach)), gradient(count + 16), first(count + 16), second(count + 16), count(count) {}
};

struct Step {
  int cell, I, H, T, B, O, gates;
  bool input_gradient;
  Weight weight_ih, weight_hh, bias_ih, bias_hh, head, head_bias;
  Floats x, y, dy, dx, packed, cache, scratch, h_n, c_n, report, head_scratch;
  std::vector<int> targets;
  int version = 0;

  Step(int cell, int gates, int I, int H, int T, int B, int O, bool dx)
      : cell(cell), I(I), H(H), T(T), B(B), O(O), gates(gates), input_gradient(dx), weight_ih((size_t)gates * H * I, .1f),
        weight_hh((size_t)gates * H * H, .1f), bias_ih(gates * H, .1f), bias_hh(gates * H, .1f), head((size_t)O * H, .1f),
        head_bias(O, .1f), x(drawn((size_t)T * B * I, 1)), y((size_t)T * B * H + 16), dy(y.size()), dx(x.size()),
        packed(floats_of(UNROLL_MEMORY_PACKED)), cache(floats_of(UNROLL_MEMORY_CACHE)),
        scratch(larger(floats_of(UNROLL_MEMORY_FORWARD_SCRATCH), floats_of(UNROLL_MEMORY_BACKWARD_SCRATCH))),
        h_n((size_t)B * H + 16), c_n(h_n.size()), report((size_t)(2 + 2 * gates) * T + 16), targets((size_t)T * B) {
    const UnrollDenseCrossEntropyMemory call{T * B, H, O, 0, 1};
    head_scratch.resize((size_t)dense_cross_entropy_memory(&call) + 16);
    for (size_t i = 0; i < targets.size(); i++) targets[i] = (int)(i * 7 % O);
  }

  size_t floats_of(int kind) const {
    const UnrollRecurrentMemory call{.cell = cell, .seq_len = T, .batch = B, .input_size = I, .hidden_size = H, .kind = kind};
    return (size_t)recurrent_memory(&call) + 16;
  }

  void run() {
    version++;
    enter(REST);
    const bool lstm = cell == UNROLL_LSTM, rnn = gates == 1;
    UnrollRecurrentForward f{};
    f.weight_ih = at(weight_ih.value), f.weight_hh = at(weight_hh.value), f.bias_ih = at(bias_ih.value);
    f.bias_hh = at(bias_hh.value), f.packed = at(packed), f.x = at(x), f.y = at(y), f.h_n = at(h_n);
    f.c_n = lstm ? at(c_n) : nullptr, f.cache = at(cache), f.scratch = at(scratch);
    f.cell = cell, f.seq_len = T, f.batch = B, f.input_size = I, f.hidden_size = H, f.version = version;
    recurrent_forward(&f);
    enter(HEAD);
    UnrollDenseCrossEntropy d{};
    d.x = at(y), d.weight = at(head.value), d.bias = at(head_bias.value), d.targets = targets.data(), d.dx = at(dy);
    d.dweight = at(head.gradient), d.dbias = at(head_bias.gradient), d.scratch = at(head_scratch);
    d.rows = T * B, d.inputs = H, d.outputs = O;
    dense_cross_entropy(&d);
    enter(REST);
    UnrollRecurrentBackward b{};
    b.weight_ih = f.weight_ih, b.weight_hh = f.weight_hh, b.bias_ih = f.bias_ih, b.bias_hh = f.bias_hh, b.packed = f.packed;
    b.x = f.x, b.y = f.y, b.cache = f.cache, b.scratch = f.scratch, b.dy = at(dy), b.dx = input_gradient ? at(dx) : nullptr;
    b.dweight_ih = at(weight_ih.gradient), b.dweight_hh = at(weight_hh.gradient), b.dbias_ih = at(bias_ih.gradient);
    b.dbias_hh = at(bias_hh.gradient), b.hidden_grad_norm = at(report), b.cell_grad_norm = lstm ? at(report) + T : nullptr;
    b.gate_mean = rnn ? nullptr : at(report) + 2 * T, b.gate_saturation = rnn ? nullptr : b.gate_mean + gates * T;
    b.cell = cell, b.seq_len = T, b.batch = B, b.input_size = I, b.hidden_size = H, b.version = version;
    recurrent_backward(&b);
    enter(OPTIMIZER);
    for (Weight *w : {&weight_ih, &weight_hh, &bias_ih, &bias_hh, &head, &head_bias}) {
      UnrollAdam a{.001, .9, .999, 1e-8, 0, (double)version, at(w->value), at(w->gradient), at(w->first), at(w->second),
                   (int)w->count};
      adam_step(&a);
    }
    enter(REST);
  }
};

/** Bytes a second of reading an array that fits the L2 cache. */
static double l2_bandwidth() {
  constexpr size_t FLOATS_READ = 1 << 17;
  Floats floats(FLOATS_READ + 16, 1.f);
  double best = 0;
  for (int round = 0; round < 60; round++) {
    const auto began = std::chrono::steady_clock::now();
    Vec sums[4] = {};
    for (int turn = 0; turn < 8; turn++)
      for (size_t i = 0; i < FLOATS_READ; i += 4 * WIDTH)
        for (int v = 0; v < 4; v++) sums[v] += load(at(floats) + i + v * WIDTH);
    for (Vec &sum : sums) asm volatile("" : : "x"(sum));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    const double bytes = 8 * 4. * FLOATS_READ / seconds.count();
    if (bytes > best) best = bytes;
  }
  return best;
}

int main(int, char **argument) {
  const bool lstm = !strcmp(argument[1], "lstm"), gru = !strcmp(argument[1], "gru");
  int sizes[5];
  for (int i = 0; i < 5; i++) sizes[i] = atoi(argument[2 + i]);
  const double seconds = atof(argument[7]);
  const bool dx = argument[8] && !strcmp(argument[8], "dx");
  Step step(lstm ? UNROLL_LSTM : gru ? UNROLL_GRU_RESET_AFTER : UNROLL_RNN_TANH, lstm ? 4 : gru ? 3 : 1, sizes[0], sizes[1],
            sizes[2], sizes[3], sizes[4], dx);
  for (int i = 0; i < 3; i++) step.run();
  // the least of each part over the steps: what others do to the machine is not the kernels'
  double least[COUNT], before[COUNT], total = 1e30;
  for (double &part : least) part = 1e30;
  const auto began = std::chrono::steady_clock::now();
  const unsigned long long first = __rdtsc();
  auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  for (int count = 0; count < 5 || passed() < seconds; count++) {
    for (int part = 0; part < COUNT; part++) before[part] = (double)cycles[part];
    step.run();
    double sum = 0;
    for (int part = 0; part < COUNT; part++) {
      const double took = (double)cycles[part] - before[part];
      sum += took;
      if (took < least[part]) least[part] = took;
    }
    if (sum < total) total = sum;
  }
  const double each = passed() * 1e3 / (double)(__rdtsc() - first);
  printf("{\"step\": %.6g, \"l2\": %.4g, \"parts\": {", total * each, l2_bandwidth());
  for (int part = 0; part < COUNT; part++) printf("%s\"%s\": %.6g", part ? ", " : "", names[part], least[part] * each);
  printf("}}\n");
}
