// The functions of abi.h as a table, one for each instruction set that a native build holds.
#pragma once
#include "abi.h"

struct UnrollTable {
#define UNROLL_MEMBER(name, Call, doubles, pointers, integers) double (*name)(const Call *call);
  UNROLL_FUNCTIONS(UNROLL_MEMBER)
#undef UNROLL_MEMBER
};
