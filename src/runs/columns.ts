// Growing typed columns: what a reader holds of a run in memory. Scalars that are written together share their
// steps, seconds and tokens, so that ten runs of 100,000 rows take about 100 MB.

const FIRST_BLOCK = 64;
/** a power of two */
const BLOCK = 4096;
const SHIFT = Math.log2(BLOCK);

/** Float64 values in blocks: nothing that is there is copied when it grows, which a reader of long runs would feel. */
export class GrowingColumn {
  length = 0;
  private readonly blocks: Float64Array[] = [];

  push(value: number): void {
    const index = this.length >> SHIFT;
    const place = this.length & (BLOCK - 1);
    let block = this.blocks[index];
    if (!block || place >= block.length) {
      const larger = new Float64Array(block ? block.length * 2 : index === 0 ? FIRST_BLOCK : BLOCK);
      if (block) larger.set(block);
      block = this.blocks[index] = larger;
    }
    block[place] = value;
    this.length++;
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
  }

  at(index: number): number {
    return index < this.length ? this.blocks[index >> SHIFT]![index & (BLOCK - 1)]! : Number.NaN;
  }

  /** A copy of all that is there. */
  values(): Float64Array {
    const values = new Float64Array(this.length);
    this.blocks.slice(0, Math.ceil(this.length / BLOCK)).forEach((block, index) => {
      const used = Math.min(block.length, this.length - index * BLOCK);
      values.set(block.subarray(0, used), index * BLOCK);
    });
    return values;
  }

  copy(length: number): GrowingColumn {
    const copy = new GrowingColumn();
    copy.length = Math.min(length, this.length);
    copy.blocks.push(...this.blocks.slice(0, Math.ceil(copy.length / BLOCK)).map(block => block.slice()));
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
