// Medians and means of measurements.

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Of two things measured in the same rounds: the median of the rounds' own ratios. */
export function medianRatio(above: readonly number[], below: readonly number[]): number {
  return median(above.map((value, round) => value / below[round]!));
}

/** What the median of a distribution lies between with 95 % confidence, from a sample of it: the ranks of a sign test. */
export function medianInterval(values: readonly number[]): [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const away = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(last / 2 - away));
  return [sorted[low] ?? Number.NaN, sorted[last - low] ?? Number.NaN];
}
