// The most that the multiply-adds of this machine can do: independent chains of fused multiply-adds on registers, no
// memory at all, in vectors of one width, on so many threads. Prints operations a second (a multiply-add is two).
//
//   g++ -O2 -std=c++17 -pthread -march=native -DFLOATS=16 peak.cpp -o peak && ./peak 2
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

typedef float Vector __attribute__((vector_size(FLOATS * sizeof(float))));

// enough chains to hide the latency of 4 cycles of two units
constexpr int chains = 12;
constexpr long turns = 4'000'000;

static void work() {
  Vector sums[chains] = {};
  Vector factor = Vector{} + 0.999f, term = Vector{} + 1e-3f;
  // equal chains would be computed once: the compiler must not know that they are equal
  for (Vector &sum : sums) asm volatile("" : "+x"(sum));
  for (long turn = 0; turn < turns; turn++) {
#pragma GCC unroll 12
    for (int chain = 0; chain < chains; chain++) sums[chain] = sums[chain] * factor + term;
  }
  for (Vector &sum : sums) asm volatile("" : : "x"(sum));
}

int main(int count, char **arguments) {
  const int threads = count > 1 ? atoi(arguments[1]) : 1;
  double best = 0;
  for (int round = 0; round < 40; round++) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> pool;
    for (int index = 0; index < threads; index++) pool.emplace_back(work);
    for (std::thread &thread : pool) thread.join();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const double operations = 2.0 * threads * turns * chains * FLOATS / seconds.count();
    if (operations > best) best = operations;
  }
  printf("%.4g\n", best);
}
