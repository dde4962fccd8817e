// Growing typed columns: what a reader holds of a run in memory.

/** A Float64Array that grows at its end. */
export class GrowingColumn {
  length = 0;
  private storage = new Float64Array(256);

  push(value: number): void {
    if (this.length === this.storage.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.storage);
      this.storage = larger;
    }
    this.storage[this.length++] = value;
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
  }

  at(index: number): number {
    return index < this.length ? this.storage[index]! : Number.NaN;
  }

  /** A view, valid until the next push. */
  values(): Float64Array {
    return this.storage.subarray(0, this.length);
  }
}

/** One scalar over training: a row for each written interval, with the extremes inside it. */
export class ScalarColumn {
  readonly steps = new GrowingColumn();
  /** own training seconds */
  readonly seconds = new GrowingColumn();
  readonly tokens = new GrowingColumn();
  readonly mean = new GrowingColumn();
  readonly min = new GrowingColumn();
  readonly max = new GrowingColumn();

  get length(): number {
    return this.steps.length;
  }

  push(step: number, seconds: number, tokens: number, mean: number, min: number, max: number): void {
    this.steps.push(step);
    this.seconds.push(seconds);
    this.tokens.push(tokens);
    this.mean.push(mean);
    this.min.push(min);
    this.max.push(max);
  }

  /** Forgets what stands beyond `step`. */
  dropAfter(step: number): void {
    let keep = this.length;
    while (keep > 0 && this.steps.at(keep - 1) > step) keep--;
    for (const column of [this.steps, this.seconds, this.tokens, this.mean, this.min, this.max])
      column.truncate(keep);
  }
}
