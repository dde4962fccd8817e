// Growing typed columns: what a reader holds of a run in memory. Scalars that are written together share their
// steps, seconds and tokens, so that ten runs of 100,000 rows take about 100 MB.

/** A Float64Array that grows at its end. */
export class GrowingColumn {
  length = 0;
  private storage = new Float64Array(64);

  push(value: number): void {
    if (this.length === this.storage.length) {
      const larger = new Float64Array(Math.ceil(this.length * 1.5));
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

  copy(length: number): GrowingColumn {
    const copy = new GrowingColumn();
    copy.storage = this.storage.slice(0, Math.max(64, length));
    copy.length = Math.min(length, this.length);
    return copy;
  }
}

/** Where a row stands: the same for all scalars of one event. */
interface Clock {
  steps: GrowingColumn;
  /** own training seconds */
  seconds: GrowingColumn;
  tokens: GrowingColumn;
}

function newClock(): Clock {
  return { steps: new GrowingColumn(), seconds: new GrowingColumn(), tokens: new GrowingColumn() };
}

/** One scalar over training: a row for each written interval, with the extremes inside it. */
export class ScalarColumn {
  mean = new GrowingColumn();
  /** the same as `mean` until a row has a range */
  min: GrowingColumn = this.mean;
  max: GrowingColumn = this.mean;
  /** shared with the other scalars as long as this one is in every event */
  clock: Clock;

  constructor(clock: Clock = newClock()) {
    this.clock = clock;
  }

  get length(): number {
    return this.mean.length;
  }

  get steps(): GrowingColumn {
    return this.clock.steps;
  }

  get seconds(): GrowingColumn {
    return this.clock.seconds;
  }

  get tokens(): GrowingColumn {
    return this.clock.tokens;
  }

  /** The values of the row whose place was pushed to the clock. */
  pushValues(mean: number, min: number, max: number): void {
    if (this.min === this.mean && !(Object.is(min, mean) && Object.is(max, mean))) {
      this.min = this.mean.copy(this.mean.length);
      this.max = this.mean.copy(this.mean.length);
    }
    if (this.min !== this.mean) {
      this.min.push(min);
      this.max.push(max);
    }
    this.mean.push(mean);
  }

  /** From now on this scalar has rows of its own. */
  standAlone(): void {
    const { steps, seconds, tokens } = this.clock;
    this.clock = {
      steps: steps.copy(this.length),
      seconds: seconds.copy(this.length),
      tokens: tokens.copy(this.length),
    };
  }

  truncate(length: number): void {
    for (const column of new Set([this.mean, this.min, this.max])) column.truncate(length);
  }
}

export interface ScalarValues {
  mean: number;
  min: number;
  max: number;
}

const MAX_NAMES = 200;

/** All scalars of a run, row by row; steps never go back. */
export class ScalarTable {
  readonly columns = new Map<string, ScalarColumn>();
  private readonly shared = newClock();
  private lastStep = -1;

  /** @returns false for a row whose step lies before the last one */
  push(step: number, seconds: number, tokens: number, values: Iterable<[string, ScalarValues]>): boolean {
    if (step < this.lastStep) return false;
    this.lastStep = step;
    const row = this.shared.steps.length;
    pushClock(this.shared, step, seconds, tokens);
    for (const [name, { mean, min, max }] of values) {
      const column = this.columns.get(name) ?? this.add(name, row);
      if (!column) continue;
      if (column.clock !== this.shared) pushClock(column.clock, step, seconds, tokens);
      column.pushValues(mean, min, max);
    }
    for (const column of this.columns.values())
      if (column.clock === this.shared && column.length <= row) column.standAlone();
    return true;
  }

  /** Forgets what stands beyond `step`. */
  dropAfter(step: number): void {
    for (const column of this.columns.values()) column.truncate(rowsUpTo(column.steps, step, column.length));
    const clocks = new Set([this.shared, ...[...this.columns.values()].map(({ clock }) => clock)]);
    for (const { steps, seconds, tokens } of clocks) {
      const rows = rowsUpTo(steps, step, steps.length);
      for (const column of [steps, seconds, tokens]) column.truncate(rows);
    }
    this.lastStep = Math.min(this.lastStep, step);
  }

  clear(): void {
    this.columns.clear();
    this.dropAfter(-1);
  }

  private add(name: string, row: number): ScalarColumn | undefined {
    if (this.columns.size >= MAX_NAMES || name.length > MAX_NAMES) return undefined;
    const column = new ScalarColumn(row === 0 ? this.shared : undefined);
    this.columns.set(name, column);
    return column;
  }
}

function pushClock(
  { steps, seconds: ownSeconds, tokens: seen }: Clock,
  step: number,
  seconds: number,
  tokens: number,
): void {
  steps.push(step);
  ownSeconds.push(seconds);
  seen.push(tokens);
}

function rowsUpTo(steps: GrowingColumn, step: number, length: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps.at(middle) <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}
