// Gathers scalars between two written rows: mean, least and greatest, so that no spike is lost.
import type { JsonNumber, ScalarRange } from '../../runs/format.ts';
import { toJsonNumber } from '../../runs/json.ts';

export class ScalarLog {
  private readonly gathered = new Map<
    string,
    { sum: number; count: number; min: number; max: number; broken: number | null }
  >();

  add(name: string, value: number): void {
    let entry = this.gathered.get(name);
    if (!entry) {
      const [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      entry = { sum: 0, count: 0, min, max, broken: null };
      this.gathered.set(name, entry);
    }
    if (Number.isFinite(value)) {
      entry.sum += value;
      entry.count++;
      entry.min = Math.min(entry.min, value);
      entry.max = Math.max(entry.max, value);
    } else entry.broken ??= value;
  }

  /** The row, and a fresh start. A value that is not finite makes the mean so; equal values are one number. */
  take(): Record<string, ScalarRange | JsonNumber> {
    const row: Record<string, ScalarRange | JsonNumber> = {};
    for (const [name, { sum, count, min, max, broken }] of this.gathered) {
      const mean = toJsonNumber(broken ?? (min === max ? min : sum / count));
      const isOne = count === 0 || (broken === null && min === max);
      row[name] = isOne ? mean : { mean, min: toJsonNumber(min), max: toJsonNumber(max) };
    }
    this.gathered.clear();
    return row;
  }
}
