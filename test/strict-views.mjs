// Loaded before the unit tests: a view of a typed array may not reach beyond it. JavaScript cuts such a view short, and
// what is written through it is lost in silence: a wrong bound of a loop would change nothing that a test sees.
const kinds = [Float32Array, Float64Array, Int32Array, Uint32Array];

for (const kind of kinds) {
  const { subarray } = Object.getPrototypeOf(kind.prototype);
  Object.defineProperty(kind.prototype, 'subarray', {
    configurable: true,
    writable: true,
    value(begin, end) {
      if (begin > this.length || end > this.length)
        throw new RangeError(`A view from ${begin} to ${end} of ${this.length} numbers.`);
      return subarray.call(this, begin, end);
    },
  });
}
