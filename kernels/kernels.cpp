// All kernels of one instruction set. Native builds compile this file once for each, with UNROLL_NAMESPACE set to a name
// of its own, and choose a table when they are loaded; a WASM module has one and exports its functions.
#include "abi.h"
#include "attention.h"
#include "channel_states.h"
#include "convolution.h"
#include "ctc.h"
#include "dense_cross_entropy.h"
#include "dropout.h"
#include "embedding.h"
#include "formula.h"
#include "gated_scan.h"
#include "gemm.h"
#include "memory.h"
#include "optimizers.h"
#include "recurrent_backward.h"
#include "recurrent_variant.h"
#include "row_norm.h"
#include "scan.h"
#include "selective_scan.h"
#include "short_convolution.h"
#include "table.h"

#define UNROLL_JOIN_(a, b) a##b
#define UNROLL_JOIN(a, b) UNROLL_JOIN_(a, b)

extern "C" {

#ifdef __wasm__
#define UNROLL_EXPORT(name, Call, doubles, pointers, integers)                                    \
  __attribute__((export_name("unroll_" #name))) double unroll_##name(const Call *call) {         \
    return UNROLL_NAMESPACE::name(call);                                                          \
  }
UNROLL_FUNCTIONS(UNROLL_EXPORT)
#else
#define UNROLL_ENTRY(name, Call, doubles, pointers, integers) UNROLL_NAMESPACE::name,
extern const UnrollTable UNROLL_JOIN(UNROLL_NAMESPACE, _table) = {UNROLL_FUNCTIONS(UNROLL_ENTRY)};
#endif
}
