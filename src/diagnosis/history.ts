// Numbers over training steps in bounded memory: neighbours are joined as they grow many.

interface Bin {
  from: number;
  to: number;
  count: number;
  sum: number;
}

const MOST_BINS = 1024;
const STRETCHES = 8;

export class History {
  private bins: Bin[] = [];
  /** values in a full bin */
  private width = 1;

  get lastStep(): number {
    return this.bins.at(-1)?.to ?? 0;
  }

  /** Values that are not finite are left out. */
  push(step: number, value: number): void {
    if (!Number.isFinite(value)) return;
    const last = this.bins.at(-1);
    if (last && last.count < this.width) {
      last.to = step;
      last.count++;
      last.sum += value;
      return;
    }
    this.bins.push({ from: step, to: step, count: 1, sum: value });
    if (this.bins.length > MOST_BINS) this.halve();
  }

  /** Over the steps after `from` up to `to`, as well as the bins allow; null where there are none. */
  mean(from: number, to: number): number | null {
    let sum = 0;
    let count = 0;
    for (const bin of this.bins) {
      if (bin.from <= from || bin.to > to) continue;
      sum += bin.sum;
      count += bin.count;
    }
    return count > 0 ? sum / count : null;
  }

  /**
   * How steadily the values rise over the steps after `from` up to `to`: Kendall's rank correlation of the means of
   * eight stretches with time (1: each above all before it), and the rise from the first to the last.
   */
  trend(from: number, to: number): { tau: number; rise: number } | null {
    const means: number[] = [];
    for (let part = 0; part < STRETCHES; part++) {
      const width = (to - from) / STRETCHES;
      const mean = this.mean(from + part * width, from + (part + 1) * width);
      if (mean !== null) means.push(mean);
    }
    if (means.length < STRETCHES / 2) return null;
    let sum = 0;
    for (let i = 1; i < means.length; i++)
      for (let j = 0; j < i; j++) sum += Math.sign(means[i]! - means[j]!);
    const pairs = (means.length * (means.length - 1)) / 2;
    return { tau: sum / pairs, rise: means.at(-1)! - means[0]! };
  }

  /** Mean, and standard error of it, over the steps after `from` up to `to`. */
  spread(from: number, to: number): { mean: number; error: number } | null {
    const means = this.bins
      .filter(bin => bin.from > from && bin.to <= to)
      .map(({ sum, count }) => sum / count);
    if (means.length < 8) return null;
    const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
    const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (means.length - 1);
    return { mean, error: Math.sqrt(variance / means.length) };
  }

  private halve(): void {
    const joined: Bin[] = [];
    for (let i = 0; i < this.bins.length; i += 2) {
      const [a, b] = [this.bins[i]!, this.bins[i + 1]];
      joined.push(b ? { from: a.from, to: b.to, count: a.count + b.count, sum: a.sum + b.sum } : a);
    }
    this.bins = joined;
    this.width *= 2;
  }
}

/** The newest values. */
export class Recent {
  readonly values: number[] = [];
  /** all that were pushed, the forgotten ones included */
  count = 0;
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  push(value: number): void {
    this.count++;
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
  }

  get full(): boolean {
    return this.values.length === this.most;
  }

  get median(): number {
    return median(this.values);
  }
}

export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted.length > 0 ? sorted[sorted.length >> 1]! : Number.NaN;
}
