// The Node-API addon. It holds the kernels for the instruction sets that it was built with (UNROLL_HAS_AVX512 and the
// like; all of its processor family in a package) and takes the best that the processor has, or the one asked for.
//
//   instructionSets()                names of those that it has and that work here, best first
//   processorSets()                  names of those that work here, whether it has them or not
//   start(set, threads, numbers)     chooses; `numbers` (Float64Array) is where calls leave their numbers from now on.
//                                    Returns { generation, threads }: the engine that was started, and its threads.
//   stop(generation)                 ends the threads of that engine; nothing where another was started since
//   alone(generation)                of the time of that engine's calls, the share in which its threads were not to be had
//   misalignment(buffer)             address of an ArrayBuffer modulo 64
//   <function of abi.h>(generation, ...arrays)
//                                    typed arrays or null for the pointers; in `numbers` stand the number of threads,
//                                    the doubles, the arrays' offsets, and the int32 numbers. Throws where another
//                                    engine was started since, or where that one has other threads: what is lent to a
//                                    call was measured for one engine.
#include <node_api.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "../abi.h"
#include "../table.h"
#include "../threads.h"

// tables of the sets that this addon was built with
extern "C" {
extern const UnrollTable unroll_avx512_table, unroll_avx2_table, unroll_neon_table, unroll_plain_table;
}
#ifdef UNROLL_HAS_AVX512
#define AVX512_TABLE &unroll_avx512_table
#else
#define AVX512_TABLE nullptr
#endif
#ifdef UNROLL_HAS_AVX2
#define AVX2_TABLE &unroll_avx2_table
#else
#define AVX2_TABLE nullptr
#endif
#ifdef UNROLL_HAS_PLAIN
#define PLAIN_TABLE &unroll_plain_table
#else
#define PLAIN_TABLE nullptr
#endif

namespace {

struct InstructionSet {
  const char *name;
  /** null where the addon was built without it */
  const UnrollTable *table;
  bool (*works)();
};

const InstructionSet sets[] = {
#if defined(__x86_64__)
    {"avx512", AVX512_TABLE,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
     }},
    {"avx2", AVX2_TABLE,
     [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }},
    {"plain", PLAIN_TABLE, [] { return true; }},
#elif defined(__aarch64__)
    {"neon", &unroll_neon_table, [] { return true; }},
#else
    {"plain", PLAIN_TABLE, [] { return true; }},
#endif
};

// one engine in a process: its threads and scratch are shared by all who load the addon
const UnrollTable *table;
bool running;
uint32_t generation;

constexpr int MAX_NUMBERS = 96;
#define UNROLL_NUMBERS(name, Call, doubles, pointers, integers) \
  static_assert(1 + doubles + pointers + integers <= MAX_NUMBERS, "room for the numbers of a call");
UNROLL_FUNCTIONS(UNROLL_NUMBERS)
#undef UNROLL_NUMBERS

struct Instance {
  napi_ref numbers_ref;
  double *numbers;
};

typedef double (*Kernel)(const void *call);

/** A function of abi.h: how its struct is made, and where it stands in the table. */
struct Function {
  const char *name;
  int doubles, pointers, integers;
  size_t place;
};

