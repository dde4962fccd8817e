// Columns of a row-major matrix as the lanes of vectors, and back: what products with packed panels are made from.
#pragma once
#include "vector.h"

namespace UNROLL_NAMESPACE {

UNROLL_INLINE Index clamp_lanes(Index lanes) { return lanes < 0 ? 0 : lanes > WIDTH ? WIDTH : lanes; }

/** to[k * to_stride + lane] = from[lane * from_stride + k] for k < count; lanes beyond `lanes` are 0. */
static void pack_column(float *to, Index to_stride, const float *from, Index from_stride, Index lanes, Index count) {
  for (Index k = 0; k < count; k += WIDTH) {
    const Index part = smaller<Index>(count - k, WIDTH);
    Vec v[WIDTH];
    for (int lane = 0; lane < WIDTH; lane++)
      v[lane] = lane < lanes ? load_part(from + lane * from_stride + k, part) : Vec{};
    transpose(v);
    for (Index i = 0; i < part; i++) store(to + (k + i) * to_stride, v[i]);
  }
}

/** The way back, summed over the parts of all slabs: to[lane * to_stride + k] = Σ from[k * from_stride + lane]. */
static void unpack_column(float *to, Index to_stride, const float *from, Index from_stride, Index slab_stride, int slabs,
                          Index lanes, Index count) {
  for (Index k = 0; k < count; k += WIDTH) {
    const Index part = smaller<Index>(count - k, WIDTH);
    Vec v[WIDTH];
    for (Index i = 0; i < WIDTH; i++) {
      v[i] = Vec{};
      if (i >= part) continue;
      for (int slab = 0; slab < slabs; slab++) v[i] += load(from + slab * slab_stride + (k + i) * from_stride);
    }
    transpose(v);
    for (Index lane = 0; lane < lanes; lane++) store_part(to + lane * to_stride + k, v[lane], part);
  }
}

}  // namespace UNROLL_NAMESPACE
