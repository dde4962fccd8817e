// Parts of a model's weights that penalties and decay tell apart, by their names.

export function isBias(name: string): boolean {
  return /(^|[._])bias/.test(name);
}

/** A weight of the previous state: PyTorch's weight_hh. */
export function isRecurrent(name: string): boolean {
  return /(^|[._])weight_hh/.test(name);
}
