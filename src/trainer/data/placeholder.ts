// Numbers that stand for a missing value in many tables, such as -9999: told where one lies far from all others. They stay
// numbers, for a person knows what they mean.
import { count, plural } from '../../experiment/words.ts';

/** Nines, the least numbers of 16 and 32 bits, and what netCDF and ESRI write. */
const PLACEHOLDER =
  /^-?(?:9{2,6}|32768|2147483648|99\.9+|999\.9+|9999\.9+|1e\+?20|9\.96920?\d*e\+?36|3\.4028\d*e\+?38)(?:[.,]0+)?$/i;

export class PlaceholderWatch {
  private readonly found = new Map<number, { times: number; line: number }>();
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;
  private others = 0;

  add(text: string, value: number, line: number): void {
    if (PLACEHOLDER.test(text)) {
      const known = this.found.get(value);
      if (known) known.times++;
      else this.found.set(value, { times: 1, line });
      return;
    }
    this.others++;
    if (value < this.least) this.least = value;
    if (value > this.most) this.most = value;
  }

  /** Those that are further from all others than these are from each other. */
  notes(column: string): string[] {
    if (this.others === 0) return [];
    const spread = this.most - this.least;
    const cells = this.others + [...this.found.values()].reduce((sum, { times }) => sum + times, 0);
    return [...this.found]
      .filter(([value]) => Math.max(this.least - value, value - this.most) > spread)
      .map(
        ([value, { times, line }]) =>
          `Column "${column}": ${value} stands in ${count(times)} of ${plural(cells, 'cell')}, first in line ${line}, far from all others (${this.least} to ${this.most}). It is read as a number: empty ${times === 1 ? 'the cell' : 'these cells'} if ${times === 1 ? 'its' : 'their'} value is missing.`,
      );
  }
}