const Function functions[] = {
#define UNROLL_FUNCTION(name, Call, doubles, pointers, integers) \
  {#name, doubles, pointers, integers, offsetof(UnrollTable, name)},
    UNROLL_FUNCTIONS(UNROLL_FUNCTION)
#undef UNROLL_FUNCTION
};

napi_value fail(napi_env env, const char *sentence) {
  napi_throw_error(env, nullptr, sentence);
  return nullptr;
}

Instance *instance_of(napi_env env) {
  void *instance = nullptr;
  napi_get_instance_data(env, &instance);
  return (Instance *)instance;
}

/** Where a typed array's numbers begin; null for null. An empty one has no place of its own, and is given all the same. */
char *data_of(napi_env env, napi_value array, size_t &element_size) {
  napi_typedarray_type type;
  void *data = nullptr;
  element_size = 4;
  if (napi_get_typedarray_info(env, array, &type, nullptr, &data, nullptr, nullptr) != napi_ok) return nullptr;
  if (type == napi_float64_array) element_size = 8;
  alignas(8) static char nothing[8];
  return data ? (char *)data : nothing;
}

/** Of a Float64Array; 0 for all else. */
size_t length_of(napi_env env, napi_value array) {
  napi_typedarray_type type;
  size_t length = 0;
  if (napi_get_typedarray_info(env, array, &type, &length, nullptr, nullptr, nullptr) != napi_ok) return 0;
  return type == napi_float64_array ? length : 0;
}

napi_value call_function(napi_env env, napi_callback_info info) {
  constexpr int MAX_ARGUMENTS = 1 + UNROLL_CALL_POINTERS;
  napi_value arguments[MAX_ARGUMENTS];
  size_t count = MAX_ARGUMENTS;
  void *data;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  const Function &function = *(const Function *)data;
  const Instance *instance = instance_of(env);
  if (count < 1 + (size_t)function.pointers) return fail(env, "A kernel was called with too few arrays.");
  uint32_t caller = 0;
  napi_get_value_uint32(env, arguments[0], &caller);
  if (!instance || !instance->numbers || !running || caller != generation)
    return fail(env, "This native engine was closed, or another one was started after it: start it again.");
  const double *number = instance->numbers;
  if (*number++ != unroll::thread_count())
    return fail(env, "A kernel was called for another number of threads than the native engine has.");

  alignas(8) char call[UNROLL_CALL_BYTES] = {};
  char *member = call;
  memcpy(member, number, 8 * function.doubles);
  member += 8 * function.doubles, number += function.doubles;
  for (int i = 0; i < function.pointers; i++, member += sizeof(void *), number++) {
    size_t element_size;
    char *start = data_of(env, arguments[1 + i], element_size);
    void *pointer = start ? start + (size_t)*number * element_size : nullptr;
    memcpy(member, &pointer, sizeof pointer);
  }
  for (int i = 0; i < function.integers; i++, member += 4, number++) {
    const Int32 value = (Int32)(long long)*number;
    if (value != *number && (uint32_t)value != *number)
      return fail(env, "A kernel was called with a number of more than 32 bits: the arrays are too large.");
    memcpy(member, &value, 4);
  }
  Kernel kernel;
  memcpy(&kernel, (const char *)table + function.place, sizeof kernel);
  napi_value result;
  napi_create_double(env, kernel(call), &result);
  return result;
}

napi_value names_of(napi_env env, bool built_only) {
  napi_value names;
  napi_create_array(env, &names);
  uint32_t count = 0;
  for (const InstructionSet &set : sets) {
    if (!set.works() || (built_only && !set.table)) continue;
    napi_value name;
    napi_create_string_utf8(env, set.name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, count++, name);
  }
  return names;
}

napi_value instruction_sets(napi_env env, napi_callback_info) { return names_of(env, true); }

napi_value processor_sets(napi_env env, napi_callback_info) { return names_of(env, false); }

void set_number(napi_env env, napi_value object, const char *name, double value) {
  napi_value number;
  napi_create_double(env, value, &number);
  napi_set_named_property(env, object, name, number);
}

napi_value start(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  char name[16] = {};
  int32_t threads = 1;
  size_t element_size;
  if (count < 3 || napi_get_value_string_utf8(env, arguments[0], name, sizeof name, nullptr) != napi_ok ||
      napi_get_value_int32(env, arguments[1], &threads) != napi_ok || threads < 1 ||
      length_of(env, arguments[2]) < MAX_NUMBERS)
    return fail(env, "start takes an instruction set, a number of threads and a Float64Array for the numbers.");
  const InstructionSet *chosen = nullptr;
  for (const InstructionSet &set : sets)
    if (set.table && strcmp(set.name, name) == 0 && set.works()) chosen = &set;
  if (!chosen) return fail(env, "This processor does not have that instruction set.");

  Instance *instance = instance_of(env);
  if (instance->numbers_ref) napi_delete_reference(env, instance->numbers_ref);
  napi_create_reference(env, arguments[2], 1, &instance->numbers_ref);
  instance->numbers = (double *)data_of(env, arguments[2], element_size);
  if (running) unroll_threads_stop();
  table = chosen->table;
  unroll_threads_start(threads);
  running = true;
  generation++;
  napi_value started;
  napi_create_object(env, &started);
  set_number(env, started, "generation", generation);
  set_number(env, started, "threads", unroll::thread_count());
  return started;
}

napi_value stop(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  uint32_t caller = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_uint32(env, argument, &caller);
  if (!running || caller != generation) return nullptr;
  unroll_threads_stop();
  running = false;
  return nullptr;
}

napi_value alone(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  size_t count = 1;
  uint32_t caller = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_uint32(env, argument, &caller);
  napi_create_double(env, running && caller == generation ? unroll_threads_alone() : 0, &result);
  return result;
}

napi_value misalignment(napi_env env, napi_callback_info info) {
  napi_value buffer, result;
  size_t count = 1;
  void *data = nullptr;
  napi_get_cb_info(env, info, &count, &buffer, nullptr, nullptr);
  napi_get_arraybuffer_info(env, buffer, &data, nullptr);
  napi_create_uint32(env, (uint32_t)((size_t)data % 64), &result);
  return result;
}

void add(napi_env env, napi_value exports, const char *name, napi_callback callback, const void *data) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, (void *)data, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  // from calloc, since operator new would bring in libstdc++ and its newer glibc
  napi_set_instance_data(env, calloc(1, sizeof(Instance)), [](napi_env, void *data, void *) { free(data); }, nullptr);
  add(env, exports, "instructionSets", instruction_sets, nullptr);
  add(env, exports, "processorSets", processor_sets, nullptr);
  add(env, exports, "start", start, nullptr);
  add(env, exports, "stop", stop, nullptr);
  add(env, exports, "alone", alone, nullptr);
  add(env, exports, "misalignment", misalignment, nullptr);
  for (const Function &function : functions) add(env, exports, function.name, call_function, &function);
  return exports;
}
