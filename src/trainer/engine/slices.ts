// The operands of providers: places in typed arrays.

/** An operand: where a row-major array begins in its storage. */
export interface Slice {
  readonly data: Float32Array;
  readonly offset: number;
}

export interface IntSlice {
  readonly data: Int32Array;
  readonly offset: number;
}
